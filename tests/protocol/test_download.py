"""A result that arrives in parts, in whatever order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto_protocol.download import Download
from impasto_protocol.errors import DigestMismatchError
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from impasto_protocol.messages import Chunk, Fetch, Result
from impasto_protocol.pixels import Picture, PixelFormat

PARTS = MAX_BUFFERS + 2
FORM = PixelFormat(width=1000, height=(PARTS * MAX_BUFFER_BYTES - 300_000) // 4000, channels=4)
PAINTED = Picture(format=FORM, data=random.Random(1).randbytes(FORM.size_bytes))  # noqa: S311
RESULT = Result(
    job="a" * 32,
    seq=3,
    picture=PAINTED.blob,
    losses={},
    evaluations=1,
    duration_s=0.0,
    stopped=False,
    rollbacks=0,
    network="lite",
    precision="float32",
)


def part(asked: Fetch) -> Chunk:
    at = asked.offset_bytes
    data = memoryview(PAINTED.data)[at : at + asked.length_bytes]
    return Chunk(digest=PAINTED.blob.digest, offset_bytes=at, data=data)


@settings(max_examples=12)
@given(st.data())
def test_parts_make_the_picture_in_whatever_order_they_arrive(data: st.DataObject) -> None:
    download = Download(RESULT)
    asked = download.requests()
    taken = 0
    while asked:
        assert len(asked) <= MAX_BUFFERS
        assert not download.is_complete
        download.add(part(asked.pop(data.draw(st.integers(0, len(asked) - 1)))))
        asked += download.requests()
        taken += 1
    assert taken == PARTS
    assert download.is_complete
    assert bytes(download.pixels()) == PAINTED.data


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("damaged", [0, PARTS - 1])
def test_one_wrong_byte_is_found_in_whatever_order_parts_arrive(backwards: bool, damaged: int) -> None:
    download = Download(RESULT)
    while asked := download.requests():
        for one in reversed(asked) if backwards else asked:
            chunk = part(one)
            data = bytearray(chunk.data)
            data[-1] ^= one.offset_bytes == damaged * MAX_BUFFER_BYTES
            download.add(Chunk(digest=chunk.digest, offset_bytes=chunk.offset_bytes, data=data))
    assert download.is_complete
    with pytest.raises(DigestMismatchError, match="arrived damaged"):
        download.pixels()


def test_a_part_counts_once() -> None:
    download = Download(RESULT)
    first = part(download.requests()[0])
    download.add(first)
    with pytest.raises(DigestMismatchError, match="another part"):
        download.add(first)
