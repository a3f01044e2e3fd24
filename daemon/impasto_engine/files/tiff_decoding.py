"""TIFF files: whole, of any depth and layout, the first page.

tifffile reads the directory, libtiff (through imagecodecs) decodes grey, RGB and CMYK of more than 8 bits, and
Pillow decodes everything else. tifffile's own decoders are not used: the one for LZW was seen to crash the process
at damaged data. A TIFF may point anywhere in its file, so every strip is looked for before the first is decoded.
"""

import struct
from dataclasses import replace
from io import BytesIO
from math import prod
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from impasto_engine.errors import PictureError
from impasto_engine.files.picture_samples import DAMAGED, TRUNCATED, DecodedPicture, as_unit_floats, check_size
from impasto_engine.files.pillow_decoding import decode_with_pillow

__all__ = ["decode_tiff"]

_MINISWHITE, _RGB, _CMYK = 0, 2, 5
_COLOURS = {_MINISWHITE: 1, 1: 1, _RGB: 3, _CMYK: 4}
"""Samples of colour by photometric interpretation: white is zero, black is zero, RGB, CMYK."""

_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Kinds of extra sample that are alpha: the colours multiplied by it, or not (TIFF 6.0, ExtraSamples)."""

_PLANES = 2
"""The planar configuration that stores one sample of all pixels after the other."""

_PHOTOMETRIC, _ORIENTATION, _ICC_PROFILE = 262, 274, 34675


def decode_tiff(data: bytes) -> DecodedPicture:
    """Decode the first page of a TIFF file; to be called inside `quiet_decoders`.

    Args:
        data: A whole file.

    Returns:
        Its samples: uint8 or uint16 as stored, or float32 for other depths.

    Raises:
        PictureError: The file is truncated, the size absurd, or the samples are signed.
        Exception: Whatever the libraries raise at a damaged file.
    """
    with tifffile.TiffFile(BytesIO(data)) as tiff:
        page = tiff.pages.first
        check_size(page.imagewidth, page.imagelength * page.imagedepth)
        check_size(page.tilewidth or 1, page.tilelength or 1)
        _check_strips(page, len(data))
        bits = page.bitspersample
        if page.photometric not in _COLOURS or not isinstance(bits, int) or bits <= 8:
            # Pillow turns a TIFF upright while it decodes it.
            return replace(decode_with_pillow(data), exif=data, orientation=1)
        samples, alpha = _split_alpha(page, _samples(page, data))
        orientation = page.tags.valueof(_ORIENTATION)
        profile = page.tags.valueof(_ICC_PROFILE)
        return DecodedPicture(
            samples=samples,
            alpha=alpha,
            bits=16,
            profile=profile if isinstance(profile, bytes) and profile else None,
            exif=data,
            orientation=int(orientation) if orientation in range(1, 9) else 1,
            format="TIFF",
        )


def _check_strips(page: Any, file_bytes: int) -> None:
    """Refuse a page of which a strip or tile is missing: libraries paint it black."""
    strips = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if any(offset + length > file_bytes for offset, length in strips):
        raise PictureError(TRUNCATED)
    if len(strips) < prod(page.chunked) or any(offset < 8 or length < 1 for offset, length in strips):
        raise PictureError(DAMAGED)


def _samples(page: Any, data: bytes) -> NDArray[Any]:
    """Decode to `(H, W, samples)`, black as zero: uint16, or float32 in [0, 1]."""
    source = _said_to_be_rgb(page, data) if page.photometric == _CMYK else data
    stored: NDArray[Any] = np.atleast_3d(imagecodecs.tiff_decode(source, index=0))
    values = np.moveaxis(stored, 0, 2) if page.planarconfig == _PLANES and page.samplesperpixel > 1 else stored
    if values.shape != (page.imagelength, page.imagewidth, page.samplesperpixel):
        raise PictureError(DAMAGED)
    if values.dtype.kind not in "uf":
        raise PictureError(
            f"its samples are of the kind {values.dtype.name}; open it in an image editor and save it with 16 bits"
        )
    if values.dtype.kind == "f":
        values = as_unit_floats(values)
    elif page.bitspersample != 16:
        values = (values / (2.0**page.bitspersample - 1.0)).astype(np.float32)
    if page.photometric == _MINISWHITE:
        values = (1.0 if values.dtype.kind == "f" else np.iinfo(values.dtype).max) - values
    return values


def _said_to_be_rgb(page: Any, data: bytes) -> bytes:
    """Call the inks of a CMYK page RGB and more: called by their name, libtiff is asked for RGB in 8 bits."""
    changed = bytearray(data)
    struct.pack_into(f"{page.parent.byteorder}H", changed, page.tags[_PHOTOMETRIC].valueoffset, _RGB)
    return bytes(changed)


def _split_alpha(page: Any, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Part `(H, W, samples)` into colours, no longer multiplied by alpha, and alpha; the rest is left out."""
    colours = _COLOURS[page.photometric]
    samples = values[..., :colours]
    extra = values.shape[2] - colours
    if extra < 0:
        raise PictureError(DAMAGED)
    kinds = tuple(page.extrasamples) or (_UNASSOCIATED,)
    place = next((n for n, kind in enumerate(kinds[:extra]) if kind in (_ASSOCIATED, _UNASSOCIATED)), None)
    if place is None:
        return samples, None
    alpha = as_unit_floats(values[..., colours + place])
    if kinds[place] == _UNASSOCIATED:
        return samples, alpha
    floats = as_unit_floats(samples)
    clear = alpha[..., np.newaxis]
    straight = np.divide(floats, clear, out=np.zeros_like(floats), where=clear > 0.0)
    return np.clip(straight, 0.0, 1.0), alpha
