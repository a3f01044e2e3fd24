"""The window that lists the daemon's paintings, ends them, brings their pictures, and goes on with one. Imports gi.

It speaks with the daemon through one courier, which the painting that is taken up goes on with.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")

from gi.repository import Gimp, GimpUi, GLib, Gtk  # noqa: E402 -- versions first

from impasto_gimp.courier import Courier, Happened, Listed, News, Starting, Unreachable  # noqa: E402
from impasto_gimp.installation import Installation  # noqa: E402
from impasto_gimp.job_list import (  # noqa: E402
    can_be_brought,
    can_be_ended,
    can_be_followed,
    daemon_line,
    described,
    is_listed,
)
from impasto_gimp.left_painting import LeftPainting  # noqa: E402
from impasto_gimp.painting import Painting, Phase  # noqa: E402
from impasto_gimp.painting_window import PaintingWindow  # noqa: E402
from impasto_gimp.stylize import LAST_WORD_S, View, new_courier, take_up  # noqa: E402
from impasto_gimp.taking_up import TakenUp, canvas_for  # noqa: E402
from impasto_protocol.events import Answered  # noqa: E402
from impasto_protocol.messages import JobEntry  # noqa: E402

__all__ = ["show_jobs"]

LOOK_AGAIN_MS = 1000
"""Milliseconds between looks at the daemon."""

FOLLOW = 1
"""What the window answers when it is closed to go on with a painting."""


def show_jobs(image: Any, installation: Installation) -> str | None:
    """Shows the paintings, and then the one that the user goes on with.

    Args:
        image: The one that the user is looking at; None if there is none.
        installation: Where the product is.

    Returns:
        Why a painting has failed; None if none has.
    """
    GimpUi.init("impasto")
    windows: list[JobsWindow] = []

    def on_news() -> None:
        for window in windows:
            window.take_news()

    courier = new_courier(installation, on_news)
    courier.start()
    try:
        windows.append(JobsWindow(image, installation, courier))
        chosen = windows[0].run()
        windows.clear()
        return None if chosen is None else _gone_on_with(chosen, image, installation, courier)
    finally:
        courier.stop(wait_s=LAST_WORD_S)


def _gone_on_with(job: JobEntry, image: Any, installation: Installation, courier: Courier) -> str | None:
    place = canvas_for(job, image, installation.version)

    def open_window(painting: Painting) -> PaintingWindow:
        return PaintingWindow(painting, place.wish, place.name, place.where)

    painting = _taken_up(job, place, courier, open_window)
    if painting.is_cut_short:
        Gimp.message(painting.text)
    return painting.text if painting.phase is Phase.FAILED else None


def _taken_up(job: JobEntry, place: TakenUp, courier: Courier, open_view: Callable[[Painting], View]) -> Painting:
    """Takes a painting up, in an image that is shown; a new one that stays empty goes again."""
    display = None if place.made is None else Gimp.Display.new(place.made)
    painting = take_up(job.job, place.canvas, place.wish, courier, open_view=open_view)
    if display is not None and place.made.is_valid() and not place.canvas.is_shown:
        display.delete()
    return painting


class JobsWindow:
    """See the module.

    Args:
        image: The one that the user is looking at; None if there is none.
        installation: Where the product is.
        courier: Started.
    """

    def __init__(self, image: Any, installation: Installation, courier: Courier) -> None:
        self._image = image
        self._installation = installation
        self._courier = courier
        self._rows: dict[str, _Row] = {}
        self._chosen: JobEntry | None = None
        self._is_asking = False
        self._bringing: _Bringing | None = None
        self._dialog = Gtk.Dialog(title="Impasto: Paintings")
        self._dialog.set_default_size(720, 320)
        self._dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
        self._dialog.connect("response", lambda *_: self._closed())
        self._daemon = Gtk.Label(label="Looking for the daemon…", xalign=0.0, wrap=True)
        self._note = Gtk.Label(xalign=0.0, wrap=True)
        self._list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE)
        placeholder = Gtk.Label(label="There are no paintings.")
        placeholder.show()
        self._list.set_placeholder(placeholder)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(self._list)
        content = self._dialog.get_content_area()
        content.set_border_width(12)
        content.set_spacing(8)
        content.pack_start(self._daemon, False, False, 0)
        content.pack_start(scrolled, True, True, 0)
        content.pack_start(self._note, False, False, 0)
        self._dialog.show_all()

    def run(self) -> JobEntry | None:
        """Shows it until it is closed and no picture is on its way; gives the painting that is to go on."""
        self._look()
        timer = GLib.timeout_add(LOOK_AGAIN_MS, self._look)
        answer = self._dialog.run()
        GLib.source_remove(timer)
        self._dialog.destroy()
        return self._chosen if answer == FOLLOW else None

    def take_news(self) -> None:
        """Takes the courier's news, unless a picture that is being brought does."""
        if self._bringing is None:
            for news in self._courier.take():
                self._heard(news)

    def _look(self) -> bool:
        if not self._is_asking and self._bringing is None and self._courier.is_alive:
            self._is_asking = True
            self._courier.list_jobs()
        return bool(GLib.SOURCE_CONTINUE)

    def _heard(self, news: News) -> None:
        match news:
            case Starting():
                self._daemon.set_text("Starting the daemon…")
            case Unreachable(text=text):
                self._is_asking = False
                self._daemon.set_text(text)
            case Listed(report=report, jobs=jobs):
                self._is_asking = False
                self._daemon.set_text(daemon_line(report))
                self._listed([job for job in jobs if is_listed(job)])
                LeftPainting.forget_all_but({job.job for job in jobs})
            case Happened(event=Answered(request="CANCEL", refusal=refusal)):
                self._note.set_text("" if refusal is None else str(refusal))
                self._look()

    def _listed(self, jobs: list[JobEntry]) -> None:
        for gone in self._rows.keys() - {job.job for job in jobs}:
            self._rows.pop(gone).widget.destroy()
        for job in jobs:
            if job.job not in self._rows:
                self._rows[job.job] = _Row(job)
                self._list.add(self._rows[job.job].widget)
            self._rows[job.job].show(job, self._actions(job))

    def _actions(self, job: JobEntry) -> dict[str, Callable[[], None]]:
        """What can be done with a painting, by the buttons' labels."""
        found: dict[str, Callable[[], None]] = {}
        if can_be_followed(job):
            found["_Watch"] = partial(self._follow, job)
        if can_be_ended(job):
            found["_Stop and Keep"] = partial(self._courier.cancel, job.job, keep_picture=True)
            found["Ca_ncel"] = partial(self._cancel, job)
        if can_be_brought(job):
            found["_Bring into GIMP"] = partial(self._bring, job)
        return found

    def _follow(self, job: JobEntry) -> None:
        self._chosen = job
        self._dialog.response(FOLLOW)

    def _cancel(self, job: JobEntry) -> None:
        self._courier.follow(job.job)  # so that it is heard of, and forgotten when it has ended
        self._courier.cancel(job.job, keep_picture=False)

    def _bring(self, job: JobEntry) -> None:
        """Brings a finished picture, as taking it up does; the window can be used meanwhile, but for the list."""
        self._list.set_sensitive(False)
        self._note.set_text("The picture is on its way.")
        self._bringing = _Bringing()
        try:
            place = canvas_for(job, self._image, self._installation.version)
            painting = _taken_up(job, place, self._courier, self._bringing.begin)
        finally:
            self._bringing = None
            self._is_asking = False
            self._rows.pop(job.job).widget.destroy()
            self._list.set_sensitive(True)
        self._note.set_text(place.where if painting.phase is Phase.KEPT else painting.text)
        self._look()

    def _closed(self) -> None:
        if self._bringing is not None:
            self._note.set_text("The picture is on its way; close once more to leave it with the daemon.")
            self._bringing.close()


