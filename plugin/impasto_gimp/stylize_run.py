"""What `plug-in-impasto-stylize` does. Imports gi; the windows are imported only where there is someone to see them."""

from typing import Any

from gi.repository import Gimp

from impasto_gimp.arguments import style_of, wish_of
from impasto_gimp.installation import Installation
from impasto_gimp.pixel_layout import LayoutError
from impasto_gimp.procedures import failed
from impasto_gimp.returning import returned
from impasto_gimp.stylize import check_paintable, paint_layer

__all__ = ["run"]


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
