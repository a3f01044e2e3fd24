"""Calling the command: in this process where that will do, and in one of its own where signals or imports matter."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Argument = str | Path | float

Impasto = Callable[..., "Outcome"]
"""`impasto("stylize", content, style, "-o", output)`."""

DEADLINE_S = 120.0
"""Of anything that is waited for."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@contextmanager
def process(*arguments: Argument, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which is killed at the deadline or with the block."""
    with python("from impasto_daemon.commands import main; main()", *arguments, **streams) as started:
        yield started


@contextmanager
def python(code: str, *arguments: Argument, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """Python code in a process of its own, which is killed at the deadline or with the block."""
    environment = {**os.environ, **streams.pop("environment", {})}
    command = [sys.executable, "-W", "ignore", "-c", code, *(str(argument) for argument in arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as started:  # noqa: S603 -- our own command
        watchdog = threading.Timer(DEADLINE_S, started.kill)
        watchdog.start()
        try:
            yield started
        finally:
            watchdog.cancel()
            started.kill()


def called_in_a_process(*arguments: Argument, **streams: Any) -> Outcome:
    """Runs the command in a process of its own to its end."""
    with process(*arguments, **streams) as started:
        stdout, stderr = started.communicate()
        return Outcome(code=started.returncode, stdout=stdout, stderr=stderr)
