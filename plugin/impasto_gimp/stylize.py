"""Painting a layer: from the settings to the finished layer, with or without windows. Imports gi."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gi.repository import Gegl, Gimp, GLib

from impasto_gimp.courier import Courier
from impasto_gimp.installation import Installation
from impasto_gimp.left_painting import LeftPainting
from impasto_gimp.live_layer import LiveLayer, new_layer
from impasto_gimp.naming import layer_name
from impasto_gimp.painting import Painting, Phase
from impasto_gimp.pictures import content_of, extent_of, mask_of, style_in_file, style_in_layer
from impasto_gimp.pixel_layout import LayoutError
from impasto_gimp.recipe import Recipe
from impasto_gimp.starting import start_daemon
from impasto_gimp.wish import StyleChoice, Wish
from impasto_protocol.connection import connection_path
from impasto_protocol.pixels import Picture

__all__ = [
    "LAST_WORD_S",
    "ChosenStyle",
    "View",
    "check_paintable",
    "new_courier",
    "paint_layer",
    "style_picture",
    "take_up",
]

TICK_MS = 100
"""Milliseconds between looks at the image: GIMP tells a plug-in nothing when a layer is deleted."""

LAST_WORD_S = 2.0
"""Seconds for which the daemon's ear is waited for at the end: it must hear what is not wanted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenStyle:
    """A style that the user has chosen, with the layer if it is one."""

    choice: StyleChoice
    layer: Any = None


class View(Protocol):
    """What shows a painting's progress to the user."""

    def show(self, painting: Painting) -> None:
        """Shows where it stands."""
        ...


def new_courier(installation: Installation, on_news: Callable[[], None]) -> Courier:
    """A courier to this user's daemon, not started yet.

    Args:
        installation: Where the product is.
        on_news: Called in the main thread when there is news.
    """

    def woken() -> bool:
        on_news()
        return False  # GLib.SOURCE_REMOVE

    def open_client() -> tuple[Any, str]:
        from impasto_gimp.libraries import chosen_dial

        transport, dial = chosen_dial(installation, connection_path(), os.environ)
        from impasto_protocol.client import Client

        return Client(dial, name=f"Impasto {installation.version} in GIMP"), transport

    def start() -> None:
        from impasto_gimp.libraries import own_environment

        start_daemon(installation, own_environment(os.environ))

    return Courier(open_client, start, lambda: GLib.idle_add(woken))


def check_paintable(image: Any, drawables: list[Any]) -> Any:
    """The one layer that is to be painted.

    Raises:
        LayoutError: There is not one, or it cannot be painted.
    """
    if len(drawables) != 1:
        raise LayoutError(f"{len(drawables)} layers are selected; select one.")
    if not drawables[0].is_layer():
        raise LayoutError(f"{drawables[0].get_name()!r} is a mask or a channel; select a layer.")
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise LayoutError("The image is indexed, and a painting needs all colors; convert it with Image ▸ Mode ▸ RGB.")
    return drawables[0]


def style_picture(chosen: ChosenStyle) -> Picture:
    """The style's pixels.

    Raises:
        LayoutError: It cannot be read.
    """
    if chosen.layer is not None:
        if not chosen.layer.is_valid():
            raise LayoutError("The layer that was to be the style is gone; choose another.")
        return style_in_layer(chosen.layer)
    return style_in_file(Path(chosen.choice.path))


