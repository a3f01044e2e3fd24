"""What is said to bring a picture's bytes from one side to the other."""

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from impasto_protocol.errors import MalformedMessageError
from impasto_protocol.fields import Between, Buffers, Digest, JobId, Offset, SizeBytes
from impasto_protocol.limits import MAX_PART_BYTES

__all__ = ["BlobOk", "Chunk", "Fetch", "Upload", "Wanted"]

PartBytes: TypeAlias = Annotated[int, Between(1, MAX_PART_BYTES)]
"""Bytes of a part of a picture that fits into one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Offers a picture's bytes under their name."""

    digest: Digest
    size_bytes: SizeBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The daemon has the bytes up to here, and wants those that follow."""

    digest: Digest
    offset_bytes: Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobOk:
    """The daemon has all the bytes, and hashes them before it paints them, if it has not done so yet."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a picture's bytes, in either direction."""

    digest: Digest
    offset_bytes: Offset
    data: Buffers = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.size_bytes <= MAX_PART_BYTES:
            raise MalformedMessageError(
                f"A chunk has {self.size_bytes:,} bytes; send 1 to {MAX_PART_BYTES:,}.", field="data"
            )

    @property
    def size_bytes(self) -> int:
        """Bytes of the part."""
        return sum(memoryview(piece).nbytes for piece in self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Asks for a part of a job's result."""

    job: JobId
    offset_bytes: Offset
    length_bytes: PartBytes
