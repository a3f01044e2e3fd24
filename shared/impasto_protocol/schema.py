"""Between dataclasses and plain values: maps, arrays, numbers, texts.

The rules come from the dataclasses' own annotations (see `fields`). Whatever breaks one is refused with the name of the
field, the value received and what would be right. Fields that a dataclass does not have are ignored.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from impasto_protocol.errors import MalformedMessageError, TooLargeError
from impasto_protocol.fields import AtMost, Between, Buffers, Chars, Data, Exactly

__all__ = ["buffer_field", "built", "plain"]

Reader: TypeAlias = Callable[[Any, str], Any]
"""Turns a plain value into what a field holds, given the field's name for the case that it cannot."""

T = TypeVar("T")

LONGEST_SHOWN_CHARS = 60


def plain(value: Any) -> Any:
    """A message, or a part of one, as maps, arrays, numbers and texts; fields that are None by default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        named = [(field, getattr(value, field.name)) for field, _ in _readers(type(value))]
        return {field.name: plain(held) for field, held in named if held is not None or field.default is not None}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    return value.value if isinstance(value, StrEnum) else value


def built(kind: type[T], values: Any, *, buffers: Sequence[Data] = (), name: str = "") -> T:
    """The dataclass that plain values stand for.

    Args:
        kind: The dataclass.
        values: A map, of the kind that `plain` gives.
        buffers: For the dataclass's buffer field, if it has one; joined, unless the field is one of pieces.
        name: The field that holds it, for errors.

    Raises:
        MalformedMessageError: A field is missing, or of another type than it must be, or out of its range.
        TooLargeError: A text, a sequence or a picture is larger than it may be.
    """
    if not isinstance(values, Mapping):
        raise _refused(name or kind.__name__, values, "send a map")
    given: dict[str, Any] = {}
    plan: Any = kind
    for field, read in _readers(plan):
        where = f"{name}.{field.name}" if name else field.name
        if field.name in values:
            given[field.name] = read(values[field.name], where)
        elif field.default is MISSING:
            raise MalformedMessageError(f"The field {where!r} is missing; send it.", field=where)
    buffer = _buffer_field(plan)
    if buffer is not None:
        given[buffer.name] = buffer.read(buffers)
    return kind(**given)


def buffer_field(kind: type) -> str | None:
    """The name of the field that travels beside the envelope, if the dataclass has one."""
    buffer = _buffer_field(kind)
    return None if buffer is None else buffer.name


@dataclass(frozen=True, slots=True)
class _BufferField:
    name: str
    read: Callable[[Sequence[Data]], Any]


@cache
def _buffer_field(kind: Any) -> _BufferField | None:
    hints = get_type_hints(kind, include_extras=True)
    for name, hint in hints.items():
        if hint in (Data, Buffers):
            return _BufferField(name, _joined if hint == Data else tuple)
    return None


def _joined(buffers: Sequence[Data]) -> Data:
    return buffers[0] if len(buffers) == 1 else b"".join(buffers)


@cache
def _readers(kind: Any) -> tuple[tuple[Field[Any], Reader], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (field, _reader(hints[field.name])) for field in fields(kind) if field.init and field.name != buffer_field(kind)
    )


def _reader(hint: Any) -> Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (present,) = (_reader(one) for one in arguments if one is not NoneType)
        return lambda value, name: None if value is None else present(value, name)
    if origin is Annotated:
        return _checked(_reader(arguments[0]), *hint.__metadata__)
    if origin is tuple:
        return _array_reader(_reader(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _map_reader(_reader(arguments[0]), _reader(arguments[1]))
    if is_dataclass(hint):
        return _part_reader(hint)
    if issubclass(hint, StrEnum):
        return _enum_reader(hint)
    return _SIMPLE[hint]


def _checked(read: Reader, *rules: Any) -> Reader:
    """Counts are checked before anything is built; the other rules need the value."""
    counts = [rule for rule in rules if isinstance(rule, AtMost)]
    others = [(_RULES[type(rule)], rule) for rule in rules if not isinstance(rule, AtMost)]

    def checked(value: Any, name: str) -> Any:
        for rule in counts:
            if isinstance(value, (list, Mapping)) and len(value) > rule.count:
                raise TooLargeError(f"{name!r} has {len(value):,} entries; send at most {rule.count}.", field=name)
        taken = read(value, name)
        for check, rule in others:
            check(taken, rule, name)
        return taken

    return checked


def _array_reader(read: Reader) -> Reader:
    def array(value: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _refused(name, value, "send an array")
        return tuple(read(one, f"{name}[{index}]") for index, one in enumerate(value))

    return array


def _map_reader(read_key: Reader, read: Reader) -> Reader:
    def mapping(value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _refused(name, value, "send a map")
        return {read_key(key, name): read(one, f"{name}.{key}") for key, one in value.items()}

    return mapping


def _part_reader(kind: Any) -> Reader:
    def part(value: Any, name: str) -> Any:
        return built(kind, value, name=name)

    return part


def _enum_reader(kind: type[StrEnum]) -> Reader:
    def member(value: Any, name: str) -> StrEnum:
        if not isinstance(value, str) or value not in kind.__members__.values():
            raise _refused(name, value, f"send one of {', '.join(kind)}")
        return kind(value)

    return member


def _simple_reader(kind: type, called: str) -> Reader:
    def simple(value: Any, name: str) -> Any:
        if type(value) is not kind:
            raise _refused(name, value, f"send {called}")
        return value

    return simple


def _number(value: Any, name: str) -> float:
    """A whole number may stand for a float: other languages' encoders write 1.0 as 1."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _refused(name, value, "send a finite number")
    return float(value)


_SIMPLE: Mapping[Any, Reader] = {
    str: _simple_reader(str, "a text"),
    int: _simple_reader(int, "a whole number"),
    bool: _simple_reader(bool, "true or false"),
    bytes: _simple_reader(bytes, "bytes"),
    float: _number,
}


def _check_range(value: float, rule: Between, name: str) -> None:
    if not rule.low <= value <= rule.high:
        raise _refused(name, value, f"send a number from {rule.low:g} to {rule.high:g}")


def _check_chars(value: str, rule: Chars, name: str) -> None:
    if len(value) > rule.most:
        raise TooLargeError(f"{name!r} has {len(value):,} characters; send at most {rule.most}.", field=name)
    if rule.pattern is not None and not rule.pattern.fullmatch(value):
        raise _refused(name, value, f"send a text like {rule.pattern.pattern}")


def _check_length(value: bytes, rule: Exactly, name: str) -> None:
    if len(value) != rule.length_bytes:
        raise MalformedMessageError(f"{name!r} has {len(value)} bytes; send {rule.length_bytes}.", field=name)


_RULES: Mapping[type, Callable[[Any, Any, str], None]] = {
    Between: _check_range,
    Chars: _check_chars,
    Exactly: _check_length,
}


def _refused(name: str, value: Any, remedy: str) -> MalformedMessageError:
    shown = repr(value)
    if len(shown) > LONGEST_SHOWN_CHARS:
        shown = f"{shown[:LONGEST_SHOWN_CHARS]}…"
    return MalformedMessageError(f"{name!r} is {shown}; {remedy}.", field=name)
