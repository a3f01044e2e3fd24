"""The real server in a thread of its own, with whatever paints for it."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from daemon.fake_painter import FakePainter
from impasto_daemon.server.daemon import Daemon
from impasto_protocol import Client, JobState, State, dial
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, until_a


class Serving:
    """Runs a daemon until `stop`; may be started again with another painter.

    Attributes:
        path: Its connection file.
        painter: Who paints.
    """

    def __init__(self, path: Path, painter: Any = None) -> None:
        self.path = path
        self.painter = painter or FakePainter()
        self.trouble: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, **options: Any) -> None:
        # The memory of this process is that of all tests before, TensorFlow included.
        options.setdefault("memory_bytes", 2**40)
        ready = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._daemon = Daemon(connection_file=self.path, painter=self.painter, **options)
            self._daemon.on_ready = lambda _: ready.set()
            await self._daemon.run()

        def run() -> None:
            try:
                asyncio.run(serve())
            except BaseException as error:
                self.trouble = error
                ready.set()

        self.trouble = None
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE_S)
        if self.trouble is not None:
            raise self.trouble

    def stop(self) -> None:
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._daemon.stop)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._thread = None
        assert self.trouble is None, self.trouble

    def do(self, act: Callable[[], Any]) -> Any:
        """Does something in the daemon's thread, and waits until it is done."""
        done = threading.Event()
        outcome: list[Any] = []

        def run() -> None:
            try:
                outcome.append(act())
            except BaseException as error:
                outcome.append(error)
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(PATIENCE_S)
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    def until(self, come_true: Callable[[], bool], what: str = "it") -> None:
        """Waits, with a deadline, until something is true in the daemon."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.do(come_true):
            assert time.monotonic() < deadline, f"{what} did not come true"
            threading.Event().wait(0.005)

    def client(self, **options: Any) -> Client:
        return Client(lambda: dial(self.path), name="a test", chance=lambda: 0.0, **options)


def at_work(client: Client, serving: Serving, painter: FakePainter, **changes: Any) -> str:
    """A job that is being painted."""
    job = client.submit(replace(ORDER, **changes), [CONTENT, STYLE], timeout_s=PATIENCE_S)
    serving.until(lambda: bool(painter.assignments) and painter.at.job == job)
    serving.do(painter.begins)
    until_a(client, State, job=job, state=JobState.RUNNING)
    return job
