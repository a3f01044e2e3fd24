"""`docs/PROTOCOL.md` says what is so: its tables are the package's, and live traffic keeps to them."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from impasto_protocol import (
    PROTOCOL_MAX,
    Adjustment,
    Answered,
    Client,
    Failure,
    Fetched,
    JobState,
    PixelFormat,
    Preview,
    Progress,
    Reconnected,
    Settings,
    State,
    limits,
    orders,
    pixels,
)
from impasto_protocol import messages as m
from impasto_protocol.connection import Connection
from impasto_protocol.errors import REFUSALS, PaintingFailedError, TimedOutError
from impasto_protocol.states import TRANSITIONS
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY, Sender
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import large_picture, submitted, until_a

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


def answers_to(name: str) -> set[str]:
    return set(TYPES[name][1].split(", ")) - {"-"}


def test_the_document_and_the_package_are_of_the_same_version() -> None:
    heading = DOCUMENT.read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"# The protocol, version (\d+)", heading)
    assert heading.endswith(f" {PROTOCOL_MAX}")


def test_the_types_are_those_of_the_vocabulary() -> None:
    assert list(TYPES) == list(VOCABULARY)


@pytest.mark.parametrize("name", VOCABULARY)
def test_a_type_is_told_of_as_it_is(name: str) -> None:
    word = VOCABULARY[name]
    sender, _, told = TYPES[name]
    assert sender == word.sender
    assert answers_to(name) == {TYPE_NAMES[answer] for answer in word.answers}
    assert told == fields_of(word.message)


def test_the_parts_are_told_of_as_they_are() -> None:
    parts = dict(table("part"))
    kinds = (
        orders.Order,
        orders.Style,
        Settings,
        orders.PreviewWish,
        Adjustment,
        pixels.Blob,
        PixelFormat,
        m.JobSummary,
        m.JobEntry,
        Failure,
    )
    assert parts == {kind.__name__: fields_of(kind) for kind in kinds}


def test_the_states_follow_each_other_as_the_table_says() -> None:
    told = {state: set(following.split(", ")) - {"-"} for state, following in table("state")}
    assert told == {str(state): {str(one) for one in following} for state, following in TRANSITIONS.items()}


def test_the_limits_are_those_of_the_package() -> None:
    told = {name.strip("`"): float(value) for name, value in table("limit")}
    assert told == {name: float(getattr(limits, name)) for name in limits.__all__}


def test_the_codes_are_those_of_the_package() -> None:
    told = {code: retryable == "yes" for code, retryable, _ in table("code")}
    assert told == {code: kind.retryable for code, kind in REFUSALS.items()}


def test_the_connection_file_holds_the_fields_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"`{one.name}`" in text for one in fields(Connection))


def test_live_traffic_uses_every_type_and_keeps_to_the_tables(daemon: FakeDaemon, client: Client) -> None:
    converse(daemon, client)
    sent = {"client": daemon.heard, "daemon": daemon.said}
    used = set()
    for side, messages in sent.items():
        for message in messages:
            name = TYPE_NAMES[type(message)]
            assert TYPES[name][0] in (side, Sender.BOTH), f"{name} is not for the {side} to say"
            used.add(name)
    assert used == set(TYPES)
    for request, answer in daemon.exchanges:
        name = TYPE_NAMES[type(request)]
        assert TYPE_NAMES[type(answer)] in answers_to(name) | {"ERROR"}
    answered = {TYPE_NAMES[type(request)] for request, _ in daemon.exchanges}
    assert answered == {name for name in TYPES if answers_to(name) and TYPES[name][0] != "daemon"}


def converse(daemon: FakeDaemon, client: Client) -> None:
    """Says everything there is to say."""
    client.status(timeout_s=PATIENCE_S)
    client.estimate(m.Estimate(width=8, height=8, settings=Settings()), timeout_s=PATIENCE_S)
    job = submitted(client)
    assert [entry.job for entry in client.jobs(timeout_s=PATIENCE_S)] == [job]
    client.follow(job)
    until_a(client, Answered, request="FOLLOW")
    daemon.enter(job, JobState.STARTING)
    daemon.enter(job, JobState.RUNNING)
    for ask in (client.pause, client.unpause, client.cancel):
        ask(job)
    client.adjust(job, Adjustment(strength=0.5))
    until_a(client, Answered, request="ADJUST")
    daemon.say(
        Progress(job=job, evaluation=1, evaluations=9, scale=1, scales=1, width=8, height=4, losses={}, elapsed_s=0.5)
    )
    until_a(client, Progress)
    large = PixelFormat(width=1024, height=1024, channels=4)
    daemon.say(Preview(job=job, evaluation=1, format=large, data=bytes(large.size_bytes)))
    until_a(client, Preview)
    daemon.say(m.Ping())
    painted = large_picture(2)
    daemon.finish(job, painted.format, painted.data)
    until_a(client, State, state=JobState.SUCCEEDED)
    client.fetch(job)
    until_a(client, Fetched)
    client.acknowledge(job)
    until_a(client, Answered, request="ACK")
    daemon.say(m.Bye(text="Back in a moment."))
    until_a(client, Reconnected)
    daemon.wait_until(lambda: daemon.count(m.Resume) == 1, "a RESUME")
    daemon.on["STATUS"] = lambda fake, message: m.Error(failure=Failure.of(PaintingFailedError("It is broken.")))
    with pytest.raises(PaintingFailedError):
        client.status(timeout_s=PATIENCE_S)
    daemon.on["STATUS"] = lambda fake, message: None
    with pytest.raises(TimedOutError):
        client.status(timeout_s=limits.HEARTBEAT_S + 0.5)
    client.close()
    daemon.wait_until(lambda: daemon.count(m.Bye) == 1, "a BYE")
