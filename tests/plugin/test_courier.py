"""The courier with a real client and a daemon that does as it is told: finds it, starts it, and comes back to it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto_gimp.courier import (
    STARTS,
    Accepted,
    Courier,
    Estimated,
    Happened,
    Listed,
    News,
    NotEstimated,
    Reached,
    Refused,
    Reported,
    Starting,
    Unreachable,
)
from impasto_gimp.starting import StartError
from impasto_protocol import Client, JobState, State, dial
from impasto_protocol import messages as m
from impasto_protocol.errors import BusyError, InvalidOrderError
from impasto_protocol.events import Disconnected, Reconnected
from impasto_protocol.orders import Settings
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import CONTENT, ORDER, STYLE

JOB = "a" * 32


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """One that does not run yet."""
    fake = FakeDaemon(tmp_path / "impasto" / "connection.json")
    yield fake
    if fake._thread is not None:
        fake.stop()


class Told:
    """A courier and the news it has brought."""

    def __init__(self, daemon: FakeDaemon, start: Callable[[], None]) -> None:
        self.news: list[News] = []
        self._rung = threading.Event()
        self.courier = Courier(
            lambda: (Client(lambda: dial(daemon.path), name="a test", chance=lambda: 0.0), "zmq"), start, self._rung.set
        )
        self.courier.start()

    def until(self, kind: type, **having: Any) -> Any:
        """The first news of a kind, of those that have not been waited for."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            while self.news:
                news = self.news.pop(0)
                if isinstance(news, kind) and all(getattr(news, name) == is_ for name, is_ in having.items()):
                    return news
            self._rung.wait(0.05)
            self._rung.clear()
            self.news += self.courier.take()
        raise AssertionError(f"No {kind.__name__} came.")

    def until_happened(self, kind: type) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            event = self.until(Happened).event
            if isinstance(event, kind):
                return event
        raise AssertionError(f"No {kind.__name__} happened.")


@pytest.fixture
def told(daemon: FakeDaemon) -> Iterator[Told]:
    made = Told(daemon, daemon.start)
    yield made
    made.courier.stop(wait_s=PATIENCE_S)


def test_a_daemon_that_does_not_run_is_started_and_reached(told: Told) -> None:
    told.until(Starting)
    assert told.until(Reached).transport == "zmq"
    assert told.courier.is_alive
    assert told.until(Reported).report.device == "none"


def test_a_daemon_that_runs_is_not_started(daemon: FakeDaemon) -> None:
    daemon.start()
    told = Told(daemon, lambda: pytest.fail("started"))
    told.until(Reached)
    told.courier.stop(wait_s=PATIENCE_S)


def test_a_daemon_that_does_not_start_is_told_for_good(daemon: FakeDaemon) -> None:
    def fail() -> None:
        raise StartError("It does not start; mend it.")

    told = Told(daemon, fail)
    assert told.until(Unreachable).text == "It does not start; mend it."
    assert not told.courier.is_alive, "an order would be left with one who carries nothing"
    told.courier.stop(wait_s=PATIENCE_S)


def test_starting_is_not_tried_forever(daemon: FakeDaemon) -> None:
    tries: list[int] = []
    told = Told(daemon, lambda: tries.append(1))
    assert told.until(Unreachable, is_final=True).text.startswith("No daemon is running")
    assert len(tries) == STARTS
    told.courier.stop(wait_s=PATIENCE_S)


