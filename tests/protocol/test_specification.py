"""`docs/PROTOCOL.md` says what is so: its tables are the package's, and live traffic keeps to them."""

import re
from dataclasses import fields

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
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import large_picture, submitted, until_a
from protocol.specification import (
    DOCUMENT,
    FOLLOWING,
    LIMITS,
    TYPES,
    Traffic,
    answers_to,
    check_kept,
    fields_of,
    table,
)


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
    assert {str(state): {str(one) for one in following} for state, following in TRANSITIONS.items()} == FOLLOWING


def test_the_limits_are_those_of_the_package() -> None:
    assert {name: float(getattr(limits, name)) for name in limits.__all__} == LIMITS


def test_the_codes_are_those_of_the_package() -> None:
    told = {code: retryable == "yes" for code, retryable, _ in table("code")}
    assert told == {code: kind.retryable for code, kind in REFUSALS.items()}


def test_the_connection_file_holds_the_fields_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"`{one.name}`" in text for one in fields(Connection))


def test_live_traffic_uses_every_type_and_keeps_to_the_tables(daemon: FakeDaemon) -> None:
    traffic = Traffic()
    with Client(traffic.dialled(daemon.path), name="a test 1.0", chance=lambda: 0.0) as client:
        client.connect(timeout_s=PATIENCE_S)
        converse(daemon, client)
    check_kept(traffic)


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
