"""What `plug-in-impasto-repeat` does: finds a recipe in the image, and paints by it once more. Imports gi."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gi.repository import Gimp

from impasto_gimp.installation import Installation
from impasto_gimp.live_layer import all_layers
from impasto_gimp.pixel_layout import LayoutError
from impasto_gimp.procedures import failed
from impasto_gimp.recipe import PARASITE, Recipe, read_recipe
from impasto_gimp.returning import returned
from impasto_gimp.stylize import ChosenStyle, check_paintable, paint_layer
from impasto_gimp.wish import StyleChoice

__all__ = ["run"]


def run(procedure: Any, run_mode: Any, image: Any, drawables: Any, _config: Any, installation: Installation) -> Any:
    """Paints what a layer's recipe says, or the layer by the recipe of another."""
    try:
        selected = check_paintable(image, drawables)
        source, recipe = _found(image, selected)
        chosen = _style(image, recipe.style, installation)
        if run_mode == Gimp.RunMode.NONINTERACTIVE:
            painting, layer = paint_layer(image, source, chosen, recipe.wish, installation, above=selected)
            return returned(procedure, run_mode, painting, layer)
        from impasto_gimp.conversation import paint_with_window

        return paint_with_window(procedure, image, source, chosen, recipe.wish, installation, above=selected)
    except LayoutError as error:
        return failed(procedure, str(error))


def _found(image: Any, layer: Any) -> tuple[Any, Recipe]:
    """What to paint, and how."""
    own = _recipe(layer)
    if own is not None:
        source = image.get_layer_by_tattoo(own.source)
        if source is None or not source.is_valid():
            raise LayoutError(
                "The layer that this one was painted from is no longer in the image; select the layer to paint instead."
            )
        return source, own
    for each in all_layers(image.get_layers()):
        recipe = _recipe(each)
        if recipe is not None:
            return layer, recipe
    raise LayoutError("No layer of this image was painted by Impasto; paint one with Neural Style Transfer first.")


def _style(image: Any, choice: StyleChoice, installation: Installation) -> ChosenStyle:
    """The style that a recipe names, where it is now."""
    if choice.kind == "layer":
        layer = image.get_layer_by_tattoo(choice.tattoo) if choice.tattoo else None
        if layer is None or not layer.is_valid():
            raise LayoutError(f"The layer {choice.title!r}, which was the style, is not in this image; choose a style.")
        return ChosenStyle(choice=choice, layer=layer)
    if choice.kind == "built_in":
        style = installation.style(choice.name)
        if style is None:
            raise LayoutError(f"This Impasto has no built-in style {choice.name!r}; choose a style.")
        return ChosenStyle(choice=replace(choice, path=str(style.file)))
    if not Path(choice.path).is_file():
        raise LayoutError(f"The style {choice.path!r} is no longer there; choose a style.")
    return ChosenStyle(choice=choice)


def _recipe(layer: Any) -> Recipe | None:
    parasite = layer.get_parasite(PARASITE)
    return None if parasite is None else read_recipe(bytes(parasite.get_data()).decode("ascii", errors="replace"))
