"""The kinds of value a message may hold, each a Python type with the rule it must keep.

A rule is data that rides along in `typing.Annotated`; `schema` enforces it on everything that is sent and received.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from impasto_protocol.limits import (
    MAX_ENTRIES,
    MAX_NAME_CHARS,
    MAX_PICTURE_BYTES,
    MAX_SIDE,
    MAX_TEXT_CHARS,
)

__all__ = [
    "AtMost",
    "Between",
    "BudgetBytes",
    "Buffers",
    "ByteCount",
    "Chars",
    "Checksum",
    "Count",
    "Data",
    "Digest",
    "Exactly",
    "JobId",
    "Name",
    "Names",
    "Number",
    "Numbers",
    "Offset",
    "Seconds",
    "Seq",
    "SessionId",
    "Side",
    "SizeBytes",
    "Text",
    "Texts",
    "Token",
    "Version",
    "Weight",
]


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chars:
    """A text of at most `most` characters that the pattern matches as a whole."""

    most: int
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Exactly:
    """Bytes of just this length."""

    length_bytes: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """A sequence or mapping of at most `count` entries."""

    count: int


Data: TypeAlias = bytes | bytearray | memoryview
"""Binary data that travels in buffers beside the envelope. A memoryview is one of bytes, one-dimensional."""

Buffers: TypeAlias = tuple[Data, ...]
"""Binary data in as many pieces as it travelled in, so that nothing need be copied to join them."""

JobId: TypeAlias = Annotated[str, Chars(32, re.compile("[0-9a-f]{32}"))]
"""Chosen by the client: 32 hexadecimal digits, such as a UUID's."""

SessionId: TypeAlias = Annotated[str, Chars(32, re.compile("[0-9a-f]{32}"))]
"""Chosen by the daemon: 32 hexadecimal digits."""

Token: TypeAlias = Annotated[bytes, Exactly(32)]
"""A secret with which a client proves that a session is its own."""

Digest: TypeAlias = Annotated[bytes, Exactly(32)]
"""SHA-256 of a picture's bytes, or of a file of weights."""

Checksum: TypeAlias = Annotated[int, Between(0, 2**32 - 1)]
"""CRC-32 of a picture's bytes, as zlib has it: finds what was damaged or misplaced by chance, at a third of the cost of
SHA-256. Against malice there is CURVE."""

Name: TypeAlias = Annotated[str, Chars(MAX_NAME_CHARS, re.compile(r"[\x21-\x7e]+"))]
"""An identifier: visible ASCII, no spaces."""

Text: TypeAlias = Annotated[str, Chars(MAX_TEXT_CHARS)]
"""Something for people to read."""

Version: TypeAlias = Annotated[int, Between(1, 65535)]
Count: TypeAlias = Annotated[int, Between(0, 2**31 - 1)]
Seq: TypeAlias = Annotated[int, Between(0, 2**31 - 1)]
Side: TypeAlias = Annotated[int, Between(1, MAX_SIDE)]
SizeBytes: TypeAlias = Annotated[int, Between(1, MAX_PICTURE_BYTES)]
"""Bytes of a picture, or of a part of one."""
Offset: TypeAlias = Annotated[int, Between(0, MAX_PICTURE_BYTES)]
"""Bytes from the start of a picture."""
ByteCount: TypeAlias = Annotated[int, Between(0, 2**63 - 1)]
"""Bytes of anything else."""
BudgetBytes: TypeAlias = Annotated[int, Between(1, 2**63 - 1)]
"""Bytes of memory that a painting process may take."""
Seconds: TypeAlias = Annotated[float, Between(0.0, 1e9)]
Weight: TypeAlias = Annotated[float, Between(0.0, 1e12)]
"""The engine's own range of weights."""
Number: TypeAlias = Annotated[float, Between(-1.7976931348623157e308, 1.7976931348623157e308)]
"""Any finite number."""

Names: TypeAlias = Annotated[tuple[Name, ...], AtMost(MAX_ENTRIES)]
Numbers: TypeAlias = Annotated[Mapping[Name, Number], AtMost(MAX_ENTRIES)]
Texts: TypeAlias = Annotated[Mapping[Name, Name], AtMost(MAX_ENTRIES)]
