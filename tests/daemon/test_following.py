"""Jobs across the sessions of one user: listed, followed, steered and fetched; and hidden from everyone else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_protocol import (
    Answered,
    Client,
    Disconnected,
    Fetched,
    JobState,
    Preview,
    Progress,
    Reconnected,
    Result,
    State,
    dial,
    read_connection,
    write_connection,
)
from impasto_protocol import messages as m
from impasto_protocol.connection import Connection
from impasto_protocol.errors import MissingBlobError, PaintingFailedError, UnknownJobError
from impasto_protocol.limits import MAX_LISTED
from impasto_protocol.transport import new_key_pair
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, submitted, until, until_a

NewClient = Callable[..., Client]


def at_work(client: Client, serving: Serving, painter: FakePainter) -> str:
    job = submitted(client)
    serving.until(lambda: bool(painter.assignments) and painter.at.job == job)
    serving.do(painter.begins)
    return job


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[tuple[Serving, Client, Client]]:
    """A daemon that lets in another key; a client of its owner's; and one with that key."""
    public, secret = new_key_pair()
    server = Serving(tmp_path / "impasto" / "connection.json")
    server.start(allow=(public,))
    here = read_connection(server.path)
    there = tmp_path / "elsewhere" / "connection.json"
    write_connection(
        Connection(
            endpoint=here.endpoint,
            server_key=here.server_key,
            client_public_key=public,
            client_secret_key=secret,
            pid=1,
            protocol_min=1,
            protocol_max=1,
            daemon="elsewhere",
        ),
        there,
    )
    with server.client() as owner, Client(lambda: dial(there), name="another user") as other:
        for client in (owner, other):
            client.connect(timeout_s=PATIENCE_S)
        yield server, owner, other
    server.stop()


