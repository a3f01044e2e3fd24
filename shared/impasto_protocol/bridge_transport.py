"""The way to the daemon through a bridge: another process that has pyzmq, and two pipes.

The same interface as `transport.ZmqTransport`, for an editor's Python that cannot load pyzmq. Standard library only.
"""

import contextlib
import os
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from impasto_protocol.bridge_records import MESSAGE, error_in, read_record, write_record
from impasto_protocol.errors import ConnectionLostError, ProtocolError, UnreachableError
from impasto_protocol.fields import Data

__all__ = ["BridgeTransport"]

CLOSE_S = 2.0
"""Seconds for which closing waits until the last word has left, before the bridge is killed."""


class BridgeTransport:
    """A bridge of our own; see `transport.Transport`.

    Args:
        python: The Python that has Impasto and pyzmq.
        path: The daemon's connection file.
        environment: The bridge's.

    Raises:
        UnreachableError: That Python cannot be started.
    """

    def __init__(self, python: str | Path, path: Path, environment: Mapping[str, str]) -> None:
        self._python = str(python)
        self._heard: deque[Sequence[Data]] = deque()
        self._trouble: ProtocolError | None = None
        self._bell = threading.Event()
        self.descriptor, self._rung = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._rung, False)
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                [self._python, "-m", "impasto_protocol.bridge", str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self._close_descriptors()
            raise UnreachableError(
                f"Cannot start {self._python!r}: {error.strerror}; run 'impasto install' again."
            ) from error
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, frames: Sequence[Data]) -> None:
        """See `Transport`. Waits while the pipe is full."""
        assert self._process.stdin is not None  # noqa: S101
        try:
            write_record(self._process.stdin, MESSAGE, frames)
        except (OSError, ValueError) as error:
            raise self._trouble or ConnectionLostError("The bridge to the daemon has ended; trying again.") from error

    def receive(self) -> Sequence[Data] | None:
        """See `Transport`."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        self._bell.clear()
        trouble = self._trouble  # what came before it is already in the queue
        if self._heard:
            return self._heard.popleft()
        if trouble is not None:
            raise trouble
        return None

    def wait(self, timeout_s: float) -> None:
        """See `Transport`."""
        if not self._heard and self._trouble is None:
            self._bell.wait(timeout_s)

    def close(self) -> None:
        """See `Transport`."""
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._close_descriptors()

    def _listen(self) -> None:
        """Runs in a thread: pipes cannot be waited for together with anything else everywhere."""
        assert self._process.stdout is not None  # noqa: S101
        assert self._process.stderr is not None  # noqa: S101
        trouble: ProtocolError | None = None
        with self._process.stdout, self._process.stderr:
            try:
                while (record := read_record(self._process.stdout)) is not None:
                    if record[0] != MESSAGE:
                        trouble = error_in(record[1])
                        break
                    self._heard.append(record[1])
                    self._ring()
            except (ProtocolError, OSError) as error:
                trouble = error if isinstance(error, ProtocolError) else ConnectionLostError(str(error))
            self._trouble = trouble or self._last_words(self._process.stderr.read())
        self._ring()

    def _last_words(self, said: bytes) -> ProtocolError:
        lines = said.decode("utf-8", errors="replace").strip().splitlines()
        why = lines[-1] if lines else "it said nothing"
        return UnreachableError(f"The bridge of {self._python!r} has ended: {why}; run 'impasto install' again.")

    def _ring(self) -> None:
        self._bell.set()
        with contextlib.suppress(OSError):
            os.write(self._rung, b"!")

    def _close_descriptors(self) -> None:
        for descriptor in (self.descriptor, self._rung):
            os.close(descriptor)
