"""How pixels travel: the formats of GIMP's library babl, and those of the protocol that hold the same bytes. No gi.

`R'G'B'` is sRGB whatever the image's profile: GEGL converts when a buffer is read and written so.
"""

from impasto_protocol.limits import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, MAX_SIDE
from impasto_protocol.pixels import PixelFormat, SampleType

__all__ = ["LayoutError", "babl_name", "content_format"]

_SUFFIXES = {
    SampleType.UINT8: "u8",
    SampleType.UINT16: "u16",
    SampleType.FLOAT16: "half",
    SampleType.FLOAT32: "float",
}

_MODELS = {1: "Y'", 2: "Y'A", 3: "R'G'B'", 4: "R'G'B'A"}


class LayoutError(Exception):
    """A layer cannot be painted; the text tells why, and the remedy."""


def babl_name(form: PixelFormat) -> str:
    """Babl's name for a format, such as `R'G'B'A u8`."""
    return f"{_MODELS[form.channels]} {_SUFFIXES[form.samples]}"


def content_format(width: int, height: int, *, is_grey: bool, has_alpha: bool, is_deep: bool) -> PixelFormat:
    """The format in which a layer's pixels are sent.

    Args:
        width: Pixels.
        height: Pixels.
        is_grey: Whether the layer is grey.
        has_alpha: Whether it has an alpha channel.
        is_deep: Whether it has more than 8 bits. It travels as float, or in 16 bits if that would be too large.

    Raises:
        LayoutError: It is larger than can be painted.
    """
    if max(width, height) > MAX_SIDE or width * height > MAX_PICTURE_PIXELS:
        raise LayoutError(
            f"The layer has {width} × {height} pixels, and at most {MAX_SIDE:,} on a side and "
            f"{MAX_PICTURE_PIXELS / 1e6:.0f} million in all can be painted; select a part of it, or scale it down."
        )
    channels = (1 if is_grey else 3) + has_alpha
    samples = SampleType.FLOAT32 if is_deep else SampleType.UINT8
    if is_deep and width * height * channels * samples.sample_bytes > MAX_PICTURE_BYTES:
        samples = SampleType.UINT16
    if width * height * channels * samples.sample_bytes > MAX_PICTURE_BYTES:
        raise LayoutError(
            f"The layer has {width} × {height} pixels of more than 8 bits, which is more than can be sent; "
            "select a part of it, scale it down, or convert the image to 8 bits."
        )
    return PixelFormat(width=width, height=height, channels=channels, samples=samples)
