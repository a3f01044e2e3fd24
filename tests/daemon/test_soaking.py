"""The server after much work: it holds no more than before."""

import sys
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_daemon.server.memory import resident_bytes
from impasto_protocol import JobState, State
from impasto_protocol import messages as m
from protocol.fake_daemon import PATIENCE_S
from protocol.following import large_picture, submitted, until_a


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def one_life(serving: Serving, painter: FakePainter) -> None:
    """A client comes, has two jobs painted and looked at, and goes."""
    with serving.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        for _ in range(2):
            before = len(painter.assignments)
            job = submitted(client)
            serving.until(lambda before=before: len(painter.assignments) == before + 1)
            serving.do(painter.begins)
            for evaluation in range(10):
                serving.do(lambda evaluation=evaluation: painter.progresses(evaluation))
                serving.do(lambda evaluation=evaluation: painter.shows(evaluation, 256))
            serving.do(lambda: painter.finishes(large_picture(1)))
            until_a(client, State, job=job, state=JobState.SUCCEEDED)
            client._ask(m.Fetch(job=job, offset_bytes=0, length_bytes=2**20), m.Chunk, PATIENCE_S)
            client._ask(m.Ack(job=job), m.Done, PATIENCE_S)
    painter.assignments.clear()


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
@pytest.mark.parametrize("lives", [60, pytest.param(1500, marks=pytest.mark.slow)])
def test_many_clients_and_jobs_leave_nothing_behind(lives: int, serving: Serving, painter: FakePainter) -> None:
    for _ in range(20):
        one_life(serving, painter)
    serving.until(lambda: not list(serving._daemon._reception.sessions))
    before = resident_bytes(), descriptors()
    for _ in range(lives):
        one_life(serving, painter)
    serving.until(lambda: not list(serving._daemon._reception.sessions))
    serving.until(lambda: not serving._daemon._reception._peers)
    assert resident_bytes() - before[0] < 8_000_000
    assert descriptors() <= before[1] + 8  # what ZeroMQ has not closed yet
    kept = [path.stat().st_size for path in Path(serving.path.parent / "pictures").iterdir()]
    assert sum(kept) < 1000  # the two small pictures of the order
    assert serving.do(lambda: list(serving._daemon._journal.jobs())) == []
    assert serving.do(serving._daemon._journal.sessions) == {}
