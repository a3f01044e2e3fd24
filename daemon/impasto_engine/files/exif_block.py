"""The EXIF block of a picture (Exif 2.32): what is kept of it, and what is changed on the way to another file.

The camera's, the author's and the place's fields pass through byte for byte. Left out are the thumbnail, which
shows the picture before it was painted, and the fields that describe how the pixels lay in the old file.
A block is a TIFF structure beginning with II or MM, without the "Exif" that JPEG puts in front. Maker notes keep
their bytes, though some makers count offsets from the start of the old file.
"""

import struct
from dataclasses import replace

from impasto_engine.files.ifd import ASCII, LONG, SHORT, Entry, byte_order, first_directory, write_ifd
from impasto_engine.limits import MAX_EXIF_BYTES

__all__ = ["add_to_tiff", "exif_for_file", "exif_orientation", "kept_exif"]

_ORIENTATION, _SOFTWARE, _EXIF_IFD, _MAKER_NOTE = 274, 305, 34665, 37500
_IMAGE_DESCRIPTION = 270
_PIXEL_X_DIMENSION, _PIXEL_Y_DIMENSION = 40962, 40963

_KEPT = frozenset(
    {
        269,  # DocumentName
        _IMAGE_DESCRIPTION,
        271,  # Make
        272,  # Model
        282,  # XResolution
        283,  # YResolution
        296,  # ResolutionUnit
        306,  # DateTime
        315,  # Artist
        316,  # HostComputer
        18246,  # Rating
        18249,  # RatingPercent
        33432,  # Copyright
        _EXIF_IFD,
        34853,  # GPS
        40091,  # XPTitle
        40092,  # XPComment
        40093,  # XPAuthor
        40094,  # XPKeywords
        40095,  # XPSubject
    }
)
"""Fields of the first directory that speak of the picture rather than of its storage."""

_WRITTEN_FOR_MACHINES = (b'{"shape"', b"ImageJ=", b"<?xml", b"<OME")
"""How an ImageDescription begins that tells the old array's layout; it would be untrue of the new file."""


def exif_orientation(block: bytes) -> int:
    """Tell how a picture lies in its file.

    Args:
        block: An EXIF block or a whole TIFF file; garbage is allowed.

    Returns:
        1 to 8; 1 where the block does not say, or says something impossible.
    """
    order = byte_order(block)
    for entry in first_directory(block):
        if entry.tag == _ORIENTATION and entry.kind == SHORT and entry.count == 1:
            (orientation,) = struct.unpack(f"{order}H", entry.value)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


def kept_exif(block: bytes) -> bytes | None:
    """Take from an EXIF block what is still true once the picture is upright and has been painted over.

    Args:
        block: An EXIF block or a whole TIFF file; garbage is allowed.

    Returns:
        A new block with orientation 1, or None where there is nothing to keep.
    """
    order = byte_order(block)
    entries = tuple(entry for entry in first_directory(block) if _is_kept(entry))
    if order is None or not entries:
        return None
    return _block((*entries, _number(_ORIENTATION, SHORT, 1, order)), order)


def exif_for_file(block: bytes | None, *, software: str, width: int, height: int) -> bytes:
    """Make the EXIF block for a file about to be written.

    Args:
        block: From `kept_exif`, or None.
        software: The program that wrote the file, ASCII.
        width: Pixels a row in the new file.
        height: Rows in the new file.

    Returns:
        A block of at most `MAX_EXIF_BYTES`; what is too long gives way, the maker notes first.
    """
    order = (byte_order(block) if block else None) or "<"
    text = software.encode("ascii", "replace") + b"\0"
    said = Entry(tag=_SOFTWARE, kind=ASCII, count=len(text), value=text)
    size = {
        _PIXEL_X_DIMENSION: _number(_PIXEL_X_DIMENSION, LONG, width, order),
        _PIXEL_Y_DIMENSION: _number(_PIXEL_Y_DIMENSION, LONG, height, order),
    }
    entries = [_resized(entry, size) for entry in first_directory(block or b"")]
    without_notes = [_without(entry, _MAKER_NOTE) for entry in entries]
    for attempt in (entries, without_notes):
        made = _block((*attempt, said), order)
        if len(made) <= MAX_EXIF_BYTES:
            return made
    return _block((said,), order)


def add_to_tiff(tiff: bytes, block: bytes, *extra: Entry) -> bytes:
    """Give a TIFF file the fields of an EXIF block, which libraries that write 16 bits do not write.

    The first directory is written anew at the end of the file; the pixels stay where they are.

    Args:
        tiff: A classic TIFF file with one page, in the byte order of `block`.
        block: From `exif_for_file`.
        extra: Further fields for the first directory.

    Returns:
        The new file.
    """
    order = byte_order(tiff)
    if order is None or order != byte_order(block):
        raise ValueError(f"byte orders differ: {tiff[:4]!r} and {block[:4]!r}")
    fields = {entry.tag: entry for entry in (*first_directory(tiff), *first_directory(block), *extra)}
    padded = tiff + b"\0" * (len(tiff) % 2)
    header = padded[:4] + struct.pack(f"{order}I", len(padded))
    return header + padded[8:] + write_ifd(fields.values(), len(padded), order)


def _is_kept(entry: Entry) -> bool:
    machine_made = entry.tag == _IMAGE_DESCRIPTION and entry.value.startswith(_WRITTEN_FOR_MACHINES)
    return entry.tag in _KEPT and not machine_made


def _resized(entry: Entry, size: dict[int, Entry]) -> Entry:
    children = tuple(size.get(child.tag, child) for child in entry.children)
    return replace(entry, children=children) if entry.tag == _EXIF_IFD else entry


def _without(entry: Entry, tag: int) -> Entry:
    return replace(entry, children=tuple(child for child in entry.children if child.tag != tag))


def _number(tag: int, kind: int, value: int, order: str) -> Entry:
    return Entry(tag=tag, kind=kind, count=1, value=struct.pack(f"{order}{'H' if kind == SHORT else 'I'}", value))


def _block(entries: tuple[Entry, ...], order: str) -> bytes:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}I", 8) + write_ifd(entries, 8, order)
