"""A painter that is a process of its own: started, listened to, and replaced when it dies, hangs or does not obey.

Commands and news pass through a pipe, previews through shared memory, and whole pictures through files of the blob
store, where they have to lie anyway.
"""

import asyncio
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from impasto_daemon.server.limits import (
    HANG_S,
    HARD_STOP_S,
    MAX_FALSE_STARTS,
    MAX_QUESTIONS,
    RESPAWN_FIRST_S,
    RESPAWN_LONGEST_S,
    START_S,
    TEND_S,
    WORKER_END_S,
)
from impasto_daemon.server.memory import resident_bytes
from impasto_daemon.server.painter import Answer, Assignment, Patron
from impasto_daemon.server.patience import Patience
from impasto_daemon.worker import said
from impasto_daemon.worker.keeper import Cadence
from impasto_daemon.worker.main import work
from impasto_daemon.worker.studio import Studio
from impasto_protocol.errors import BusyError, RefusalError, WorkerLostError
from impasto_protocol.failures import Failure
from impasto_protocol.limits import WINDOW_BYTES
from impasto_protocol.messages import Estimate
from impasto_protocol.orders import Adjustment

__all__ = ["WorkerPainter"]

SLEPT_TENDS = 20
"""Missed looks after which this process must have been stopped itself, and silence means nothing."""

USUAL_CADENCE = Cadence()

_log = logging.getLogger(__name__)


