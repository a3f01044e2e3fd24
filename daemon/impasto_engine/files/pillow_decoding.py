"""Pictures in the formats that Pillow reads safely, 8 bits a sample as a rule; Pillow is kept quiet and in bounds here.

Formats are named one by one: Pillow would also open PostScript (by starting another program) and formats without a
signature, as which any file of random bytes could pass.
"""

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from logging import getLogger
from types import MappingProxyType

import numpy as np
from PIL import Image

from impasto_engine.errors import PictureError
from impasto_engine.files.exif_block import exif_orientation
from impasto_engine.files.picture_samples import DecodedPicture, as_unit_floats, check_size

__all__ = ["decode_with_pillow", "open_header", "quiet_decoders"]

_FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")

_FORMAT_NAMES: Mapping[str, str] = MappingProxyType({"MPO": "JPEG", "WEBP": "WebP"})

_OPAQUE_MODES: Mapping[str, str] = MappingProxyType(
    {
        "1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB", "CMYK": "CMYK",
        "I;16": "I;16", "I;16L": "I;16L", "I;16B": "I;16B", "I": "I", "F": "F",
    }
)  # fmt: skip
"""What each of Pillow's modes is converted to where nothing is transparent."""

_CLEAR_MODES: Mapping[str, str] = MappingProxyType(
    {"1": "LA", "L": "LA", "LA": "LA", "La": "LA", "P": "RGBA", "PA": "RGBA", "RGB": "RGBA", "RGBA": "RGBA",
     "RGBa": "RGBA"}
)  # fmt: skip
"""What each of Pillow's modes is converted to where something is transparent."""

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Keep decoders from warning, logging and counting pixels: `check_size` counts, and errors are raised.

    Pillow's pixel limit and Python's warning filters belong to the whole process, so one thread at a time changes
    them, and they are put back.
    """
    with ExitStack() as undo:
        undo.enter_context(_ONE_AT_A_TIME)
        undo.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        undo.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
        Image.MAX_IMAGE_PIXELS = None
        for logger in (getLogger("PIL"), getLogger("tifffile"), getLogger("imagecodecs")):
            undo.callback(setattr, logger, "disabled", logger.disabled)
            logger.disabled = True
        Image.init()
        yield


def open_header(data: bytes) -> Image.Image:
    """Read a picture's header, and refuse absurd sizes; to be used as a context manager.

    Args:
        data: A whole file.

    Returns:
        Pillow's picture, its pixels not yet decoded.

    Raises:
        PIL.UnidentifiedImageError: No format of ours fits.
        PictureError: The size is impossible or absurd.
    """
    picture = Image.open(BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN])
    check_size(*picture.size)
    return picture


def decode_with_pillow(data: bytes) -> DecodedPicture:
    """Decode the first picture of a file; to be called inside `quiet_decoders`.

    Args:
        data: A whole file.

    Returns:
        Its samples, uint8 as a rule.

    Raises:
        PictureError: The size is absurd, or the colours are of a kind that painting cannot start from.
        Exception: Whatever Pillow raises at a damaged file.
    """
    with open_header(data) as picture:
        picture.load()
        exif = picture.info.get("exif")
        exif = exif.removeprefix(b"Exif\0\0") if isinstance(exif, bytes) else None
        clear = picture.has_transparency_data
        mode = (_CLEAR_MODES if clear else _OPAQUE_MODES).get(picture.mode)
        if mode is None:
            raise PictureError(
                f"its colours are of the kind {picture.mode!r}; open it in an image editor and save it as RGB"
            )
        values = np.asarray(picture.convert(mode) if mode != picture.mode else picture)
        profile = picture.info.get("icc_profile")
        name = picture.format or ""
    if mode == "I":
        values = np.clip(values, 0, 65535)
    if mode.startswith("I"):
        values = values.astype(np.uint16)
    if mode == "F":
        values = as_unit_floats(values)
    values = values.reshape(*values.shape[:2], -1)
    return DecodedPicture(
        samples=values[..., :-1] if clear else values,
        alpha=as_unit_floats(values[..., -1]) if clear else None,
        bits=8 if values.dtype == np.uint8 else 16,
        profile=profile if isinstance(profile, bytes) and profile else None,
        exif=exif,
        orientation=exif_orientation(exif) if exif else 1,
        format=_FORMAT_NAMES.get(name, name),
    )
