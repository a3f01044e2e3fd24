"""Thirty-two sessions at once, their jobs painted side by side and in turns: nothing of one is told to another."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_protocol import Client, Fetched, JobState, Picture, Preview, Progress, Result, State
from impasto_protocol.errors import PaintingFailedError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import picture, submitted, until_a

SESSIONS, JOBS_EACH, DEVICES = 32, 2, 3
EVALUATIONS = 2
FINAL = {"finish": JobState.SUCCEEDED, "fail": JobState.FAILED, "cancel": JobState.CANCELLED}


@pytest.fixture
def painters() -> list[FakePainter]:
    return [FakePainter(devices=DEVICES) for _ in range(DEVICES)]


@pytest.fixture
def serving(tmp_path: Path, painters: list[FakePainter]) -> Iterator[Serving]:
    server = Serving(tmp_path / "impasto" / "connection.json", painters[0])
    server.start(hire=lambda device: painters[device])
    yield server
    server.stop()


class Story:
    """What is to become of each job: every third fails, every fourth is cancelled; and what is told of it is its own.

    Attributes:
        number: Of each job.
        owner: Of each job.
    """

    def __init__(self, clients: list[Client]) -> None:
        self.owner: dict[str, Client] = {}
        for _ in range(JOBS_EACH):
            for client in clients:
                self.owner[submitted(client)] = client
        self.number = {job: number for number, job in enumerate(self.owner, 1)}

    def end(self, job: str) -> str:
        number = self.number[job]
        return "fail" if number % 3 == 0 else "cancel" if number % 4 == 0 else "finish"

    def evaluation(self, job: str, turn: int) -> int:
        return EVALUATIONS * self.number[job] + turn

    def painted(self, job: str) -> Picture:
        return picture(seed=self.number[job])

    def act_out(self, serving: Serving, painters: list[FakePainter]) -> None:
        """Has all jobs painted, as many at once as there are painters, which speak by turns."""
        over: set[str] = set()
        while len(over) < len(self.owner):
            busy = painters[: len(self.owner) - len(over)]
            for painter in busy:
                serving.until(partial(is_at_another, painter, over))
            for painter in busy:
                serving.do(painter.begins)
            for turn in range(EVALUATIONS):
                for painter in busy:
                    evaluation = self.evaluation(painter.at.job, turn)
                    serving.do(lambda painter=painter, evaluation=evaluation: painter.progresses(evaluation))
                    serving.do(lambda painter=painter, evaluation=evaluation: painter.shows(evaluation))
            at_hand = {painter.at.job: painter for painter in busy}
            serving.until(lambda: not serving._daemon._reception._unflushed)
            for job, painter in at_hand.items():
                self._end(job, painter, serving)
            over |= set(at_hand)

    def _end(self, job: str, painter: FakePainter, serving: Serving) -> None:
        match self.end(job):
            case "finish":
                serving.do(lambda: painter.finishes(self.painted(job)))
            case "fail":
                serving.do(lambda: painter.fails(PaintingFailedError(f"Number {self.number[job]} failed.")))
            case "cancel":
                asked, number = len(painter.asked), painter.at.number
                self.owner[job].cancel(job)
                serving.until(lambda: len(painter.asked) > asked)
                serving.do(lambda: painter.patron.discarded(number))


def is_at_another(painter: FakePainter, over: set[str]) -> bool:
    return bool(painter.assignments) and painter.at.job not in over


def everything_told(client: Client) -> list[Any]:
    """All events that the daemon has sent so far: what it answers now comes after them."""
    client.status(timeout_s=PATIENCE_S)
    return list(client.events(0.0))


def test_thirty_two_sessions_with_interleaved_jobs_hear_each_of_its_own_only(
    new_client: Callable[..., Client], serving: Serving, painters: list[FakePainter]
) -> None:
    clients = [new_client() for _ in range(SESSIONS)]
    story = Story(clients)
    story.act_out(serving, painters)
    for client in clients:
        own = [job for job, owner in story.owner.items() if owner is client]
        told: dict[str, list[Any]] = defaultdict(list)
        for event in everything_told(client):
            told[event.job].append(event)
        assert set(told) == set(own)
        for job in own:
            check(told[job], job, story)
            if story.end(job) == "finish":
                client.fetch(job)
                assert until_a(client, Fetched)[-1].pixels == story.painted(job).data


def check(events: list[Any], job: str, story: Story) -> None:
    """What was told of a job is all of it, in order, and nothing that was told of another under its name."""
    reliable = [event for event in events if isinstance(event, State | Result)]
    assert [event.seq for event in reliable] == list(range(1, len(reliable) + 1))
    states = [event.state for event in reliable if isinstance(event, State)]
    assert states[:3] == [JobState.QUEUED, JobState.STARTING, JobState.RUNNING]
    assert states[-1] == FINAL[story.end(job)]
    if story.end(job) == "fail":
        assert reliable[-1].failure.text == f"Number {story.number[job]} failed."
    results = [event.picture.digest for event in reliable if isinstance(event, Result)]
    assert results == ([story.painted(job).blob.digest] if story.end(job) == "finish" else [])
    last = story.evaluation(job, EVALUATIONS - 1)
    assert [event.evaluation for event in events if isinstance(event, Progress)] == [last]
    assert [event.data for event in events if isinstance(event, Preview)] == [bytes([last]) * 16]
