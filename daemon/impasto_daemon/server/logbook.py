"""The daemon's log: a file that rotates, and the ids that lead from what a user is told to its lines.

Whatever is refused or fails gets a log id, which travels with the failure; the log has it with what is known beside.
"""

import logging
import os
import secrets
from dataclasses import replace
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from impasto_daemon.server.limits import LOG_BYTES, LOGS_KEPT
from impasto_protocol.connection import make_private_folder
from impasto_protocol.failures import Failure

__all__ = ["FORMAT", "begin", "lines_about", "new_log_id", "noted"]

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_log = logging.getLogger(__name__)


def begin(file: Path) -> None:
    """From now on, everything from INFO on is written to a file, for its user's eyes only."""
    make_private_folder(file.parent)
    handler = _PrivateFile(file, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def new_log_id() -> str:
    """Eight hexadecimal digits."""
    return secrets.token_hex(4)


def noted(failure: Failure, about: str) -> Failure:
    """A failure with a log id; one that has none is written down under a new one.

    Args:
        failure: What a user will be told.
        about: What it is about, for the log.
    """
    if failure.log_id is not None:
        return failure
    log_id = new_log_id()
    _log.info("Log id %s: %s: %s: %s", log_id, about, failure.code, failure.text)
    return replace(failure, log_id=log_id)


def lines_about(log_id: str, file: Path) -> list[str]:
    """What the log, and those before it, have under an id: its lines, and those of a traceback that follow them."""
    found: list[str] = []
    for number in range(LOGS_KEPT, -1, -1):
        part = file if number == 0 else file.with_name(f"{file.name}.{number}")
        if not part.exists():
            continue
        is_about_it = False
        for line in part.read_text(encoding="utf-8", errors="replace").splitlines():
            if line[:4].isdigit() and line[4:5] == "-":  # a new entry begins with its date
                is_about_it = log_id in line
            if is_about_it:
                found.append(line)
    return found


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()