def paint_layer(
    image: Any,
    source: Any,
    chosen: ChosenStyle,
    wish: Wish,
    installation: Installation,
    *,
    above: Any = None,
    courier: Courier | None = None,
    open_view: Callable[[Painting], View] | None = None,
) -> tuple[Painting, Any]:
    """Paints, and returns when that is over; GIMP's main loop runs meanwhile.

    Args:
        image: The image.
        source: The layer to paint.
        chosen: The style.
        wish: The settings.
        installation: Where the product is.
        above: The layer above which to put the new one; the layer itself if it is None.
        courier: One that has been started, to go on with; its news goes to the painting from now on.
        open_view: Opens a window.

    Returns:
        The painting, and the layer it has become if it was kept.

    Raises:
        LayoutError: It cannot begin.
    """
    Gegl.init(None)
    extent = extent_of(source)
    content, style = content_of(image, source, extent), style_picture(chosen)
    job, name = uuid.uuid4().hex, layer_name(chosen.choice, wish)
    recipe = Recipe(wish=wish, style=chosen.choice, source=source.get_tattoo())
    layer = new_layer(image, source, extent, name)
    canvas = LiveLayer(
        image,
        layer,
        job=job,
        above=source if above is None else above,
        name=name,
        recipe=recipe,
        version=installation.version,
        keep_every=wish.keep_every,
    )
    _, left, top = layer.get_offsets()
    file = image.get_file()
    note = LeftPainting(
        name=name,
        recipe=recipe,
        offsets=(left, top),
        size=(extent.width, extent.height),
        mask=mask_of(layer),
        has_alpha=layer.has_alpha(),
        image_size=(image.get_width(), image.get_height()),
        image_uri="" if file is None else file.get_uri(),
        is_grey=layer.is_gray(),
        precision=int(image.get_precision()),
    )
    note.keep(job)
    carrier = courier or new_courier(installation, lambda: None)
    if courier is None:
        carrier.start()

    def begin(painting: Painting) -> None:
        painting.begin(job, wish.order(content, style), [content, style])

    try:
        painting = _carried_out(canvas, wish, carrier, open_view, begin)
    finally:
        carrier.stop(wait_s=LAST_WORD_S)
    if painting.phase is not Phase.FAILED and not painting.is_cut_short:
        LeftPainting.forget(job)
    return painting, canvas.layer if painting.phase is Phase.KEPT and canvas.layer.is_valid() else None


def take_up(
    job: str,
    canvas: LiveLayer,
    wish: Wish,
    courier: Courier,
    *,
    open_view: Callable[[Painting], View] | None = None,
) -> Painting:
    """Goes on with a painting that the daemon has, as if its window had never gone; returns when it is over.

    Args:
        job: Its id.
        canvas: Where it appears.
        wish: The settings, as far as they are known.
        courier: Started; its news goes to the painting until then.
        open_view: Opens a window.
    """
    Gegl.init(None)
    painting = _carried_out(canvas, wish, courier, open_view, lambda painting: painting.take_up(job))
    if painting.phase is not Phase.FAILED and not painting.is_cut_short:
        LeftPainting.forget(job)
    return painting


def _carried_out(
    canvas: LiveLayer,
    wish: Wish,
    carrier: Courier,
    open_view: Callable[[Painting], View] | None,
    begin: Callable[[Painting], None],
) -> Painting:
    """Runs the main loop until a painting is over."""
    loop = GLib.MainLoop()
    painting = Painting(carrier, canvas, wish)
    faults: list[BaseException] = []
    bar = _Bar()

    def turn() -> bool:
        """Takes the news; an error ends the painting rather than being printed by GLib, which would go on."""
        try:
            for news in carrier.take():
                painting.heard(news)
            painting.tick()
            bar.show(painting)
            if view is not None:
                view.show(painting)
        except BaseException as error:
            faults.append(error)
        if faults or painting.phase.is_over:
            loop.quit()
            return False  # GLib.SOURCE_REMOVE
        return True  # GLib.SOURCE_CONTINUE

    view = None if open_view is None else open_view(painting)
    begin(painting)
    timer = GLib.timeout_add(TICK_MS, turn)
    try:
        loop.run()
    finally:
        if not faults and not painting.phase.is_over:  # the loop was ended from outside
            GLib.source_remove(timer)
            painting.stop()
        bar.end()
    if faults:
        if not canvas.is_shown:
            canvas.discard()
        raise faults[0]
    return painting


class _Bar:
    """GIMP's own progress bar."""

    def __init__(self) -> None:
        self._text = ""
        self._fraction = -1.0
        Gimp.progress_init("Neural style transfer")

    def show(self, painting: Painting) -> None:
        if painting.text != self._text:
            self._text = painting.text
            Gimp.progress_set_text(self._text)
        fraction = painting.fraction
        if fraction is None:
            Gimp.progress_pulse()
        elif abs(fraction - self._fraction) >= 0.005:
            self._fraction = fraction
            Gimp.progress_update(fraction)

    def end(self) -> None:
        Gimp.progress_end()
