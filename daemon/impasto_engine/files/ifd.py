"""Image file directories (TIFF 6.0, section 2), the form of EXIF blocks and TIFF headers, kept byte for byte.

Pillow decodes the values and writes them anew, which turns "José" into "Jos??" and changes types; an EXIF block
that only passes through must not be changed by it. So a value stays the bytes it was. Nothing of ours is
imported here.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["ASCII", "BYTE", "LONG", "SHORT", "Entry", "byte_order", "first_directory", "read_ifd", "write_ifd"]

BYTE, ASCII, SHORT, LONG = 1, 2, 3, 4

_VALUE_BYTES: Mapping[int, int] = MappingProxyType(
    {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
)
"""Bytes of one value, by type."""

_DIRECTORIES = frozenset({34665, 34853, 40965})
"""Tags whose value is the offset of another directory: Exif, GPS, interoperability (Exif 2.32, 4.6.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of a directory.

    Attributes:
        tag: What it says.
        kind: The type of its values, 1 to 13.
        count: How many values there are.
        value: The values' bytes, in the byte order of the block they come from; empty for a directory.
        children: The entries of the directory this one points to.
    """

    tag: int
    kind: int
    count: int
    value: bytes
    children: tuple["Entry", ...] = ()


def byte_order(block: bytes) -> str | None:
    """Tell how a block stores numbers: "<" or ">" as in `struct`, or None where it is no classic TIFF structure."""
    return {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))


def first_directory(block: bytes) -> tuple[Entry, ...]:
    """Read the first directory of a TIFF structure; what cannot be read is left out.

    Args:
        block: A TIFF file or an EXIF block, beginning with II or MM.

    Returns:
        The entries; none where the block is no classic TIFF structure.
    """
    order = byte_order(block)
    if order is None or len(block) < 8:
        return ()
    return read_ifd(block, struct.unpack_from(f"{order}I", block, 4)[0], order)


def read_ifd(block: bytes, offset: int, order: str, depth: int = 0) -> tuple[Entry, ...]:
    """Read one directory and those below it; an entry that points outside the block is left out.

    Args:
        block: The whole TIFF structure.
        offset: Where the directory begins in it.
        order: "<" or ">".
        depth: How many directories this one lies below; deeper than two there is nothing, only loops.

    Returns:
        The entries, in the order of the file.
    """
    if depth > 2 or offset < 8 or offset + 2 > len(block):
        return ()
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    places = range(offset + 2, min(offset + 2 + 12 * count, len(block) - 11), 12)
    entries = (_read_entry(block, place, order, depth) for place in places)
    return tuple(entry for entry in entries if entry is not None)


def _read_entry(block: bytes, place: int, order: str, depth: int) -> Entry | None:
    tag, kind, count = struct.unpack_from(f"{order}HHI", block, place)
    length = _VALUE_BYTES.get(kind, 0) * count
    (pointer,) = struct.unpack_from(f"{order}I", block, place + 8)
    start = pointer if length > 4 else place + 8
    if length == 0 or start + length > len(block):
        return None
    if tag in _DIRECTORIES:
        children = read_ifd(block, pointer, order, depth + 1)
        return Entry(tag=tag, kind=LONG, count=1, value=b"", children=children) if children else None
    return Entry(tag=tag, kind=kind, count=count, value=bytes(block[start : start + length]))


def write_ifd(entries: Iterable[Entry], offset: int, order: str) -> bytes:
    """Write a directory, the values it points to and the directories below it; no directory follows it.

    Args:
        entries: What to write, with values in the byte order `order`.
        offset: Where in the TIFF structure the result will begin; even, as the format asks.
        order: "<" or ">".

    Returns:
        The bytes, an even number of them.
    """
    fields = sorted(entries, key=lambda entry: entry.tag)
    table = bytearray(struct.pack(f"{order}H", len(fields)))
    values = bytearray()
    values_offset = offset + 2 + 12 * len(fields) + 4
    for entry in fields:
        table += struct.pack(f"{order}HHI", entry.tag, entry.kind, entry.count)
        place = values_offset + len(values)
        value = write_ifd(entry.children, place, order) if entry.children else entry.value
        if entry.children or len(value) > 4:
            table += struct.pack(f"{order}I", place)
            values += value + b"\0" * (len(value) % 2)
        else:
            table += value.ljust(4, b"\0")
    return bytes(table + struct.pack(f"{order}I", 0) + values)
