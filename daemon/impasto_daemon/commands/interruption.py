"""Ctrl-C while it paints: the first one asks for the best picture so far, the second one leaves at once.

Python runs signal handlers between two steps of the main thread, and an evaluation of a large picture is one step that
takes a minute. So a thread listens for the signal and does what has to be done in time.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from impasto_daemon.commands.failures import INTERRUPTED

__all__ = ["Interruption"]


class Interruption:
    """A block in which Ctrl-C is a request to stop. For the main thread only.

    Attributes:
        requested: Whether Ctrl-C was pressed.
        at_leisure: Held while something is written that must not be cut in half; leaving at once waits for it.
    """

    def __init__(self, on_first: Callable[[], None], on_second: Callable[[], None]) -> None:
        self.requested = False
        self.at_leisure = threading.Lock()
        self._on_first = on_first
        self._on_second = on_second
        self._ours, self._pythons = socket.socketpair()
        self._handler: Any = None
        self._wakeup = -1

    def __enter__(self) -> "Interruption":
        self._pythons.setblocking(False)
        self._handler = signal.signal(signal.SIGINT, lambda *_: None)
        self._wakeup = signal.set_wakeup_fd(self._pythons.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, daemon=True, name="Ctrl-C").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup)
        signal.signal(signal.SIGINT, self._handler)
        self._pythons.close()

    def _listen(self) -> None:
        """Reads the number of every signal that arrives, until the other end is closed."""
        with self._ours:
            while received := self._ours.recv(1):
                if received[0] != signal.SIGINT:
                    continue
                if self.requested:
                    self._leave()
                self.requested = True
                with suppress(OSError):  # stderr may be gone
                    self._on_first()

    def _leave(self) -> None:
        with self.at_leisure:
            try:
                self._on_second()
            finally:
                os._exit(INTERRUPTED)
