"""Picture files: read into sRGB floats for painting, and written back in the depth, colours and words they came with.

This is the only module about picture files that others need; decoders, encoders, profiles and metadata lie beside
it. Pixels are sRGB-encoded between reading and writing, whatever colours the file is in: a profile is applied when
a file is read, and applied backwards when a picture is written `like` that file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import PictureError, SettingsError
from impasto_engine.files.colour_profile import from_srgb, to_srgb
from impasto_engine.files.exif_block import exif_for_file, kept_exif
from impasto_engine.files.picture_decoding import decode_picture
from impasto_engine.files.picture_encoding import FORMATS, FileFormat, Notes
from impasto_engine.files.picture_recipe import recipe_as_text, recipe_in_file
from impasto_engine.files.picture_samples import as_unit_floats, check_size, upright
from impasto_engine.files.whole_file import check_replaceable, read_whole_file, replace_file
from impasto_engine.types import Pixels
from impasto_engine.version import __version__

__all__ = ["PictureFile", "check_writable", "read_picture", "read_recipe", "write_picture"]

_SOFTWARE = f"Impasto {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureFile:
    """A picture, and what a picture made from it should be written like.

    Attributes:
        pixels: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1], straight alpha, upright.
        bits: 8, or 16 where a sample of the file holds more than 8 bits.
        profile: The file's ICC profile, or None where it has none that can be used.
        exif: The file's EXIF block, a TIFF structure beginning with II or MM, with orientation 1 and without the
            thumbnail; or None.
        format: The name of the file's format, such as "JPEG".
        path: Where it was read.
    """

    pixels: Pixels
    bits: int
    profile: bytes | None
    exif: bytes | None
    format: str
    path: Path


def read_picture(path: str | PathLike[str]) -> PictureFile:
    """Read a picture: JPEG, PNG, TIFF, WebP, GIF, BMP and a few more, the first picture where there are several.

    Args:
        path: The file.

    Returns:
        The picture, upright, in sRGB.

    Raises:
        PictureError: The file is missing, truncated, damaged, absurdly large, or no picture.
    """
    place = Path(path)
    try:
        return _picture_in(read_whole_file(place), place)
    except MemoryError as error:
        raise PictureError(
            f"Cannot read {str(place)!r}: there is not enough memory for it; close other programs, or make the "
            "picture smaller in an image editor."
        ) from error


def write_picture(
    path: str | PathLike[str],
    pixels: Pixels,
    *,
    like: PictureFile | None = None,
    recipe: Mapping[str, Any] | None = None,
    bits: int | None = None,
    quality: int = 95,
    formats: Sequence[FileFormat] = FORMATS,
) -> None:
    """Write a picture in the format its file's name asks for; an older file of that name is replaced in one step.

    Args:
        path: The file: .jpg, .jpeg, .png, .tif, .tiff or .webp.
        pixels: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1], straight alpha; values beyond are clipped, NaN is
            0. JPEG has no transparency: there the picture is laid on white.
        like: The picture whose depth, RGB profile and EXIF are taken over.
        recipe: What `read_recipe` shall give back, anything JSON can say.
        bits: 8 or 16; by default those of `like` as far as the format goes, or else 8.
        quality: 1 to 100, for JPEG and WebP.
        formats: The formats that can be written.

    Raises:
        PictureError: It cannot be written so; an older file of that name is as it was.
        SettingsError: `bits` or `quality` is out of range.
    """
    place = Path(path)
    kind = _format_for(place, formats)
    _check_pixels(place, pixels, kind)
    depth = _depth(place, kind, like, bits)
    if not 1 <= quality <= 100:
        raise SettingsError(f"the quality is {quality}; choose one from 1 to 100")
    height, width = pixels.shape[:2]
    samples, profile = _samples(pixels, kind, depth, like.profile if like else None)
    try:
        notes = Notes(
            software=_SOFTWARE,
            exif=exif_for_file(like.exif if like else None, software=_SOFTWARE, width=width, height=height),
            profile=profile,
            recipe=None if recipe is None else recipe_as_text(recipe, _SOFTWARE),
            quality=quality,
        )
        data = kind.encode(samples, notes)
    except PictureError as error:
        raise PictureError(f"Cannot write {str(place)!r}: {error}.") from error
    except Exception as error:  # encoders raise anything
        raise PictureError(
            f"Cannot write {str(place)!r}: the picture does not go into {kind.name} ({error}); choose another format."
        ) from error
    replace_file(place, data)


def check_writable(path: str | PathLike[str], *, size: tuple[int, int] | None = None) -> None:
    """Make sure, before hours of painting, that `write_picture` will be able to write; nothing is left behind.

    Args:
        path: The file to be written.
        size: Width and height in pixels of the picture to come, where they are known.

    Raises:
        PictureError: The name has no known ending, the folder is missing or closed to us, the path is a folder, or
            the format holds no picture of that size.
    """
    place = Path(path)
    kind = _format_for(place, FORMATS)
    if size is not None:
        _check_sides(place, size, kind)
    check_replaceable(place)


def read_recipe(path: str | PathLike[str]) -> dict[str, Any]:
    """Read the recipe that `write_picture` stored in a picture.

    Args:
        path: The file.

    Returns:
        The recipe, as JSON gives it back: tuples have become lists.

    Raises:
        PictureError: The file cannot be read, or there is no recipe in it.
    """
    place = Path(path)
    data = read_whole_file(place)
    try:
        return recipe_in_file(data)
    except PictureError as error:
        raise PictureError(f"Cannot read the recipe in {str(place)!r}: {error}.") from error


def _picture_in(data: bytes, place: Path) -> PictureFile:
    try:
        decoded = decode_picture(data)
    except PictureError as error:
        raise PictureError(f"Cannot read {str(place)!r}: {error}.") from error
    colours, profile = to_srgb(decoded.samples, decoded.profile)
    alpha = decoded.alpha
    pixels = colours if alpha is None else np.concatenate([colours, alpha[..., np.newaxis]], axis=2)
    return PictureFile(
        pixels=upright(pixels, decoded.orientation),
        bits=decoded.bits,
        profile=profile,
        exif=kept_exif(decoded.exif) if decoded.exif else None,
        format=decoded.format,
        path=place,
    )


def _format_for(place: Path, formats: Sequence[FileFormat]) -> FileFormat:
    suffix = place.suffix.lower()
    for kind in formats:
        if suffix in kind.suffixes:
            return kind
    known = ", ".join(suffix for kind in formats for suffix in kind.suffixes)
    ending = f"the ending {place.suffix!r} is not known" if suffix else "its name has no ending"
    raise PictureError(f"Cannot write {str(place)!r}: {ending}; choose one of {known}.")


def _check_pixels(place: Path, pixels: Pixels, kind: FileFormat) -> None:
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype.kind != "f" or pixels.size == 0:
        raise PictureError(
            f"Cannot write {str(place)!r}: the pixels are {pixels.dtype.name} of shape {pixels.shape}; give floats "
            "of shape (height, width, 3 or 4)."
        )
    _check_sides(place, (pixels.shape[1], pixels.shape[0]), kind)


def _check_sides(place: Path, size: tuple[int, int], kind: FileFormat) -> None:
    width, height = size
    try:
        check_size(width, height)
    except PictureError as error:
        raise PictureError(f"Cannot write {str(place)!r}: {error}.") from error
    if max(size) > kind.max_side:
        raise PictureError(
            f"Cannot write {str(place)!r}: the picture has {width:,} by {height:,} pixels and {kind.name} holds at "
            f"most {kind.max_side:,} a side; choose .png or .tif."
        )


def _depth(place: Path, kind: FileFormat, like: PictureFile | None, bits: int | None) -> int:
    """Bits a sample: those asked for, or those of the picture it shall be like."""
    if bits is None:
        return min(kind.bits, like.bits) if like else 8
    if bits not in (8, 16):
        raise SettingsError(f"the depth is {bits} bits; choose 8 or 16")
    if bits > kind.bits:
        raise PictureError(
            f"Cannot write {str(place)!r}: {kind.name} holds no 16 bits; choose .png or .tif, or 8 bits."
        )
    return bits


def _samples(pixels: Pixels, kind: FileFormat, depth: int, profile: bytes | None) -> tuple[NDArray[Any], bytes | None]:
    """Bring pixels into the form that is stored, and tell which profile it is in."""
    colours, alpha = as_unit_floats(pixels[..., :3]), as_unit_floats(pixels[..., 3:])
    if alpha.shape[2] and not kind.alpha:
        colours, alpha = colours * alpha + (1.0 - alpha), alpha[..., :0]
    converted = from_srgb(colours, profile)
    stored = colours if converted is None else converted
    if alpha.shape[2]:
        stored = np.concatenate([stored, alpha], axis=2)
    dtype = np.uint16 if depth == 16 else np.uint8
    stored *= np.iinfo(dtype).max
    return np.rint(stored, out=stored).astype(dtype), profile if converted is not None else None
