"""Between messages and frames. Nothing else imports msgpack, and nothing past here sees a bare map.

A message is `[MAGIC] [envelope] [0 to 8 buffers]`. The envelope is a MessagePack map of `type`, `id`, `reply_to` and
`payload`. Every limit is checked before memory is taken: frames by count and length, arrays and maps by the length they
claim, pictures by the size their format comes to.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from impasto_protocol.errors import MalformedMessageError, TooLargeError, UnknownTypeError, UnsupportedVersionError
from impasto_protocol.fields import Buffers, Data
from impasto_protocol.limits import (
    MAX_BUFFER_BYTES,
    MAX_BUFFERS,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_ENVELOPE_BYTES,
    MAX_FRAMES,
)
from impasto_protocol.messages import Message
from impasto_protocol.schema import buffer_field, built, plain
from impasto_protocol.version import MAGIC
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY

__all__ = ["Envelope", "Header", "decode", "encode", "frames_bytes", "read_header"]

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What can be known of a message even if its payload cannot be read: enough to answer it with ERROR.

    Attributes:
        type: The name of its type, which need not be one of ours.
        id: Chosen by the sender, from 1, not used twice on a connection.
        reply_to: The id of the message it answers.
        payload: The fields, not looked into yet.
    """

    type: str
    id: int
    reply_to: int | None
    payload: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message with its id, and that of the message it answers.

    Attributes:
        id: As in `Header`.
        reply_to: As in `Header`.
        message: What is said.
        size_bytes: Bytes of all its frames, which is what credit counts.
    """

    id: int
    reply_to: int | None
    message: Message
    size_bytes: int


def encode(message: Message, *, message_id: int, reply_to: int | None = None) -> list[Data]:
    """The frames of a message. Its binary data is not copied.

    Raises:
        MalformedMessageError: A field breaks its rule.
        TooLargeError: The message exceeds a limit.
    """
    payload = plain(message)
    kind = type(message)
    buffer = buffer_field(kind)
    pieces = [] if buffer is None else _pieces(getattr(message, buffer))
    built(kind, payload, buffers=pieces)
    head: dict[str, Any] = {"type": TYPE_NAMES[kind], "id": message_id, "payload": payload}
    if reply_to is not None:
        head["reply_to"] = reply_to
    try:
        packed: bytes = msgpack.packb(head)
    except ValueError as error:
        raise MalformedMessageError(f"A {head['type']} holds a text that is no Unicode; correct it.") from error
    frames: list[Data] = [MAGIC, packed]
    for piece in pieces:
        frames += [piece[at : at + MAX_BUFFER_BYTES] for at in range(0, piece.nbytes, MAX_BUFFER_BYTES)]
    _check_frames(frames)
    return frames


def decode(frames: Sequence[Data]) -> Envelope:
    """The message that frames hold. Its binary data is a view of the frames, but where several must be joined.

    Raises:
        UnsupportedVersionError: The frames do not begin with `MAGIC`.
        TooLargeError: There are more frames, or longer ones, than there may be; or a field exceeds a limit.
        UnknownTypeError: There is no such type.
        MalformedMessageError: Anything else that cannot be read.
    """
    header = read_header(frames)
    word = VOCABULARY.get(header.type)
    if word is None:
        raise UnknownTypeError(f"There is no message of type {header.type[:64]!r}; leave it out.", field="type")
    buffers = frames[2:]
    if buffer_field(word.message) is None and buffers:
        raise MalformedMessageError(f"A {header.type} came with {len(buffers)} buffers; send it without.")
    message = built(word.message, header.payload, buffers=buffers)
    return Envelope(id=header.id, reply_to=header.reply_to, message=message, size_bytes=frames_bytes(frames))


def read_header(frames: Sequence[Data]) -> Header:
    """What can be known of a message before its payload is read.

    Raises:
        RefusalError: As `decode`.
    """
    _check_frames(frames)
    head = _unpacked(bytes(frames[1]))
    if not isinstance(head, dict):
        raise MalformedMessageError(f"The envelope is a {type(head).__name__}; send a map.")
    kind, message_id, reply_to = head.get("type"), head.get("id"), head.get("reply_to")
    if not isinstance(kind, str):
        raise MalformedMessageError(f"The message's type is {kind!r:.60}; send its name.", field="type")
    for name, value in (("id", message_id), ("reply_to", reply_to)):
        optional = name == "reply_to" and value is None
        if not optional and not (type(value) is int and 1 <= value <= LARGEST_ID):
            raise MalformedMessageError(f"The message's {name} is {value!r:.60}; send a number from 1.", field=name)
    assert isinstance(message_id, int)  # noqa: S101
    return Header(type=kind, id=message_id, reply_to=reply_to, payload=head.get("payload"))


def frames_bytes(frames: Sequence[Data]) -> int:
    """Bytes of all frames of a message."""
    return sum(memoryview(frame).nbytes for frame in frames)


def _check_frames(frames: Sequence[Data]) -> None:
    if not 2 <= len(frames) <= MAX_FRAMES:
        refused = TooLargeError if len(frames) > MAX_FRAMES else MalformedMessageError
        raise refused(f"A message has {len(frames)} frames; send 2 to {MAX_FRAMES}.")
    if frames[0] != MAGIC:
        raise UnsupportedVersionError(f"A message begins with {bytes(frames[0][:8])!r}; send {MAGIC!r}.")
    envelope_bytes = memoryview(frames[1]).nbytes
    if envelope_bytes > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"An envelope has {envelope_bytes:,} bytes; send at most {MAX_ENVELOPE_BYTES:,}.")
    for buffer in frames[2:]:
        if memoryview(buffer).nbytes > MAX_BUFFER_BYTES:
            raise TooLargeError(
                f"A buffer has {memoryview(buffer).nbytes:,} bytes; send {MAX_BUFFERS} of at most {MAX_BUFFER_BYTES:,}."
            )


def _pieces(data: Data | Buffers) -> list[memoryview]:
    return [memoryview(piece).cast("B") for piece in (data if isinstance(data, tuple) else (data,))]


def _unpacked(packed: bytes) -> Any:
    try:
        head = msgpack.unpackb(
            packed,
            strict_map_key=True,
            object_pairs_hook=_map_without_repeats,
            ext_hook=_no_extensions,
            max_str_len=MAX_ENVELOPE_BYTES,
            max_bin_len=MAX_ENVELOPE_BYTES,
            max_array_len=MAX_ENTRIES,
            max_map_len=MAX_ENTRIES,
            max_ext_len=0,
        )
    except MalformedMessageError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise MalformedMessageError(f"An envelope is no valid MessagePack ({error!s:.100}); send a map.") from error
    _check_values(head, MAX_DEPTH)
    return head


def _map_without_repeats(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise MalformedMessageError("A map holds the same key twice; send each once.")
    if not all(isinstance(key, str) for key in values):
        raise MalformedMessageError("A map has a key that is no text; send texts.")
    return values


def _no_extensions(code: int, _: bytes) -> Any:
    raise MalformedMessageError(f"An envelope holds a value of the extension type {code}; send plain values.")


def _check_values(value: Any, depth: int) -> None:
    """Refuses depth, numbers that are none, and types that the schema does not know, also in fields it ignores."""
    if isinstance(value, dict | list):
        if depth == 0:
            raise TooLargeError(f"An envelope is nested more than {MAX_DEPTH} deep; flatten it.")
        for one in value.values() if isinstance(value, dict) else value:
            _check_values(one, depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise MalformedMessageError(f"An envelope holds the number {value}; send finite numbers.")
    elif value is not None and not isinstance(value, str | bytes | int):
        raise MalformedMessageError(f"An envelope holds a {type(value).__name__}; send plain values.")
