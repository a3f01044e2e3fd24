"""Where a painting that was left belongs: the layer it was painted on, its own image, or one like it. Imports gi."""

from dataclasses import dataclass
from typing import Any

from gi.repository import Gegl, Gimp

from impasto_gimp.left_painting import LeftPainting
from impasto_gimp.live_layer import JOB, LiveLayer, all_layers
from impasto_gimp.pictures import put_mask
from impasto_gimp.wish import Wish
from impasto_protocol.messages import JobEntry

__all__ = ["TakenUp", "canvas_for"]

UNKNOWN = "Painting"
"""What a painting is called that another program ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """A painting that is to go on.

    Attributes:
        canvas: Where it appears.
        name: What it is called.
        wish: The settings it began with, as far as they are known.
        where: A sentence about where it appears, unless it is where it was ordered.
        made: An image that was made for it; None if it goes into one that is open.
    """

    canvas: LiveLayer
    name: str
    wish: Wish
    where: str
    made: Any


def canvas_for(entry: JobEntry, current: Any, version: str) -> TakenUp:
    """Finds or makes the place of a painting.

    Args:
        entry: What the daemon tells of it.
        current: The image that the user is looking at; None if there is none.
        version: Of Impasto.
    """
    Gegl.init(None)
    left = LeftPainting.of(entry.job)
    layer, where, made, above = _live_layer(entry.job), "", None, None
    if layer is not None:
        image = layer.get_image()
    else:
        image, where = _open_image(entry, left, current)
        if image is None:
            image = made = _new_image(entry, left)
        layer = _new_layer(image, entry, left)
        above = _above(image, left)
    name, wish = (UNKNOWN, Wish()) if left is None else (left.name, left.recipe.wish)
    canvas = LiveLayer(
        image,
        layer,
        job=entry.job,
        above=above,
        name=name,
        recipe=None if left is None else left.recipe,
        version=version,
        keep_every=wish.keep_every,
    )
    return TakenUp(canvas=canvas, name=name, wish=wish, where=where, made=made)


def _live_layer(job: str) -> Any:
    """The layer that a plug-in which was killed has left, with its last preview; None if there is none to paint on."""
    for image in Gimp.get_images():
        for layer in all_layers(image.get_layers()):
            mark = layer.get_parasite(JOB)
            is_it = mark is not None and bytes(mark.get_data()) == job.encode("ascii")
            if is_it and not layer.get_lock_content():
                return layer
    return None


def _open_image(entry: JobEntry, left: LeftPainting | None, current: Any) -> tuple[Any, str]:
    """The image of the same file, or else the one that is looked at, if it has the same size; and what to say."""
    size = (entry.width, entry.height) if left is None else left.image_size
    for image in Gimp.get_images():
        file = image.get_file()
        if left is not None and file is not None and file.get_uri() == left.image_uri and _is_like(image, size):
            return image, ""
    if current is not None and current.is_valid() and _is_like(current, size):
        return current, (
            f"Which image it belongs to cannot be told; it comes into {current.get_name()}, which has the same size."
        )
    return None, "The image it belongs to is not open; it comes as an image of its own."


def _is_like(image: Any, size: tuple[int, int]) -> bool:
    is_indexed = image.get_base_type() == Gimp.ImageBaseType.INDEXED
    return (image.get_width(), image.get_height()) == size and not is_indexed


def _new_image(entry: JobEntry, left: LeftPainting | None) -> Any:
    if left is None:
        return Gimp.Image.new(entry.width, entry.height, Gimp.ImageBaseType.RGB)
    base = Gimp.ImageBaseType.GRAY if left.is_grey else Gimp.ImageBaseType.RGB
    return Gimp.Image.new_with_precision(*left.image_size, base, Gimp.Precision(left.precision))


def _new_layer(image: Any, entry: JobEntry, left: LeftPainting | None) -> Any:
    size, name, has_alpha = (entry.width, entry.height), UNKNOWN, True
    if left is not None:
        size, name, has_alpha = left.size, left.name, left.has_alpha
    if image.get_base_type() == Gimp.ImageBaseType.GRAY:
        kind = Gimp.ImageType.GRAYA_IMAGE if has_alpha else Gimp.ImageType.GRAY_IMAGE
    else:
        kind = Gimp.ImageType.RGBA_IMAGE if has_alpha else Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, name, *size, kind, 100.0, image.get_default_new_layer_mode())
    if left is not None:
        layer.set_offsets(*left.offsets)
        if left.mask is not None:
            put_mask(layer, left.mask)
    return layer


def _above(image: Any, left: LeftPainting | None) -> Any:
    """The layer that was painted, if it can be known again; None for the top."""
    source = None if left is None else image.get_layer_by_tattoo(left.recipe.source)
    return source if source is not None and source.is_valid() else None
