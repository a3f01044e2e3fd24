"""A result on its way: which parts to ask for next, and whether the whole is what was promised. Sends nothing."""

import mmap
import sys
from contextlib import suppress
from zlib import crc32

from impasto_protocol.errors import DigestMismatchError
from impasto_protocol.limits import MAX_PART_BYTES
from impasto_protocol.messages import Chunk, Fetch, Result

__all__ = ["Download"]

CHECKED_AT_ONCE_BYTES = 128 * 1024
"""Bytes of a result that are copied, and then checked, before the next: few enough to be in the processor's cache
still, and enough that calls do not count."""


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
        self._crc32 = 0
        self._checked_bytes = 0
        self._early: set[int] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every part is there."""
        return self._received_bytes == len(self._pixels)

    @property
    def is_all_asked(self) -> bool:
        """Whether every part is there or was asked for."""
        return self._next >= len(self._pixels)

    def next_request(self, room_bytes: int) -> Fetch | None:
        """The next part to ask for now; None if all have been asked for, or there is no room for it.

        Args:
            room_bytes: The longest part that may be asked for.
        """
        if self.is_all_asked or self._length_at(self._next) > room_bytes:
            return None
        request = Fetch(job=self.result.job, offset_bytes=self._next, length_bytes=self._length_at(self._next))
        self._asked.add(self._next)
        self._next += request.length_bytes
        return request

    def accept(self, chunk: Chunk) -> None:
        """Takes a part that was asked for; more can then be asked for while `place` has to do with it.

        Raises:
            DigestMismatchError: It is not the part that was asked for.
        """
        at = chunk.offset_bytes
        promised = self.result.picture.digest
        if chunk.digest != promised or at not in self._asked or chunk.size_bytes != self._length_at(at):
            raise DigestMismatchError(
                f"The daemon sent {chunk.size_bytes:,} bytes from byte {at:,} of another picture or of another part; "
                "fetch the result again."
            )
        self._asked.remove(at)

    def place(self, chunk: Chunk) -> None:
        """Copies a part that was accepted, and checks what is there without a gap."""
        place = at = chunk.offset_bytes
        for piece in chunk.data:
            data = memoryview(piece).cast("B")
            self._copy(place, data)
            place += data.nbytes
        self._received_bytes += place - at
        if self._checked_bytes < place:
            self._early.add(at)
        while self._checked_bytes in self._early:
            self._early.remove(self._checked_bytes)
            self._check_on(self._length_at(self._checked_bytes))

    def pixels(self) -> memoryview:
        """The whole picture, read-only.

        Raises:
            DigestMismatchError: It is not the picture that was promised.
        """
        if self._crc32 != self.result.crc32:
            raise DigestMismatchError("The result arrived damaged; fetch it again.")
        return self._pixels.toreadonly()

    def _copy(self, at: int, data: memoryview) -> None:
        for begin in range(0, data.nbytes, CHECKED_AT_ONCE_BYTES):
            some = data[begin : begin + CHECKED_AT_ONCE_BYTES]
            self._pixels[at + begin : at + begin + some.nbytes] = some
            if at + begin == self._checked_bytes:
                self._check_on(some.nbytes)

    def _check_on(self, length_bytes: int) -> None:
        end = self._checked_bytes + length_bytes
        self._crc32 = crc32(self._pixels[self._checked_bytes : end], self._crc32)
        self._checked_bytes = end

    def _length_at(self, offset: int) -> int:
        return min(MAX_PART_BYTES, len(self._pixels) - offset)


def _room(size_bytes: int) -> mmap.mmap:
    """Memory that takes no time to begin with, unlike a bytearray; of this process alone, which makes it cheaper.

    It is in huge pages where the system has them free, as numpy's large arrays are: made one by one, small pages take
    two thirds longer.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, size_bytes)
    memory = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if sys.platform == "linux":
        with suppress(OSError):  # a system without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory
