"""A client whose daemon dies, lies, loses messages, or never was."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest

from impasto_protocol import (
    Answered,
    Client,
    Disconnected,
    Failure,
    Fetched,
    JobLost,
    JobState,
    Progress,
    Reconnected,
    Result,
    State,
    dial,
    write_connection,
)
from impasto_protocol import messages as m
from impasto_protocol.codec import decode, encode
from impasto_protocol.errors import (
    ConnectionLostError,
    DigestMismatchError,
    MalformedMessageError,
    NoDaemonError,
    NoSessionError,
    ResultExpiredError,
    ShuttingDownError,
    StaleConnectionError,
    TimedOutError,
    UnreachableError,
    UnsupportedVersionError,
    WrongKeyError,
)
from impasto_protocol.limits import MAX_PART_BYTES
from impasto_protocol.transport import new_key_pair
from impasto_protocol.version import MAGIC
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import CONTENT, ORDER, STYLE, large_picture, submitted, until, until_a, until_it_is_true

NewClient = Callable[..., Client]


def ignore(fake: FakeDaemon, message: m.Message) -> None:
    """Never answers."""


def once(act: Callable[[FakeDaemon, m.Message], m.Message | None], name: str):
    """Does something else the first time, and the usual from then on."""

    def handler(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        del fake.on[name]
        return act(fake, message)

    return handler


def restart(daemon: FakeDaemon) -> None:
    daemon.stop()
    daemon.start()


def revived(daemon: FakeDaemon) -> threading.Thread:
    """Restarts the daemon as soon as it dies."""

    def revive() -> None:
        daemon.wait_until(lambda: daemon.is_dying, "its death")
        restart(daemon)

    thread = threading.Thread(target=revive)
    thread.start()
    return thread


# Finding a daemon


def test_without_a_daemon_connecting_says_so_at_once(tmp_path: Path) -> None:
    with Client(lambda: dial(tmp_path / "none.json"), name="a test") as client:
        began = time.monotonic()
        with pytest.raises(NoDaemonError, match="impasto daemon start"):
            client.connect(timeout_s=PATIENCE_S)
        assert time.monotonic() - began < 5.0


def test_a_connection_file_whose_daemon_is_gone_is_found_stale_at_once(
    daemon: FakeDaemon, new_client: NewClient
) -> None:
    daemon.stop()
    with pytest.raises(StaleConnectionError, match="is gone, and its connection file is stale"):
        new_client().connect(timeout_s=PATIENCE_S)


def test_a_client_whose_key_is_not_on_the_list_is_refused(daemon: FakeDaemon, new_client: NewClient) -> None:
    public, secret = new_key_pair()
    write_connection(replace(daemon.connection, client_public_key=public, client_secret_key=secret), daemon.path)
    with pytest.raises(WrongKeyError, match="does not accept our key"):
        new_client().connect(timeout_s=PATIENCE_S)
    assert daemon.bad_peers == 1
    assert daemon.heard == []


def test_a_daemon_that_has_another_key_than_the_file_says_is_not_trusted(
    daemon: FakeDaemon, new_client: NewClient
) -> None:
    public, _ = new_key_pair()
    write_connection(replace(daemon.connection, server_key=public), daemon.path)
    with pytest.raises(WrongKeyError, match="not the one that wrote the connection file"):
        new_client().connect(timeout_s=PATIENCE_S)
    assert daemon.heard == []


def test_a_daemon_that_never_answers_is_given_up_in_the_time_given(daemon: FakeDaemon, new_client: NewClient) -> None:
    daemon.on["HELLO"] = ignore
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"within 0\.3 s"):
        new_client().connect(timeout_s=0.3)
    assert 0.3 <= time.monotonic() - began < 5.0


def test_a_request_that_is_never_answered_times_out(client: Client, daemon: FakeDaemon) -> None:
    daemon.on["STATUS"] = ignore
    with pytest.raises(TimedOutError, match=r"within 0\.2 s"):
        client.status(timeout_s=0.2)
    del daemon.on["STATUS"]
    assert client.status(timeout_s=PATIENCE_S).uptime_s == 1.0


def test_a_slow_daemon_is_waited_for(client: Client, daemon: FakeDaemon) -> None:
    daemon.on["STATUS"] = ignore
    asked = time.monotonic()

    def answer_late(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        return m.Pong()

    # The heartbeat's PING, two seconds into the silence, shows that the client is still waiting.
    daemon.on["PING"] = answer_late
    with pytest.raises(TimedOutError):
        client.status(timeout_s=2.5)
    assert daemon.count(m.Ping) == 1
    assert time.monotonic() - asked >= 2.5
    assert not any(isinstance(event, Disconnected) for event in client.events(0.0))


def test_a_daemon_that_stops_answering_pings_is_taken_for_lost(client: Client, daemon: FakeDaemon) -> None:
    daemon.on["PING"] = ignore
    lost = until_a(client, Disconnected)[-1]
    assert isinstance(lost.error, ConnectionLostError)
    assert "silent" in str(lost.error)
    assert until_a(client, Reconnected)[-1].resumed


class Watch:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def test_a_client_that_was_suspended_does_not_take_the_daemon_for_lost(
    daemon: FakeDaemon, new_client: NewClient
) -> None:
    watch = Watch()
    client = new_client(clock=watch)
    client.connect(timeout_s=PATIENCE_S)
    job = submitted(client)
    daemon.enter(job, JobState.STARTING)
    daemon.wait_until(lambda: any(isinstance(one, State) and one.seq == 2 for one in daemon.said))
    watch.ahead_s = 3600.0
    assert [event.seq for event in until_a(client, State, state=JobState.STARTING)] == [1, 2]
    watch.ahead_s = 7200.0
    assert list(client.events(0.3)) == []
    daemon.wait_until(lambda: daemon.count(m.Ping) >= 1, "a ping")
    assert client.status(timeout_s=PATIENCE_S).sessions == 1
    assert daemon.count(m.Hello) == 1


# Versions


@pytest.mark.parametrize(("theirs", "older"), [((2, 3), "client"), ((7, 9), "client")])
def test_a_daemon_without_a_common_version_says_which_side_to_update(
    daemon: FakeDaemon, new_client: NewClient, theirs: tuple[int, int], older: str
) -> None:
    def refuse(fake: FakeDaemon, hello: m.Message) -> m.Message:
        assert isinstance(hello, m.Hello)
        text = (
            f"The client speaks protocol {hello.protocol_min} to {hello.protocol_max} and the daemon {theirs[0]} to "
            f"{theirs[1]}; update the {older}."
        )
        raise UnsupportedVersionError(text)

    daemon.on["HELLO"] = refuse
    with pytest.raises(UnsupportedVersionError, match=f"update the {older}"):
        new_client().connect(timeout_s=PATIENCE_S)


def test_what_a_later_daemon_says_beyond_this_version_is_passed_over(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    later = {"type": "WEATHER", "id": 900, "payload": {"sun": True}}
    daemon.say_frames([MAGIC, msgpack.packb(later)])
    known = encode(m.State(job=job, seq=2, state=JobState.STARTING), message_id=901)
    head = msgpack.unpackb(bytes(known[1]))
    head["payload"]["mood"] = {"good": [1, 2.5, None]}
    head["colour"] = "blue"
    daemon.say_frames([MAGIC, msgpack.packb(head)])
    assert until_a(client, State, seq=2)[-1] == m.State(job=job, seq=2, state=JobState.STARTING)


def test_an_answer_of_the_wrong_type_is_a_refusal_and_not_a_crash(client: Client, daemon: FakeDaemon) -> None:
    daemon.on["STATUS"] = lambda fake, message: m.Done()
    with pytest.raises(MalformedMessageError, match="answered STATUS with DONE"):
        client.status(timeout_s=PATIENCE_S)


def test_a_daemon_that_sends_rubbish_is_left_and_dialled_again(client: Client, daemon: FakeDaemon) -> None:
    daemon.say_frames([MAGIC, b"\xc1 this is no MessagePack"])
    assert isinstance(until_a(client, Disconnected)[-1].error, MalformedMessageError)
    assert until_a(client, Reconnected)[-1].resumed


# Breaking and mending


def test_after_a_restart_the_client_finds_the_new_port_and_keys_and_misses_nothing(
    client: Client, daemon: FakeDaemon
) -> None:
    job = submitted(client)
    until_a(client, State, state=JobState.QUEUED)
    old = daemon.connection
    daemon.stop()
    daemon.enter(job, JobState.STARTING, aloud=False)
    daemon.enter(job, JobState.RUNNING, aloud=False)
    daemon.start()
    assert daemon.connection.endpoint != old.endpoint or daemon.connection.server_key != old.server_key
    events = until_a(client, State, state=JobState.RUNNING)
    assert [type(event) for event in events] == [Disconnected, Reconnected, State, State]
    assert events[1].resumed
    assert [event.seq for event in events[2:]] == [2, 3]


def test_a_break_is_told_once_however_often_dialling_fails(client: Client, daemon: FakeDaemon) -> None:
    daemon.stop()
    until_a(client, Disconnected)
    assert list(client.events(0.8)) == []
    daemon.start()
    assert until(client, lambda _: True)[-1] == Reconnected(resumed=True)


def test_a_daemon_that_lost_its_memory_makes_the_client_say_which_jobs_are_gone(
    client: Client, daemon: FakeDaemon
) -> None:
    job = submitted(client)
    until_a(client, State)
    daemon.forget()
    restart(daemon)
    events = until_a(client, JobLost)
    assert events[-1].job == job
    assert Reconnected(resumed=False) in events


def test_another_client_takes_over_with_the_ticket_and_learns_everything(
    client: Client, daemon: FakeDaemon, new_client: NewClient
) -> None:
    job = submitted(client)
    daemon.finish(job, CONTENT.format, bytes(CONTENT.data))
    ticket = client.ticket
    client.close()
    heir = new_client(ticket=ticket)
    assert heir.connect(timeout_s=PATIENCE_S).resumed
    events = until_a(heir, State, state=JobState.SUCCEEDED)
    assert [event.seq for event in events] == [1, 2, 3]
    heir.fetch(job)
    assert until_a(heir, Fetched)[-1].pixels == CONTENT.data


def test_messages_that_were_lost_on_the_way_are_asked_for(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    until_a(client, State, state=JobState.QUEUED)
    daemon.enter(job, JobState.STARTING, aloud=False)
    daemon.enter(job, JobState.RUNNING, aloud=False)
    daemon.enter(job, JobState.PAUSED)
    events = until_a(client, State, state=JobState.PAUSED)
    assert [event.seq for event in events] == [2, 3, 4]
    assert daemon.count(m.Resume) == 1


def test_events_that_are_gone_for_good_do_not_keep_the_client_asking(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    until_a(client, State, state=JobState.QUEUED)

    def forgetful(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        answer = fake.usual(message)
        assert isinstance(message, m.Resume)
        message.seen[job] = 3  # so that the fake replays nothing before the fourth
        return answer

    daemon.on["RESUME"] = forgetful
    daemon.enter(job, JobState.STARTING, aloud=False)
    daemon.enter(job, JobState.RUNNING, aloud=False)
    daemon.enter(job, JobState.PAUSED)
    assert [event.seq for event in until_a(client, State, state=JobState.PAUSED)] == [4]
    assert daemon.count(m.Resume) == 1


def test_an_event_that_comes_twice_is_told_once(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.enter(job, JobState.STARTING)
    for _ in range(5):
        daemon.say(m.State(job=job, seq=2, state=JobState.STARTING))
    daemon.enter(job, JobState.RUNNING)
    events = until_a(client, State, state=JobState.RUNNING)
    assert [event.seq for event in events] == [1, 2, 3]


def test_a_submission_interrupted_by_a_restart_is_one_job(client: Client, daemon: FakeDaemon) -> None:
    def die(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        fake.usual(message)
        fake.die()
        return None

    daemon.on["SUBMIT"] = once(die, "SUBMIT")
    revival = revived(daemon)
    job = submitted(client)
    revival.join(PATIENCE_S)
    assert list(daemon.jobs) == [job]
    assert daemon.count(m.Submit) == 2


def test_an_upload_interrupted_by_a_restart_goes_on_where_it_broke(client: Client, daemon: FakeDaemon) -> None:
    content = large_picture(2 * 6)

    def die_after_three(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        answer = fake.usual(message)
        if isinstance(message, m.Chunk) and message.offset_bytes == 2 * MAX_PART_BYTES:
            fake.die()
        return answer

    daemon.on["CHUNK"] = die_after_three
    revival = revived(daemon)
    client.submit(replace(ORDER, content=content.blob), [content, STYLE], timeout_s=PATIENCE_S)
    revival.join(PATIENCE_S)
    assert daemon.blobs[content.blob.digest] == content.data
    assert daemon.count(m.Chunk) == 6 + 1


def test_a_download_interrupted_by_a_restart_goes_on(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    painted = large_picture(2 * 14)
    daemon.finish(job, painted.format, painted.data)
    until_a(client, Result)

    def silent_after_five(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        return fake.usual(message) if fake.count(m.Fetch) < 5 else None

    daemon.on["FETCH"] = silent_after_five
    client.fetch(job)
    until_it_is_true(client, lambda: daemon.count(m.Fetch) == 5 + 4)
    del daemon.on["FETCH"]
    restart(daemon)
    events = until_a(client, Fetched)
    assert events[-1].pixels == painted.data
    assert Reconnected(resumed=True) in events
    fetched = [one.offset_bytes for one in daemon.heard if isinstance(one, m.Fetch)]
    assert set(fetched) == {at * MAX_PART_BYTES for at in range(14)}
    assert fetched.count(0) == 1, "what had arrived was asked for again"


def test_a_result_that_waited_for_one_that_was_left_is_fetched_after_a_restart(
    client: Client, daemon: FakeDaemon
) -> None:
    jobs = [submitted(client), submitted(client)]
    painted = large_picture(9)
    for job in jobs:
        daemon.finish(job, painted.format, painted.data)
        until_a(client, State, job=job, state=JobState.SUCCEEDED)
    daemon.on["FETCH"] = ignore
    client.fetch(jobs[0])
    client.acknowledge(jobs[0])
    client.fetch(jobs[1])
    until_a(client, Answered, request="ACK")
    del daemon.on["FETCH"]
    restart(daemon)
    assert until_a(client, Fetched)[-1].result.job == jobs[1]


def test_a_request_made_while_the_daemon_is_away_is_made_when_it_is_back(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.stop()
    until_a(client, Disconnected)
    client.pause(job)
    daemon.start()
    assert until_a(client, Answered)[-1] == Answered(job=job, request="PAUSE")
    assert daemon.count(m.Pause) == 1


def test_an_acknowledgement_whose_answer_was_lost_is_repeated_and_told_once(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.finish(job, CONTENT.format, bytes(CONTENT.data))
    until_a(client, State, state=JobState.SUCCEEDED)
    daemon.on["ACK"] = once(lambda fake, message: None, "ACK")
    client.acknowledge(job)
    daemon.wait_until(lambda: daemon.count(m.Ack) == 1, "the first acknowledgement")
    restart(daemon)
    events = until_a(client, Answered)
    assert daemon.count(m.Ack) == 2
    assert not any(isinstance(event, (State, Result)) for event in events), "an acknowledged result was told again"
    assert list(client.events(0.2)) == []


def test_a_session_that_the_daemon_forgot_is_begun_anew_and_the_request_repeated(
    client: Client, daemon: FakeDaemon
) -> None:
    def forgot(fake: FakeDaemon, message: m.Message) -> m.Message:
        raise NoSessionError("Nobody has said HELLO here; say it.")

    daemon.on["STATUS"] = once(forgot, "STATUS")
    assert client.status(timeout_s=PATIENCE_S).sessions == 1
    assert daemon.count(m.Hello) == 2


def test_a_daemon_that_says_goodbye_is_waited_for(client: Client, daemon: FakeDaemon) -> None:
    daemon.say(m.Bye(text="The daemon is being updated; it will be back."))
    lost = until_a(client, Disconnected)[-1]
    assert isinstance(lost.error, ShuttingDownError)
    assert str(lost.error) == "The daemon is being updated; it will be back."
    assert until_a(client, Reconnected)[-1].resumed


# Damage


def spoilt(chunk: m.Chunk, at: int) -> bytes:
    data = bytearray(b"".join(chunk.data))
    data[at] ^= 1
    return bytes(data)


def test_a_result_that_arrives_damaged_is_fetched_once_more(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    painted = large_picture(2 * 3)
    daemon.finish(job, painted.format, painted.data)
    until_a(client, Result)

    def damaged(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        chunk = fake.usual(message)
        assert isinstance(chunk, m.Chunk)
        return replace(chunk, data=(spoilt(chunk, 1000),))

    daemon.on["FETCH"] = once(damaged, "FETCH")
    client.fetch(job)
    assert until_a(client, Fetched)[-1].pixels == painted.data
    assert daemon.count(m.Fetch) == 6


@pytest.mark.parametrize(
    "spoil",
    [
        lambda chunk: replace(chunk, data=(spoilt(chunk, -1),)),
        lambda chunk: replace(chunk, digest=bytes(32)),
        lambda chunk: replace(chunk, offset_bytes=chunk.offset_bytes + 1),
        lambda chunk: replace(chunk, data=(chunk.data[0][:-1],)),
        lambda chunk: replace(chunk, data=(*chunk.data, b"x")),
    ],
    ids=["other bytes", "other picture", "other place", "too short", "too long"],
)
def test_a_result_that_arrives_damaged_again_is_given_up_with_the_reason(
    client: Client, daemon: FakeDaemon, spoil: Callable[[m.Chunk], m.Chunk]
) -> None:
    job = submitted(client)
    daemon.finish(job, CONTENT.format, bytes(CONTENT.data))
    until_a(client, State, state=JobState.SUCCEEDED)

    def damaged(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        chunk = fake.usual(message)
        assert isinstance(chunk, m.Chunk)
        return spoil(chunk)

    daemon.on["FETCH"] = damaged
    client.fetch(job)
    answered = until_a(client, Answered)[-1]
    assert answered.request == "FETCH"
    assert isinstance(answered.refusal, DigestMismatchError)
    del daemon.on["FETCH"]
    client.fetch(job)
    assert until_a(client, Fetched)[-1].pixels == CONTENT.data


def test_an_upload_that_arrives_damaged_is_sent_once_more(client: Client, daemon: FakeDaemon) -> None:
    def damaged(fake: FakeDaemon, message: m.Message) -> m.Message:
        fake.partial.clear()
        raise DigestMismatchError("The picture arrived damaged; send it again.")

    daemon.on["CHUNK"] = once(damaged, "CHUNK")
    submitted(client)
    daemon.on["CHUNK"] = damaged
    content = large_picture(1)
    with pytest.raises(DigestMismatchError):
        client.submit(replace(ORDER, content=content.blob), [content, STYLE], timeout_s=9.0)


def test_a_result_that_has_expired_is_told_with_the_reason(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.finish(job, CONTENT.format, bytes(CONTENT.data))
    until_a(client, State, state=JobState.SUCCEEDED)

    def expired(fake: FakeDaemon, message: m.Message) -> m.Message:
        raise ResultExpiredError("The result was kept for 30 minutes; paint it again.")

    daemon.on["FETCH"] = expired
    client.fetch(job)
    assert isinstance(until_a(client, Answered)[-1].refusal, ResultExpiredError)


def test_a_failure_that_claims_to_be_a_success_is_no_message() -> None:
    frames = encode(
        m.State(job="0" * 32, seq=1, state=JobState.FAILED, failure=Failure(code="INTERNAL", text="Broken.")),
        message_id=1,
    )
    assert decode(frames).message.failure.exception().code == "INTERNAL"
    with pytest.raises(MalformedMessageError, match="FAILED needs one"):
        m.State(job="0" * 32, seq=1, state=JobState.SUCCEEDED, failure=Failure(code="INTERNAL", text="Broken."))


def test_progress_of_a_job_that_the_daemon_forgot_is_harmless(client: Client, daemon: FakeDaemon) -> None:
    daemon.say(
        Progress(
            job="f" * 32, evaluation=1, evaluations=2, scale=1, scales=1, width=1, height=1, losses={}, elapsed_s=0.0
        )
    )
    assert until_a(client, Progress)[-1].job == "f" * 32
