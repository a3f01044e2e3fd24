"""A picture that was asked for when its painting was cancelled comes, whatever dies meanwhile."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter, painted
from daemon.serving import Serving, at_work
from impasto_protocol import Answered, Client, Fetched, JobState, State
from impasto_protocol.errors import PaintingFailedError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, states, submitted, until, until_a

TAKEN_UP = [JobState.INTERRUPTED, JobState.QUEUED, JobState.STARTING, JobState.CANCELLING]


def write_checkpoint(painter: FakePainter) -> None:
    painter.at.checkpoint.write_bytes(b"how far it has come")
    os.utime(painter.at.checkpoint, ns=(time.time_ns(), time.time_ns()))  # the system's own may be a little behind


def cancelling(client: Client, serving: Serving, painter: FakePainter, *, has_checkpoint: bool = True) -> str:
    """A job that shall end with its picture and has not yet."""
    job = at_work(client, serving, painter)
    if has_checkpoint:
        write_checkpoint(painter)
    client.cancel(job, keep_picture=True)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.until(lambda: painter.asked == [("stop", True)])
    return job


def check_picture_comes(client: Client, serving: Serving, painter: FakePainter, job: str) -> None:
    """It was given to the painter anew, for its picture only."""
    serving.until(lambda: bool(painter.assignments) and (painter.at.job, painter.at.is_cancelled) == (job, True))
    serving.do(painter.begins)
    serving.do(lambda: painter.finishes(CONTENT, stopped=True))
    ended = until_a(client, State, job=job, state=JobState.SUCCEEDED)
    assert states(ended, job)[-2:] in ([JobState.SUCCEEDED], [JobState.CANCELLING, JobState.SUCCEEDED]), (
        "paints no more"
    )
    client.fetch(job)
    fetched = until_a(client, Fetched)[-1]
    assert (fetched.pixels, fetched.result.stopped) == (CONTENT.data, True)


def test_the_picture_comes_after_the_death_of_the_painting_process(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = cancelling(client, serving, painter)
    serving.do(painter.dies)
    serving.do(painter.becomes_ready)
    assert states(until(client, lambda e: getattr(e, "state", "") == "CANCELLING"), job) == TAKEN_UP
    check_picture_comes(client, serving, painter, job)


@pytest.mark.parametrize("is_done", [True, False], ids=["stopped", "not even that"])
def test_the_picture_comes_after_the_end_of_the_daemon(
    is_done: bool, client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = cancelling(client, serving, painter)
    if is_done:
        serving.stop()
    else:
        painter.lay_down = lambda: None  # type: ignore[method-assign] -- as if there were no time
        serving.stop()
    serving.painter = successor = FakePainter()
    serving.start()
    seen = until(client, lambda e: getattr(e, "state", "") == "CANCELLING")
    assert states(seen, job) == TAKEN_UP
    check_picture_comes(client, serving, successor, job)


def test_without_a_checkpoint_there_is_no_picture_and_the_job_is_cancelled(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = cancelling(client, serving, painter, has_checkpoint=False)
    serving.do(painter.dies)
    assert states(until_a(client, State, job=job, state=JobState.CANCELLED), job) == [JobState.CANCELLED]


def test_who_does_not_want_the_picture_any_more_need_not_wait_for_it(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = cancelling(client, serving, painter)
    client.cancel(job)
    serving.until(lambda: painter.asked[-1] == ("stop", False))
    serving.do(painter.dies)
    assert states(until_a(client, State, job=job, state=JobState.CANCELLED), job) == [JobState.CANCELLED]


def test_a_job_that_waits_to_go_on_keeps_its_picture_too(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    write_checkpoint(painter)
    serving.do(painter.dies)
    until_a(client, State, job=job, state=JobState.QUEUED)
    client.cancel(job, keep_picture=True)
    until_a(client, Answered, request="CANCEL")
    serving.do(painter.becomes_ready)
    check_picture_comes(client, serving, painter, job)


def test_a_job_that_waits_to_go_on_can_be_given_up(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    write_checkpoint(painter)
    serving.do(painter.dies)
    client.cancel(job, keep_picture=True)
    client.cancel(job)
    until_a(client, State, job=job, state=JobState.CANCELLED)
    another = submitted(client)
    serving.do(painter.becomes_ready)
    assert painter.at.job == another


def test_a_picture_that_cannot_be_kept_says_why(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = cancelling(client, serving, painter)
    serving.do(lambda: painter.fails(PaintingFailedError("The picture is not finite; paint it anew.")))
    failed = until_a(client, State, job=job, state=JobState.FAILED)[-1]
    assert failed.failure.text == "The picture is not finite; paint it anew."


def test_a_picture_for_which_the_disk_has_no_room_says_so(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = cancelling(client, serving, painter)
    serving.do(lambda: painter.patron.finished(painter.at.number, painted(CONTENT, painter.at.result)))
    assert until_a(client, State, job=job, state=JobState.FAILED)[-1].failure.code == "STORAGE"


def test_a_pause_after_a_checkpoint_does_not_make_it_count_less(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    """Deaths with a checkpoint in between are not deaths at the same place, whatever was told since."""
    job = at_work(client, serving, painter)
    for _ in range(3):
        write_checkpoint(painter)
        serving.do(lambda: painter.patron.paused(painter.at.number))
        until_a(client, State, job=job, state=JobState.PAUSED)
        serving.do(painter.dies)
        serving.do(painter.becomes_ready)
        serving.do(painter.begins)
        until_a(client, State, job=job, state=JobState.RUNNING)


@pytest.mark.parametrize("waits_already", [False, True])
def test_what_only_its_picture_is_wanted_of_comes_before_whole_paintings(
    waits_already: bool, new_client: Callable[..., Client], serving: Serving, painter: FakePainter
) -> None:
    """It takes one evaluation, and somebody waits for it."""
    client, other = new_client(), new_client()
    job = at_work(client, serving, painter)
    submitted(other)
    write_checkpoint(painter)
    painter.lay_down = lambda: None  # type: ignore[method-assign]
    if not waits_already:
        client.cancel(job, keep_picture=True)
        until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.stop()
    serving.painter = successor = FakePainter(is_ready=False)
    serving.start()
    if waits_already:
        submitted(other)
        client.cancel(job, keep_picture=True)
        until_a(client, Answered, request="CANCEL")
    serving.do(successor.becomes_ready)
    check_picture_comes(client, serving, successor, job)


def test_what_was_laid_down_can_be_listed_and_cancelled_while_the_daemon_stops(tmp_path: Path) -> None:
    class Busy(FakePainter):
        def lay_down(self) -> None:
            """It is in the middle of a long evaluation."""

    painters = [FakePainter(devices=2), Busy(devices=2)]
    serving = Serving(tmp_path / "impasto" / "connection.json", painters[0])
    serving.start(hire=lambda device: painters[device])
    with serving.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        for painter in painters:
            submitted(client)
            serving.until(lambda painter=painter: bool(painter.assignments))
            serving.do(painter.begins)
        job = painters[0].at.job
        until_a(client, State, job=painters[1].at.job, state=JobState.RUNNING)
        serving._loop.call_soon_threadsafe(serving._daemon.stop)
        until_a(client, State, job=job, state=JobState.QUEUED)
        assert next(entry for entry in client.jobs(timeout_s=PATIENCE_S) if entry.job == job).ahead is not None
        client.cancel(job)
        until_a(client, State, job=job, state=JobState.CANCELLED)
    serving.stop()
