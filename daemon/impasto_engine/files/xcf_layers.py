"""The recipe in an image file of GIMP's own, XCF: kept on a layer as a parasite by the plug-in.

Only what leads to a layer's parasites is read; the format is described in GIMP's documentation (XCF, "The layer
structure", "PROP_PARASITES"). All numbers are big-endian.
"""

import struct
from collections.abc import Iterator

from impasto_engine.limits import MAX_RECIPE_BYTES

__all__ = ["SIGNATURE", "recipe_in_xcf"]

SIGNATURE = b"gimp xcf "

RECIPE_PARASITE = b"impasto-recipe"
"""The name under which the plug-in keeps it."""

_END, _PARASITES = 0, 21
"""Numbers of properties."""

MOST_LAYERS = 10_000
"""Layers that are looked at: a damaged file may claim any number, all in one place."""

_HEADER_BYTES = len(SIGNATURE) + 5
"""The signature, `v` with three digits or `file`, and a zero."""

_WITH_PRECISION, _WITH_LONG_POINTERS = 4, 11
"""Versions of the format since which there is a precision, and pointers have eight bytes."""


def recipe_in_xcf(data: bytes) -> str | None:
    """The recipe of the topmost layer that keeps one.

    Args:
        data: The whole file.

    Returns:
        JSON; None if there is none.

    Raises:
        ValueError: The file is damaged; what `struct` raises is one, too.
    """
    try:
        return next((text for at in _layers(data) for text in _recipes(data, at)), None)
    except struct.error as error:
        raise ValueError("the file breaks off") from error


def _layers(data: bytes) -> Iterator[int]:
    """Where each layer lies, from top to bottom."""
    told = data[len(SIGNATURE) : _HEADER_BYTES - 1]
    version = 0 if told == b"file" else int(told[1:])
    at = _HEADER_BYTES + 12 + (4 if version >= _WITH_PRECISION else 0)  # width, height, base type, precision
    for _, start, length in _properties(data, at):
        at = start + length
    pointer = struct.Struct(">Q" if version >= _WITH_LONG_POINTERS else ">I")
    for _ in range(MOST_LAYERS):
        (layer,) = pointer.unpack_from(data, at)
        if layer == 0:
            return
        yield layer
        at += pointer.size


def _recipes(data: bytes, layer: int) -> Iterator[str]:
    (name_bytes,) = struct.unpack_from(">I", data, layer + 12)  # after width, height, type
    for kind, start, length in _properties(data, layer + 16 + name_bytes):
        if kind == _PARASITES:
            yield from _recipes_among(data[start : start + length])


def _recipes_among(parasites: bytes) -> Iterator[str]:
    at = 0
    while at < len(parasites):
        (name_bytes,) = struct.unpack_from(">I", parasites, at)
        name = parasites[at + 4 : at + 4 + name_bytes].rstrip(b"\0")
        _, size = struct.unpack_from(">II", parasites, at + 4 + name_bytes)
        at += 12 + name_bytes
        if name == RECIPE_PARASITE and size <= MAX_RECIPE_BYTES:
            yield parasites[at : at + size].decode("utf-8")
        at += size


def _properties(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Each property's number, where its content begins, and its length; the end is told, too."""
    while True:
        kind, length = struct.unpack_from(">II", data, at)
        yield kind, at + 8, length
        if kind == _END:
            return
        at += 8 + length
