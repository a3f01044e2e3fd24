"""What passes through the pipes between a bridge and its client: records of a kind and a few parts.

```
kind    1 byte     M: a message, its frames are the parts.  E: the way is lost; the parts are the error's class and text
parts   1 byte     how many
part    4 bytes    its length, little-endian, then so many bytes; as often as there are parts
```

Standard library only.
"""

import struct
from collections.abc import Sequence
from typing import IO

from impasto_protocol import errors
from impasto_protocol.errors import ConnectionLostError, ProtocolError, TooLargeError
from impasto_protocol.fields import Data
from impasto_protocol.limits import MAX_FRAME_BYTES, MAX_FRAMES

__all__ = ["ERROR", "MESSAGE", "error_in", "error_parts", "read_record", "write_record"]

MESSAGE, ERROR = b"M", b"E"

_LENGTH = struct.Struct("<I")


def write_record(pipe: IO[bytes], kind: bytes, parts: Sequence[Data]) -> None:
    """Writes a record, and waits until the pipe has taken it.

    Raises:
        OSError: The other side is gone.
    """
    pipe.write(kind + bytes([len(parts)]))
    for part in parts:
        data = memoryview(part).cast("B")
        pipe.write(_LENGTH.pack(data.nbytes))
        pipe.write(data)
    pipe.flush()


def read_record(pipe: IO[bytes]) -> tuple[bytes, list[Data]] | None:
    """Waits for a record and reads it; None when the other side has ended.

    Raises:
        ConnectionLostError: It breaks off in the middle, or is none.
        TooLargeError: It claims more than a message may have.
    """
    head = pipe.read(2)
    if not head:
        return None
    kind, count = head[:1], head[-1]
    if len(head) < 2 or kind not in (MESSAGE, ERROR):
        raise ConnectionLostError("The bridge to the daemon said something that is no message; trying again.")
    if count > MAX_FRAMES:
        raise TooLargeError(f"The bridge to the daemon sent {count} parts; it may send {MAX_FRAMES}.")
    return kind, [_part(pipe) for _ in range(count)]


def error_parts(error: ProtocolError) -> list[Data]:
    """An error as the parts of a record."""
    return [type(error).__name__.encode(), str(error).encode()]


def error_in(parts: Sequence[Data]) -> ProtocolError:
    """The error that these parts stand for."""
    if len(parts) != 2:
        return ConnectionLostError("The bridge to the daemon has ended without a reason; trying again.")
    name, text = (bytes(part).decode("utf-8", errors="replace") for part in parts)
    kind = getattr(errors, name, None) if name in errors.__all__ else None
    return kind(text) if isinstance(kind, type) and issubclass(kind, ProtocolError) else ConnectionLostError(text)


def _part(pipe: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise TooLargeError(f"The bridge to the daemon sent {length:,} bytes in one; it may send {MAX_FRAME_BYTES:,}.")
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise ConnectionLostError("The bridge to the daemon broke off in the middle of a message; trying again.")
    return data
