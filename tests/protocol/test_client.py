"""A client and a daemon that both do what the protocol says."""

import select
import time
from dataclasses import replace

import pytest

from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    Failure,
    Fetched,
    JobState,
    PixelFormat,
    Preview,
    Progress,
    Result,
    Settings,
    State,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import (
    ConflictError,
    InvalidOrderError,
    MissingBlobError,
    RefusalError,
    ResultExpiredError,
    TimedOutError,
    UnknownJobError,
)
from impasto_protocol.limits import CREDIT_RETURN_BYTES, MAX_PART_BYTES, WINDOW_BYTES
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import CONTENT, ORDER, STYLE, large_picture, submitted, until, until_a, until_it_is_true


def progress(job: str, evaluation: int) -> Progress:
    return Progress(
        job=job, evaluation=evaluation, evaluations=300, scale=1, scales=3, width=8, height=4, losses={}, elapsed_s=1.0
    )


def preview(job: str, evaluation: int, side: int = 2) -> Preview:
    form = PixelFormat(width=side, height=side, channels=4)
    return Preview(job=job, evaluation=evaluation, format=form, data=bytes([evaluation]) * form.size_bytes)


def test_a_job_is_submitted_followed_fetched_and_acknowledged(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.enter(job, JobState.STARTING)
    daemon.enter(job, JobState.RUNNING)
    daemon.say(progress(job, 1))
    daemon.say(preview(job, 1))
    painted = large_picture(3)
    daemon.finish(job, painted.format, painted.data)
    events = until_a(client, State, state=JobState.SUCCEEDED)
    client.fetch(job)
    fetched = until_a(client, Fetched)[-1]
    assert fetched.pixels == painted.data
    assert fetched.result.picture == painted.blob
    assert [event.state for event in events if isinstance(event, State)] == [
        JobState.QUEUED,
        JobState.STARTING,
        JobState.RUNNING,
        JobState.SUCCEEDED,
    ]
    assert any(isinstance(event, Preview) and event.data == b"\1" * 16 for event in events)
    client.acknowledge(job)
    assert until_a(client, Answered)[-1] == Answered(job=job, request="ACK")
    assert job not in daemon.jobs


def test_a_result_is_acknowledged_once_and_cannot_be_fetched_again(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    daemon.finish(job, CONTENT.format, bytes(CONTENT.data))
    until_a(client, Result)
    for _ in range(3):
        client.acknowledge(job)
    until_a(client, Answered, request="ACK")
    assert daemon.count(m.Ack) == 1
    with pytest.raises(ResultExpiredError, match="no result to fetch"):
        client.fetch(job)


def test_no_result_is_fetched_before_there_is_one(client: Client) -> None:
    with pytest.raises(ResultExpiredError, match="wait for its Result"):
        client.fetch(submitted(client))


def test_a_failed_job_tells_why_and_is_acknowledged_by_itself(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    why = Failure(code="PAINTING_FAILED", text="The network gives no finite number; choose another.")
    daemon.enter(job, JobState.FAILED, why)
    assert until_a(client, State, state=JobState.FAILED)[-1].failure == why
    until_a(client, Answered, request="ACK")
    assert daemon.count(m.Ack) == 1


def test_a_picture_is_uploaded_once(client: Client, daemon: FakeDaemon) -> None:
    submitted(client)
    submitted(client)
    assert daemon.count(m.Chunk) == 2
    assert daemon.count(m.Upload) == 4
    assert daemon.blobs[CONTENT.blob.digest] == CONTENT.data


def test_a_large_picture_arrives_whole(client: Client, daemon: FakeDaemon) -> None:
    content = large_picture(19)
    order = replace(ORDER, content=content.blob)
    client.submit(order, [content, STYLE], timeout_s=PATIENCE_S)
    assert daemon.blobs[content.blob.digest] == content.data
    assert daemon.count(m.Chunk) == 1 + 10


def test_a_picture_that_the_daemon_dropped_meanwhile_is_uploaded_again(client: Client, daemon: FakeDaemon) -> None:
    def forgetful(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        fake.blobs.clear()
        del fake.on["SUBMIT"]
        return fake.usual(message)

    daemon.on["SUBMIT"] = forgetful
    job = submitted(client)
    assert job in daemon.jobs
    assert daemon.count(m.Submit) == 2
    assert daemon.count(m.Chunk) == 4


def test_an_order_whose_pictures_are_not_given_is_refused_before_anything_is_sent(
    client: Client, daemon: FakeDaemon
) -> None:
    with pytest.raises(MissingBlobError, match="give them"):
        client.submit(ORDER, [CONTENT], timeout_s=1.0)
    assert daemon.count(m.Upload) == 0


def test_the_same_order_under_the_same_id_is_one_job_and_another_is_a_conflict(
    client: Client, daemon: FakeDaemon
) -> None:
    for _ in range(3):
        assert client.submit(ORDER, [CONTENT, STYLE], timeout_s=PATIENCE_S, job="a" * 32) == "a" * 32
    assert list(daemon.jobs) == ["a" * 32]
    with pytest.raises(ConflictError, match="choose another id"):
        client.submit(replace(ORDER, network="vgg19"), [CONTENT, STYLE], timeout_s=PATIENCE_S, job="a" * 32)
    states = [event.seq for event in client.events(0.2) if isinstance(event, State)]
    assert states == [1]


def test_no_more_than_a_window_is_on_its_way_to_a_daemon_that_does_not_answer(
    client: Client, daemon: FakeDaemon
) -> None:
    daemon.on["CHUNK"] = lambda fake, message: None
    content = large_picture(12)
    order = replace(ORDER, content=content.blob)
    with pytest.raises(TimedOutError):
        client.submit(order, [content, STYLE], timeout_s=1.0)
    daemon.wait_until(lambda: daemon.count(m.Chunk) == WINDOW_BYTES // MAX_PART_BYTES, "a window of chunks")


def test_no_more_than_a_window_is_asked_of_a_daemon_that_does_not_answer(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    painted = large_picture(12)
    daemon.finish(job, painted.format, painted.data)
    until_a(client, State, state=JobState.SUCCEEDED)
    daemon.on["FETCH"] = lambda fake, message: None
    client.fetch(job)
    client.fetch(job)
    client.status(timeout_s=PATIENCE_S)
    assert daemon.count(m.Fetch) == WINDOW_BYTES // MAX_PART_BYTES


def test_a_refused_order_raises_the_exception_of_its_code(client: Client, daemon: FakeDaemon) -> None:
    def refuse(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        raise InvalidOrderError("The strength is 2.0; give a number from 0 to 1.", field="order.settings.strength")

    daemon.on["SUBMIT"] = refuse
    with pytest.raises(InvalidOrderError, match=r"The strength is 2\.0") as refused:
        submitted(client)
    assert refused.value.field == "order.settings.strength"
    assert not refused.value.retryable


def test_a_code_of_a_later_version_is_still_a_refusal(client: Client, daemon: FakeDaemon) -> None:
    later = Failure(code="OUT_OF_PAINT", text="There is no more paint; buy some.", retryable=True, retry_after_s=60.0)
    daemon.on["SUBMIT"] = lambda fake, message: m.Error(failure=later)
    with pytest.raises(RefusalError, match="no more paint") as refused:
        submitted(client)
    assert type(refused.value) is RefusalError
    assert refused.value.retryable
    assert refused.value.retry_after_s == 60.0


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda client, job: client.pause(job), m.Pause),
        (lambda client, job: client.unpause(job), m.Unpause),
        (lambda client, job: client.cancel(job), m.Cancel),
        (lambda client, job: client.cancel(job, keep_picture=True), m.Cancel),
        (lambda client, job: client.adjust(job, Adjustment(strength=0.75)), m.Adjust),
    ],
    ids=["pause", "unpause", "cancel", "keep", "adjust"],
)
def test_a_running_job_can_be_steered_without_waiting(client: Client, daemon: FakeDaemon, ask, said) -> None:
    job = submitted(client)
    ask(client, job)
    assert until_a(client, Answered)[-1].refusal is None
    assert daemon.count(said) == 1


def test_steering_a_job_that_is_not_there_is_answered_with_the_reason(client: Client) -> None:
    client.pause("0" * 32)
    answered = until_a(client, Answered)[-1]
    assert answered.request == "PAUSE"
    assert isinstance(answered.refusal, UnknownJobError)


def test_cancelling_while_the_result_is_on_its_way_ends_that_and_gives_it_up(
    client: Client, daemon: FakeDaemon
) -> None:
    job = submitted(client)
    painted = large_picture(20)
    daemon.finish(job, painted.format, painted.data)
    until_a(client, State, state=JobState.SUCCEEDED)
    client.fetch(job)
    client.cancel(job)
    events = until_a(client, Answered, request="ACK")
    assert not any(isinstance(event, Fetched) for event in events)
    assert daemon.count(m.Cancel) == 0
    assert daemon.count(m.Fetch) <= 8


def test_status_and_estimate_are_answered(client: Client) -> None:
    assert client.status(timeout_s=PATIENCE_S).daemon == "fake 1"
    question = m.Estimate(width=640, height=480, settings=Settings(size=512))
    assert client.estimate(question, timeout_s=PATIENCE_S).evaluations == 300


def test_of_many_previews_a_slow_caller_gets_the_newest(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    for evaluation in range(1, 51):
        daemon.say(progress(job, evaluation))
        daemon.say(preview(job, evaluation))
    daemon.enter(job, JobState.STARTING)
    daemon.wait_until(lambda: any(isinstance(one, State) and one.seq == 2 for one in daemon.said))
    # A request makes the client receive everything that came before its answer, and hand out nothing.
    client.status(timeout_s=PATIENCE_S)
    events = until_a(client, State, state=JobState.STARTING)
    assert [event.evaluation for event in events if isinstance(event, (Preview, Progress))] == [50, 50]


def test_credit_is_returned_for_previews_that_were_consumed_or_replaced(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    for evaluation in range(1, 21):
        daemon.say(preview(job, evaluation, side=512))
    until(client, lambda event: isinstance(event, Preview) and event.evaluation == 20)
    daemon.wait_until(
        lambda: sum(one.size_bytes for one in daemon.heard if isinstance(one, m.Credit)) > 18 * 2**20, "credit"
    )
    returned = [one.size_bytes for one in daemon.heard if isinstance(one, m.Credit)]
    assert all(credit >= CREDIT_RETURN_BYTES for credit in returned)
    assert sum(returned) <= 20 * (2**20 + 500)


def test_a_preview_may_fill_the_whole_window(client: Client, daemon: FakeDaemon) -> None:
    form = PixelFormat(width=1024, height=2048, channels=4)
    data = bytes(range(256)) * (WINDOW_BYTES // 256)
    assert form.size_bytes == WINDOW_BYTES
    daemon.say(Preview(job=submitted(client), evaluation=1, format=form, data=data))
    assert until_a(client, Preview)[-1].data == data


def test_asking_for_events_never_takes_longer_than_allowed(client: Client) -> None:
    began = time.monotonic()
    assert list(client.events(0.2)) == []
    assert 0.15 <= time.monotonic() - began < 5.0
    began = time.monotonic()
    assert list(client.events(0.0)) == []
    assert time.monotonic() - began < 1.0


def test_the_descriptor_tells_a_main_loop_of_every_event(client: Client, daemon: FakeDaemon) -> None:
    job = submitted(client)
    until_a(client, State, state=JobState.QUEUED)
    for state in (JobState.STARTING, JobState.RUNNING, JobState.PAUSED, JobState.RUNNING):
        daemon.enter(job, state)
        deadline = time.monotonic() + PATIENCE_S
        events: list[object] = []
        while not events and time.monotonic() < deadline:
            ready, _, _ = select.select([client.descriptor], [], [], PATIENCE_S)
            assert ready
            events = list(client.events(0.0))
        assert [event.state for event in events if isinstance(event, State)] == [state]


def test_a_ping_of_the_daemon_is_answered(client: Client, daemon: FakeDaemon) -> None:
    daemon.say(m.Ping())
    until_it_is_true(client, lambda: daemon.count(m.Pong) == 1)


def test_closing_says_goodbye(client: Client, daemon: FakeDaemon) -> None:
    client.close()
    daemon.wait_until(lambda: daemon.count(m.Bye) == 1, "a goodbye")
