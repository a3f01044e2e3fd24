"""One daemon per user: a lock that the system releases when its holder dies."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from impasto_daemon.server.errors import AlreadyRunningError
from impasto_protocol.connection import make_private_folder

__all__ = ["Lock", "holder_of"]

ATTEMPTS, RETRY_S = 10, 0.03


class Lock:
    """Held from `__enter__` to `__exit__`, or to the end of the process.

    Args:
        path: The file that is locked; it holds the holder's process id, and stays when the lock is released.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> "Lock":
        """Takes the lock.

        Raises:
            AlreadyRunningError: Another process has it.
        """
        make_private_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _take_patiently(descriptor):
            os.close(descriptor)
            raise AlreadyRunningError(
                f"A daemon is already running: process {_pid_in(self._path) or 'unknown'} holds {str(self._path)!r}; "
                "use it, or stop it with 'impasto daemon stop'."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder_of(path: Path) -> int | None:
    """The process that holds the lock; None if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _take(descriptor, shared=True) else _pid_in(path)
    finally:
        os.close(descriptor)


def _take_patiently(descriptor: int) -> bool:
    """Tries again for a moment: who only asks for the holder has the lock for an instant."""
    for _ in range(ATTEMPTS):
        if _take(descriptor):
            return True
        time.sleep(RETRY_S)
    return False


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1024
    """Windows forbids reading what is locked; the process id lies before it."""

    def _take(descriptor: int, *, shared: bool = False) -> bool:
        del shared  # there is no such lock
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _take(descriptor: int, *, shared: bool = False) -> bool:
        """Takes the lock; two who share it only ask who holds it, and do not take each other for the holder."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
