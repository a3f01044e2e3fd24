"""The server after much work: it holds no more than before."""

import os
import random
import secrets
import statistics
import sys
import threading
import time
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.processes import DaemonProcess
from daemon.serving import Serving
from impasto_daemon.server.memory import resident_bytes
from impasto_protocol import Fetched, JobState, Result, State
from impasto_protocol import messages as m
from protocol.fake_daemon import PATIENCE_S
from protocol.following import large_picture, submitted, until_a

SOAK_S = float(os.environ.get("IMPASTO_SOAK_S", "600"))
"""Seconds of the long test; an hour tells more."""

WARM_SHARE = 0.3
"""Of the time, after which nothing new should be needed: who left without a word is remembered for 10 seconds."""

SLOPE_BYTES_PER_S = 1_000_000 / 3600
NOISE_BYTES = 1_500_000
"""What malloc keeps at one moment and gives back at another."""


def descriptors(process: int | str = "self") -> int:
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


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


def busy_life(daemon: DaemonProcess, stop: threading.Event, troubles: list[BaseException], seed: int) -> None:
    """Clients that come and go, fetch, cancel, follow, vanish, and talk nonsense."""
    chance = random.Random(seed)  # noqa: S311
    try:
        while not stop.is_set():
            with daemon.client() as client, daemon.client() as other:
                client.connect(timeout_s=PATIENCE_S)
                other.connect(timeout_s=PATIENCE_S)
                job = submitted(client)
                other.follow(job)
                if chance.random() < 0.3:
                    client.cancel(job, keep_picture=chance.random() < 0.5)
                final = until_a(client, State, is_final=True)
                if any(isinstance(event, Result) for event in final):
                    client.fetch(job)
                    until_a(client, Fetched)
                    client.acknowledge(job)
                other.jobs(timeout_s=PATIENCE_S)
                other._link._transport.send([b"IMP1", secrets.token_bytes(40)])
                if chance.random() < 0.3:
                    other._link.close()  # without a word
                for _ in client.events(0.05):
                    pass
    except BaseException as error:
        troubles.append(error)
        stop.set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_a_daemon_at_work_for_long_neither_grows_nor_keeps_descriptors(tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path / "impasto" / "connection.json")
    daemon.start()
    stop = threading.Event()
    troubles: list[BaseException] = []
    lives = [threading.Thread(target=busy_life, args=(daemon, stop, troubles, seed)) for seed in range(3)]
    samples: list[tuple[float, float, int]] = []
    try:
        with daemon.client() as observer:
            observer.connect(timeout_s=PATIENCE_S)
            for life in lives:
                life.start()
            began = time.monotonic()
            while (now := time.monotonic() - began) < SOAK_S and not stop.is_set():
                memory_bytes = observer.status(timeout_s=PATIENCE_S).memory_bytes
                samples.append((now, memory_bytes, descriptors(daemon.process.pid)))
                for _ in observer.events(0.5):
                    pass
            stop.set()
            for life in lives:
                life.join(PATIENCE_S)
            assert troubles == []
            assert observer.jobs(timeout_s=PATIENCE_S) == []
        warm = [sample for sample in samples if sample[0] > WARM_SHARE * SOAK_S]
        slope = statistics.linear_regression([at for at, _, _ in warm], [held for _, held, _ in warm]).slope
        assert slope * (1.0 - WARM_SHARE) * SOAK_S < SLOPE_BYTES_PER_S * SOAK_S + NOISE_BYTES
        half = len(warm) // 2
        counts = [statistics.median(count for _, _, count in part) for part in (warm[:half], warm[half:])]
        assert counts[1] <= counts[0] + 2
    finally:
        stop.set()
        daemon.close()
