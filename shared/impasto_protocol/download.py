"""A result on its way: which parts to ask for next, and whether the whole is what was promised. Sends nothing."""

import mmap
import sys
from contextlib import suppress
from hashlib import sha256

from impasto_protocol.errors import DigestMismatchError
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from impasto_protocol.messages import Chunk, Fetch, Result

__all__ = ["Download"]

MADV_POPULATE_WRITE = 23
"""Makes room for a part at once (Linux 5.14, madvise(2)), in two thirds of the time that it takes page by page; Python
has no name for it."""

REFILL = MAX_BUFFERS // 2
"""Parts on their way from which on more are asked for, several at once: either side then wakes less often, and half of
the window is enough to keep both busy."""

HASHED_AT_ONCE_BYTES = 128 * 1024
"""Bytes of a result that are copied, and then hashed, before the next: few enough to be in the processor's cache
still, where hashing them takes two thirds of the time, and enough that calls do not count."""


class Download:
    """Collects the parts of one result.

    Args:
        result: What was promised.
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self._memory = _room(result.picture.format.size_bytes)
        self._pixels = memoryview(self._memory)
        self._asked: set[int] = set()
        self._next = 0
        self._received_bytes = 0
        self._hash = sha256()
        self._hashed_bytes = 0
        self._early: set[int] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every part is there."""
        return self._received_bytes == len(self._pixels)

    def requests(self) -> list[Fetch]:
        """The parts to ask for now: none while half the window is on its way, and else as many as fill it."""
        wanted: list[Fetch] = []
        if len(self._asked) > REFILL:
            return wanted
        while len(self._asked) < MAX_BUFFERS and self._next < len(self._pixels):
            wanted.append(Fetch(job=self.result.job, offset_bytes=self._next, length_bytes=self._length_at(self._next)))
            self._asked.add(self._next)
            self._next += MAX_BUFFER_BYTES
        return wanted

    def add(self, chunk: Chunk) -> None:
        """Takes a part that was asked for.

        Raises:
            DigestMismatchError: It is not the part that was asked for.
        """
        at = chunk.offset_bytes
        data = memoryview(chunk.data).cast("B")
        promised = self.result.picture.digest
        if chunk.digest != promised or at not in self._asked or data.nbytes != self._length_at(at):
            raise DigestMismatchError(
                f"The daemon sent {data.nbytes:,} bytes from byte {at:,} of another picture or of another part; "
                "fetch the result again."
            )
        self._asked.remove(at)
        self._place(at, data)
        self._received_bytes += data.nbytes

    def pixels(self) -> memoryview:
        """The whole picture, read-only.

        Raises:
            DigestMismatchError: It is not the picture that was promised.
        """
        if self._hash.digest() != self.result.picture.digest:
            raise DigestMismatchError("The result arrived damaged; fetch it again.")
        return self._pixels.toreadonly()

    def _place(self, at: int, data: memoryview) -> None:
        """Copies a part to its place, and hashes what is there without a gap, while the rest is on its way."""
        if sys.platform == "linux":
            with suppress(OSError):  # an older system, which then makes room page by page
                self._memory.madvise(MADV_POPULATE_WRITE, at, data.nbytes)
        for begin in range(0, data.nbytes, HASHED_AT_ONCE_BYTES):
            some = data[begin : begin + HASHED_AT_ONCE_BYTES]
            self._pixels[at + begin : at + begin + some.nbytes] = some
            if at + begin == self._hashed_bytes:
                self._hash_on(some.nbytes)
        if self._hashed_bytes < at + data.nbytes:
            self._early.add(at)
        while self._hashed_bytes in self._early:
            self._early.remove(self._hashed_bytes)
            self._hash_on(self._length_at(self._hashed_bytes))

    def _hash_on(self, length_bytes: int) -> None:
        end = self._hashed_bytes + length_bytes
        self._hash.update(self._pixels[self._hashed_bytes : end])
        self._hashed_bytes = end

    def _length_at(self, offset: int) -> int:
        return min(MAX_BUFFER_BYTES, len(self._pixels) - offset)


def _room(size_bytes: int) -> mmap.mmap:
    """Memory that takes no time to begin with, unlike a bytearray; of this process alone, which makes it cheaper."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size_bytes)
    return mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
