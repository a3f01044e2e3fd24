"""Messages for hypothesis, made from the dataclasses' own annotations: a new message type is tested as it appears."""

import re
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import assume
from hypothesis import strategies as st

from impasto_protocol.errors import RefusalError
from impasto_protocol.fields import AtMost, Between, Buffers, Chars, Data, Exactly
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS
from impasto_protocol.messages import Message, Preview
from impasto_protocol.pixels import PixelFormat
from impasto_protocol.vocabulary import VOCABULARY

FEW = 3


def messages() -> st.SearchStrategy[Message]:
    """Any message that keeps all rules."""
    return st.sampled_from([word.message for word in VOCABULARY.values()]).flatmap(of_type)


def of_type(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a dataclass that keeps all rules."""
    if kind is Preview:
        return previews()
    return built_of(kind)


@st.composite
def built_of(draw: Any, kind: type[Any]) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    values = {field.name: draw(of_hint(hints[field.name])) for field in fields(kind) if field.init}
    try:
        return kind(**values)
    except RefusalError:
        assume(False)


@st.composite
def previews(draw: Any) -> Preview:
    form = draw(st.builds(PixelFormat, width=st.integers(1, 40), height=st.integers(1, 40), channels=st.integers(1, 4)))
    data = draw(st.binary(min_size=form.size_bytes, max_size=form.size_bytes))
    return Preview(job=draw(st.from_regex("[0-9a-f]{32}", fullmatch=True)), evaluation=1, format=form, data=data)


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint == Data:
        return st.binary(min_size=1, max_size=1000) | st.just(bytes(MAX_BUFFER_BYTES))
    if hint == Buffers:
        return st.lists(of_hint(Data), min_size=1, max_size=MAX_BUFFERS // 2).map(tuple)
    if origin in (Union, UnionType):
        return st.none() | of_hint(next(one for one in arguments if one is not NoneType))
    if origin is Annotated:
        return of_rule(arguments[0], hint.__metadata__[0])
    if origin is tuple:
        return st.lists(of_hint(arguments[0]), max_size=FEW).map(tuple)
    if is_dataclass(hint):
        return of_type(hint)  # type: ignore[arg-type]
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    return {bool: st.booleans()}[hint]


def of_rule(kind: Any, rule: Any) -> st.SearchStrategy[Any]:
    match rule:
        case Between(low=low, high=high):
            if kind is int:
                return st.integers(int(low), int(high))
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case Chars(most=most, pattern=None):
            return st.text(st.characters(codec="utf-8"), max_size=min(most, 50))
        case Chars(most=most, pattern=re.Pattern() as pattern):
            return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= most)
        case Exactly(length_bytes=length):
            return st.binary(min_size=length, max_size=length)
        case AtMost(count=count) if get_origin(kind) is tuple:
            return st.lists(of_hint(get_args(kind)[0]), max_size=min(count, FEW)).map(tuple)
        case AtMost():
            key, value = get_args(kind)
            return st.dictionaries(of_hint(key), of_hint(value), max_size=FEW)
    raise AssertionError(rule)
