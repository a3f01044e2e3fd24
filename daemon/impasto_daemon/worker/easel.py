"""One painting in the painting process: what the server wants of it, and what the server is told.

Two threads meet here: the one that paints, and the one that listens to the server.
"""

import threading
import time
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from typing import Any

from impasto_daemon.server.painter import Assignment
from impasto_daemon.worker.keeper import Keep, Keeper
from impasto_daemon.worker.said import (
    Adjusted,
    Began,
    LayDownWished,
    Paused,
    PauseWished,
    Shown,
    StopWished,
    Told,
    Unpaused,
)
from impasto_protocol.fields import Data
from impasto_protocol.messages import Progress
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import PixelFormat

__all__ = ["DiscardedError", "Easel", "LaidDownError", "Window"]

LEISURE_S = 0.1
"""Seconds between looks at what else is asked, while a painting is paused."""


class DiscardedError(Exception):
    """Nobody wants the picture any more."""


class LaidDownError(Exception):
    """The painting shall go on some other time."""


class Window:
    """The memory through which the server sees previews.

    Args:
        memory: Shared with the server.
    """

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._is_free = threading.Event()
        self._is_free.set()

    @property
    def is_free(self) -> bool:
        """Whether the server has seen the last one."""
        return self._is_free.is_set()

    def free(self) -> None:
        """The server has seen it."""
        self._is_free.set()

    def fill(self, data: Data) -> None:
        """Puts a preview there."""
        self._is_free.clear()
        memory = self._memory.buf
        assert memory is not None  # noqa: S101
        view = memoryview(data).cast("B")
        memory[: view.nbytes] = view


class Easel:
    """See the module.

    Args:
        assignment: What is painted.
        say: Tells the server something; only the painting thread may.
        window: For previews.
        keeper: Of its checkpoint.
        at_leisure: Does what else is asked of the painting thread.
        clock: Gives seconds.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        say: Callable[[Any], None],
        window: Window,
        keeper: Keeper,
        at_leisure: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment = assignment
        self._say = say
        self._window = window
        self._keeper = keeper
        self._at_leisure = at_leisure
        self._clock = clock
        self._changed = threading.Condition()
        self._is_paused = False
        self._is_to_be_laid_down = False
        self._stop = StopWished(assignment.number, keep_picture=True) if assignment.is_cancelled else None
        self._adjustment = assignment.adjustment
        self._shown_at = float("-inf")

    def heed(self, wish: PauseWished | StopWished | LayDownWished | Adjusted) -> None:
        """Takes a wish of the server's; called by the listening thread."""
        if wish.number != self._assignment.number:
            return
        with self._changed:
            match wish:
                case PauseWished():
                    self._is_paused = wish.pause
                case StopWished():
                    self._stop = wish
                case LayDownWished():
                    self._is_to_be_laid_down = True
                case Adjusted():
                    self._adjustment = self._adjustment.then(wish.adjustment)
            self._changed.notify_all()

    def begin(self) -> None:
        """Painting begins.

        Raises:
            DiscardedError: Nobody wants it any more.
            LaidDownError: It shall begin some other time.
        """
        self._say(Began(self._assignment.number))
        self._check_wanted()

    def told(self, progress: Progress, keep: Keep) -> None:
        """An evaluation is done.

        Args:
            progress: Where the painting stands.
            keep: Writes that down, to go on from; called when it is time.

        Raises:
            DiscardedError: Nobody wants the picture any more.
            LaidDownError: The painting shall go on some other time.
        """
        self._say(Told(self._assignment.number, progress))
        self._at_leisure()
        if self._keeper.is_due or self._is_paused:
            self._keeper.keep(keep)
        self._wait_while_paused()
        if self._is_to_be_laid_down and self._stop is None:
            self._keeper.keep(keep)
        self._check_wanted()

    def wants_preview(self) -> bool:
        """Whether it is time for one, and the server has seen the last one."""
        wish = self._assignment.order.previews
        return wish is not None and self._window.is_free and self._clock() - self._shown_at >= wish.interval_s

    def show(self, evaluation: int, form: PixelFormat, data: Data) -> None:
        """Shows the best picture so far; only when one is wanted."""
        self._shown_at = self._clock()
        self._window.fill(data)
        self._say(Shown(self._assignment.number, evaluation, form))

    def should_stop(self) -> bool:
        """Whether the best picture so far shall be the result."""
        return self._stop is not None

    @property
    def adjustment(self) -> Adjustment:
        """All weights that were changed since the order was given."""
        return self._adjustment

    def _wait_while_paused(self) -> None:
        if not self._is_paused:
            return
        self._say(Paused(self._assignment.number))
        while self._is_paused and not self._is_over:
            with self._changed:
                self._changed.wait(LEISURE_S)
            self._at_leisure()
        if not self._is_over:
            self._say(Unpaused(self._assignment.number))

    @property
    def _is_over(self) -> bool:
        return self._stop is not None or self._is_to_be_laid_down

    def _check_wanted(self) -> None:
        if self._stop is not None and not self._stop.keep_picture:
            raise DiscardedError
        if self._is_to_be_laid_down and self._stop is None:
            raise LaidDownError
