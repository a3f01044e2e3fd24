"""How a program is run: the one place that does it, and what stands for it in tests."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["NOT_RUN", "Run", "Said", "run_program"]

NOT_RUN = 127
"""The exit code of a program that could not be started or did not end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a program said, and how it ended."""

    code: int
    out: str = ""
    errors: str = ""


class Run(Protocol):
    """Runs a program to its end."""

    def __call__(self, call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        """Runs it; whatever goes wrong is told in what comes back.

        Args:
            call: The program and its arguments.
            environment: Its whole environment.
            timeout_s: Seconds after which it is killed.
        """
        ...


def run_program(call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
    """See `Run`."""
    try:
        ended = subprocess.run(  # noqa: S603 -- programs that were found on this machine, or that the user named
            call,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return Said(code=NOT_RUN, errors=f"{call[0]} did not end within {timeout_s:g} s.")
    except OSError as error:
        return Said(code=NOT_RUN, errors=f"{call[0]}: {error.strerror}.")
    return Said(
        code=ended.returncode,
        out=ended.stdout.decode(errors="replace"),
        errors=ended.stderr.decode(errors="replace"),
    )
