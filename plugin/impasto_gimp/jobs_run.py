"""What `plug-in-impasto-jobs` does: shows the daemon and its paintings, ends them, brings them home. Imports gi.

A painting whose GIMP has crashed, or was closed, goes on in the daemon; here it is found again.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gi.repository import Gimp, Gio, GLib, GObject

from impasto_gimp.installation import Installation
from impasto_gimp.job_list import can_be_brought, can_be_ended, daemon_line, described
from impasto_gimp.procedures import failed, succeeded
from impasto_gimp.product import ProductError, run_product, run_product_aside

__all__ = ["run"]

LIST = ("jobs", "--json")
STATUS = ("daemon", "status", "--json")

LOOK_AGAIN_MS = 3000
"""Milliseconds between looks at the daemon; each starts a process."""


def run(procedure: Any, run_mode: Any, image: Any, _drawables: Any, _config: Any, installation: Installation) -> Any:
    """Shows or returns them."""
    if run_mode != Gimp.RunMode.NONINTERACTIVE:
        _Window(image, installation).run()
        return succeeded(procedure, (GObject.TYPE_STRING, ""))
    try:
        report: Any = run_product(installation, *STATUS)
    except ProductError:
        report = None
    try:
        jobs = run_product(installation, *LIST)
    except ProductError as error:
        return failed(procedure, str(error))
    return succeeded(procedure, (GObject.TYPE_STRING, json.dumps({"daemon": report, "jobs": jobs or []})))


class _Window:
    """The window; every command runs in a thread, and what it answers is shown in the main loop."""

    def __init__(self, image: Any, installation: Installation) -> None:
        import gi

        gi.require_version("Gtk", "3.0")
        gi.require_version("GimpUi", "3.0")
        from gi.repository import GimpUi, Gtk

        GimpUi.init("impasto")
        self._gtk = Gtk
        self._image = image
        self._installation = installation
        self._is_open = True
        self._bringing = 0
        self._is_to_close = False
        self._jobs: list[dict[str, Any]] = []
        self._dialog = Gtk.Dialog(title="Impasto: Paintings")
        self._dialog.set_default_size(560, 320)
        self._dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
        self._daemon = Gtk.Label(label="Looking for the daemon…", xalign=0.0, wrap=True)
        self._note = Gtk.Label(xalign=0.0, wrap=True)
        self._list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.NONE)
        self._list.set_placeholder(_shown(Gtk.Label(label="There are no paintings.")))
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(self._list)
        content = self._dialog.get_content_area()
        content.set_border_width(12)
        content.set_spacing(8)
        content.pack_start(self._daemon, False, False, 0)
        content.pack_start(scrolled, True, True, 0)
        content.pack_start(self._note, False, False, 0)
        self._dialog.show_all()

    def run(self) -> None:
        """Shows it until it is closed, and no picture is on its way any more: it would come to nobody."""
        self._look()
        timer = GLib.timeout_add(LOOK_AGAIN_MS, self._look)
        self._dialog.run()
        while self._bringing:
            self._is_to_close = True
            self._note.set_text("The picture is on its way; the window closes when it is there.")
            self._dialog.run()
        self._is_open = False
        GLib.source_remove(timer)
        self._dialog.destroy()

    def _look(self) -> bool:
        self._ask(STATUS, lambda report, _: self._daemon.set_text(daemon_line(report, None)))
        self._ask(LIST, self._listed)
        return bool(GLib.SOURCE_CONTINUE)

    def _ask(self, words: tuple[str, ...], show: Callable[[Any, str | None], None]) -> None:
        def shown(answer: Any, trouble: str | None) -> bool:
            if self._is_open:
                show(answer, trouble)
            return bool(GLib.SOURCE_REMOVE)

        run_product_aside(self._installation, words, lambda answer, trouble: GLib.idle_add(shown, answer, trouble))

    def _listed(self, jobs: Any, trouble: str | None) -> None:
        if trouble is not None:
            self._note.set_text(trouble)
        elif isinstance(jobs, list) and jobs != self._jobs:
            self._jobs = jobs
            for row in self._list.get_children():
                row.destroy()
            for job in jobs:
                self._list.add(self._row(job))
            self._list.show_all()

    def _row(self, job: dict[str, Any]) -> Any:
        gtk, name = self._gtk, str(job["job"])
        box = gtk.Box(spacing=6, border_width=4)
        box.pack_start(gtk.Label(label=described(job), xalign=0.0, wrap=True), True, True, 0)
        if can_be_ended(job):
            for label, words in (
                ("_Stop and Keep", ("jobs", "cancel", name, "--keep")),
                ("Ca_ncel", ("jobs", "cancel", name)),
            ):
                box.pack_start(self._button(label, partial(self._ask, words, self._ended)), False, False, 0)
        elif can_be_brought(job):
            box.pack_start(self._button("_Bring into the Image", lambda: self._bring(name)), False, False, 0)
        return box

    def _button(self, label: str, act: Callable[[], None]) -> Any:
        button = self._gtk.Button(label=label, use_underline=True)

        def clicked(_button: Any) -> None:
            button.set_sensitive(False)
            act()

        button.connect("clicked", clicked)
        return button

    def _ended(self, _answer: Any, trouble: str | None) -> None:
        self._note.set_text(trouble or "")
        self._look()

    def _bring(self, name: str) -> None:
        # In GIMP's own folder: a Flatpak's folder for temporary files is not the one that the product sees.
        folder = Path(tempfile.mkdtemp(prefix="impasto-", dir=Gimp.directory()))
        file = folder / "painting.png"

        def brought(_answer: Any, trouble: str | None) -> None:
            self._bringing -= 1
            if trouble is None and not self._insert(file):
                trouble = f"GIMP could not put the picture there; it is in {str(file)!r}."
            else:
                shutil.rmtree(folder, ignore_errors=True)
            self._note.set_text(trouble or "")
            self._look()
            if self._is_to_close and trouble is None and not self._bringing:
                self._dialog.response(self._gtk.ResponseType.CLOSE)

        self._bringing += 1
        self._ask(("jobs", "fetch", name, "-o", str(file)), brought)

    def _insert(self, file: Path) -> bool:
        """As a layer of the image, or as an image of its own where there is none; says whether it is there."""
        place = Gio.File.new_for_path(str(file))
        if self._image is None or not self._image.is_valid():
            image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, place)
            if image is None:
                return False
            Gimp.Display.new(image)
            return True
        layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, self._image, place)
        if layer is None or not self._image.insert_layer(layer, None, 0):
            return False
        layer.set_name("Painting")
        Gimp.displays_flush()
        return True


def _shown(widget: Any) -> Any:
    widget.show()
    return widget
