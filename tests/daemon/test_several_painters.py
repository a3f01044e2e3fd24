"""The server with a painter for each device: they paint side by side, and one's troubles are not the others'."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_protocol import Adjustment, Answered, Client, JobState, Preview, Progress, Settings, State
from impasto_protocol import messages as m
from impasto_protocol.errors import InvalidOrderError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, submitted, until, until_a

DEVICES = 3


@pytest.fixture
def painters() -> list[FakePainter]:
    return [FakePainter(devices=DEVICES) for _ in range(DEVICES)]


@pytest.fixture
def serving(tmp_path: Path, painters: list[FakePainter]) -> Iterator[Serving]:
    server = Serving(tmp_path / "impasto" / "connection.json", painters[0])
    server.start(hire=lambda device: painters[device])
    yield server
    server.stop()


def at_work(client: Client, serving: Serving, painters: list[FakePainter]) -> dict[str, FakePainter]:
    """A job for each painter, all of them running."""
    jobs = {}
    for painter in painters:
        job = submitted(client)
        serving.until(lambda painter=painter, job=job: bool(painter.assignments) and painter.at.job == job)
        serving.do(painter.begins)
        until_a(client, State, job=job, state=JobState.RUNNING)
        jobs[job] = painter
    return jobs


def test_there_is_a_painter_for_each_device_and_all_paint_at_once(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    waiting = submitted(client)
    report = client.status(timeout_s=PATIENCE_S)
    assert (report.painting, report.queued, report.device) == (3, 1, "3 × a fake")
    assert report.painters_memory_bytes == 9_000_000
    last = list(jobs)[-1]
    serving.do(lambda: jobs[last].finishes(CONTENT))
    until_a(client, State, job=last, state=JobState.SUCCEEDED)
    serving.until(lambda: jobs[last].at.job == waiting)


def test_the_next_job_is_painted_by_whoever_is_free(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    for job in reversed(jobs):
        serving.do(lambda job=job: jobs[job].finishes(CONTENT))
        following = submitted(client)
        serving.until(lambda job=job, following=following: jobs[job].at.job == following)


def test_what_is_asked_of_a_job_is_asked_of_its_painter(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    first, second, third = jobs
    client.pause(second)
    until_a(client, Answered, job=second, request="PAUSE")
    client.adjust(third, Adjustment(tv_weight=1.0))
    until_a(client, Answered, job=third, request="ADJUST")
    client.cancel(first)
    until_a(client, State, job=first, state=JobState.CANCELLING)
    assert [jobs[job].asked for job in (first, second, third)] == [
        [("stop", False)],
        ["pause"],
        [Adjustment(tv_weight=1.0)],
    ]


def test_what_painters_tell_goes_to_their_own_jobs(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    for count, painter in enumerate(jobs.values(), 1):
        serving.do(lambda painter=painter, count=count: painter.progresses(count))
        serving.do(lambda painter=painter, count=count: painter.shows(count))
    heard = until(client, lambda event: isinstance(event, Preview) and event.evaluation == 3)
    told = {event.job: event.evaluation for event in heard if isinstance(event, Progress)}
    assert told == {job: count for count, job in enumerate(jobs, 1)}


def test_the_job_of_a_painter_that_died_goes_to_another_that_is_free(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    first, second, third = jobs
    serving.do(lambda: jobs[third].finishes(CONTENT))
    until_a(client, State, job=third, state=JobState.SUCCEEDED)
    serving.do(jobs[first].dies)
    until_a(client, State, job=first, state=JobState.STARTING)
    assert serving.do(lambda: jobs[third].at.job) == first
    assert client.status(timeout_s=PATIENCE_S).painting == 2
    assert serving.do(lambda: jobs[second].at.job) == second


def test_a_painter_that_cannot_be_made_ready_is_no_trouble_as_long_as_another_is(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    waiting = submitted(client)
    why = InvalidOrderError("There is no engine; install one.")
    serving.do(painters[1].dies)
    serving.do(lambda: painters[1].patron.unfit(why))
    assert client.status(timeout_s=PATIENCE_S).queued == 2
    serving.do(lambda: painters[0].finishes(CONTENT))
    (interrupted,) = (job for job in jobs if jobs[job] is painters[1])
    serving.until(lambda: painters[0].at.job == interrupted)
    for painter in (painters[0], painters[2]):
        serving.do(painter.dies)
    serving.do(lambda: painters[0].patron.unfit(why))
    until_a(client, State, job=waiting, state=JobState.FAILED)


def test_a_question_goes_to_a_painter_with_nothing_to_do(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    idle = painters[1]
    serving.do(lambda: idle.finishes(CONTENT))
    until_a(client, State, job=next(job for job in jobs if jobs[job] is idle), state=JobState.SUCCEEDED)
    question = m.Estimate(width=8, height=8, settings=Settings())
    client.estimate(question, timeout_s=PATIENCE_S)
    assert [painter.asked for painter in painters] == [[], [question], []]


def test_a_daemon_that_stops_has_all_of_them_lay_down_their_work(
    client: Client, serving: Serving, painters: list[FakePainter]
) -> None:
    jobs = at_work(client, serving, painters)
    serving.stop()
    assert [painter.asked for painter in painters] == [["lay down"]] * 3
    serving.painter = FakePainter()
    serving.start()
    serving.until(lambda: bool(serving.painter.assignments))
    assert serving.painter.at.job == next(iter(jobs))


def test_on_a_machine_with_one_device_nobody_is_hired(tmp_path: Path) -> None:
    def hire(device: int) -> FakePainter:
        raise AssertionError

    server = Serving(tmp_path / "impasto" / "connection.json", FakePainter())
    server.start(hire=hire)
    with server.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        first, second = submitted(client), submitted(client)
        until_a(client, State, job=first, state=JobState.STARTING)
        report = client.status(timeout_s=PATIENCE_S)
        assert (report.painting, report.queued, report.device) == (1, 1, "a fake")
        assert second != first
    server.stop()