def test_a_broken_library_is_told_and_not_lost_in_the_thread(daemon: FakeDaemon) -> None:
    def broken() -> tuple[Client, str]:
        raise ImportError("libzmq is for another machine")

    courier = Courier(broken, lambda: None, lambda: None)
    courier.start()
    deadline = time.monotonic() + PATIENCE_S
    while not (news := courier.take()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    assert news == [Unreachable("libzmq is for another machine", is_final=True)]
    assert not courier.is_alive


def test_an_order_is_accepted_and_its_events_are_told(told: Told, daemon: FakeDaemon) -> None:
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    assert told.until(Accepted).job == JOB
    daemon.enter(JOB, JobState.STARTING)
    assert told.until(Happened).event.state is JobState.QUEUED
    assert told.until(Happened).event.state is JobState.STARTING
    for ask in (told.courier.pause, told.courier.unpause):
        ask(JOB)
    told.courier.cancel(JOB, keep_picture=True)
    daemon.wait_until(lambda: daemon.count(m.Cancel) == 1)
    assert [type(one) for one in daemon.heard if isinstance(one, (m.Pause, m.Unpause, m.Cancel))] == [
        m.Pause, m.Unpause, m.Cancel,
    ]  # fmt: skip


def test_an_order_that_is_refused_is_told_with_the_reason(told: Told, daemon: FakeDaemon) -> None:
    def refuse(_fake: FakeDaemon, _message: m.Message) -> m.Message:
        raise InvalidOrderError("There is no network 'vgg99'; choose another.")

    daemon.on["SUBMIT"] = refuse
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    assert told.until(Refused) == Refused(JOB, "There is no network 'vgg99'; choose another.")


@pytest.mark.parametrize("silent_at", ["UPLOAD", "SUBMIT"])
def test_an_order_that_is_discarded_while_it_is_sent_leaves_no_painting_with_the_daemon(
    told: Told, daemon: FakeDaemon, silent_at: str
) -> None:
    daemon.on[silent_at] = lambda _fake, _message: None
    kind = {"UPLOAD": m.Upload, "SUBMIT": m.Submit}[silent_at]
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    daemon.wait_until(lambda: daemon.count(kind) > 0)
    told.courier.cancel(JOB, keep_picture=False)
    told.courier.stop(wait_s=PATIENCE_S)
    daemon.wait_until(lambda: daemon.count(m.Bye) == 1)
    assert [type(one) for one in daemon.heard if getattr(one, "job", None) == JOB][-1] is m.Cancel
    assert daemon.count(m.Submit) == 0 or silent_at == "SUBMIT"


def test_an_order_whose_sending_takes_long_is_sent_all_the_same(told: Told, daemon: FakeDaemon) -> None:
    def hesitate(fake: FakeDaemon, _message: m.Message) -> None:
        if fake.count(m.Upload) > 1:
            del fake.on["UPLOAD"]

    daemon.on["UPLOAD"] = hesitate
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    assert told.until(Accepted).job == JOB
    assert len([one for one in daemon.heard if isinstance(one, m.Submit)]) == 1


def test_a_daemon_that_dies_while_an_order_is_sent_is_started_again_and_gets_it(told: Told, daemon: FakeDaemon) -> None:
    daemon.on["UPLOAD"] = lambda _fake, _message: None
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    daemon.wait_until(lambda: daemon.count(m.Upload) > 0)
    daemon.stop()
    del daemon.on["UPLOAD"]
    assert told.until(Accepted).job == JOB


def question(size: int) -> m.Estimate:
    return m.Estimate(width=100, height=50, settings=Settings(size=size))


def test_of_several_questions_the_last_is_answered(told: Told, daemon: FakeDaemon) -> None:
    for size in range(10, 200):
        told.courier.estimate(question(size))
    told.until(Estimated, question=question(199))
    assert daemon.count(m.Estimate) < 190


def test_a_busy_daemon_is_to_be_asked_again_and_an_impossible_question_is_not(told: Told, daemon: FakeDaemon) -> None:
    for error, is_final in ((BusyError("Not ready; ask again."), False), (InvalidOrderError("No such layer."), True)):

        def refuse(_fake: FakeDaemon, _message: m.Message, error: Exception = error) -> m.Message:
            raise error

        daemon.on["ESTIMATE"] = refuse
        told.courier.estimate(question(64))
        assert told.until(NotEstimated) == NotEstimated(question(64), str(error), is_final)


def test_a_daemon_that_dies_is_started_again_and_its_jobs_are_taken_up(told: Told, daemon: FakeDaemon) -> None:
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    told.until(Accepted)
    daemon.stop()
    told.until_happened(Disconnected)
    told.until(Starting)
    told.until(Reached)
    told.until_happened(Reconnected)
    daemon.enter(JOB, JobState.STARTING)
    while told.until_happened(State).state is not JobState.STARTING:
        pass  # what came before it may be told once more


def test_the_paintings_are_listed_and_one_that_another_has_ordered_is_followed(told: Told, daemon: FakeDaemon) -> None:
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    told.until(Accepted)
    told.courier.stop(wait_s=PATIENCE_S)
    another = Told(daemon, lambda: pytest.fail("started"))
    another.courier.list_jobs()
    listed = another.until(Listed)
    assert [job.job for job in listed.jobs] == [JOB]
    assert listed.report.device == "none"
    another.courier.follow(JOB)
    assert another.until_happened(State).state is JobState.QUEUED
    another.courier.stop(wait_s=PATIENCE_S)


def test_a_painting_of_anothers_that_is_cancelled_is_forgotten_once_it_has_ended(
    told: Told, daemon: FakeDaemon
) -> None:
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    told.until(Accepted)
    told.courier.stop(wait_s=PATIENCE_S)
    another = Told(daemon, lambda: pytest.fail("started"))
    another.courier.follow(JOB)
    another.courier.cancel(JOB, keep_picture=False)
    daemon.wait_until(lambda: daemon.count(m.Cancel) == 1)
    daemon.enter(JOB, JobState.CANCELLED)
    daemon.wait_until(lambda: daemon.count(m.Ack) == 1)
    another.courier.stop(wait_s=PATIENCE_S)


def test_what_was_asked_before_the_end_is_still_said(told: Told, daemon: FakeDaemon) -> None:
    told.courier.submit(JOB, ORDER, [CONTENT, STYLE])
    told.until(Accepted)
    told.courier.cancel(JOB, keep_picture=False)
    told.courier.stop(wait_s=PATIENCE_S)
    daemon.wait_until(lambda: daemon.count(m.Cancel) == 1 and daemon.count(m.Bye) == 1)
