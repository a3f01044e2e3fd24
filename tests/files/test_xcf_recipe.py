"""The recipe in an image of GIMP's own; tests in a real GIMP save real ones."""

import contextlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_engine.errors import PictureError
from impasto_engine.files.picture_file import read_recipe
from impasto_engine.files.picture_recipe import recipe_in_file

Layer = dict[bytes, bytes]
"""The parasites of a layer."""


def prop(kind: int, content: bytes) -> bytes:
    return struct.pack(">II", kind, len(content)) + content


def xcf(layers: list[Layer], *, version: bytes = b"v011") -> bytes:
    """An image with these layers, as far as recipes are concerned."""
    is_long = version >= b"v011" and version != b"file"
    head = b"gimp xcf " + version + b"\0" + struct.pack(">III", 4, 3, 0)
    head += b"" if version == b"file" else struct.pack(">I", 150)
    head += prop(17, b"\0") + prop(0, b"")
    at = len(head) + (len(layers) + 1) * (8 if is_long else 4)
    pointers, bodies = b"", b""
    for parasites in layers:
        name = b"a layer\0"
        told = b"".join(
            struct.pack(">I", len(key) + 1) + key + b"\0" + struct.pack(">II", 1, len(data)) + data
            for key, data in parasites.items()
        )
        body = struct.pack(">IIII", 4, 3, 0, len(name)) + name + prop(6, b"1234") + prop(21, told) + prop(0, b"")
        pointers += struct.pack(">Q" if is_long else ">I", at + len(bodies))
        bodies += body
    return head + pointers + struct.pack(">Q" if is_long else ">I", 0) + bodies


RECIPE = {"command": "stylize", "evaluations": 3}
KEPT = {b"other": b"xy", b"impasto-recipe": json.dumps(RECIPE).encode(), b"more": b""}


@pytest.mark.parametrize("version", [b"file", b"v011", b"v014"])
def test_the_topmost_layer_that_keeps_a_recipe_is_taken(version: bytes) -> None:
    lower = {b"impasto-recipe": b'{"command": "another"}'}
    assert recipe_in_file(xcf([{}, {b"other": b"x"}, KEPT, lower], version=version)) == RECIPE


def test_an_image_without_a_recipe_is_told_to_have_none(tmp_path: Path) -> None:
    place = tmp_path / "plain.xcf"
    place.write_bytes(xcf([{}, {b"other": b"x"}]))
    with pytest.raises(PictureError, match="there is no recipe in it"):
        read_recipe(place)


@given(st.integers(0, 400), st.binary(max_size=20))
def test_a_damaged_image_gives_a_recipe_or_a_sentence(at: int, damage: bytes) -> None:
    whole = xcf([{}, KEPT])
    for data in (whole[:at], whole[:at] + damage, whole[:at] + damage + whole[at + len(damage) :]):
        with contextlib.suppress(PictureError):
            assert isinstance(recipe_in_file(data), dict)
