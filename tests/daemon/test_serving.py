"""The server with a fake painter: what an honest client gets from it."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving, at_work
from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    Fetched,
    JobState,
    Order,
    OrderKind,
    Preview,
    Progress,
    Result,
    Settings,
    State,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import (
    BusyError,
    ConflictError,
    InvalidOrderError,
    PaintingFailedError,
    WrongStateError,
)
from impasto_protocol.limits import WINDOW_BYTES
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, large_picture, states, submitted, until, until_a, until_it_is_true

NewClient = Callable[..., Client]


def test_a_job_is_painted_shown_fetched_and_forgotten(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    serving.do(lambda: painter.progresses(7))
    assert until_a(client, Progress, job=job)[-1].evaluation == 7
    serving.do(lambda: painter.shows(7))
    assert until_a(client, Preview, job=job)[-1].data == b"\7" * 16
    painted = large_picture(9)
    serving.do(lambda: painter.finishes(painted))
    until_a(client, State, job=job, state=JobState.SUCCEEDED)
    client.fetch(job)
    fetched = until_a(client, Fetched)[-1]
    assert fetched.pixels == painted.data
    assert (fetched.result.network, fetched.result.evaluations) == ("vgg16", 300)
    client.acknowledge(job)
    assert until_a(client, Answered, request="ACK")[-1].refusal is None
    assert serving.do(lambda: list((serving.path.parent / "pictures").glob(painted.blob.digest.hex()))) == []


def test_the_painter_gets_the_order_with_its_pictures(client: Client, serving: Serving, painter: FakePainter) -> None:
    at_work(client, serving, painter)
    assert painter.at.order == ORDER
    assert painter.at.pictures[CONTENT.blob.digest].read_bytes() == CONTENT.data
    assert painter.at.pictures[STYLE.blob.digest].read_bytes() == STYLE.data


def test_a_job_waits_while_the_painter_is_still_loading(client: Client, serving: Serving, painter: FakePainter) -> None:
    painter.is_ready = False
    job = submitted(client)
    assert client.status(timeout_s=PATIENCE_S).queued == 1
    serving.do(painter.becomes_ready)
    assert states(until_a(client, State, state=JobState.STARTING), job) == [JobState.QUEUED, JobState.STARTING]


def test_a_failed_painting_tells_why(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    serving.do(lambda: painter.fails(PaintingFailedError("No number is finite; choose another network.")))
    failed = until_a(client, State, job=job, state=JobState.FAILED)[-1]
    assert failed.failure.code == "PAINTING_FAILED"
    assert "choose another" in failed.failure.text


def test_a_setting_that_the_engine_refuses_fails_the_job_before_it_runs(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = submitted(client)
    serving.until(lambda: bool(painter.assignments))
    serving.do(lambda: painter.fails(InvalidOrderError("The recipe is 'none'; choose one.")))
    events = until_a(client, State, job=job, state=JobState.FAILED)
    assert states(events, job) == [JobState.QUEUED, JobState.STARTING, JobState.FAILED]


def test_a_job_is_paused_and_goes_on(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    client.pause(job)
    assert until_a(client, Answered, request="PAUSE")[-1].refusal is None
    serving.do(lambda: painter.patron.paused(painter.at.number))
    until_a(client, State, job=job, state=JobState.PAUSED)
    client.pause(job)
    assert isinstance(until_a(client, Answered, request="PAUSE")[-1].refusal, WrongStateError)
    client.unpause(job)
    until_a(client, Answered, request="UNPAUSE")
    serving.do(lambda: painter.patron.unpaused(painter.at.number))
    until_a(client, State, job=job, state=JobState.RUNNING)
    assert painter.asked == ["pause", "unpause"]


def test_weights_are_adjusted_only_while_a_job_is_painted(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    second = submitted(client)
    client.adjust(second, Adjustment(strength=0.3))
    assert isinstance(until_a(client, Answered, job=second)[-1].refusal, WrongStateError)
    client.adjust(job, Adjustment(strength=0.8))
    assert until_a(client, Answered, job=job)[-1].refusal is None
    assert painter.asked == [Adjustment(strength=0.8)]


@pytest.mark.parametrize(
    ("adjustment", "why"),
    [
        (Adjustment(strength=0.5, content_weight=2.0), "set each other"),
        (Adjustment(style_weights=(1.0, 2.0)), "there are 1 styles"),
        (Adjustment(style_weights=(0.0,)), "above 0"),
    ],
)
def test_weights_that_the_engine_would_refuse_are_refused_at_once(
    adjustment: Adjustment, why: str, client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    client.adjust(job, adjustment)
    refusal = until_a(client, Answered, job=job)[-1].refusal
    assert isinstance(refusal, InvalidOrderError)
    assert why in str(refusal)
    assert painter.asked == []


def test_a_reconstruction_has_no_weights_to_adjust(client: Client, serving: Serving, painter: FakePainter) -> None:
    order = Order(content=CONTENT.blob, kind=OrderKind.STYLE_RECONSTRUCTION, layer="block1_conv1")
    job = client.submit(order, [CONTENT], timeout_s=PATIENCE_S)
    serving.until(lambda: bool(painter.assignments))
    serving.do(painter.begins)
    client.adjust(job, Adjustment(strength=0.5))
    assert isinstance(until_a(client, Answered, job=job)[-1].refusal, InvalidOrderError)


def test_a_waiting_job_is_cancelled_at_once(client: Client, serving: Serving, painter: FakePainter) -> None:
    at_work(client, serving, painter)
    waiting = submitted(client)
    client.cancel(waiting)
    events = until_a(client, State, job=waiting, state=JobState.CANCELLED)
    assert states(events, waiting) == [JobState.QUEUED, JobState.CANCELLED]
    assert painter.asked == []


@pytest.mark.parametrize("begun", [False, True])
def test_a_job_at_work_is_cancelled_without_a_picture(
    begun: bool, client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = submitted(client)
    serving.until(lambda: bool(painter.assignments))
    if begun:
        serving.do(painter.begins)
    client.cancel(job)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.do(lambda: painter.patron.discarded(painter.at.number))
    until_a(client, State, job=job, state=JobState.CANCELLED)
    assert painter.asked == [("stop", False)]
    client.cancel(job)
    assert isinstance(until(client, lambda event: bool(getattr(event, "refusal", None)))[-1].refusal, Exception)


def test_a_paused_job_is_cancelled(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    serving.do(lambda: painter.patron.paused(painter.at.number))
    client.cancel(job)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.do(lambda: painter.patron.discarded(painter.at.number))
    until_a(client, State, job=job, state=JobState.CANCELLED)


def test_a_job_is_cancelled_with_the_picture_so_far(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    client.cancel(job, keep_picture=True)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.do(lambda: painter.finishes(CONTENT, stopped=True))
    events = until_a(client, State, job=job, state=JobState.SUCCEEDED)
    assert next(event for event in events if isinstance(event, Result)).stopped
    assert painter.asked == [("stop", True)]


def test_a_picture_that_is_finished_after_cancel_is_not_kept(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    client.cancel(job)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    painted = large_picture(1)
    serving.do(lambda: painter.finishes(painted))
    until_a(client, State, job=job, state=JobState.CANCELLED)
    assert not painter.at.result.exists()


def test_the_same_order_is_one_job_a_thousand_times_and_another_is_a_conflict(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = submitted(client)
    for _ in range(1000):
        client._ask(m.Submit(job=job, order=ORDER), m.Accepted, PATIENCE_S)
    with pytest.raises(ConflictError):
        client._ask(m.Submit(job=job, order=replace(ORDER, network="vgg19")), m.Accepted, PATIENCE_S)
    assert len(painter.assignments) == 1
    assert client.status(timeout_s=PATIENCE_S).queued == 0


def test_a_session_has_sixteen_jobs_and_no_more(client: Client, new_client: NewClient) -> None:
    for _ in range(16):
        submitted(client)
    with pytest.raises(BusyError, match="16 jobs"):
        submitted(client)
    submitted(new_client())


def test_the_daemon_has_256_jobs_and_no_more(new_client: NewClient) -> None:
    for _ in range(16):
        client = new_client()
        for _ in range(16):
            submitted(client)
    with pytest.raises(BusyError, match="256 jobs"):
        submitted(new_client())


def test_cancelling_is_acknowledged_at_once_whatever_else_happens(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    durations = []
    for number in range(100):
        serving.do(lambda number=number: painter.shows(number, 512))
        asked = time.monotonic()
        client._ask(m.Cancel(job=job), m.Done, PATIENCE_S)
        durations.append(time.monotonic() - asked)
    assert sorted(durations)[98] < 0.05
    assert set(painter.asked) == {("stop", False)}


def test_a_picture_of_another_size_than_the_order_says_is_refused(client: Client) -> None:
    wrong = replace(CONTENT.blob, format=replace(CONTENT.format, width=9))
    client.submit(ORDER, [CONTENT, STYLE], timeout_s=PATIENCE_S)
    with pytest.raises(InvalidOrderError, match="9 × 4"):
        client._ask(m.Submit(job="b" * 32, order=replace(ORDER, content=wrong)), m.Accepted, PATIENCE_S)


def test_sessions_take_turns_and_hear_of_their_own_jobs_only(
    new_client: NewClient, serving: Serving, painter: FakePainter
) -> None:
    greedy, modest = new_client(), new_client()
    theirs = [submitted(greedy) for _ in range(4)]
    own = [submitted(modest) for _ in range(2)]
    heard: dict[Client, list[object]] = {greedy: [], modest: []}
    painted = []
    for _ in range(6):
        serving.until(lambda: len(painter.assignments) == len(painted) + 1)
        painted.append(painter.at.job)
        serving.do(painter.begins)
        serving.do(lambda: painter.progresses(1))
        serving.do(lambda: painter.shows(1))
        serving.do(lambda: painter.finishes(CONTENT))
    for client, jobs in ((greedy, theirs), (modest, own)):
        heard[client] = until_a(client, State, job=jobs[-1], state=JobState.SUCCEEDED)
        assert {event.job for event in heard[client]} == set(jobs)
    assert painted == [theirs[0], theirs[1], own[0], theirs[2], own[1], theirs[3]]


def test_previews_beyond_the_credit_are_replaced_by_newer_ones(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    side = 1024  # 4 MiB, two of which use up the window
    for evaluation in range(1, 31):
        serving.do(lambda evaluation=evaluation: painter.shows(evaluation, side))
    shown = [
        event.evaluation for event in until_a(client, Preview, job=job, evaluation=30) if isinstance(event, Preview)
    ]
    assert 2 <= len(shown) <= 2 * WINDOW_BYTES // (side * side * 4)
    assert shown == sorted(shown)


def test_what_a_painting_would_cost_is_asked_of_the_painter(client: Client, painter: FakePainter) -> None:
    question = m.Estimate(width=640, height=480, settings=Settings(size=512))
    assert client.estimate(question, timeout_s=PATIENCE_S).evaluations == 300
    assert painter.asked == [question]


def test_a_job_that_is_not_over_cannot_be_acknowledged(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    with pytest.raises(WrongStateError, match="RUNNING"):
        client._ask(m.Ack(job=job), m.Done, PATIENCE_S)
    client._ask(m.Ack(job="f" * 32), m.Done, PATIENCE_S)


def test_a_result_that_was_not_painted_cannot_be_fetched(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    with pytest.raises(WrongStateError, match="wait for RESULT"):
        client._ask(m.Fetch(job=job, offset_bytes=0, length_bytes=1), m.Chunk, PATIENCE_S)


def test_a_painter_that_dies_gets_the_job_once_more_and_then_no_more(
    client: Client, serving: Serving, painter: FakePainter
) -> None:
    job = at_work(client, serving, painter)
    serving.do(painter.dies)
    until_a(client, State, job=job, state=JobState.QUEUED)
    serving.do(painter.becomes_ready)
    until_a(client, State, job=job, state=JobState.STARTING)
    serving.do(painter.dies)
    events = until_a(client, State, job=job, state=JobState.FAILED)
    assert states(events, job) == [JobState.INTERRUPTED, JobState.FAILED]
    assert events[-1].failure.code == "WORKER_LOST"


def test_cancelling_a_job_whose_painter_died_ends_it(client: Client, serving: Serving, painter: FakePainter) -> None:
    job = at_work(client, serving, painter)
    client.cancel(job)
    until_a(client, State, job=job, state=JobState.CANCELLING)
    serving.do(painter.dies)
    until_a(client, State, job=job, state=JobState.CANCELLED)


def test_who_leaves_with_a_word_is_gone_at_once(client: Client, new_client: NewClient) -> None:
    other = new_client()
    assert client.status(timeout_s=PATIENCE_S).sessions == 2
    other.close()
    until_it_is_true(client, lambda: client.status(timeout_s=PATIENCE_S).sessions == 1)
