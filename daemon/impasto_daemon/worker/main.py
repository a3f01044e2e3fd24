"""The painting process's own loop: one thread listens to the server, the main thread paints."""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from zlib import crc32

from impasto_daemon.server.logbook import new_log_id
from impasto_daemon.server.painter import Assignment, Painted
from impasto_daemon.streams import give_missing_streams
from impasto_daemon.worker.easel import DiscardedError, Easel, LaidDownError, Window
from impasto_daemon.worker.keeper import Cadence, Keeper
from impasto_daemon.worker.said import (
    Adjusted,
    Answered,
    Asked,
    Discarded,
    Failed,
    Finished,
    LaidDown,
    LayDownWished,
    Logged,
    PauseWished,
    Ready,
    StopWished,
    Taken,
    Unfit,
)
from impasto_daemon.worker.soundness import check_pictures
from impasto_daemon.worker.studio import Canvas, Studio
from impasto_protocol.errors import BusyError, InternalError, RefusalError, StorageError
from impasto_protocol.failures import Failure
from impasto_protocol.pixels import Blob

__all__ = ["work"]

_log = logging.getLogger(__name__)


def work(
    pipe: "Connection[object, object]", memory_name: str, open_studio: Callable[[], Studio], cadence: Cadence
) -> None:
    """Paints what the server asks for, as long as the server lives.

    Args:
        pipe: To the server.
        memory_name: Of the memory shared with it.
        open_studio: Makes ready to paint; takes seconds.
        cadence: Of checkpoints.
    """
    give_missing_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server, too, which ends this process in order
    logging.basicConfig(handlers=[_ServersLog(pipe)], format="%(message)s")
    logging.getLogger("impasto_daemon").setLevel(logging.INFO)
    _Worker(pipe, SharedMemory(memory_name), cadence).work(open_studio)


class _Worker:
    def __init__(self, pipe: "Connection[object, object]", memory: SharedMemory, cadence: Cadence) -> None:
        self._pipe = pipe
        self._cadence = cadence
        self._memory = memory  # referred to as long as the window is used
        self._window = Window(memory)
        self._inbox: queue.SimpleQueue[tuple[Assignment, Easel] | Asked] = queue.SimpleQueue()
        self._easel: Easel | None = None
        self._studio: Studio | None = None

    def work(self, open_studio: Callable[[], Studio]) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self._studio = studio = open_studio()
        except Exception as error:
            self._pipe.send(Unfit(_failure(error)))
            return
        self._pipe.send(Ready(studio.device, studio.devices, studio.networks))
        while True:
            item = self._inbox.get()
            if isinstance(item, Asked):
                self._answer(studio, item)
            else:
                self._paint(studio, *item)

    def _listen(self) -> None:
        """Hears the server; ends the process with it."""
        while True:
            try:
                said = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(1)
            if isinstance(said, Assignment):
                self._easel = Easel(
                    said,
                    say=self._pipe.send,
                    window=self._window,
                    keeper=Keeper(said.checkpoint, self._cadence),
                    at_leisure=self._answer_all,
                )
                self._inbox.put((said, self._easel))
            elif isinstance(said, Asked):
                self._inbox.put(said)
            elif isinstance(said, Taken):
                self._window.free()
            elif isinstance(said, (PauseWished, StopWished, LayDownWished, Adjusted)) and self._easel is not None:
                self._easel.heed(said)

    def _answer_all(self) -> None:
        """Answers questions between two evaluations; assignments come one at a time, so there is none."""
        while self._studio is not None and not self._inbox.empty():
            item = self._inbox.get()
            assert isinstance(item, Asked)  # noqa: S101
            self._answer(self._studio, item)

    def _answer(self, studio: Studio, asked: Asked) -> None:
        try:
            self._pipe.send(Answered(asked.question, studio.estimate(asked.estimate)))
        except Exception as error:
            self._pipe.send(Answered(asked.question, _failure(error)))

    def _paint(self, studio: Studio, assignment: Assignment, easel: Easel) -> None:
        try:
            check_pictures(assignment)
            painted = _delivered(studio.paint(assignment, easel), assignment)
        except DiscardedError:
            self._pipe.send(Discarded(assignment.number))
        except LaidDownError:
            self._pipe.send(LaidDown(assignment.number))
        except Exception as error:
            self._pipe.send(Failed(assignment.number, _failure(error)))
        else:
            self._pipe.send(Finished(assignment.number, painted))


def _delivered(canvas: Canvas, assignment: Assignment) -> Painted:
    """Writes the picture where the server finds it."""
    data = memoryview(canvas.data).cast("B")
    try:
        with assignment.result.open("wb") as file:
            file.write(data)
    except OSError as error:
        raise StorageError(f"The result cannot be written: {error.strerror}; make room or mend the disk.") from error
    return Painted(
        picture=Blob(digest=sha256(data).digest(), format=canvas.format),
        crc32=crc32(data),
        file=assignment.result,
        losses=canvas.losses,
        evaluations=canvas.evaluations,
        duration_s=canvas.duration_s,
        stopped=canvas.stopped,
        rollbacks=canvas.rollbacks,
        network=canvas.network,
        precision=canvas.precision,
        polisher=canvas.polisher,
        versions=canvas.versions,
        network_digest=canvas.network_digest,
        polisher_digest=canvas.polisher_digest,
    )


def _failure(error: Exception) -> Failure:
    """What to tell of an exception: nothing of the daemon's insides, but where the log tells of them."""
    log_id = new_log_id()
    if isinstance(error, RefusalError):
        _log.info("Log id %s: refused: %s", log_id, error, exc_info=error)
        return replace(Failure.of(error), log_id=log_id)
    _log.error("Log id %s: painting failed.", log_id, exc_info=error)
    if isinstance(error, MemoryError):
        return Failure.of(BusyError("There is no memory for this painting; paint it smaller.", log_id=log_id))
    return Failure.of(InternalError(f"The painting failed; report it with {log_id} from the log.", log_id=log_id))


class _ServersLog(logging.Handler):
    """Sends what the painting thread logs to the server, whose log rotates; only that thread may use the pipe."""

    def __init__(self, pipe: "Connection[object, object]") -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        text = self.format(record)
        if threading.current_thread() is threading.main_thread():
            self._pipe.send(Logged(record.levelno, record.name, text))
        else:
            print(text, file=sys.stderr)
