"""Starting a daemon in the background and reaching the one that runs; the commands that need one share this."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.commands.failures import DoneAlready, Exhausted, Refused

if TYPE_CHECKING:
    from impasto_protocol import Client

__all__ = [
    "ANSWER_S",
    "await_daemon",
    "has_ended",
    "joined",
    "options_of",
    "reached",
    "refuse_if_elsewhere",
    "refusing",
    "running",
    "start_daemon",
    "stop_daemon",
    "with_log_id",
]

START_S = 15.0
"""Seconds for which starting waits until the daemon answers; it takes less than two on an idle machine."""

STOP_S = 5.0
"""Seconds for which stopping waits until the daemon has ended, before it kills it; it takes less than three."""

ANSWER_S = 5.0
"""Seconds for which a question waits for its answer."""

POLL_S = 0.05
"""Seconds between looks at whether a daemon that was started answers."""


def running() -> int | None:
    """The process of the daemon that runs on this machine for this user, if one does."""
    from impasto_daemon.server.lock import holder_of
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    return holder_of(Places(connection_path()).lock)


def options_of(pid: int) -> list[str]:
    """What a daemon was started with behind `daemon run`; nothing where the system does not tell."""
    import psutil

    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
    return next((words[n + 2 :] for n in range(len(words)) if words[n : n + 2] == ["daemon", "run"]), [])


def start_daemon(arguments: Sequence[str] = ()) -> tuple[int, bool]:
    """Starts a daemon, unless one runs, and waits until it answers.

    Args:
        arguments: For `impasto daemon run`.

    Returns:
        Its process, and whether it is a new one.

    Raises:
        Refused: It did not start.
    """
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    places = Places(connection_path())
    refuse_if_elsewhere()
    deadline = time.monotonic() + START_S
    pid, process = running(), None
    if pid is None:
        process = _launched(arguments, places.output)
        pid = process.pid
    while not _answers(places.connection, pid):
        if process is not None and process.poll() is not None:
            other = running()
            if other is None:
                raise Refused(_last_words(places.output))
            pid, process = other, None  # another was started at the same moment
        if time.monotonic() > deadline:
            raise Refused(f"The daemon (process {pid}) does not answer after {START_S:g} s; see {str(places.log)!r}.")
        time.sleep(POLL_S)
    if process is not None:
        process.returncode = 0  # it lives on by itself; Python would complain that nobody waits for it
    return pid, process is not None


def await_daemon() -> int | None:
    """Waits until a daemon answers that something else starts; its process, or None if none does in time."""
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    places, deadline = Places(connection_path()), time.monotonic() + START_S
    while (pid := running()) is None or not _answers(places.connection, pid):
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL_S)
    return pid


def stop_daemon() -> tuple[int | None, bool]:
    """Stops the daemon, if one runs, and waits until it has ended.

    Returns:
        Its process, and whether it had to be killed.
    """
    holder = running()
    if holder is None:
        return None, False
    os.kill(holder, signal.SIGTERM)
    if has_ended(holder):
        return holder, False
    os.kill(holder, getattr(signal, "SIGKILL", signal.SIGTERM))
    return holder, True


def has_ended(pid: int) -> bool:
    """Waits until a daemon that was told to stop has done so; whether it has in time."""
    deadline = time.monotonic() + STOP_S
    while running() == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def joined() -> str | None:
    """The endpoint of the daemon on another machine that was joined, if one was."""
    from impasto_protocol import connection_path, read_connection
    from impasto_protocol.errors import ConnectionFileError

    try:
        connection = read_connection(connection_path())
    except ConnectionFileError:
        return None
    return connection.endpoint if connection.elsewhere else None


def refuse_if_elsewhere() -> None:
    """Keeps the connection file of a daemon on another machine, which one started here would replace.

    Raises:
        Refused: There is such a file.
    """
    endpoint = joined()
    if endpoint is not None:
        raise Refused(
            f"The daemon at {endpoint} was joined, and does not run here; start it there, or paint here "
            "again with 'impasto daemon leave'."
        )


@contextmanager
def reached(name: str, *, start: bool = False, say: Callable[[str], None] = lambda _: None) -> "Iterator[Client]":
    """A client of the daemon, connected.

    Args:
        name: Of the command, for the daemon's log.
        start: Whether to start a daemon if none runs here and no connection file tells of one elsewhere.
        say: Shows a sentence.

    Raises:
        Refused: There is no daemon, or it cannot be reached; also for what the block is refused.
    """
    from impasto_protocol import Client, connection_path, dial
    from impasto_protocol.errors import NoDaemonError, StaleConnectionError

    with refusing(), Client(lambda: dial(connection_path()), name=f"impasto {name}") as client:
        try:
            client.connect(timeout_s=ANSWER_S)
        except (NoDaemonError, StaleConnectionError):
            if not start:
                raise
            say("Starting the daemon.")
            start_daemon()
            client.connect(timeout_s=ANSWER_S)
        yield client


@contextmanager
def refusing() -> Iterator[None]:
    """Ends the command with the one sentence that the daemon or the protocol has for it.

    Raises:
        Refused: Something was refused in the block.
    """
    from impasto_daemon.server.errors import AlreadyRunningError, DaemonError, MemoryExceededError
    from impasto_protocol.errors import ProtocolError

    try:
        yield
    except AlreadyRunningError as error:
        raise DoneAlready(str(error)) from error
    except MemoryExceededError as error:
        raise Exhausted(str(error)) from error
    except (DaemonError, ProtocolError) as error:
        raise Refused(with_log_id(error)) from error


def with_log_id(error: Exception) -> str:
    """What to tell of an error, and where the daemon's log has more of it."""
    log_id = getattr(error, "log_id", None)
    text = str(error)
    return text if log_id is None or log_id in text else f"{text} (More with 'impasto daemon log {log_id}'.)"


def _launched(arguments: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
    """A daemon of its own, which outlives this process and its terminal."""
    from impasto_protocol.connection import make_private_folder

    make_private_folder(output.parent)
    output.touch(mode=0o600)
    with output.open("wb") as out:
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "impasto_daemon", "daemon", "run", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=os.path.abspath(os.sep),  # noqa: PTH100 -- no folder is kept from being removed
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def _answers(connection_file: Path, pid: int) -> bool:
    from impasto_protocol import Client, ProtocolError, dial
    from impasto_protocol.connection import read_connection

    try:
        if read_connection(connection_file).pid != pid:
            return False
        with Client(lambda: dial(connection_file), name="impasto daemon start") as client:
            client.connect(timeout_s=1.0)
    except ProtocolError:
        return False
    return True


def _last_words(output: Path) -> str:
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1].removeprefix("impasto: ") if lines else "it said nothing."
    return f"The daemon did not start: {said}"
