"""What every decoder hands over: the numbers of a picture file as they are stored, and what belongs to them.

Decoders know no path. They raise `PictureError` with a reason and a remedy ("the file is truncated; …"), and
`picture_file` puts the name of the file in front. No decoder is imported here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import PictureError
from impasto_engine.limits import MAX_PICTURE_PIXELS

__all__ = ["DAMAGED", "TRUNCATED", "DecodedPicture", "as_unit_floats", "check_size", "upright"]

TRUNCATED = "the file is truncated; copy or download it again, or open it in an image editor and save it anew"
DAMAGED = "the file is damaged or of a kind Impasto cannot read; open it in an image editor and save it as PNG"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecodedPicture:
    """A picture as its file stores it: no colour conversion and no rotation have been done.

    Attributes:
        samples: `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` CMYK (0 is no ink), uint8, uint16, or
            float32 in [0, 1], in the colour space of `profile`, or sRGB without one; not premultiplied.
        alpha: `(H, W)` float32, [0, 1], or None where the file has no transparency.
        bits: 8, or 16 where a sample holds more than 8 bits.
        profile: the ICC profile embedded in the file, unchecked, or None.
        exif: the EXIF block as a TIFF structure (it begins with II or MM), unchecked, or None.
        orientation: the EXIF orientation still to be applied, 1 to 8.
        format: the name of the file's format, such as "JPEG".
    """

    samples: NDArray[Any]
    alpha: NDArray[np.float32] | None
    bits: int
    profile: bytes | None
    exif: bytes | None
    orientation: int
    format: str


def check_size(width: int, height: int) -> None:
    """Refuse an impossible or absurd size; to be called before memory is taken for the pixels.

    Args:
        width: pixels a row, as the header claims.
        height: rows, as the header claims.

    Raises:
        PictureError: the picture has no pixels, or more than `MAX_PICTURE_PIXELS`.
    """
    if width < 1 or height < 1:
        raise PictureError(DAMAGED)
    if width * height > MAX_PICTURE_PIXELS:
        raise PictureError(
            f"the picture has {width:,} by {height:,} pixels, more than the {MAX_PICTURE_PIXELS:,} Impasto "
            "takes; make it smaller in an image editor"
        )


def as_unit_floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Bring samples of any depth to [0, 1].

    Args:
        samples: any shape; uint8, uint16, or a float type, where NaN counts as 0.

    Returns:
        A new array of the same shape, float32, [0, 1].
    """
    floats = samples.astype(np.float32)
    if samples.dtype.kind == "u":
        floats /= np.float32(np.iinfo(samples.dtype).max)
        return floats
    np.nan_to_num(floats, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(floats, 0.0, 1.0, out=floats)


def upright(pixels: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Turn a picture the way its EXIF orientation asks (Exif 2.32, tag 274).

    Args:
        pixels: `(H, W, C)` float32, as stored in the file.
        orientation: 1 to 8.

    Returns:
        `(H, W, C)` or, for orientations 5 to 8, `(W, H, C)` float32, contiguous.
    """
    mirrored = orientation in (2, 4, 5, 7)
    quarter_turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}[orientation]
    turned = np.rot90(np.fliplr(pixels) if mirrored else pixels, quarter_turns)
    return np.ascontiguousarray(turned)
