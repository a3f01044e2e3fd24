"""What is encoded is decoded; what is not ours is refused, cheaply, and nothing crashes."""

import struct
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto_protocol import messages as m
from impasto_protocol.codec import decode, encode, frames_bytes, read_header
from impasto_protocol.errors import (
    MalformedMessageError,
    RefusalError,
    TooLargeError,
    UnknownTypeError,
    UnsupportedVersionError,
)
from impasto_protocol.limits import (
    MAX_BUFFER_BYTES,
    MAX_BUFFERS,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_ENVELOPE_BYTES,
    MAX_FRAMES,
    MAX_TEXT_CHARS,
)
from impasto_protocol.messages import Message
from impasto_protocol.orders import Order, OrderKind, Settings, Style
from impasto_protocol.pixels import Blob, PixelFormat
from impasto_protocol.schema import plain
from impasto_protocol.states import JobState
from impasto_protocol.version import MAGIC
from protocol.following import CONTENT, ORDER
from protocol.strategies import messages

JOB = "0123456789abcdef" * 2

unhurried = settings(max_examples=200, suppress_health_check=list(HealthCheck))


def envelope(**changes: Any) -> list[bytes]:
    """Frames of a PAUSE whose envelope was tampered with."""
    return [MAGIC, msgpack.packb({"type": "PAUSE", "id": 1, "payload": {"job": JOB}} | changes)]


def raw(packed: bytes) -> list[bytes]:
    return [MAGIC, packed]


def refusal_of(frames: list[Any]) -> str | None:
    """Why frames are refused; None if they are not. Anything else that is raised is a fault."""
    try:
        decode(frames)
    except RefusalError as refusal:
        return str(refusal)
    return None


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def submit(change: Callable[[dict[str, Any]], object]) -> list[bytes]:
    """Frames of a SUBMIT whose order was tampered with."""
    order = plain(ORDER)
    change(order)
    return envelope(type="SUBMIT", payload={"job": JOB, "order": order})


@unhurried
@given(messages(), st.integers(1, 2**63 - 1), st.none() | st.integers(1, 2**63 - 1))
def test_every_message_survives_the_way(message: Message, message_id: int, reply_to: int | None) -> None:
    frames = encode(message, message_id=message_id, reply_to=reply_to)
    envelope = decode(frames)
    assert envelope.message == message
    assert (envelope.id, envelope.reply_to) == (message_id, reply_to)
    assert envelope.size_bytes == frames_bytes(frames)
    header = read_header(frames)
    assert (header.id, header.reply_to) == (message_id, reply_to)


@unhurried
@given(messages(), st.data())
def test_a_truncated_message_is_refused(message: Message, data: st.DataObject) -> None:
    frames = [bytes(frame) for frame in encode(message, message_id=1)]
    cut = data.draw(st.integers(0, len(frames[1]) - 1))
    with pytest.raises(MalformedMessageError):
        decode([MAGIC, frames[1][:cut], *frames[2:]])


@unhurried
@given(messages(), st.data())
def test_a_message_with_a_changed_byte_is_read_or_refused(message: Message, data: st.DataObject) -> None:
    frames = [bytes(frame) for frame in encode(message, message_id=1)]
    changed = bytearray(frames[1])
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    said = refusal_of([MAGIC, bytes(changed), *frames[2:]])
    assert said is None or (said.endswith(".") and len(said) < MAX_TEXT_CHARS)


@unhurried
@given(st.lists(st.binary(max_size=200), max_size=12))
def test_frames_of_rubbish_are_refused(frames: list[bytes]) -> None:
    with pytest.raises(RefusalError):
        decode(frames)


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.binary(), inner, max_size=4),
    max_leaves=8,
)


@unhurried
@given(messages(), plain_values, st.data())
def test_a_field_of_another_kind_is_taken_or_refused(message: Message, value: Any, data: st.DataObject) -> None:
    frames = encode(message, message_id=1)
    head = msgpack.unpackb(bytes(frames[1]))
    payload = head["payload"]
    if payload:
        payload[data.draw(st.sampled_from(sorted(payload)))] = value
    assert refusal_of([MAGIC, msgpack.packb(head), *frames[2:]]) != ""


