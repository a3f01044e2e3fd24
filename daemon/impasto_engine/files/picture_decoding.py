"""From the bytes of a picture file to its samples: which decoder, whether the file is whole, and what went wrong.

Decoders are told apart by how a file begins, never by its name.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from struct import unpack
from types import MappingProxyType

import imagecodecs
from PIL import UnidentifiedImageError

from impasto_engine.errors import PictureError
from impasto_engine.files.exif_block import exif_orientation
from impasto_engine.files.jpeg_markers import jpeg_is_whole
from impasto_engine.files.picture_samples import DAMAGED, TRUNCATED, DecodedPicture, as_unit_floats, check_size
from impasto_engine.files.pillow_decoding import decode_with_pillow, open_header, quiet_decoders
from impasto_engine.files.png_chunks import PNG_SIGNATURE, read_chunks
from impasto_engine.files.tiff_decoding import decode_tiff

__all__ = ["FileKind", "decode_picture", "kind_of_file"]

_UNKNOWN = (
    "the file is not a picture Impasto knows (JPEG, PNG, TIFF, WebP, GIF, BMP); open it in an image editor and "
    "save it as PNG"
)


class FileKind(Enum):
    """The kinds of picture file that are treated apart, and all others."""

    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"
    OTHER = "other"


def kind_of_file(data: bytes) -> FileKind:
    """Tell the kind of a file by how it begins; the rest of it may be anything."""
    if data.startswith(PNG_SIGNATURE):
        return FileKind.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return FileKind.TIFF
    return FileKind.WEBP if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else FileKind.OTHER


def decode_picture(data: bytes) -> DecodedPicture:
    """Decode a picture file.

    Args:
        data: The whole file.

    Returns:
        Its samples as stored, and what is known about them.

    Raises:
        PictureError: It cannot be read; the text is a reason and a remedy, without the file's name.
        MemoryError: There is not enough memory for it.
    """
    kind = kind_of_file(data)
    with quiet_decoders():
        try:
            return _DECODERS[kind](data)
        except (PictureError, MemoryError):
            raise
        except UnidentifiedImageError as error:
            raise PictureError(_UNKNOWN if kind is FileKind.OTHER else DAMAGED) from error
        except Exception as error:  # decoders raise anything at a damaged file, from KeyError to SyntaxError
            raise PictureError(DAMAGED) from error


def _decode_jpeg(data: bytes) -> DecodedPicture:
    if not jpeg_is_whole(data):
        raise PictureError(TRUNCATED)
    return decode_with_pillow(data)


def _decode_webp(data: bytes) -> DecodedPicture:
    if 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise PictureError(TRUNCATED)
    return decode_with_pillow(data)


def _decode_png(data: bytes) -> DecodedPicture:
    """Decode by libpng, which refuses a PNG with too few rows; Pillow paints them black, and has no 16 bits."""
    chunks = {kind: body for kind, body in read_chunks(data) if kind in (b"IHDR", b"IDAT", b"eXIf")}
    width, height, depth = unpack(">IIB", chunks[b"IHDR"][:9])
    check_size(width, height)
    if b"IDAT" not in chunks:
        raise PictureError(DAMAGED)
    exif = bytes(chunks[b"eXIf"]) if b"eXIf" in chunks else None
    with open_header(data) as header:
        profile = header.info.get("icc_profile")
    values = imagecodecs.png_decode(data)
    values = values.reshape(height, width, -1)
    clear = values.shape[2] in (2, 4)
    return DecodedPicture(
        samples=values[..., :-1] if clear else values,
        alpha=as_unit_floats(values[..., -1]) if clear else None,
        bits=16 if depth == 16 else 8,
        profile=profile or None,
        exif=exif,
        orientation=exif_orientation(exif) if exif else 1,
        format="PNG",
    )


_DECODERS: Mapping[FileKind, Callable[[bytes], DecodedPicture]] = MappingProxyType(
    {
        FileKind.JPEG: _decode_jpeg,
        FileKind.PNG: _decode_png,
        FileKind.TIFF: decode_tiff,
        FileKind.WEBP: _decode_webp,
        FileKind.OTHER: decode_with_pillow,
    }
)
