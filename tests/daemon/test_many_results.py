"""A client that fetches all its results at once, as fast as it can, from the real server."""

import logging
from collections.abc import Sequence

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving, at_work
from impasto_daemon.server.limits import MAX_JOBS_PER_SESSION
from impasto_protocol import Client, Disconnected, Fetched, JobState, Reconnected, Result, State, dial
from impasto_protocol.codec import read_header
from impasto_protocol.errors import ConnectionLostError, TooManyErrorsError
from impasto_protocol.fields import Data
from impasto_protocol.orders import WhenDetached
from impasto_protocol.transport import Transport
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, large_picture, until, until_a
from protocol.specification import Traffic, check_sizes

WHOLE = 16 * 4
"""The parts of all results."""


class Fragile:
    """A way to the daemon that is lost after so many parts of results."""

    def __init__(self, transport: Transport, parts: int) -> None:
        self._transport = transport
        self._left = parts
        self.send, self.wait, self.close = transport.send, transport.wait, transport.close

    @property
    def descriptor(self) -> int:
        return self._transport.descriptor

    def receive(self) -> Sequence[Data] | None:
        frames = self._transport.receive()
        self._left -= frames is not None and len(frames) > 2
        if self._left < 0:
            raise ConnectionLostError("The cable was pulled.")
        return frames


class Greedy:
    """A way to the daemon by which each part is asked for a hundred times over."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.receive, self.wait, self.close = transport.receive, transport.wait, transport.close

    @property
    def descriptor(self) -> int:
        return self._transport.descriptor

    def send(self, frames: Sequence[Data]) -> None:
        for _ in range(100 if read_header(frames).type == "FETCH" else 1):
            self._transport.send(frames)


@pytest.mark.parametrize("breaks_after", [[], [30], [1, 30]], ids=["in one go", "over one break", "over two"])
def test_sixteen_results_fetched_at_once_all_arrive_and_nobody_is_cut_off(
    breaks_after: list[int], serving: Serving, painter: FakePainter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    painted = large_picture(8)
    traffic = Traffic()
    dialled, lasting = traffic.dialled(serving.path), [*breaks_after, WHOLE]
    with Client(lambda: Fragile(dialled(), lasting.pop(0)), name="a test", chance=lambda: 0.0) as client:
        client.connect(timeout_s=PATIENCE_S)
        jobs = [client.submit(ORDER, [CONTENT, STYLE], timeout_s=PATIENCE_S) for _ in range(MAX_JOBS_PER_SESSION)]
        for number in range(1, len(jobs) + 1):
            serving.until(lambda number=number: len(painter.assignments) == number)
            serving.do(painter.begins)
            serving.do(lambda: painter.finishes(painted))
        until(client, lambda event: isinstance(event, Result) and event.job == jobs[-1])
        for job in jobs:
            client.fetch(job)
        missing = set(jobs)

        def is_last(event: object) -> bool:
            if isinstance(event, Fetched):
                assert event.pixels == painted.data
                missing.remove(event.result.job)
            return not missing

        events = until(client, is_last)
    assert sum(isinstance(event, Disconnected) for event in events) == len(breaks_after)
    assert sum(isinstance(event, Reconnected) for event in events) == len(breaks_after)
    assert not [record.message for record in caplog.records if "Cut off" in record.message]
    check_sizes(traffic)


def test_who_is_cut_off_is_told_and_comes_back_for_the_result_and_for_the_job_that_would_end_without_it(
    serving: Serving, painter: FakePainter
) -> None:
    painted = large_picture(8)
    ways = [lambda: Greedy(dial(serving.path)), lambda: dial(serving.path)]
    with Client(lambda: ways.pop(0)(), name="a test", chance=lambda: 0.0) as client:
        client.connect(timeout_s=PATIENCE_S)
        job = at_work(client, serving, painter)
        serving.do(lambda: painter.finishes(painted))
        until_a(client, State, job=job, state=JobState.SUCCEEDED)
        other = at_work(client, serving, painter, when_detached=WhenDetached.CANCEL)
        client.fetch(job)
        events = until_a(client, Fetched)
        assert events[-1].pixels == painted.data
        (broken,) = (event.error for event in events if isinstance(event, Disconnected))
        assert isinstance(broken, TooManyErrorsError)
        assert "10 MiB waited to be read; connect again" in str(broken)
        assert Reconnected(resumed=True) in events
        serving.do(lambda: painter.finishes(CONTENT))
        until_a(client, State, job=other, state=JobState.SUCCEEDED)
        assert painter.asked == []
