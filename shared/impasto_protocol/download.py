"""A result on its way: which parts to ask for next, and whether the whole is what was promised. Sends nothing."""

from hashlib import sha256
from mmap import mmap

from impasto_protocol.errors import DigestMismatchError
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from impasto_protocol.messages import Chunk, Fetch, Result

__all__ = ["Download"]


class Download:
    """Collects the parts of one result.

    Args:
        result: What was promised.
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self._pixels = mmap(-1, result.picture.format.size_bytes)  # unlike a bytearray, takes no time to begin with
        self._asked: set[int] = set()
        self._next = 0
        self._received_bytes = 0
        self._hash = sha256()
        self._hashed_bytes = 0
        self._unhashed: set[int] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every part is there."""
        return self._received_bytes == len(self._pixels)

    def requests(self) -> list[Fetch]:
        """The parts to ask for now: as many as fill the window."""
        wanted = []
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
        self._pixels[at : at + data.nbytes] = data
        self._received_bytes += data.nbytes
        self._unhashed.add(at)
        self._hash_on()

    def pixels(self) -> memoryview:
        """The whole picture, read-only.

        Raises:
            DigestMismatchError: It is not the picture that was promised.
        """
        if self._hash.digest() != self.result.picture.digest:
            raise DigestMismatchError("The result arrived damaged; fetch it again.")
        return memoryview(self._pixels).toreadonly()

    def _hash_on(self) -> None:
        """Hashes what has come without a gap, while the rest is on its way."""
        while self._hashed_bytes in self._unhashed:
            at, end = self._hashed_bytes, self._hashed_bytes + self._length_at(self._hashed_bytes)
            self._unhashed.remove(at)
            self._hash.update(memoryview(self._pixels)[at:end])
            self._hashed_bytes = end

    def _length_at(self, offset: int) -> int:
        return min(MAX_BUFFER_BYTES, len(self._pixels) - offset)
