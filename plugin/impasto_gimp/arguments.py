"""What the arguments of `plug-in-impasto-stylize` ask for."""

from pathlib import Path
from typing import Any

from impasto_gimp.installation import Installation
from impasto_gimp.pixel_layout import LayoutError
from impasto_gimp.stylize import ChosenStyle
from impasto_gimp.wish import StyleChoice, Wish

__all__ = ["style_of", "wish_of"]


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
