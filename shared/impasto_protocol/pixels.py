"""Pictures as they travel: raw samples, and a description that says how many bytes they must be.

Samples are little-endian, C-contiguous, rows from top to bottom, with the channels of a pixel beside each other. Alpha
is straight, not multiplied in. No numpy here: the editor's own Python has none.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from impasto_protocol.errors import MalformedMessageError, TooLargeError
from impasto_protocol.fields import Between, Data, Digest, Side
from impasto_protocol.limits import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS

__all__ = ["Blob", "ColourSpace", "Picture", "PixelFormat", "SampleType", "digest_of"]


class SampleType(StrEnum):
    """The type of one sample. Integers run from 0 to their largest value, floats from 0 to 1."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return _SAMPLE_BYTES[self]


_SAMPLE_BYTES = {SampleType.UINT8: 1, SampleType.UINT16: 2, SampleType.FLOAT16: 2, SampleType.FLOAT32: 4}


class ColourSpace(StrEnum):
    """What the samples mean.

    `SRGB` is R'G'B' with the sRGB curve: 1 channel is grey, 2 grey and alpha, 3 colour, 4 colour and alpha. `MASK` is
    one channel that says how much a place counts, without any curve.
    """

    SRGB = "srgb"
    MASK = "mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """How to read a picture's bytes.

    Attributes:
        width: Pixels of a row.
        height: Rows.
        channels: Samples of a pixel.
        samples: The type of a sample.
        colour_space: What the samples mean.
    """

    width: Side
    height: Side
    channels: Annotated[int, Between(1, 4)]
    samples: SampleType = SampleType.UINT8
    colour_space: ColourSpace = ColourSpace.SRGB

    def __post_init__(self) -> None:
        if self.width * self.height > MAX_PICTURE_PIXELS or self.size_bytes > MAX_PICTURE_BYTES:
            raise TooLargeError(
                f"A picture of {self.width} × {self.height} pixels with {self.channels} channels of {self.samples} is "
                f"larger than {MAX_PICTURE_PIXELS:,} pixels or {MAX_PICTURE_BYTES:,} bytes; send a smaller one."
            )
        if self.colour_space is ColourSpace.MASK and self.channels != 1:
            raise MalformedMessageError(
                f"A mask has {self.channels} channels; send one channel.", field="format.channels"
            )

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole picture."""
        return self.width * self.height * self.channels * self.samples.sample_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A picture by name: the digest of its bytes, which travel by themselves, and how to read them."""

    digest: Digest
    format: PixelFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture with its bytes, which must not change as long as it is used.

    Attributes:
        format: How to read the bytes.
        data: The bytes.
        blob: Its name in an order.
    """

    format: PixelFormat
    data: Data = field(repr=False)
    blob: Blob = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = memoryview(self.data).nbytes
        if given != self.format.size_bytes:
            raise MalformedMessageError(
                f"A picture of {self.format.width} × {self.format.height} pixels came with {given:,} bytes; "
                f"send {self.format.size_bytes:,}."
            )
        object.__setattr__(self, "blob", Blob(digest=digest_of(self.data), format=self.format))


def digest_of(data: Data) -> bytes:
    """The name of a picture's bytes: their SHA-256, 32 bytes."""
    return sha256(data).digest()