class _Bringing:
    """What watches a picture that is being brought: nothing but the user's not wanting to wait any more."""

    def __init__(self) -> None:
        self._painting: Painting | None = None
        self._closings = 0

    def begin(self, painting: Painting) -> "_Bringing":
        self._painting = painting
        return self

    def show(self, painting: Painting) -> None:
        """See `View`."""

    def close(self) -> None:
        self._closings += 1
        if self._closings > 1 and self._painting is not None:
            self._painting.leave()


class _Row:
    """One painting in the list; its buttons stay as long as the same can be done."""

    def __init__(self, job: JobEntry) -> None:
        left = LeftPainting.of(job.job)
        self._name = None if left is None else left.name
        self._labels: tuple[str, ...] = ()
        self._text = Gtk.Label(xalign=0.0, wrap=True)
        self._buttons = Gtk.Box(spacing=6, valign=Gtk.Align.CENTER)
        box = Gtk.Box(spacing=6, border_width=4)
        box.pack_start(self._text, True, True, 0)
        box.pack_start(self._buttons, False, False, 0)
        self.widget = Gtk.ListBoxRow(activatable=False)
        self.widget.add(box)
        self.widget.show_all()

    def show(self, job: JobEntry, actions: dict[str, Callable[[], None]]) -> None:
        """Shows where it stands, and what can be done."""
        self._text.set_text(described(job, self._name))
        if self._labels == tuple(actions):
            return
        self._labels = tuple(actions)
        for button in self._buttons.get_children():
            button.destroy()
        for label, act in actions.items():
            button = Gtk.Button(label=label, use_underline=True)
            button.connect("clicked", _clicked, act)
            self._buttons.add(button)
        self._buttons.show_all()


def _clicked(button: Any, act: Callable[[], None]) -> None:
    """Does it once: a button is alive again when something else can be done."""
    button.set_sensitive(False)
    act()
