"""Watching jobs of the daemon: a live bar for each on a terminal, plain lines elsewhere. On stderr."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from impasto_daemon.commands.starting import with_log_id
from impasto_daemon.commands.wording import sides, time_left

if TYPE_CHECKING:
    from rich.progress import TaskID

    from impasto_protocol import Client, Progress, State
    from impasto_protocol import messages as m
    from impasto_protocol.events import Event

__all__ = ["say_connection", "say_state", "watch_jobs"]

TURN_S = 0.5
"""Seconds lent to the client at a time."""

NAME_DIGITS = 8
"""Digits of a job's id that are shown."""


class Board:
    """What is shown: plain lines, one when a job enters a state, and one for every tenth of its evaluations."""

    FRACTION = 0.1

    def __init__(self) -> None:
        self._shown: dict[str, int] = {}

    def add(self, entry: "m.JobEntry") -> None:
        """Begins to show a job."""

    def state(self, event: "State") -> None:
        """A job has entered a state."""
        say_state(event)

    def progress(self, event: "Progress") -> None:
        """A job has come further."""
        if event.evaluation - self._shown.get(event.job, 0) >= self.FRACTION * event.evaluations:
            self._shown[event.job] = event.evaluation
            left = time_left(event.remaining_s)
            line = f"{event.job[:NAME_DIGITS]}: evaluation {event.evaluation} of {event.evaluations}, {left}"
            print(line, file=sys.stderr, flush=True)


class Bars(Board):
    """A bar for each job."""

    def __init__(self, stack: ExitStack) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        super().__init__()
        self._bars = stack.enter_context(
            Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[told]}", markup=False),
                console=Console(stderr=True, highlight=False, markup=False, emoji=False),
                expand=True,
                refresh_per_second=5,
            )
        )
        self._tasks: dict[str, TaskID] = {}

    def add(self, entry: "m.JobEntry") -> None:
        """See `Board.add`."""
        what = f"{entry.job[:NAME_DIGITS]} {sides(entry.height, entry.width)}"
        self._tasks[entry.job] = self._bars.add_task(what, total=None, told=str(entry.state))

    def state(self, event: "State") -> None:
        """See `Board.state`."""
        self._bars.update(self._tasks[event.job], told=str(event.state))
        if event.is_final:
            task = self._bars.tasks[self._tasks[event.job]]
            self._bars.update(task.id, total=task.total or 1)
            self._bars.stop_task(task.id)

    def progress(self, event: "Progress") -> None:
        """See `Board.progress`."""
        loss = f"loss {sum(event.losses.values()):.4g}, {time_left(event.remaining_s)}"
        self._bars.update(
            self._tasks[event.job], completed=event.evaluation, total=max(event.evaluations, 1), told=loss
        )


def say_connection(event: "Event") -> None:
    """Says it where the daemon has gone, or is back."""
    from impasto_protocol import Disconnected, Reconnected

    match event:
        case Disconnected(error=error):
            typer.echo(f"{error} Waiting for it to come back; Ctrl-C leaves.", err=True)
        case Reconnected():
            typer.echo("The daemon is back.", err=True)


def say_state(event: "State") -> None:
    """Says what state a job has entered."""
    print(f"{event.job[:NAME_DIGITS]} is {event.state}.", file=sys.stderr, flush=True)


def watch_jobs(client: "Client", entries: "Sequence[m.JobEntry]") -> list[str]:
    """Shows jobs until all of them are over.

    Returns:
        For each that failed, which one and why.
    """
    from impasto_protocol import Answered, Disconnected, JobLost, Progress, Reconnected, State

    failed: list[str] = []
    waiting = {entry.job for entry in entries}
    with ExitStack() as stack:
        board = Bars(stack) if sys.stderr.isatty() else Board()
        for entry in entries:
            board.add(entry)
            client.follow(entry.job)
        while waiting:
            for event in client.events(TURN_S):
                match event:
                    case Progress(job=job) if job in waiting:
                        board.progress(event)
                    case State(job=job, failure=failure) if job in waiting:
                        board.state(event)
                        if event.is_final:
                            waiting.discard(job)
                        if failure is not None:
                            failed.append(f"{job[:NAME_DIGITS]} failed: {with_log_id(failure.exception())}")
                    case Answered(job=job, request="FOLLOW", refusal=refusal) if refusal is not None:
                        waiting.discard(job)
                        failed.append(f"{job[:NAME_DIGITS]} cannot be watched: {with_log_id(refusal)}")
                    case Disconnected() | Reconnected():
                        say_connection(event)
                    case JobLost(job=job) if job in waiting:
                        waiting.discard(job)
                        failed.append(f"{job[:NAME_DIGITS]} is gone: it was fetched or forgotten.")
                if not waiting:
                    break
    return failed
