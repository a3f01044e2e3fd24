"""`impasto jobs`: what the daemon has to paint and what it keeps.

Read from its journal, whether it is running or not.
"""

import json
import time
from typing import TYPE_CHECKING, Any

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.wording import duration, sides

if TYPE_CHECKING:
    from impasto_daemon.server.journal import JournaledJob

__all__ = ["jobs"]


def jobs(as_json: options.Json = False) -> None:
    """List the daemon's jobs: those that wait, are painted, or were not fetched yet."""
    from impasto_daemon.server.journal import Journal
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path
    from impasto_protocol.errors import StorageError

    path = Places(connection_path()).journal
    found: list[dict[str, Any]] = []
    if path.exists():
        try:
            journal = Journal(path, read_only=True)
            found = [_described(job) for job in journal.jobs()]
            journal.close()
        except StorageError as error:
            raise Refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        typer.echo("There are no jobs.")
    else:
        _print_table(found)


def _described(job: "JournaledJob") -> dict[str, Any]:
    from impasto_protocol.messages import State

    states = [event.state.value for event in job.events if isinstance(event, State)]
    return {
        "job": job.name,
        "session": job.session,
        "state": states[-1],
        "kind": job.order.kind.value,
        "width": job.order.content.format.width,
        "height": job.order.content.format.height,
        "styles": len(job.order.styles),
        "changed_s_ago": round(max(0.0, time.time() - job.changed_at), 1),
    }


def _print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("job", "session", "state", "kind", "content", "since")
    for each in found:
        table.add_row(
            each["job"][:8],
            each["session"][:8],
            each["state"],
            each["kind"],
            sides(each["height"], each["width"]),
            duration(each["changed_s_ago"]),
        )
    Console(highlight=False).print(table)