HOSTILE = {
    "nothing": ([], MalformedMessageError),
    "only a magic": ([MAGIC], MalformedMessageError),
    "another magic": ([b"IMP2", b"\x80"], UnsupportedVersionError),
    "an empty envelope": (raw(b""), MalformedMessageError),
    "a map that ends early": (raw(b"\x83\xa4type"), MalformedMessageError),
    "a byte too many": (raw(envelope()[1] + b"\xc0"), MalformedMessageError),
    "a number for an envelope": (raw(b"\x05"), MalformedMessageError),
    "an array for an envelope": (raw(b"\x90"), MalformedMessageError),
    "an array of four billion": (raw(b"\xdd\xff\xff\xff\xff"), MalformedMessageError),
    "a map of four billion": (raw(b"\xdf\xff\xff\xff\xff"), MalformedMessageError),
    "a text of four gigabytes": (raw(b"\xdb\xff\xff\xff\xff"), MalformedMessageError),
    "bytes of four gigabytes": (raw(b"\xc6\xff\xff\xff\xff"), MalformedMessageError),
    "an extension of four gigabytes": (raw(b"\xc9\xff\xff\xff\xff\x01"), MalformedMessageError),
    "an extension": (envelope(extra=msgpack.ExtType(5, b"x")), MalformedMessageError),
    "a timestamp": (envelope(extra=msgpack.Timestamp(1)), MalformedMessageError),
    "sixty thousand arrays": (raw(b"\x91" * 60_000 + b"\xc0"), MalformedMessageError),
    "nested one too deep": (envelope(extra=nested(MAX_DEPTH)), TooLargeError),
    "too many entries": (envelope(extra=[1] * (MAX_ENTRIES + 1)), MalformedMessageError),
    "the same key twice": (raw(b"\x82\xa2id\x01\xa2id\x02"), MalformedMessageError),
    "a key that is a number": (raw(b"\x81\x01\x02"), MalformedMessageError),
    "a key of bytes": (raw(b"\x81\xc4\x01a\x02"), MalformedMessageError),
    "a text that is no UTF-8": (raw(b"\x81\xa4type\xa2\xff\xfe"), MalformedMessageError),
    "not a number": (envelope(extra=float("nan")), MalformedMessageError),
    "infinity": (envelope(extra=[{"a": float("inf")}]), MalformedMessageError),
    "no type": (envelope(type=None), MalformedMessageError),
    "a type that is a number": (envelope(type=7), MalformedMessageError),
    "a type nobody knows": (envelope(type="DANCE"), UnknownTypeError),
    "no id": (envelope(id=None), MalformedMessageError),
    "an id of zero": (envelope(id=0), MalformedMessageError),
    "an id that is true": (envelope(id=True), MalformedMessageError),
    "a reply to a text": (envelope(reply_to="1"), MalformedMessageError),
    "no payload": (envelope(payload=None), MalformedMessageError),
    "an array for a payload": (envelope(payload=[JOB]), MalformedMessageError),
    "a missing field": (envelope(payload={}), MalformedMessageError),
    "nothing in a field": (envelope(payload={"job": None}), MalformedMessageError),
    "a job id too short": (envelope(payload={"job": JOB[1:]}), MalformedMessageError),
    "a job id too long": (envelope(payload={"job": JOB + "0"}), TooLargeError),
    "a job id with a line break": (envelope(payload={"job": JOB[:-1] + "\n"}), MalformedMessageError),
    "a path for a job id": (envelope(payload={"job": "../../../../../../../etc/passwd/"}), MalformedMessageError),
    "a buffer nobody asked for": ([*envelope(), b"x"], MalformedMessageError),
    "a chunk without its buffer": (
        envelope(type="CHUNK", payload={"digest": bytes(32), "offset_bytes": 0}),
        MalformedMessageError,
    ),
    "a chunk that is too large": (
        [
            *envelope(type="CHUNK", payload={"digest": bytes(32), "offset_bytes": 0}),
            *4 * [bytes(MAX_BUFFER_BYTES)],
            b"x",
        ],
        MalformedMessageError,
    ),
    "a preview shorter than its format": (
        [
            *envelope(
                type="PREVIEW",
                payload={"job": JOB, "evaluation": 1, "format": {"width": 9, "height": 9, "channels": 4}},
            ),
            bytes(9 * 9 * 4 - 1),
        ],
        MalformedMessageError,
    ),
    "a picture without pixels": (
        submit(lambda order: order["content"]["format"].update(width=0)),
        MalformedMessageError,
    ),
    "a picture of a trillion pixels": (
        submit(lambda order: order["content"]["format"].update(width=10**6, height=10**6)),
        MalformedMessageError,
    ),
    "a picture whose size overflows": (
        submit(lambda order: order["content"]["format"].update(width=2**32, height=2**32)),
        MalformedMessageError,
    ),
    "a picture of a gigapixel": (
        submit(lambda order: order["content"]["format"].update(width=32768, height=32768)),
        TooLargeError,
    ),
    "a picture of sixteen channels": (
        submit(lambda order: order["content"]["format"].update(channels=16)),
        MalformedMessageError,
    ),
    "a picture of doubles": (
        submit(lambda order: order["content"]["format"].update(samples="float64")),
        MalformedMessageError,
    ),
    "seventeen styles": (submit(lambda order: order.update(styles=order["styles"] * 17)), TooLargeError),
    "a transfer without styles": (submit(lambda order: order.update(styles=[])), MalformedMessageError),
    "a setting of the wrong kind": (
        submit(lambda order: order.update(settings={"seed": "4"})),
        MalformedMessageError,
    ),
    "a negative weight": (submit(lambda order: order["styles"][0].update(weight=-1.0)), MalformedMessageError),
}


