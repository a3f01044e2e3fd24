"""What `plug-in-impasto-stylize` does. Imports gi; the windows are imported only where there is someone to see them."""

from pathlib import Path
from typing import Any

from gi.repository import Gimp

from impasto_gimp.installation import Installation
from impasto_gimp.painting import Painting, Phase
from impasto_gimp.pixel_layout import LayoutError
from impasto_gimp.procedures import cancelled, failed, succeeded
from impasto_gimp.stylize import ChosenStyle, check_paintable, paint_layer
from impasto_gimp.wish import StyleChoice, Wish

__all__ = ["returned", "run", "style_of", "wish_of"]


def run(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, installation: Installation) -> Any:
    """Paints the layer; asks before, if that is wanted."""
    if run_mode == Gimp.RunMode.NONINTERACTIVE:
        try:
            source = check_paintable(image, drawables)
            chosen = style_of(config, image, installation)
            painting, layer = paint_layer(image, source, chosen, wish_of(config), installation)
        except LayoutError as error:
            return failed(procedure, str(error))
        return returned(procedure, run_mode, painting, layer)
    from impasto_gimp.conversation import paint_with_windows

    return paint_with_windows(procedure, run_mode, image, drawables, config, installation)


def returned(procedure: Any, run_mode: Any, painting: Painting, layer: Any) -> Any:
    """What the procedure returns for a painting that is over.

    One that the user discards is a success: GIMP remembers the settings of those only. One that something else has cut
    short is told, and without a user it is a failure if nothing of it is kept.
    """
    if painting.phase is Phase.FAILED:
        return failed(procedure, painting.text)
    if run_mode != Gimp.RunMode.NONINTERACTIVE:
        if painting.is_cut_short:
            Gimp.message(painting.text)
    elif painting.phase is Phase.DISCARDED:
        return failed(procedure, painting.text) if painting.is_cut_short else cancelled(procedure)
    return succeeded(procedure, (Gimp.Layer, layer))


def style_of(config: Any, image: Any, installation: Installation) -> ChosenStyle:
    """The style that the arguments name: the layer before the file before the name.

    A layer of another image than the one that is painted is not remembered by its tattoo: within that image, the same
    number would be another layer.

    Raises:
        LayoutError: There is no such style.
    """
    layer = config.get_property("style-layer")
    if layer is not None and layer.is_valid():
        is_own = layer.is_layer() and layer.get_image().get_id() == image.get_id()
        choice = StyleChoice(kind="layer", title=layer.get_name(), tattoo=layer.get_tattoo() if is_own else 0)
        return ChosenStyle(choice=choice, layer=layer)
    file = config.get_property("style-file")
    if file is not None:
        path = file.get_path()
        if path is None or not Path(path).is_file():
            raise LayoutError(f"The style {path or file.get_uri()!r} is no file here; choose another picture.")
        return ChosenStyle(choice=StyleChoice(kind="file", title=Path(path).stem, path=path))
    name = config.get_property("style-name")
    style = installation.style(name)
    if style is None:
        known = ", ".join(each.name for each in installation.styles) or "none: run 'impasto install' in a terminal"
        raise LayoutError(f"There is no built-in style {name!r}; the built-in styles are {known}.")
    choice = StyleChoice(kind="built_in", title=name.capitalize(), name=name, path=str(style.file))
    return ChosenStyle(choice=choice)


def wish_of(config: Any) -> Wish:
    """The settings that the arguments give."""
    return Wish(
        strength=config.get_property("strength"),
        size=config.get_property("size"),
        evaluations=config.get_property("evaluations"),
        network=config.get_property("network"),
        color=config.get_property("color"),
        style_scale=config.get_property("style-scale"),
        seed=config.get_property("seed"),
        keep_every=config.get_property("keep-every"),
        previews=config.get_property("previews"),
    )
