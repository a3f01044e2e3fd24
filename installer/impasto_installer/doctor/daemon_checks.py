"""Looking at the daemon: its connection file, whether it answers, and whether it is of our version.

A daemon on another machine, which was joined, cannot be started from here; what mends it is something else.
"""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

from impasto_installer.doctor.check import Check, good, problem, warning
from impasto_protocol import Client, Connection, ProtocolError, dial, read_connection
from impasto_protocol.connection import check_folder
from impasto_protocol.errors import (
    ConnectionFileError,
    NoDaemonError,
    UnsafeConnectionFileError,
    UnsupportedVersionError,
)
from impasto_protocol.messages.session import Report

__all__ = ["ask_daemon", "check_daemon", "is_elsewhere"]

ANSWER_S = 5.0
"""Seconds for the daemon to answer; it takes milliseconds."""

RESTART = "Run 'impasto daemon stop' and then 'impasto daemon start'."

LEAVE = "paint on this machine again with 'impasto daemon leave'."

KEYS_FILE = "client-keys.json"
"""The keys by which a daemon elsewhere knows this machine, beside the connection file."""


def ask_daemon(path: Path) -> Report:
    """How the daemon is whose connection file this is.

    Raises:
        ProtocolError: It does not answer.
    """
    with Client(lambda: dial(path), name="impasto doctor") as client:
        client.connect(timeout_s=ANSWER_S)
        return client.status(timeout_s=ANSWER_S)


def check_daemon(path: Path, version: str, ask: Callable[[Path], Report] = ask_daemon) -> list[Check]:
    """The connection file, and the daemon behind it.

    Args:
        path: The connection file.
        version: Our version.
        ask: Asks the daemon.
    """
    try:
        connection = read_connection(path)
    except NoDaemonError:
        return [_not_running(path.parent)]
    except UnsafeConnectionFileError as error:
        what, _, _ = str(error).rpartition("; ")
        return [problem("connection file", f"{what}.", _cure_of_unsafe(path))]
    except ConnectionFileError as error:
        return [problem("connection file", str(error), f"Delete {str(path)!r}. {RESTART}")]
    file = good("connection file", f"{path} is readable for you alone.")
    return [
        file,
        _joined(path, version, connection, ask) if connection.elsewhere else _own(path, version, connection, ask),
    ]


def is_elsewhere(path: Path) -> bool:
    """Whether a daemon on another machine was joined; a connection file that others can read tells it, too."""
    try:
        return json.loads(path.read_bytes())["elsewhere"] is True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _not_running(folder: Path) -> Check:
    try:
        if folder.exists():
            check_folder(folder)
    except UnsafeConnectionFileError as error:
        what, _, _ = str(error).rpartition("; ")
        return problem("daemon", f"The daemon cannot start: {what}.", f"Run 'chmod go-w {shlex.quote(str(folder))}'.")
    return good(
        "daemon", "The daemon is not running; the plug-in starts it when it is needed, unless GIMP runs in a sandbox."
    )


def _own(path: Path, version: str, connection: Connection, ask: Callable[[Path], Report]) -> Check:
    try:
        report = ask(path)
    except UnsupportedVersionError as error:
        return problem("daemon", str(error), RESTART)
    except ProtocolError as error:
        named = f"{path} names a daemon (process {connection.pid}) that does not answer"
        return problem("daemon", f"{named}: {error}", RESTART)
    if report.daemon != f"impasto {version}":
        return problem("daemon", f"The daemon is {report.daemon}, and this is impasto {version}.", RESTART)
    return good("daemon", f"{report.daemon} answers (process {connection.pid}); device: {report.device}.")


def _joined(path: Path, version: str, connection: Connection, ask: Callable[[Path], Report]) -> Check:
    name = f"The daemon at {connection.endpoint}, which was joined,"
    same_version = f"Install the same version of Impasto on both machines, or {LEAVE}"
    try:
        report = ask(path)
    except UnsupportedVersionError as error:
        return problem("daemon", f"{name} speaks another language: {error}", same_version)
    except ProtocolError:
        return problem(
            "daemon",
            f"{name} does not answer.",
            "Start it there, with this machine's key ('impasto daemon key') and the address it had; see that its port "
            f"can be reached from here; or {LEAVE}",
        )
    if report.daemon != f"impasto {version}":
        return warning("daemon", f"{name} is {report.daemon}, and this is impasto {version}.", same_version)
    return good("daemon", f"{name} is {report.daemon} and answers; device: {report.device}.")


def _cure_of_unsafe(path: Path) -> str:
    if not is_elsewhere(path):
        return f"Delete {str(path)!r}. {RESTART}"
    return (
        f"Delete {str(path)!r} and {str(path.with_name(KEYS_FILE))!r}, let in what 'impasto daemon key' prints at the "
        "daemon instead of the key of before, and join it again with 'impasto daemon join INVITATION'."
    )