@pytest.mark.parametrize(("frames", "refused"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_is_refused_cheaply_with_one_sentence(frames: list[bytes], refused: type[RefusalError]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RefusalError) as caught:
            decode(frames)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    took_s = []
    for _ in range(5):
        began = time.perf_counter()
        with pytest.raises(RefusalError):
            decode(frames)
        took_s.append(time.perf_counter() - began)
    assert min(took_s) < 0.005
    assert type(caught.value) is refused
    assert str(caught.value)[0].isupper() or str(caught.value)[0] == "'"
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert peak_bytes < 10 * 2**20


def test_frames_above_a_limit_are_refused_before_they_are_looked_into() -> None:
    for frames in (
        [MAGIC, bytes(MAX_ENVELOPE_BYTES + 1)],
        [*envelope(), bytes(MAX_BUFFER_BYTES + 1)],
        [*envelope(), *[b"x"] * (MAX_FRAMES - 1)],
        [*envelope(), *[b""] * 10_000],
    ):
        with pytest.raises(TooLargeError):
            decode(frames)


def test_fields_that_this_version_does_not_know_are_ignored() -> None:
    frames = envelope(payload={"job": JOB, "mood": {"good": [1, 2.5, None, b"x"]}}, colour="blue")
    assert decode(frames).message == m.Pause(job=JOB)


def test_a_missing_field_takes_its_default() -> None:
    assert decode(envelope(type="CANCEL")).message == m.Cancel(job=JOB, keep_picture=False)


def test_that_previews_are_not_wanted_is_not_mistaken_for_their_default() -> None:
    order = Order(content=CONTENT.blob, styles=(Style(picture=CONTENT.blob),), previews=None)
    decoded = decode(encode(m.Submit(job=JOB, order=order), message_id=1)).message
    assert isinstance(decoded, m.Submit)
    assert decoded.order.previews is None


def test_a_whole_number_may_stand_for_a_float() -> None:
    decoded = decode(submit(lambda order: order["styles"][0].update(weight=2))).message
    assert isinstance(decoded, m.Submit)
    assert decoded.order.styles[0].weight == 2.0


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=MAX_BUFFERS))
def test_a_chunk_arrives_in_the_pieces_it_was_sent_in(pieces: list[bytes]) -> None:
    sent = m.Chunk(digest=bytes(32), offset_bytes=0, data=tuple(pieces))
    assert decode(encode(sent, message_id=1)).message == sent


def test_a_single_buffer_is_not_copied() -> None:
    data = bytes(1000)
    frames = encode(m.Chunk(digest=bytes(32), offset_bytes=0, data=(data,)), message_id=1)
    assert frames[2].obj is data  # type: ignore[union-attr]
    received = memoryview(bytearray(frames[2]))
    decoded = decode([*frames[:2], received]).message
    assert isinstance(decoded, m.Chunk)
    assert decoded.data[0] is received


@pytest.mark.parametrize(
    "message",
    [
        m.Pause(job="my job"),
        m.Bye(text="\ud800"),
        m.Bye(text="x" * (MAX_TEXT_CHARS + 1)),
        m.Credit(size_bytes=-1),
        m.Adjust(job=JOB, adjustment=None),  # type: ignore[arg-type]
        m.Resume(seen={JOB: -1}),
        m.Resume(seen={f"{i:032x}": 0 for i in range(MAX_ENTRIES + 1)}),
        m.Estimate(width=1, height=1, settings=Settings(strength=float("nan"))),
    ],
    ids=["no id", "no Unicode", "too long", "negative", "nothing", "no seq", "too many", "not a number"],
)
def test_we_say_nothing_that_we_would_not_hear(message: Message) -> None:
    with pytest.raises(RefusalError):
        encode(message, message_id=1)


def test_a_refusal_names_the_field_and_the_value() -> None:
    with pytest.raises(MalformedMessageError, match=r"'order\.settings\.strength' is 1\.5; send a number from 0 to 1"):
        decode(submit(lambda order: order.update(settings={"strength": 1.5})))
    with pytest.raises(MalformedMessageError) as refused:
        decode(submit(lambda order: order["styles"][0]["picture"].update(digest=b"short")))
    assert refused.value.field == "order.styles[0].picture.digest"


def test_the_largest_honest_envelope_fits() -> None:
    blob = Blob(digest=bytes(32), format=PixelFormat(width=32768, height=4000, channels=4))
    mask = Blob(digest=bytes(32), format=PixelFormat(width=32768, height=4000, channels=1))
    order = Order(
        kind=OrderKind.TRANSFER,
        content=blob,
        styles=(Style(picture=blob, weight=0.1, region=mask),) * 16,
        start=blob,
        network="v" * 64,
        settings=Settings(content_layers=("x" * 64,) * 64, style_layers=("x" * 64,) * 64),
    )
    frames = encode(m.Submit(job=JOB, order=order), message_id=2**63 - 1)
    assert frames_bytes(frames) < MAX_ENVELOPE_BYTES / 2
    jobs = tuple(m.JobSummary(job=JOB, state=JobState.INTERRUPTED, seq=2**31 - 1) for _ in range(MAX_ENTRIES))
    assert frames_bytes(encode(m.Snapshot(jobs=jobs), message_id=1)) < MAX_ENVELOPE_BYTES


def test_the_length_that_a_text_claims_is_not_believed() -> None:
    with pytest.raises(RefusalError):
        decode(raw(b"\x81\xa4type\xdb" + struct.pack(">I", 2**31) + b"PAUSE"))
