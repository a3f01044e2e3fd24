"""The server with a painting process that paints, crashes, hangs and does not obey, but needs no engine."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from daemon.fake_studio import ALWAYS, NEVER, open_dying, open_fake, open_unfit
from daemon.serving import Serving
from impasto_daemon.server.limits import HARD_STOP_S
from impasto_daemon.server.worker_painter import WorkerPainter
from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    Fetched,
    JobState,
    Picture,
    Preview,
    PreviewWish,
    Progress,
    Result,
    Settings,
    State,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import BusyError, InvalidOrderError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, states, until, until_a, until_it_is_true

ENDLESS = Settings(evaluations=100_000)


@pytest.fixture
def hard_stop_s() -> float:
    return 0.3


@pytest.fixture
def painter(hard_stop_s: float) -> WorkerPainter:
    return WorkerPainter(open_fake, cadence=ALWAYS, hang_s=1.0, hard_stop_s=hard_stop_s)


@pytest.fixture
def serving(tmp_path: Path, painter: WorkerPainter) -> Iterator[Serving]:
    server = Serving(tmp_path / "impasto" / "connection.json", painter)
    server.start()
    yield server
    server.stop()


def submitted(client: Client, network: str = "usual", **changes: object) -> str:
    order = replace(ORDER, network=network, previews=PreviewWish(interval_s=0.0), **changes)
    return client.submit(order, [CONTENT, STYLE], timeout_s=PATIENCE_S)


def running(client: Client, network: str = "usual") -> str:
    job = submitted(client, network, settings=ENDLESS)
    until_a(client, Progress, job=job)
    return job


def until_over(client: Client, job: str) -> list[object]:
    return until(client, lambda event: isinstance(event, State) and event.job == job and event.is_final)


def test_a_job_is_painted_in_the_process_and_fetched(client: Client) -> None:
    job = submitted(client)
    events = until_over(client, job)
    assert states(events, job) == ["QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]
    assert any(isinstance(event, Progress) for event in events)
    assert any(isinstance(event, Preview) for event in events)
    client.fetch(job)
    assert until_a(client, Fetched)[-1].pixels == bytes(255 - value for value in CONTENT.data)


def with_wrong_bytes(picture: Picture) -> Picture:
    """What a client sends whose picture changes under its hands."""
    changed = bytearray(picture.data)
    changed[-1] ^= 1
    sent = replace(picture)
    object.__setattr__(sent, "data", bytes(changed))
    return sent


@pytest.mark.parametrize("damaged", ["order.content", "order.styles[0].picture"])
def test_a_picture_that_arrived_damaged_is_found_and_named_before_it_is_painted(damaged: str, client: Client) -> None:
    content, style = CONTENT, STYLE
    if damaged == "order.content":
        content = with_wrong_bytes(content)
    else:
        style = with_wrong_bytes(style)
    job = client.submit(ORDER, [content, style], timeout_s=PATIENCE_S)
    events = until_over(client, job)
    assert states(events, job) == ["QUEUED", "STARTING", "FAILED"]
    assert (events[-1].failure.code, events[-1].failure.field) == ("DIGEST_MISMATCH", damaged)
    assert events[-1].failure.retryable
    job = submitted(client)
    assert states(until_over(client, job), job)[-1] == "SUCCEEDED"


def test_a_picture_that_was_damaged_on_the_disk_is_found_before_it_is_painted_again(
    client: Client, serving: Serving
) -> None:
    until_over(client, submitted(client))
    file = serving.path.parent / "pictures" / CONTENT.blob.digest.hex()
    file.write_bytes(with_wrong_bytes(CONTENT).data)
    assert until_over(client, submitted(client))[-1].failure.code == "DIGEST_MISMATCH"
    assert until_over(client, submitted(client))[-1].failure is None
    file.unlink()
    failure = until_over(client, submitted(client))[-1].failure
    assert (failure.code, failure.field) == ("MISSING_BLOB", "order.content")
    assert until_over(client, submitted(client))[-1].failure is None


def test_one_job_after_another_is_painted_by_the_same_process(client: Client, painter: WorkerPainter) -> None:
    jobs = [submitted(client) for _ in range(4)]
    first = painter.pid
    until_over(client, jobs[-1])
    assert painter.pid == first


def test_the_memory_of_the_process_is_told_beside_the_servers_own(client: Client, painter: WorkerPainter) -> None:
    running(client)
    assert painter.pid is not None
    told = client.status(timeout_s=PATIENCE_S).painters_memory_bytes
    assert told is not None
    assert abs(told - psutil.Process(painter.pid).memory_info().rss) < 5_000_000
    assert told > 10_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /dev/shm")
def test_nothing_that_a_kill_could_leave_behind_is_in_the_shared_memory(client: Client, painter: WorkerPainter) -> None:
    for _ in range(2):
        until_a(client, Preview, job=running(client))
        assert painter._memory is not None
        assert not Path("/dev/shm", painter._memory.name).exists()  # noqa: S108
        assert painter.pid is not None
        os.kill(painter.pid, signal.SIGKILL)
        for entry in client.jobs(timeout_s=PATIENCE_S):
            client.cancel(entry.job)


def test_pausing_stops_the_evaluations_and_unpausing_resumes_them(client: Client) -> None:
    job = running(client)
    client.pause(job)
    until_a(client, State, job=job, state=JobState.PAUSED)
    at_rest = [event for event in client.events(0.3) if isinstance(event, Progress)]
    assert len(at_rest) <= 1
    assert client.estimate(m.Estimate(width=8, height=8, settings=Settings()), timeout_s=PATIENCE_S).evaluations == 5
    client.unpause(job)
    until_a(client, State, job=job, state=JobState.RUNNING)
    until_a(client, Progress, job=job)


@pytest.mark.parametrize("paused", [False, True])
def test_cancelling_with_the_picture_gives_it(paused: bool, client: Client) -> None:
    job = running(client)
    if paused:
        client.pause(job)
        until_a(client, State, job=job, state=JobState.PAUSED)
    client.cancel(job, keep_picture=True)
    events = until_over(client, job)
    assert states(events, job)[-2:] == ["CANCELLING", "SUCCEEDED"]
    assert next(event for event in events if isinstance(event, Result)).stopped


@pytest.mark.parametrize("paused", [False, True])
def test_cancelling_without_the_picture_keeps_the_process(paused: bool, client: Client, painter: WorkerPainter) -> None:
    job = running(client)
    before = painter.pid
    if paused:
        client.pause(job)
        until_a(client, State, job=job, state=JobState.PAUSED)
    client.cancel(job)
    assert states(until_over(client, job), job)[-2:] == ["CANCELLING", "CANCELLED"]
    assert painter.pid == before


def test_new_weights_reach_the_painting(client: Client) -> None:
    job = running(client)
    client.adjust(job, Adjustment(style_weight=2.0))
    until(client, lambda event: isinstance(event, Progress) and event.losses == {"style_weight": 2.0})


def test_a_question_is_answered_while_painting(client: Client, painter: WorkerPainter) -> None:
    running(client)
    question = m.Estimate(width=640, height=480, settings=Settings())
    assert client.estimate(question, timeout_s=PATIENCE_S).memory_bytes == painter.pid
    with pytest.raises(InvalidOrderError, match="nothing to estimate"):
        client.estimate(replace(question, network="refuse"), timeout_s=PATIENCE_S)


@pytest.mark.parametrize(("behaviour", "code"), [("refuse", "INVALID_ORDER"), ("bug", "INTERNAL"), ("exhaust", "BUSY")])
def test_what_goes_wrong_in_a_painting_fails_that_job_only(
    behaviour: str, code: str, client: Client, painter: WorkerPainter
) -> None:
    bad, good = submitted(client, behaviour), submitted(client)
    before = painter.pid
    events = until_over(client, good)
    failure = next(event.failure for event in events if isinstance(event, State) and event.job == bad and event.failure)
    assert failure.code == code
    assert "a bug" not in failure.text
    assert states(events, good)[-1] == "SUCCEEDED"
    assert painter.pid == before


def test_a_process_that_crashes_once_costs_nothing_but_time(client: Client) -> None:
    job = submitted(client, "crash_once")
    assert states(until_over(client, job), job) == [
        *("QUEUED", "STARTING", "RUNNING", "INTERRUPTED"),
        *("QUEUED", "STARTING", "RUNNING", "SUCCEEDED"),
    ]


def test_a_job_that_kills_the_process_twice_fails_and_the_next_one_succeeds(client: Client) -> None:
    deadly, harmless = submitted(client, "crash"), submitted(client)
    events = until_over(client, harmless)
    assert states(events, deadly)[-2:] == ["INTERRUPTED", "FAILED"]
    assert states(events, harmless)[-1] == "SUCCEEDED"


def test_the_end_of_the_process_is_told_within_half_a_second(client: Client, painter: WorkerPainter) -> None:
    job = running(client)
    assert painter.pid is not None
    os.kill(painter.pid, signal.SIGKILL)
    killed = time.monotonic()
    until_a(client, State, job=job, state=JobState.INTERRUPTED)
    assert time.monotonic() - killed < 0.5


def test_a_process_that_hangs_is_replaced(client: Client) -> None:
    job = submitted(client, "deaf_once")
    assert states(until_over(client, job), job)[3:] == ["INTERRUPTED", "QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("hard_stop_s", [0.3, pytest.param(HARD_STOP_S, marks=pytest.mark.slow)])
def test_cancelling_a_job_that_hangs_is_acknowledged_at_once_and_done_soon(
    hard_stop_s: float, client: Client, serving: Serving, painter: WorkerPainter
) -> None:
    job = submitted(client, "hang")
    until_it_is_true(client, (serving.path.parent / "has_misbehaved").exists)
    before, asked = painter.pid, time.monotonic()
    client.cancel(job)
    until_a(client, Answered, request="CANCEL")
    assert time.monotonic() - asked < 0.3
    assert states(until_over(client, job), job)[-1] == "CANCELLED"
    assert time.monotonic() - asked < hard_stop_s + 1.0
    assert painter.pid != before
    assert states(until_over(client, submitted(client)), job) == []


def test_a_paused_painting_that_hangs_when_it_is_to_end_still_gives_its_picture(
    client: Client, painter: WorkerPainter
) -> None:
    job = running(client)
    client.pause(job)
    until_a(client, State, job=job, state=JobState.PAUSED)
    assert painter.pid is not None
    os.kill(painter.pid, signal.SIGSTOP)
    client.cancel(job, keep_picture=True)
    told = states(until_over(client, job), job)
    assert told == ["CANCELLING", "INTERRUPTED", "QUEUED", "STARTING", "CANCELLING", "SUCCEEDED"]


def test_a_process_that_was_stopped_from_outside_is_replaced(client: Client, painter: WorkerPainter) -> None:
    job = running(client)
    before = painter.pid
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    until_a(client, State, job=job, state=JobState.INTERRUPTED)
    assert painter.pid != before


def test_a_question_to_a_process_that_dies_is_answered(client: Client, painter: WorkerPainter) -> None:
    running(client)
    assert painter.pid is not None
    os.kill(painter.pid, signal.SIGSTOP)
    with pytest.raises(BusyError, match="ask again"):
        client.estimate(m.Estimate(width=8, height=8, settings=Settings()), timeout_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("opening", "code", "text"),
    [(open_unfit, "INVALID_ORDER", "install one"), (open_dying, "WORKER_LOST", "died 3 times before it was ready")],
)
def test_nobody_waits_for_a_process_that_cannot_start(
    opening: Callable[[], object], code: str, text: str, tmp_path: Path
) -> None:
    server = Serving(tmp_path / "impasto" / "connection.json", WorkerPainter(opening))
    server.start()
    with server.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        job = submitted(client)
        failure = until_over(client, job)[-1].failure
        assert failure.code == code
        assert text in failure.text
        assert client.status(timeout_s=PATIENCE_S).device == "none: painting cannot start"
    server.stop()


def test_stopping_the_server_ends_the_process(client: Client, serving: Serving, painter: WorkerPainter) -> None:
    running(client)
    pid = painter.pid
    assert pid is not None
    serving.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    serving.painter = WorkerPainter(open_fake)
    serving.start()


# Checkpoints


def kill(painter: WorkerPainter) -> None:
    assert painter.pid is not None
    os.kill(painter.pid, signal.SIGKILL)


def evaluations(events: list[object], job: str) -> list[int]:
    return [event.evaluation for event in events if isinstance(event, Progress) and event.job == job]


def checkpoints(serving: Serving) -> list[str]:
    return sorted(path.name for path in (serving.path.parent / "checkpoints").iterdir())


def until_evaluation(client: Client, job: str, evaluation: int) -> list[object]:
    return until(client, lambda e: isinstance(e, Progress) and e.job == job and e.evaluation >= evaluation)


def test_a_killed_process_is_followed_by_one_that_goes_on_where_it_stood(
    client: Client, painter: WorkerPainter
) -> None:
    job = submitted(client, settings=Settings(evaluations=60))
    reached = evaluations(until_evaluation(client, job, 30), job)[-1]
    kill(painter)
    until_a(client, State, job=job, state=JobState.RUNNING)
    events = until_over(client, job)
    assert states(events, job)[-1] == "SUCCEEDED"
    resumed = evaluations(events, job)
    assert resumed[0] >= reached  # told of an evaluation, and killed before it was written down
    assert resumed == sorted(set(resumed))
    assert next(event for event in events if isinstance(event, Result)).evaluations == 60


def test_a_job_that_gets_further_each_time_survives_any_number_of_deaths(
    client: Client, painter: WorkerPainter
) -> None:
    job = submitted(client, settings=Settings(evaluations=110))
    for reached in (20, 45, 70, 95):
        until_evaluation(client, job, reached)
        kill(painter)
    events = until_over(client, job)
    assert states(events, job)[-1] == "SUCCEEDED"


@pytest.mark.parametrize("end", ["success", "cancel", "failure"])
def test_of_a_job_that_is_over_no_checkpoint_is_left(end: str, client: Client, serving: Serving) -> None:
    if end == "failure":
        until_over(client, submitted(client, "crash", settings=ENDLESS))
    else:
        job = submitted(client, settings=Settings(evaluations=60 if end == "success" else 100_000))
        until_evaluation(client, job, 20)
        assert checkpoints(serving) == ["1.npz"]
        if end == "cancel":
            client.cancel(job)
        until_over(client, job)
    assert checkpoints(serving) == []


def test_new_weights_outlive_the_process(client: Client, painter: WorkerPainter) -> None:
    job = running(client)
    client.adjust(job, Adjustment(style_weight=2.0, tv_weight=1.0))
    client.adjust(job, Adjustment(style_weight=3.0))
    until(client, lambda event: isinstance(event, Progress) and event.losses == {"style_weight": 3.0})
    kill(painter)
    until_a(client, State, job=job, state=JobState.RUNNING)
    assert until_a(client, Progress, job=job)[-1].losses == {"style_weight": 3.0}


def test_a_paused_painting_has_a_checkpoint_though_none_was_due(tmp_path: Path) -> None:
    server = Serving(tmp_path / "impasto" / "connection.json", WorkerPainter(open_fake, cadence=NEVER))
    server.start()
    with server.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        job = running(client)
        assert checkpoints(server) == []
        client.pause(job)
        until_a(client, State, job=job, state=JobState.PAUSED)
        assert checkpoints(server) == ["1.npz"]
    server.stop()


@pytest.mark.parametrize("paused", [False, True])
def test_a_server_that_stops_in_order_lets_the_painting_write_down_where_it_stands(
    paused: bool, tmp_path: Path
) -> None:
    server = Serving(tmp_path / "impasto" / "connection.json", WorkerPainter(open_fake, cadence=NEVER))
    server.start()
    with server.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        job = submitted(client, settings=ENDLESS)
        seen = evaluations(until_evaluation(client, job, 20), job)
        if paused:
            client.pause(job)
            seen += evaluations(until_a(client, State, job=job, state=JobState.PAUSED), job)
        asked = time.monotonic()
        server.stop()
        assert time.monotonic() - asked < 3.0
        assert int((tmp_path / "impasto" / "checkpoints" / "1.npz").read_text()) >= seen[-1]
        server.painter = WorkerPainter(open_fake)
        server.start()
        resumed = until_a(client, Progress, job=job)
        assert evaluations(resumed, job)[0] > seen[-1]
    server.stop()
