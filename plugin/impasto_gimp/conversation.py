"""Painting with windows: the dialog before, the window meanwhile, the offer to convert an indexed image. Imports gi."""

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")

from gi.repository import Gimp, GimpUi, Gtk  # noqa: E402 -- versions first

from impasto_gimp.arguments import style_of, wish_of  # noqa: E402
from impasto_gimp.courier import Courier  # noqa: E402
from impasto_gimp.installation import Installation  # noqa: E402
from impasto_gimp.naming import layer_name  # noqa: E402
from impasto_gimp.painting import Painting  # noqa: E402
from impasto_gimp.painting_window import PaintingWindow  # noqa: E402
from impasto_gimp.pictures import extent_of  # noqa: E402
from impasto_gimp.pixel_layout import LayoutError  # noqa: E402
from impasto_gimp.procedures import cancelled, failed  # noqa: E402
from impasto_gimp.returning import returned  # noqa: E402
from impasto_gimp.settings_dialog import SettingsDialog  # noqa: E402
from impasto_gimp.stylize import ChosenStyle, check_paintable, new_courier, paint_layer  # noqa: E402
from impasto_gimp.wish import Wish  # noqa: E402

__all__ = ["paint_with_window", "paint_with_windows"]


def paint_with_windows(
    procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, installation: Installation
) -> Any:
    """Paints the layer, and asks before how, unless it is to be done as the last time."""
    GimpUi.init("impasto")
    try:
        if not _is_in_colour(image):
            return cancelled(procedure)
        source = check_paintable(image, drawables)
        courier = None
        if run_mode == Gimp.RunMode.INTERACTIVE:
            courier = _asked(procedure, source, config, installation)
            if courier is None:
                return cancelled(procedure)
        chosen, wish = style_of(config, image, installation), wish_of(config)
        return paint_with_window(procedure, image, source, chosen, wish, installation, courier)
    except LayoutError as error:
        return failed(procedure, str(error))


def paint_with_window(
    procedure: Any,
    image: Any,
    source: Any,
    chosen: ChosenStyle,
    wish: Wish,
    installation: Installation,
    courier: Courier | None = None,
    *,
    above: Any = None,
) -> Any:
    """Paints the layer, and shows how it goes.

    Raises:
        LayoutError: It cannot begin.
    """
    GimpUi.init("impasto")

    def open_window(painting: Painting) -> PaintingWindow:
        return PaintingWindow(painting, wish, layer_name(chosen.choice, wish))

    painting, layer = paint_layer(
        image, source, chosen, wish, installation, above=above, courier=courier, open_view=open_window
    )
    return returned(procedure, Gimp.RunMode.INTERACTIVE, painting, layer)


def _asked(procedure: Any, source: Any, config: Any, installation: Installation) -> Courier | None:
    """Shows the dialog; gives the courier that has found the daemon meanwhile, or None if the user does not want.

    One that has given up meanwhile is replaced: the user may have mended what was wrong, and is told if not.
    """
    dialogs: list[SettingsDialog] = []

    def on_news() -> None:
        for dialog in dialogs:
            for news in courier.take():
                dialog.heard(news)

    courier = new_courier(installation, on_news)
    courier.start()
    dialogs.append(SettingsDialog(procedure, config, extent_of(source), installation, courier))
    is_wanted = dialogs[0].run()
    dialogs.clear()
    if is_wanted and courier.is_alive:
        return courier
    courier.stop()
    if not is_wanted:
        return None
    another = new_courier(installation, lambda: None)
    another.start()
    return another


def _is_in_colour(image: Any) -> bool:
    """Whether the image can be painted; an indexed one is converted, if the user wants."""
    if image.get_base_type() != Gimp.ImageBaseType.INDEXED:
        return True
    dialog = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        text="This image has a palette, and a painting needs all colors.",
        title="Neural Style Transfer",
    )
    dialog.format_secondary_text("Converting it to RGB keeps its look; it can be undone.")
    dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    dialog.add_button("C_onvert to RGB", Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    wanted = dialog.run() == Gtk.ResponseType.OK
    dialog.destroy()
    if wanted:
        image.convert_rgb()
        Gimp.displays_flush()
    return bool(wanted)