class WorkerPainter:
    """See the module, and `Painter`; belongs to the event loop in which it is started.

    Args:
        open_studio: Makes the painting process ready to paint; a function that can be imported.
        cadence: Of checkpoints.
        hang_s: Seconds of silence after which a painting counts as hung.
        hard_stop_s: Seconds after which a painting that shall stop and does not loses its process.
        clock: Gives seconds.
    """

    def __init__(
        self,
        open_studio: Callable[[], Studio],
        *,
        cadence: Cadence = USUAL_CADENCE,
        hang_s: float = HANG_S,
        hard_stop_s: float = HARD_STOP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_studio = open_studio
        self._cadence = cadence
        self._hang_s = hang_s
        self._hard_stop_s = hard_stop_s
        self._clock = clock
        self._spawning = multiprocessing.get_context("spawn")
        self._patron: Patron | None = None
        self._process: SpawnProcess | None = None
        self._pipe: Connection[object, Any] | None = None
        self._memory: SharedMemory | None = None
        self._ready: said.Ready | None = None
        self._assignment: Assignment | None = None
        self._answers: dict[int, Answer] = {}
        self._questions = 0
        self._patience = Patience(hang_s=hang_s, now=0.0)
        self._tended_at = self._spawned_at = 0.0
        self._false_starts = 0
        self._spawn_at: float | None = None

    @property
    def is_ready(self) -> bool:
        """See `Painter`."""
        return self._ready is not None

    @property
    def device(self) -> str:
        """See `Painter`."""
        if self._ready is not None:
            return self._ready.device
        return "unknown: the painting process is starting" if not self._false_starts else "none: painting cannot start"

    @property
    def devices(self) -> int:
        """See `Painter`."""
        return 1 if self._ready is None else self._ready.devices

    @property
    def networks(self) -> tuple[str, ...]:
        """See `Painter`."""
        return () if self._ready is None else self._ready.networks

    @property
    def memory_bytes(self) -> int:
        """See `Painter`."""
        return 0 if self.pid is None else resident_bytes(self.pid)

    @property
    def pid(self) -> int | None:
        """The painting process."""
        return None if self._process is None else self._process.pid

    def start(self, patron: Patron) -> None:
        """See `Painter`."""
        self._patron = patron
        self._loop = asyncio.get_running_loop()
        self._tended_at = self._clock()
        self._spawn()

    def paint(self, assignment: Assignment) -> None:
        """See `Painter`."""
        self._assignment = assignment
        self._patience = Patience(hang_s=self._hang_s, now=self._clock())
        self._say(assignment)

    def pause(self) -> None:
        """See `Painter`."""
        self._wish(lambda number: said.PauseWished(number, pause=True))

    def unpause(self) -> None:
        """See `Painter`."""
        self._wish(lambda number: said.PauseWished(number, pause=False))

    def stop(self, *, keep_picture: bool) -> None:
        """See `Painter`."""
        self._patience.is_paused = False
        self._patience.stop_by(None if keep_picture else self._clock() + self._hard_stop_s)
        self._wish(lambda number: said.StopWished(number, keep_picture))

    def lay_down(self) -> None:
        """See `Painter`."""
        self._patience.is_paused = False
        self._wish(said.LayDownWished)

    def adjust(self, adjustment: Adjustment) -> None:
        """See `Painter`."""
        self._wish(lambda number: said.Adjusted(number, adjustment))

    def estimate(self, question: Estimate, answer: Answer) -> None:
        """See `Painter`."""
        if len(self._answers) >= MAX_QUESTIONS:
            answer(BusyError(f"{MAX_QUESTIONS} questions wait for an answer; ask again later.", retry_after_s=1.0))
            return
        if self._process is None:
            answer(BusyError(f"The device is {self.device}; ask again later.", retry_after_s=RESPAWN_LONGEST_S))
            return
        self._questions += 1
        self._answers[self._questions] = answer
        self._say(said.Asked(self._questions, question))

    def tend(self) -> None:
        """See `Painter`."""
        now = self._clock()
        if now - self._tended_at > SLEPT_TENDS * TEND_S:
            self._spawned_at = now
            self._patience.slept(now)
        self._tended_at = now
        if self._process is None:
            if self._spawn_at is not None and now >= self._spawn_at:
                self._spawn()
        elif self._ready is None:
            if now - self._spawned_at > START_S:
                self._kill("has not become ready")
        elif self._assignment is not None and (complaint := self._patience.complaint(now)) is not None:
            self._kill(complaint)

    def close(self) -> None:
        """See `Painter`."""
        self._patron = None
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join(WORKER_END_S)
        if self._pipe is not None:
            self._pipe.close()
        self._drop_memory()

    def _drop_memory(self) -> None:
        if self._memory is not None:
            self._memory.close()
            with suppress(FileNotFoundError):
                self._memory.unlink()
            self._memory = None

    def _spawn(self) -> None:
        self._drop_memory()
        ours, theirs = self._spawning.Pipe()
        try:
            self._memory = SharedMemory(create=True, size=WINDOW_BYTES)
            process = self._spawning.Process(
                target=work,
                args=(theirs, self._memory.name, self._open_studio, self._cadence),
                name="impasto painter",
                daemon=True,
            )
            process.start()
        except OSError as error:
            _log.error("The painting process cannot be started: %s", error)
            self._spawn_at = self._clock() + RESPAWN_LONGEST_S
            return
        finally:
            theirs.close()
        self._process, self._pipe, self._ready = process, ours, None
        self._spawned_at, self._spawn_at = self._clock(), None
        threading.Thread(target=self._listen, args=(process, ours), daemon=True).start()

    def _listen(self, process: SpawnProcess, pipe: "Connection[object, Any]") -> None:
        """Hands what the process says to the server's thread; of a thread of its own."""
        with suppress(RuntimeError):  # the loop is closed: the server has ended
            while True:
                try:
                    news = pipe.recv()
                except (EOFError, OSError):
                    self._loop.call_soon_threadsafe(self._ended, process)
                    return
                self._loop.call_soon_threadsafe(self._heard, process, news)

    def _heard(self, process: SpawnProcess, news: object) -> None:
        if process is not self._process or self._patron is None:
            return
        self._patience.heard(self._clock())
        self._pass_on(news, self._patron)

    def _pass_on(self, news: object, patron: Patron) -> None:
        match news:
            case said.Ready():
                assert self._memory is not None  # noqa: S101
                self._memory.unlink()  # both have it, and now it ends with them, however they end
                self._ready, self._false_starts = news, 0
                _log.info("Painting on %s.", news.device)
                patron.ready()
            case said.Logged(level, name, text):
                logging.getLogger(name).log(level, "%s", text)
            case said.Unfit(failure):
                _log.error("Painting cannot start: %s", failure.text)
                self._false_starts = max(self._false_starts, 1)
                patron.unfit(failure.exception())
            case said.Began(number):
                self._patience.began()
                patron.began(number)
            case said.Told(number, progress):
                patron.progressed(number, progress)
            case said.Shown(number, evaluation, form):
                assert self._memory is not None  # noqa: S101
                assert self._memory.buf is not None  # noqa: S101
                data = bytes(self._memory.buf[: form.size_bytes])
                self._say(said.Taken())
                patron.showed(number, evaluation, form, data)
            case said.Paused(number):
                self._patience.is_paused = True
                patron.paused(number)
            case said.Unpaused(number):
                self._patience.is_paused = False
                patron.unpaused(number)
            case said.Finished(number, painted):
                self._assignment = None
                patron.finished(number, painted)
            case said.Discarded(number):
                self._assignment = None
                patron.discarded(number)
            case said.LaidDown(number):
                self._assignment = None
                patron.laid_down(number)
            case said.Failed(number, failure):
                self._assignment = None
                patron.failed(number, failure.exception())
            case said.Answered(question, answer):
                found = answer.exception() if isinstance(answer, Failure) else answer
                self._answers.pop(question)(found)

    def _ended(self, process: SpawnProcess) -> None:
        """The process has died: another one takes its place."""
        if process is not self._process or self._patron is None:
            return
        process.kill()  # in case it has only closed its end
        process.join(WORKER_END_S)
        _log.error("The painting process %s has ended with %s.", process.pid, process.exitcode)
        was_ready = self._ready is not None
        self._process = self._ready = None
        assignment, self._assignment = self._assignment, None
        if assignment is not None:
            assignment.result.unlink(missing_ok=True)
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer(BusyError("The painting process has ended; ask again.", retry_after_s=1.0))
        self._patron.lost()
        self._false_starts = 0 if was_ready else self._false_starts + 1
        if was_ready:
            self._spawn()
            return
        self._spawn_at = self._clock() + min(RESPAWN_FIRST_S * 2.0**self._false_starts, RESPAWN_LONGEST_S)
        if self._false_starts >= MAX_FALSE_STARTS:
            self._patron.unfit(_why_not_started(self._false_starts))

    def _kill(self, why: str) -> None:
        assert self._process is not None  # noqa: S101
        _log.error("The painting process %s %s, and is killed.", self._process.pid, why)
        self._process.kill()

    def _wish(self, wish: Callable[[int], object]) -> None:
        if self._assignment is not None:
            self._say(wish(self._assignment.number))

    def _say(self, what: object) -> None:
        if self._pipe is not None:
            with suppress(OSError):  # it has died; `_ended` follows
                self._pipe.send(what)


def _why_not_started(times: int) -> RefusalError:
    return WorkerLostError(f"The painting process has died {times} times before it was ready; see the daemon's log.")
