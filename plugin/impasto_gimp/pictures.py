"""Reading pixels out of GIMP: a layer inside the selection, a style from a file or a layer. Imports gi."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gi.repository import Gegl, Gimp, Gio

from impasto_gimp.pixel_layout import LayoutError, babl_name, content_format
from impasto_protocol.pixels import Picture, PixelFormat

__all__ = ["Extent", "content_of", "extent_of", "mask_of", "put_mask", "style_in_file", "style_in_layer"]

STYLE_SIDE = 2048
"""Pixels of a style's longer side, at the most: more than any painting's size makes use of."""

MASKS = {1: "Y u8", 4: "Y float"}
"""Formats in which a mask's values are read and written as they are, by their bytes: GIMP's masks are linear."""

EIGHT_BITS = (Gimp.Precision.U8_LINEAR, Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U8_PERCEPTUAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The part of a layer that is painted, in the layer's own coordinates."""

    x: int
    y: int
    width: int
    height: int


def extent_of(drawable: Any) -> Extent:
    """What of a layer lies inside the selection; all of it without one.

    Raises:
        LayoutError: Nothing does.
    """
    intersects, x, y, width, height = drawable.mask_intersect()
    if not intersects:
        raise LayoutError(
            "The selection lies outside the layer; select a part of the layer, or nothing to paint all of it."
        )
    return Extent(x=x, y=y, width=width, height=height)


def content_of(image: Any, drawable: Any, extent: Extent) -> Picture:
    """A layer's pixels as they are sent.

    Raises:
        LayoutError: They are too many.
    """
    form = content_format(
        extent.width,
        extent.height,
        is_grey=drawable.is_gray(),
        has_alpha=drawable.has_alpha(),
        is_deep=image.get_precision() not in EIGHT_BITS,
    )
    return _read(drawable, extent, form)


def style_in_layer(drawable: Any) -> Picture:
    """A layer as a style."""
    if drawable.is_indexed():
        with _copied(drawable) as layer:
            return style_in_layer(layer)
    width, height = drawable.get_width(), drawable.get_height()
    extent = Extent(x=0, y=0, width=width, height=height)
    scale = min(1.0, STYLE_SIDE / max(width, height))
    form = PixelFormat(
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        channels=3 + drawable.has_alpha(),
    )
    return _read(drawable, extent, form, scale=scale)


def style_in_file(path: Path) -> Picture:
    """A picture file as a style, whatever format GIMP can open.

    Raises:
        LayoutError: GIMP cannot open it.
    """
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
    if image is None:
        raise LayoutError(
            f"GIMP cannot open the style {str(path)!r} ({Gimp.get_pdb().get_last_error()}); choose another picture."
        )
    try:
        if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
            image.convert_rgb()
        layer = image.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
        if layer is None:
            raise LayoutError(f"The style {str(path)!r} shows nothing; choose another picture.")
        return style_in_layer(layer)
    finally:
        image.delete()


def mask_of(layer: Any) -> bytes | None:
    """A layer's mask, one byte for each pixel in an image of 8 bits, and four in others; None if it has none."""
    mask = layer.get_mask()
    if mask is None:
        return None
    form = MASKS[1 if layer.get_image().get_precision() in EIGHT_BITS else 4]
    return bytes(mask.get_buffer().get(_all_of(mask), 1.0, form, Gegl.AbyssPolicy.CLAMP))


def put_mask(layer: Any, values: bytes) -> None:
    """Gives a layer the mask that `mask_of` has read of one of the same size."""
    mask = layer.create_mask(Gimp.AddMaskType.WHITE)
    buffer, area = mask.get_buffer(), _all_of(mask)
    buffer.set(area, MASKS[len(values) // (area.width * area.height)], values)
    buffer.flush()
    layer.add_mask(mask)


def _all_of(drawable: Any) -> Any:
    return Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())


def _read(drawable: Any, extent: Extent, form: PixelFormat, scale: float = 1.0) -> Picture:
    x, y = round(extent.x * scale), round(extent.y * scale)
    data = drawable.get_buffer().get(
        Gegl.Rectangle.new(x, y, form.width, form.height), scale, babl_name(form), Gegl.AbyssPolicy.CLAMP
    )
    return Picture(format=form, data=data)


@contextmanager
def _copied(drawable: Any) -> Iterator[Any]:
    """A layer of an indexed image, in RGB, for as long as it is read."""
    image = Gimp.Image.new(drawable.get_width(), drawable.get_height(), Gimp.ImageBaseType.RGB)
    try:
        layer = Gimp.Layer.new_from_drawable(drawable, image)
        image.insert_layer(layer, None, 0)
        yield layer
    finally:
        image.delete()
