"""What is kept, for how long, and for whom."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving, at_work
from impasto_daemon.commands.failures import EXHAUSTED, exit_code_of
from impasto_daemon.commands.starting import refusing
from impasto_daemon.server.daemon import Daemon
from impasto_daemon.server.errors import MemoryExceededError
from impasto_daemon.server.limits import MAX_KEPT_JOBS, RESULT_KEPT_S, RETURN_GRACE_S, SESSION_KEPT_S
from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    JobState,
    Result,
    Settings,
    State,
    Ticket,
    WhenDetached,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import MissingBlobError, ResultExpiredError, StorageError
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, large_picture, submitted, until, until_a


class Hours:
    """A clock that a test can turn forward."""

    def __init__(self) -> None:
        self.turned_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.turned_s


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def serving(tmp_path: Path, painter: FakePainter, clock: Hours) -> Iterator[Serving]:
    server = Serving(tmp_path / "impasto" / "connection.json", painter)
    server.start(clock=clock)
    yield server
    server.stop()


def vanish(client: Client) -> Ticket:
    """The client's connection ends without a word."""
    ticket = client.ticket
    assert ticket is not None
    client._link.close()
    return ticket


def sessions(serving: Serving) -> list[str]:
    return serving.do(lambda: [session.id for session in serving._daemon._reception.sessions])


def test_a_session_without_jobs_is_forgotten_with_its_goodbye(
    new_client: Callable[..., Client], serving: Serving
) -> None:
    for _ in range(3):
        new_client().close()
    serving.until(lambda: not list(serving._daemon._reception.sessions))


def test_a_job_to_be_cancelled_survives_a_short_absence_and_not_a_long_one(
    client: Client, serving: Serving, painter: FakePainter, clock: Hours
) -> None:
    job = at_work(client, serving, painter, when_detached=WhenDetached.CANCEL)
    ticket = vanish(client)
    serving.until(lambda: not serving._daemon._reception.sessions.attached)
    assert painter.asked == []
    with serving.client(ticket=ticket) as heir:
        assert heir.connect(timeout_s=PATIENCE_S).resumed
        clock.turned_s += 2 * RETURN_GRACE_S
        until_a(heir, State, job=job, state=JobState.RUNNING)
        assert painter.asked == []
        vanish(heir)
    serving.until(lambda: not serving._daemon._reception.sessions.attached)
    clock.turned_s += 2 * RETURN_GRACE_S
    serving.until(lambda: painter.asked == [("stop", False)])


