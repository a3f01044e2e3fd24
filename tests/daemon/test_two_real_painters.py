"""Two painting processes with the real engine, side by side: each picture is what it would be alone, and the death of
one process is nothing to the other.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import psutil
import pytest

from daemon.fake_studio import ALWAYS
from daemon.real_studio import open_one_of
from daemon.serving import Serving
from impasto_daemon.server.worker_painter import WorkerPainter
from impasto_daemon.worker.pictures import pixels_in, samples_of
from impasto_protocol import (
    Client,
    Fetched,
    Order,
    Picture,
    Preview,
    PreviewWish,
    Progress,
    Result,
    SampleType,
    Settings,
    State,
    Style,
)
from protocol.following import picture, until_a

LONG_S = 300.0
"""Importing TensorFlow in two processes on a busy machine."""

PLANNED = 60
"""Evaluations of a painting that comes to its end."""

ENDLESS = 100_000

CONTENTS = picture(width=60, height=45, seed=1), picture(width=60, height=45, seed=5)
STYLES = picture(width=40, height=40, seed=2), picture(width=40, height=40, seed=9)
SIZES = 64, 96


@pytest.fixture(scope="module")
def painters() -> list[WorkerPainter]:
    return [WorkerPainter(partial(open_one_of, 2, device), cadence=ALWAYS) for device in range(2)]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, painters: list[WorkerPainter]) -> Iterator[Serving]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_WEIGHTS_DIR", str(tmp_path_factory.mktemp("weights")))  # nothing but `lite`
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        server = Serving(tmp_path_factory.mktemp("state") / "impasto" / "connection.json", painters[0])
        server.start(hire=lambda device: painters[device])
        yield server
        server.stop()


class Editor:
    """A client with one job, and all that it hears.

    Args:
        client: Connected.
        which: Of the pictures and sizes above.
        evaluations: How many are planned.
    """

    def __init__(self, client: Client, which: int, evaluations: int) -> None:
        self.client = client
        self.content, self.style = CONTENTS[which], STYLES[which]
        self.settings = Settings(size=SIZES[which], evaluations=evaluations, precision="float32")
        order = Order(
            content=self.content.blob,
            styles=(Style(picture=self.style.blob),),
            network="lite",
            polish="none",
            settings=self.settings,
            previews=PreviewWish(interval_s=0.0, longer_side=32),
        )
        self.heard: list[tuple[float, Any]] = []
        self.job = client.submit(order, [self.content, self.style], timeout_s=LONG_S)

    def listen(self) -> None:
        self.heard += [(time.monotonic(), event) for event in self.client.events(0.01)]

    @property
    def states(self) -> list[str]:
        return [str(event.state) for _, event in self.heard if isinstance(event, State)]

    @property
    def evaluations(self) -> list[int]:
        return [event.evaluation for _, event in self.heard if isinstance(event, Progress)]

    @property
    def result(self) -> Result:
        (result,) = (event for _, event in self.heard if isinstance(event, Result))
        return result

    def evaluations_between(self, begin: float, end: float) -> int:
        return sum(isinstance(event, Progress) and begin <= then <= end for then, event in self.heard)

    @property
    def began(self) -> float:
        return next(then for then, event in self.heard if isinstance(event, Progress))

    def last_entered(self, state: str) -> float:
        return max(then for then, event in self.heard if isinstance(event, State) and event.state == state)

    def fetched(self) -> bytes:
        self.client.fetch(self.job)
        (picture,) = (event for event in until_a(self.client, Fetched) if isinstance(event, Fetched))
        return bytes(picture.pixels)


@pytest.fixture
def clients(serving: Serving) -> Iterator[tuple[Client, Client]]:
    with serving.client() as one, serving.client() as other:
        deadline = time.monotonic() + LONG_S
        for client in (one, other):
            client.connect(timeout_s=LONG_S)
        while one.status(timeout_s=LONG_S).device != "2 × CPU":
            assert time.monotonic() < deadline, "the second painter is not hired"
            list(one.events(0.05))
        yield one, other


def listen_until(editors: tuple[Editor, Editor], come_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not come_true():
        assert time.monotonic() < deadline, [(each.states, each.evaluations[-1:]) for each in editors]
        for editor in editors:
            editor.listen()


def strictly_rises(numbers: list[int]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


def assert_nothing_crosses(editors: tuple[Editor, Editor]) -> None:
    for editor in editors:
        told = [event for _, event in editor.heard if isinstance(event, (State, Progress, Preview, Result))]
        assert {event.job for event in told} == {editor.job}
        assert {type(event) for event in told} == {State, Progress, Preview, Result}


def painted_alone(editor: Editor, *, stop_at: int | None = None) -> bytes:
    """What the engine paints of the same in this process, with nothing beside it."""
    from impasto_engine.networks import load_network
    from impasto_engine.painting import paint
    from impasto_engine.settings import Settings as EngineSettings
    from impasto_engine.settings import Style as EngineStyle

    def pixels(of: Picture) -> Any:
        return pixels_in(of.format, of.data)

    evaluation = 0

    def told(progress: Any) -> None:
        nonlocal evaluation
        evaluation = progress.evaluation

    painting = paint(
        pixels(editor.content),
        [EngineStyle(pixels=pixels(editor.style))],
        load_network("lite"),
        EngineSettings(
            size=editor.settings.size, evaluations=editor.settings.evaluations, precision=editor.settings.precision
        ),
        on_progress=told,
        should_stop=lambda: evaluation == stop_at,
    )
    _, data = samples_of(painting.pixels, SampleType.UINT8)
    return bytes(data)


def test_two_editors_are_painted_for_at_the_same_time_and_each_gets_the_picture_it_would_get_alone(
    serving: Serving, painters: list[WorkerPainter], clients: tuple[Client, Client]
) -> None:
    editors = Editor(clients[0], 0, PLANNED), Editor(clients[1], 1, PLANNED)
    assert len({os.getpid(), *(painter.pid for painter in painters)}) == 3
    listen_until(editors, lambda: all(editor.evaluations for editor in editors))
    report = clients[0].status(timeout_s=LONG_S)
    assert (report.painting, report.queued) == (2, 0)
    listen_until(editors, lambda: all(editor.states[-1] == "SUCCEEDED" for editor in editors))
    begin = max(editor.began for editor in editors)
    end = min(editor.heard[-1][0] for editor in editors)
    assert min(editor.evaluations_between(begin, end) for editor in editors) >= 10, "in turn, and not side by side"
    assert_nothing_crosses(editors)
    for editor in editors:
        assert editor.states == ["QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]
        assert strictly_rises(editor.evaluations)
        assert editor.result.evaluations == PLANNED
        assert editor.fetched() == painted_alone(editor)


def test_the_death_of_one_process_costs_its_painting_time_and_the_other_nothing(
    serving: Serving, painters: list[WorkerPainter], clients: tuple[Client, Client]
) -> None:
    first, second = editors = Editor(clients[0], 0, PLANNED), Editor(clients[1], 1, ENDLESS)
    victim, survivor = (painter.pid for painter in painters)
    assert victim is not None
    listen_until(editors, lambda: bool(second.evaluations) and any(each >= 20 for each in first.evaluations))
    assert first.states[-1] == "RUNNING"
    os.kill(victim, signal.SIGKILL)
    killed_at = time.monotonic()
    listen_until(editors, lambda: first.states[-1] == "SUCCEEDED")
    assert first.states == [
        *("QUEUED", "STARTING", "RUNNING", "INTERRUPTED"),
        *("QUEUED", "STARTING", "RUNNING", "SUCCEEDED"),
    ]
    assert painters[0].pid not in (None, victim), "a fresh process, as the other one was at work all the time"
    assert not psutil.pid_exists(victim)
    assert painters[1].pid == survivor
    restarted_at = max(
        then for then, event in first.heard if isinstance(event, State) and str(event.state) == "RUNNING"
    )
    assert second.evaluations_between(killed_at, restarted_at) >= 10, "it waited for the other's new process"
    second.client.cancel(second.job, keep_picture=True)
    listen_until(editors, lambda: second.states[-1] == "SUCCEEDED")
    assert second.states == ["QUEUED", "STARTING", "RUNNING", "CANCELLING", "SUCCEEDED"]
    assert strictly_rises(second.evaluations), "it did not go back to a checkpoint"
    assert_nothing_crosses(editors)
    assert first.result.evaluations == PLANNED
    assert first.fetched() == painted_alone(first)
    assert second.fetched() == painted_alone(second, stop_at=second.result.evaluations)
