"""A result that arrives in parts, in whatever order."""

import random
from dataclasses import replace
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto_protocol.download import Download
from impasto_protocol.errors import DigestMismatchError
from impasto_protocol.limits import MAX_PART_BYTES, WINDOW_BYTES
from impasto_protocol.messages import Chunk, Fetch, Result
from impasto_protocol.pixels import Picture, PixelFormat

PARTS = WINDOW_BYTES // MAX_PART_BYTES + 2
FORM = PixelFormat(width=1000, height=(PARTS * MAX_PART_BYTES - 300_000) // 4000, channels=4)
PAINTED = Picture(format=FORM, data=random.Random(1).randbytes(FORM.size_bytes))  # noqa: S311
RESULT = Result(
    job="a" * 32,
    seq=3,
    picture=PAINTED.blob,
    crc32=crc32(PAINTED.data),
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
    half = data.nbytes // 2
    return Chunk(digest=PAINTED.blob.digest, offset_bytes=at, data=(data[:half], data[half:]))


def requests(download: Download, room_bytes: int = WINDOW_BYTES) -> list[Fetch]:
    """What is asked for with so much room."""
    asked: list[Fetch] = []
    while request := download.next_request(room_bytes - sum(one.length_bytes for one in asked)):
        asked.append(request)
    return asked


def take(download: Download, chunk: Chunk) -> None:
    download.accept(chunk)
    download.place(chunk)


@settings(max_examples=12)
@given(st.data())
def test_parts_make_the_picture_in_whatever_order_they_arrive(data: st.DataObject) -> None:
    download = Download(RESULT)
    asked = requests(download)
    taken = 0
    while asked:
        assert len(asked) <= WINDOW_BYTES // MAX_PART_BYTES
        assert not download.is_complete
        take(download, part(asked.pop(data.draw(st.integers(0, len(asked) - 1)))))
        asked += requests(download, WINDOW_BYTES - sum(one.length_bytes for one in asked))
        taken += 1
    assert taken == PARTS
    assert download.is_complete
    assert bytes(download.pixels()) == PAINTED.data


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("damaged", [0, PARTS - 1])
def test_one_wrong_byte_is_found_in_whatever_order_parts_arrive(backwards: bool, damaged: int) -> None:
    download = Download(RESULT)
    while asked := requests(download):
        for one in reversed(asked) if backwards else asked:
            chunk = part(one)
            data = bytearray(b"".join(chunk.data))
            data[-1] ^= one.offset_bytes == damaged * MAX_PART_BYTES
            take(download, replace(chunk, data=(data,)))
    assert download.is_complete
    with pytest.raises(DigestMismatchError, match="arrived damaged"):
        download.pixels()


def test_a_part_counts_once() -> None:
    download = Download(RESULT)
    first = part(requests(download)[0])
    take(download, first)
    with pytest.raises(DigestMismatchError, match="another part"):
        download.accept(first)