def test_the_list_tells_of_all_jobs_of_the_user_and_where_they_stand(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    running, waiting = at_work(client, serving, painter), submitted(client)
    serving.do(lambda: painter.progresses(30))
    other = new_client()
    first, second = other.jobs(timeout_s=PATIENCE_S)
    assert (first.job, first.state, first.evaluation, first.evaluations) == (running, JobState.RUNNING, 30, 300)
    assert (first.width, first.height, first.attached, first.ahead) == (8, 4, True, 0)
    assert (second.job, second.state, second.evaluation, second.ahead) == (waiting, JobState.QUEUED, None, 1)
    serving.do(lambda: painter.fails(PaintingFailedError("It is broken; choose another.")))
    client.close()
    serving.until(lambda: serving._daemon._reception.sessions.attached == 1)
    (failed, _) = other.jobs(timeout_s=PATIENCE_S)
    assert (failed.state, failed.trouble, failed.attached) == (JobState.FAILED, "It is broken; choose another.", False)


def test_a_long_list_comes_in_parts(new_client: NewClient) -> None:
    names = [submitted(client) for client in (new_client(), new_client(), new_client()) for _ in range(16)]
    assert len(names) > MAX_LISTED
    assert [entry.job for entry in new_client().jobs(timeout_s=PATIENCE_S)] == names


def test_who_follows_a_job_hears_what_was_and_what_comes_and_fetches_the_result(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    serving.do(lambda: painter.progresses(3))
    serving.do(lambda: painter.shows(3))
    follower = new_client()
    follower.follow(job)
    seen = until(follower, lambda event: isinstance(event, Preview))
    assert [event.state for event in seen if isinstance(event, State)] == ["QUEUED", "STARTING", "RUNNING"]
    assert next(event for event in seen if isinstance(event, Progress)).evaluation == 3
    serving.do(lambda: painter.finishes(CONTENT))
    for each in (client, follower):
        until_a(each, State, job=job, state=JobState.SUCCEEDED)
        each.fetch(job)
        assert until_a(each, Fetched)[-1].pixels == CONTENT.data


def test_a_job_is_steered_from_another_session(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    other = new_client()
    other.cancel(job, keep_picture=True)
    assert until_a(other, Answered, request="CANCEL")[-1].refusal is None
    until_a(client, State, job=job, state=JobState.CANCELLING)
    assert painter.asked == [("stop", True)]


def test_following_a_job_that_fails_does_not_take_it_from_the_list(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    client.close()
    follower = new_client()
    follower.follow(job)
    serving.do(lambda: painter.fails(PaintingFailedError("It is broken; choose another.")))
    until_a(follower, State, job=job, state=JobState.FAILED)
    assert [entry.job for entry in follower.jobs(timeout_s=PATIENCE_S)] == [job]
    follower.acknowledge(job)
    until_a(follower, Answered, request="ACK")
    assert follower.jobs(timeout_s=PATIENCE_S) == []


def test_a_follower_goes_on_after_a_restart_of_the_daemon(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    follower = new_client()
    follower.follow(job)
    until_a(follower, State, job=job, state=JobState.RUNNING)
    serving.stop()
    until_a(follower, Disconnected)
    serving.start()
    until_a(follower, Reconnected)
    serving.until(lambda: painter.at.job == job)
    serving.do(painter.begins)
    serving.do(lambda: painter.finishes(CONTENT))
    events = until_a(follower, State, job=job, state=JobState.SUCCEEDED)
    assert [event.seq for event in events if isinstance(event, State | Result)] == [4, 5, 6, 7, 8, 9]


def test_a_follower_that_leaves_is_forgotten(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    follower = new_client()
    follower.follow(job)
    until_a(follower, Answered, request="FOLLOW")
    follower.close()
    serving.until(lambda: len(list(serving._daemon._reception.sessions)) == 1)
    assert [known.followers for known in serving.do(lambda: list(serving._daemon._ledger))] == [set()]


def test_a_job_that_nobody_knows_cannot_be_followed(client: Client) -> None:
    client.follow("f" * 32)
    refusal = until_a(client, Answered, request="FOLLOW")[-1].refusal
    assert isinstance(refusal, UnknownJobError)


def test_another_key_sees_and_steers_nothing_of_the_users(stranger: tuple[Serving, Client, Client]) -> None:
    serving, owner, other = stranger
    job = at_work(owner, serving, serving.painter)
    assert other.jobs(timeout_s=PATIENCE_S) == []
    for ask, request in ((other.cancel, "CANCEL"), (other.follow, "FOLLOW"), (other.pause, "PAUSE")):
        ask(job)
        assert isinstance(until_a(other, Answered, request=request)[-1].refusal, UnknownJobError)
    assert serving.painter.asked == []
    assert [entry.job for entry in owner.jobs(timeout_s=PATIENCE_S)] == [job]


def test_another_key_is_not_given_what_the_users_client_has_sent_unproven(
    stranger: tuple[Serving, Client, Client],
) -> None:
    serving, owner, other = stranger
    wrong = replace(CONTENT)
    object.__setattr__(wrong, "data", bytes(len(CONTENT.data)))
    owner.submit(ORDER, [wrong, STYLE], timeout_s=PATIENCE_S)
    with pytest.raises(MissingBlobError):
        other._ask(m.Submit(job="1" * 32, order=ORDER), m.Accepted, PATIENCE_S)
    submitted(other)
    file = serving.path.parent / "pictures" / CONTENT.blob.digest.hex()
    assert file.read_bytes() == CONTENT.data


def test_another_key_does_not_take_up_the_users_session_even_with_its_token(
    stranger: tuple[Serving, Client, Client], tmp_path: Path
) -> None:
    serving, owner, _ = stranger
    job = at_work(owner, serving, serving.painter)
    thief = Client(lambda: dial(tmp_path / "elsewhere" / "connection.json"), name="a thief", ticket=owner.ticket)
    with thief:
        assert not thief.connect(timeout_s=PATIENCE_S).resumed
        assert thief.jobs(timeout_s=PATIENCE_S) == []
    assert [entry.job for entry in owner.jobs(timeout_s=PATIENCE_S)] == [job]


def test_the_user_is_the_same_after_a_restart_although_the_keys_are_new(
    client: Client, new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    before = read_connection(serving.path).client_public_key
    serving.stop()
    serving.start()
    assert read_connection(serving.path).client_public_key != before
    assert [entry.job for entry in new_client().jobs(timeout_s=PATIENCE_S)] == [job]
