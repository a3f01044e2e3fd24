"""Looking at the daemon: its connection file, whether it answers, and whether it is of our version."""

from collections.abc import Callable
from pathlib import Path

from impasto_installer.doctor.check import Check, good, problem
from impasto_protocol import Client, ProtocolError, dial, read_connection
from impasto_protocol.errors import (
    ConnectionFileError,
    NoDaemonError,
    UnsafeConnectionFileError,
    UnsupportedVersionError,
)
from impasto_protocol.messages.session import Report

__all__ = ["ask_daemon", "check_daemon"]

ANSWER_S = 5.0
"""Seconds for the daemon to answer; it takes milliseconds."""

RESTART = "Run 'impasto daemon stop' and then 'impasto daemon start'."


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
        return [good("daemon", "The daemon is not running; the plug-in starts it when it is needed.")]
    except UnsafeConnectionFileError as error:
        return [problem("connection file", str(error), f"Delete {str(path)!r}. {RESTART}")]
    except ConnectionFileError as error:
        return [problem("connection file", str(error), f"Delete {str(path)!r}. {RESTART}")]
    file = good("connection file", f"{path} is readable for you alone.")
    try:
        report = ask(path)
    except UnsupportedVersionError as error:
        return [file, problem("daemon", str(error), RESTART)]
    except ProtocolError as error:
        stale = problem(
            "daemon", f"{path} names a daemon (process {connection.pid}) that does not answer: {error}", RESTART
        )
        return [file, stale]
    if report.daemon != f"impasto {version}":
        return [file, problem("daemon", f"The daemon is {report.daemon}, and this is impasto {version}.", RESTART)]
    return [file, good("daemon", f"{report.daemon} answers (process {connection.pid}); device: {report.device}.")]
