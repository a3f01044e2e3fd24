"""The tables of `docs/PROTOCOL.md`, and whether what two sides really said to each other keeps to them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from impasto_protocol import messages as m
from impasto_protocol.codec import decode, read_header
from impasto_protocol.fields import Data
from impasto_protocol.transport import Transport, dial

DOCUMENT = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"


def table(first_column: str) -> Iterator[list[str]]:
    """The rows of the table whose first column is called so."""
    lines = iter(DOCUMENT.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first_column} |"):
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def fields_of(kind: type[Any]) -> str:
    return ", ".join(f"`{one.name}`{'' if one.default is MISSING else '?'}" for one in fields(kind)) or "none"


TYPES = {name: (sender, answers, told) for name, sender, answers, told, _ in table("type")}
"""As the document has them."""

FOLLOWING = {state: set(following.split(", ")) - {"-"} for state, following in table("state")}
LIMITS = {name.strip("`"): float(value) for name, value in table("limit")}


def answers_to(name: str) -> set[str]:
    return set(TYPES[name][1].split(", ")) - {"-"}


@dataclass(frozen=True)
class Spoken:
    """A message as it passed."""

    connection: int
    side: str
    type: str
    id: int
    reply_to: int | None
    payload: Mapping[str, Any]
    message: m.Message
    frames_bytes: Sequence[int]


class Traffic:
    """All that passes between a client and its daemon, over however many connections."""

    def __init__(self) -> None:
        self.spoken: list[Spoken] = []
        self._connections = 0

    def dialled(self, path: Path) -> Callable[[], Transport]:
        """What a client is to dial with."""
        return lambda: self._overheard(dial(path))

    def said(self, kind: type[m.Message], side: str) -> bool:
        return any(isinstance(one.message, kind) and one.side == side for one in self.spoken)

    def _overheard(self, transport: Transport) -> Transport:
        self._connections += 1
        return _Overheard(transport, self, self._connections)

    def passed(self, connection: int, side: str, frames: Sequence[Data]) -> None:
        header = read_header(frames)
        self.spoken.append(
            Spoken(
                connection=connection,
                side=side,
                type=header.type,
                id=header.id,
                reply_to=header.reply_to,
                payload=header.payload,
                message=decode(frames).message,
                frames_bytes=[memoryview(frame).nbytes for frame in frames],
            )
        )


class _Overheard:
    def __init__(self, transport: Transport, traffic: Traffic, connection: int) -> None:
        self._transport = transport
        self._traffic = traffic
        self._connection = connection

    @property
    def descriptor(self) -> int:
        return self._transport.descriptor

    def send(self, frames: Sequence[Data]) -> None:
        self._transport.send(frames)
        self._traffic.passed(self._connection, "client", frames)

    def receive(self) -> Sequence[Data] | None:
        frames = self._transport.receive()
        if frames is not None:
            self._traffic.passed(self._connection, "daemon", frames)
        return frames

    def wait(self, timeout_s: float) -> None:
        self._transport.wait(timeout_s)

    def close(self) -> None:
        self._transport.close()


def check_kept(traffic: Traffic) -> None:
    """Whether a conversation used every type, and kept to every table of the document.

    Raises:
        AssertionError: It did not.
    """
    check_types(traffic)
    check_answers(traffic)
    check_sizes(traffic)
    check_events(traffic)


def check_types(traffic: Traffic) -> None:
    assert {one.type for one in traffic.spoken} == set(TYPES)
    for one in traffic.spoken:
        sender, _, told = TYPES[one.type]
        assert sender in (one.side, "both"), f"{one.type} is not for the {one.side} to say"
        must = {name.strip("`") for name in told.split(", ") if name != "none" and not name.endswith("?")}
        may = {name.strip("`?") for name in told.split(", ")}
        assert must - {"data"} <= set(one.payload) <= may - {"data"}, f"{one.type} came with {sorted(one.payload)}"
        assert ("data" in may) == (len(one.frames_bytes) > 2), f"{one.type} came in {len(one.frames_bytes)} frames"


def check_answers(traffic: Traffic) -> None:
    asked = {(one.connection, one.side, one.id): one.type for one in traffic.spoken}
    assert len(asked) == len(traffic.spoken), "an id was used twice"
    other = {"client": "daemon", "daemon": "client"}
    times: Counter[tuple[int, str, int]] = Counter()
    for one in traffic.spoken:
        if one.reply_to is not None:
            request = (one.connection, other[one.side], one.reply_to)
            assert one.type in answers_to(asked[request]) | {"ERROR"}, f"{one.type} answered {asked[request]}"
            times[request] += 1
    assert set(times.values()) == {1}
    answered = {asked[request] for request in times if request[1] == "client"}
    assert answered == {name for name in TYPES if answers_to(name) and TYPES[name][0] != "daemon"}


def check_sizes(traffic: Traffic) -> None:
    window = LIMITS["WINDOW_BYTES"]
    unanswered: Counter[tuple[int, str]] = Counter()
    parts: dict[tuple[int, int | None], tuple[str, int]] = {}
    for one in traffic.spoken:
        assert len(one.frames_bytes) <= LIMITS["MAX_FRAMES"]
        assert one.frames_bytes[1] <= LIMITS["MAX_ENVELOPE_BYTES"]
        assert all(length <= LIMITS["MAX_BUFFER_BYTES"] for length in one.frames_bytes[2:])
        if one.side == "client" and one.type in ("CHUNK", "FETCH"):
            length = sum(one.frames_bytes[2:]) if one.type == "CHUNK" else one.payload["length_bytes"]
            unanswered[one.connection, one.type] += length
            parts[one.connection, one.id] = one.type, length
            assert unanswered[one.connection, one.type] <= window, f"more {one.type} than the window on their way"
        if one.side == "daemon" and (answered := parts.get((one.connection, one.reply_to))) is not None:
            unanswered[one.connection, answered[0]] -= answered[1]


def check_events(traffic: Traffic) -> None:
    """Each job's reliable events count from 1, and its states follow each other as they may."""
    told: dict[str, dict[int, m.State | m.Result]] = {}
    for one in traffic.spoken:
        if isinstance(one.message, m.State | m.Result):
            told.setdefault(one.message.job, {})[one.message.seq] = one.message
    for events in told.values():
        assert sorted(events) == list(range(1, len(events) + 1))
        states = [event.state for _, event in sorted(events.items()) if isinstance(event, m.State)]
        assert states[0] == "QUEUED"
        assert all(after in FOLLOWING[before] for before, after in pairwise(states))
        assert FOLLOWING[states[-1]] == set(), "a job was not told of to its end"