@pytest.mark.parametrize("clients", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_clients_that_vanish_leave_no_session_behind_and_lose_no_result(
    clients: int, serving: Serving, painter: FakePainter
) -> None:
    jobs = {}
    for number in range(clients):
        client = serving.client()
        client.connect(timeout_s=PATIENCE_S)
        job = submitted(client)
        serving.until(lambda number=number: len(painter.assignments) == number + 1)
        jobs[job] = vanish(client)
        serving.do(painter.begins)
        serving.do(lambda: painter.finishes(CONTENT))
    serving.until(lambda: not serving._daemon._reception.sessions.attached)
    assert len(sessions(serving)) == clients
    for job, ticket in jobs.items():
        with serving.client(ticket=ticket) as heir:
            heir.connect(timeout_s=PATIENCE_S)
            until_a(heir, State, job=job, state=JobState.SUCCEEDED)
            chunk = heir._ask(m.Fetch(job=job, offset_bytes=0, length_bytes=96), m.Chunk, PATIENCE_S)
            assert chunk.data == (CONTENT.data,)
            heir._ask(m.Ack(job=job), m.Done, PATIENCE_S)
    serving.until(lambda: not list(serving._daemon._reception.sessions))


def test_a_paused_job_goes_on_when_its_client_is_gone(client: Client, serving: Serving, painter: FakePainter) -> None:
    at_work(client, serving, painter)
    serving.do(lambda: painter.patron.paused(painter.at.number))
    until_a(client, State, state=JobState.PAUSED)
    client.close()
    serving.until(lambda: painter.asked == ["unpause"])


def test_a_session_whose_jobs_are_over_is_forgotten_after_a_while(
    client: Client, serving: Serving, painter: FakePainter, clock: Hours
) -> None:
    at_work(client, serving, painter)
    serving.do(lambda: painter.fails(MissingBlobError("A picture is gone; send it.")))
    ticket = vanish(client)
    serving.until(lambda: not serving._daemon._reception.sessions.attached)
    clock.turned_s += 2 * SESSION_KEPT_S
    serving.until(lambda: not list(serving._daemon._reception.sessions))
    assert serving.do(lambda: list(serving._daemon._journal.jobs())) == []
    with serving.client(ticket=ticket) as late:
        assert not late.connect(timeout_s=PATIENCE_S).resumed


def finished(client: Client, serving: Serving, painter: FakePainter, megabytes: int) -> str:
    job = at_work(client, serving, painter)
    picture = large_picture(megabytes)
    serving.do(lambda: painter.finishes(picture))
    until_a(client, State, job=job, state=JobState.SUCCEEDED)
    return job


def test_a_result_that_nobody_fetched_expires(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = finished(client, serving, painter, 1)
    ledger = serving._daemon._ledger
    serving.do(lambda: ledger.expire(time.time() + RESULT_KEPT_S - 5.0))
    question = m.Fetch(job=job, offset_bytes=0, length_bytes=9)
    assert client._ask(question, m.Chunk, PATIENCE_S).size_bytes == 9
    serving.do(lambda: ledger.expire(time.time() + RESULT_KEPT_S + 5.0))
    with pytest.raises(ResultExpiredError, match="kept for 30 minutes"):
        client._ask(question, m.Chunk, PATIENCE_S)
    client._ask(m.Ack(job=job), m.Done, PATIENCE_S)


def test_of_more_results_than_there_is_room_for_the_oldest_go(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    jobs = [finished(client, serving, painter, 1) for _ in range(3)]
    ledger = serving._daemon._ledger
    serving.do(lambda: ledger.expire(time.time(), room_bytes=2 * 1024**2))
    questions = [m.Fetch(job=job, offset_bytes=0, length_bytes=9) for job in jobs]
    with pytest.raises(ResultExpiredError):
        client._ask(questions[0], m.Chunk, PATIENCE_S)
    assert [client._ask(each, m.Chunk, PATIENCE_S).size_bytes for each in questions[1:]] == [9, 9]


def test_a_disk_that_is_full_is_said_before_a_job_is_accepted(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    submitted(client)
    database = serving._daemon._journal._database
    serving.do(lambda: database.execute("PRAGMA query_only = ON"))
    with pytest.raises(StorageError, match="make room or mend its disk"):
        submitted(client)
    serving.do(painter.begins)  # what is under way goes on
    until_a(client, State, state=JobState.RUNNING)
    serving.do(lambda: database.execute("PRAGMA query_only = OFF"))
    submitted(client)


def test_a_restored_job_whose_picture_is_gone_fails_with_the_reason(
    client: Client, serving: Serving, painter: FakePainter, clock: Hours
) -> None:
    job = at_work(client, serving, painter)
    waiting = submitted(client)
    serving.stop()
    for picture in (serving.path.parent / "pictures").iterdir():
        picture.unlink()
    serving.start(clock=clock)
    for lost in (job, waiting):
        failed = until(client, lambda e, lost=lost: isinstance(e, State) and e.job == lost and e.is_final)[-1]
        assert failed.failure.code == "MISSING_BLOB"


def test_the_oldest_of_a_sessions_jobs_gives_way_when_it_has_too_many(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    first = submitted(client)
    for number in range(256):
        serving.until(lambda number=number: len(painter.assignments) == number + 1)
        serving.do(lambda: painter.fails(MissingBlobError("A picture is gone; send it.")))
        client._ask(m.Submit(job=f"{number:032x}", order=ORDER), m.Accepted, PATIENCE_S)
    snapshot = client._ask(m.Resume(seen={}), m.Snapshot, PATIENCE_S)
    assert len(snapshot.jobs) == MAX_KEPT_JOBS
    assert first not in {summary.job for summary in snapshot.jobs}


def test_a_server_that_takes_too_much_memory_ends_itself_in_order(tmp_path: Path) -> None:
    server = Serving(tmp_path / "impasto" / "connection.json", FakePainter())
    server.start(memory_bytes=1)
    assert server._thread is not None
    server._thread.join(PATIENCE_S)
    assert not server._thread.is_alive()
    assert not server.path.exists()
    assert isinstance(server.trouble, MemoryExceededError)


def test_a_daemon_that_took_too_much_memory_ends_with_a_code_of_its_own_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "impasto" / "connection.json"

    def run() -> None:
        with refusing():
            asyncio.run(Daemon(connection_file=path, painter=FakePainter(), memory_bytes=50_000).run())

    assert exit_code_of(run) == EXHAUSTED
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"impasto: The daemon took [\d,]+ MB of memory, more than the 0 MB that it may, and has ended; .*\n", said
    )
    assert said.removeprefix("impasto: ").strip() in caplog.text


def test_every_request_is_answered_by_what_the_protocol_says(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    digest, job = CONTENT.blob.digest, "a" * 32
    requests = [
        m.Status(),
        m.Estimate(width=8, height=8, settings=Settings()),
        m.Upload(digest=digest, size_bytes=len(CONTENT.data)),
        m.Chunk(digest=digest, offset_bytes=0, data=(CONTENT.data,)),
        m.Upload(digest=STYLE.blob.digest, size_bytes=len(STYLE.data)),
        m.Chunk(digest=STYLE.blob.digest, offset_bytes=0, data=(STYLE.data,)),
        m.Submit(job=job, order=ORDER),
        painter.begins,
        m.Adjust(job=job, adjustment=Adjustment(strength=0.5)),
        m.Pause(job=job),
        lambda: painter.patron.paused(painter.at.number),
        m.Unpause(job=job),
        lambda: painter.patron.unpaused(painter.at.number),
        m.Resume(seen={}),
        m.ListJobs(),
        m.Follow(job=job),
        m.Cancel(job=job, keep_picture=True),
        lambda: painter.finishes(CONTENT, stopped=True),
        m.Fetch(job=job, offset_bytes=0, length_bytes=1),
        m.Ack(job=job),
    ]
    said = set()
    for request in requests:
        if callable(request):
            serving.do(request)
            continue
        name = TYPE_NAMES[type(request)]
        answer = client._ask(request, object, PATIENCE_S)
        assert isinstance(answer, VOCABULARY[name].answers), (name, answer)
        said.add(name)
    answered = {name for name, word in VOCABULARY.items() if word.answers}
    assert said == answered - {"HELLO", "PING"}
    assert not any(isinstance(event, (Answered, Result)) and event.job != job for event in client.events(0.0))
