"""The daemon of the command line, with the engine at work, told to end or killed: nothing of it is left within three
seconds, and the next one paints on.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from impasto_protocol import (
    Client,
    Fetched,
    Order,
    Picture,
    PixelFormat,
    Progress,
    Reconnected,
    Result,
    Settings,
    State,
    Style,
    dial,
    read_connection,
)
from protocol.following import STYLE, until, until_a, until_it_is_true

LONG_S = 300.0
"""Importing TensorFlow, and a first evaluation, on a busy machine."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "impasto" / "connection.json"


@pytest.fixture
def impasto(path: Path, tmp_path: Path) -> Iterator["Impasto"]:
    (tmp_path / "weights").mkdir()
    command = Impasto(
        {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "IMPASTO_CONNECTION": str(path),
            "IMPASTO_WEIGHTS_DIR": str(tmp_path / "weights"),
            "KERAS_HOME": str(tmp_path / "keras"),
        }
    )
    yield command
    command("daemon", "stop")


class Impasto:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def __call__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "impasto_daemon", *arguments]
        subprocess.run(command, env=self._environment, check=True, stdout=subprocess.DEVNULL, timeout=LONG_S)  # noqa: S603


def until_gone(processes: list[psutil.Process]) -> None:
    deadline = time.monotonic() + LONG_S
    while any(is_alive(process) for process in processes):
        assert time.monotonic() < deadline, "they live on"
        threading.Event().wait(0.01)


def is_alive(process: psutil.Process) -> bool:
    """Not so when it only waits for a parent to take notice, which is no business of the daemon's."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def order_of(side: int, recipe: str) -> tuple[Order, list[Picture]]:
    """A painting that does not end by itself."""
    form = PixelFormat(width=side, height=side, channels=3)
    content = Picture(format=form, data=bytes(i % 253 for i in range(form.size_bytes)))
    order = Order(
        content=content.blob,
        styles=(Style(picture=STYLE.blob),),
        network="lite",
        polish="none",
        settings=Settings(recipe=recipe, size=side, evaluations=50_000),
    )
    return order, [content, STYLE]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("side", "recipe"), [(192, "impasto"), (1600, "gatys")], ids=["quick evaluations", "evaluations of seconds"]
)
def test_a_daemon_told_to_end_while_the_engine_paints_is_gone_within_three_seconds_and_the_next_paints_on(
    side: int, recipe: str, impasto: Impasto, path: Path
) -> None:
    least = 3 if recipe == "impasto" else 1
    impasto("daemon", "start")
    with Client(lambda: dial(path), name="a test", chance=lambda: 0.0) as client:
        client.connect(timeout_s=LONG_S)
        job = client.submit(*order_of(side, recipe), timeout_s=LONG_S)
        until(client, lambda event: isinstance(event, Progress) and event.evaluation >= least, patience_s=LONG_S)
        server = psutil.Process(read_connection(path).pid)
        processes = [server, *server.children(recursive=True)]
        assert len(processes) > 1
        told = time.monotonic()
        server.send_signal(signal.SIGTERM)
        until_gone(processes)
        assert time.monotonic() - told < 3.0
        assert not path.exists()
        seen = [event.evaluation for event in client.events(0.0) if isinstance(event, Progress)]
        impasto("daemon", "start")
        resumed = until(client, lambda event: isinstance(event, Progress), patience_s=LONG_S)[-1]
        assert resumed.job == job
        if recipe == "impasto":  # there was time to write down where it stood
            assert resumed.evaluation > max(seen, default=least)


@pytest.mark.slow
def test_a_painting_of_the_engines_whose_daemon_was_killed_becomes_the_picture_it_would_have_been(
    impasto: Impasto, path: Path
) -> None:
    order, pictures = order_of(192, "impasto")
    impasto("daemon", "start")
    with Client(lambda: dial(path), name="a test", chance=lambda: 0.0) as client:
        client.connect(timeout_s=LONG_S)
        disturbed = client.submit(order, pictures, timeout_s=LONG_S)
        until(client, lambda event: isinstance(event, Progress), patience_s=LONG_S)
        until_it_is_true(client, lambda: any((path.parent / "checkpoints").glob("*.npz")))
        seen = until(client, lambda event: isinstance(event, Progress))
        beyond = seen[-1].evaluation + 5
        seen = until(client, lambda event: isinstance(event, Progress) and event.evaluation > beyond)
        server = psutil.Process(read_connection(path).pid)
        children = server.children(recursive=True)
        assert children
        killed = time.monotonic()
        server.kill()
        until_gone([server, *children])
        assert time.monotonic() - killed < 3.0
        impasto("daemon", "start")
        until_a(client, Reconnected, resumed=True)
        resumed = until(client, lambda event: isinstance(event, Progress), patience_s=LONG_S)
        assert [str(event.state) for event in resumed if isinstance(event, State)] == [
            *("INTERRUPTED", "QUEUED", "STARTING", "RUNNING")
        ]
        assert 1 < resumed[-1].evaluation <= seen[-1].evaluation, "it goes on from the checkpoint before that"
        until(client, lambda event: isinstance(event, Progress) and event.evaluation > seen[-1].evaluation + 20)
        client.cancel(disturbed, keep_picture=True)
        result, picture = painted(client, disturbed)
        assert result.evaluations > seen[-1].evaluation
        undisturbed = client.submit(replace(order, stop_at=result.evaluations), pictures, timeout_s=LONG_S)
        expected, expected_picture = painted(client, undisturbed)
        assert (result.evaluations, result.losses) == (expected.evaluations, expected.losses)
        assert picture == expected_picture


def painted(client: Client, job: str) -> tuple[Result, bytes]:
    """The result of a job, whose picture has arrived."""
    heard = until(
        client, lambda event: isinstance(event, State) and event.job == job and event.is_final, patience_s=LONG_S
    )
    (result,) = (event for event in heard if isinstance(event, Result))
    client.fetch(job)
    return result, bytes(until_a(client, Fetched)[-1].pixels)
