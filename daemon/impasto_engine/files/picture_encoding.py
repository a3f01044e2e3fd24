"""From samples to the bytes of a picture file: the four formats Impasto writes, as a table.

The pixels of PNG and TIFF are written by imagecodecs and tifffile, in 8 and 16 bits alike; those of JPEG and WebP
by Pillow. Nothing is written to disk here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import tifffile
from numpy.typing import NDArray
from PIL import Image

from impasto_engine.files.exif_block import add_to_tiff
from impasto_engine.files.ifd import BYTE, Entry, byte_order
from impasto_engine.files.picture_recipe import RECIPE_KEYWORD, XMP_TAG, xmp_packet
from impasto_engine.files.png_chunks import add_chunks, profile_chunk, text_chunk

__all__ = ["FORMATS", "Encoder", "FileFormat", "Notes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What goes into a file beside the samples.

    Attributes:
        software: The program's name and version, ASCII.
        exif: An EXIF block, from `exif_for_file`.
        profile: The ICC profile of the samples, or None for sRGB.
        recipe: The recipe as JSON, or None.
        quality: 1 to 100, for formats that lose something.
    """

    software: str
    exif: bytes
    profile: bytes | None
    recipe: str | None
    quality: int

    @property
    def xmp(self) -> bytes:
        """The XMP packet with the recipe; empty without one."""
        return b"" if self.recipe is None else xmp_packet(self.recipe, self.software)


Encoder = Callable[[NDArray[Any], Notes], bytes]
"""Makes a whole file of `(H, W, 3)` or straight `(H, W, 4)` uint8 or uint16 samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """A format that can be written.

    Attributes:
        name: As users call it.
        suffixes: The endings of file names, in small letters, the usual one first.
        bits: The most bits a sample can have.
        alpha: Whether there can be transparency.
        max_side: Pixels of the longest side it can have.
        encode: Makes the file.
    """

    name: str
    suffixes: tuple[str, ...]
    bits: int
    alpha: bool
    max_side: int
    encode: Encoder


_FULL_COLOUR_QUALITY = 90
"""From this quality on, JPEG keeps colour as sharp as brightness: strokes have hard, saturated edges."""


def _encode_jpeg(samples: NDArray[Any], notes: Notes) -> bytes:
    buffer = BytesIO()
    Image.fromarray(samples).save(
        buffer,
        "JPEG",
        quality=notes.quality,
        subsampling="4:4:4" if notes.quality >= _FULL_COLOUR_QUALITY else "4:2:0",
        exif=b"Exif\0\0" + notes.exif,
        icc_profile=notes.profile,
        xmp=notes.xmp,
    )
    return buffer.getvalue()


def _encode_webp(samples: NDArray[Any], notes: Notes) -> bytes:
    buffer = BytesIO()
    Image.fromarray(samples).save(
        buffer,
        "WEBP",
        quality=notes.quality,
        exact=True,
        exif=notes.exif,
        icc_profile=notes.profile,
        xmp=notes.xmp,
    )
    return buffer.getvalue()


def _encode_png(samples: NDArray[Any], notes: Notes) -> bytes:
    chunks = [text_chunk("Software", notes.software), (b"eXIf", notes.exif)]
    if notes.profile is not None:
        chunks.insert(0, profile_chunk(notes.profile))
    if notes.recipe is not None:
        chunks.append(text_chunk(RECIPE_KEYWORD, notes.recipe))
    return add_chunks(bytes(imagecodecs.png_encode(samples)), chunks)


def _encode_tiff(samples: NDArray[Any], notes: Notes) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(
        buffer,
        samples,
        byteorder=byte_order(notes.exif),
        photometric="rgb",
        planarconfig="contig",
        extrasamples=("unassalpha",) if samples.shape[2] == 4 else (),
        compression="zlib",
        predictor=True,
        iccprofile=notes.profile,
        metadata=None,
        maxworkers=1,
    )
    xmp = [Entry(tag=XMP_TAG, kind=BYTE, count=len(notes.xmp), value=notes.xmp)] if notes.xmp else []
    return add_to_tiff(buffer.getvalue(), notes.exif, *xmp)


FORMATS: tuple[FileFormat, ...] = (
    FileFormat(
        name="JPEG",
        suffixes=(".jpg", ".jpeg"),
        bits=8,
        alpha=False,
        max_side=65_500,  # JPEG_MAX_DIMENSION of libjpeg
        encode=_encode_jpeg,
    ),
    FileFormat(
        name="PNG",
        suffixes=(".png",),
        bits=16,
        alpha=True,
        max_side=1_000_000,  # PNG_USER_WIDTH_MAX of libpng
        encode=_encode_png,
    ),
    FileFormat(
        name="TIFF",
        suffixes=(".tif", ".tiff"),
        bits=16,
        alpha=True,
        max_side=1_000_000,
        encode=_encode_tiff,
    ),
    FileFormat(
        name="WebP",
        suffixes=(".webp",),
        bits=8,
        alpha=True,
        max_side=16_383,  # WEBP_MAX_DIMENSION of libwebp
        encode=_encode_webp,
    ),
)
"""Every format that can be written."""
