"""`impasto jobs`: lists, watches, cancels and fetches what the daemon has to paint, whoever ordered it."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.attendance import painting_of
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.left_jobs import LeftJob
from impasto_daemon.commands.result import write_result
from impasto_daemon.commands.starting import ANSWER_S, joined, reached, refusing, with_log_id
from impasto_daemon.commands.watching import say_connection, say_state, watch_jobs
from impasto_daemon.commands.wording import duration, sides, time_left

if TYPE_CHECKING:
    from impasto_daemon.server.journal import JournaledJob
    from impasto_protocol import Client, Result
    from impasto_protocol import messages as m

__all__ = ["jobs"]

FETCH_S = 600.0
"""Seconds for which a result may be on its way from a daemon elsewhere."""

SHOWN_DIGITS = 8
"""Digits of a job's id that a table shows; as many as it takes to tell jobs apart are enough to name one."""

jobs = typer.Typer(help="List, watch, cancel and fetch what the daemon has to paint.")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or its first digits.", show_default=False)]


@jobs.callback(invoke_without_command=True)
def unnamed(context: typer.Context, as_json: options.Json = False) -> None:
    """List, watch, cancel and fetch what the daemon has to paint. Without a command: list."""
    if context.invoked_subcommand is None:
        list_jobs(as_json=as_json)


@jobs.command("list")
def list_jobs(as_json: options.Json = False) -> None:
    """List the daemon's jobs: those that wait, are painted, or were not fetched yet. Works without a daemon, too."""
    from impasto_protocol.errors import ConnectionFileError

    try:
        with reached("jobs list") as client:
            entries = client.jobs(timeout_s=ANSWER_S)
            if joined() is None:  # a daemon elsewhere does not know those of the one here
                LeftJob.forget_all_but({entry.job for entry in entries})
            found = [_described(entry) for entry in entries]
    except Refused as error:
        if joined() is not None or not isinstance(error.__cause__, ConnectionFileError):
            raise
        found = _journaled()
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        typer.echo("There are no jobs.")
    else:
        _print_table(found)


@jobs.command()
def watch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB", help="Which jobs; all that are not over if none is named.", show_default=False),
    ] = None,
) -> None:
    """Show how jobs come along, until all are over; Ctrl-C leaves them to the daemon."""
    with reached("jobs watch") as client:
        entries = client.jobs(timeout_s=ANSWER_S)
        chosen = [_named(entries, name) for name in names] if names else [one for one in entries if not _is_over(one)]
        if not chosen:
            typer.echo("There are no jobs to watch.")
            return
        failed = watch_jobs(client, chosen)
    if failed:
        raise Refused(failed[0] if len(failed) == 1 else f"{len(failed)} jobs failed, the first: {failed[0]}")


@jobs.command()
def cancel(
    name: JobId,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the best picture so far, to be fetched.")] = False,
) -> None:
    """Stop a job for good."""
    from impasto_protocol import Answered, JobLost, JobState, State

    with reached("jobs cancel") as client:
        entry = _named(client.jobs(timeout_s=ANSWER_S), name)
        if _is_over(entry):
            raise Refused(f"The job {entry.job[:SHOWN_DIGITS]} is {entry.state}; there is nothing left to cancel.")
        client.follow(entry.job)
        client.cancel(entry.job, keep_picture=keep)
        for event in client.events(FETCH_S):
            say_connection(event)
            if isinstance(event, Answered) and event.request in ("FOLLOW", "CANCEL") and event.refusal is not None:
                raise Refused(with_log_id(event.refusal))
            if isinstance(event, JobLost) and event.job == entry.job:
                raise Refused(f"The job {entry.job[:SHOWN_DIGITS]} is gone: it was fetched or forgotten meanwhile.")
            if isinstance(event, State) and event.job == entry.job:
                if event.is_final:
                    break
                if event.seq >= entry.seq and event.state in (JobState.INTERRUPTED, JobState.QUEUED):
                    say_state(event)  # its end may be long in coming
        else:
            raise Refused(f"The job {entry.job} has not stopped after {FETCH_S:g} s; see 'impasto jobs'.")
        if event.state is JobState.CANCELLED:
            _forget(client, entry.job)
    typer.echo(f"The job {entry.job[:SHOWN_DIGITS]} is {event.state}.")


@jobs.command()
def fetch(name: JobId, output: options.Output = None) -> None:
    """Write a job's finished picture to a file, and have the daemon forget the job."""
    if output is None:
        raise Refused("There is no output: give a file name with -o.")
    from impasto_engine.files.picture_file import check_writable

    check_writable(output)
    with reached("jobs fetch") as client:
        entry = _named(client.jobs(timeout_s=ANSWER_S), name)
        if not entry.has_result:
            raise Refused(_why_no_result(entry))
        result, pixels = _fetched(client, entry.job)
        painting = painting_of(result, pixels)
        left = LeftJob.of(entry.job)
        content = None if left is None else left.content()
        place = write_result(output, painting, content, None if left is None else left.record(painting, result))
        _forget(client, entry.job)
    typer.echo(bytes(place) + b"\n", nl=False)


def _fetched(client: "Client", job: str) -> "tuple[Result, memoryview]":
    from impasto_protocol import Answered, Fetched, JobLost, Result

    client.follow(job)
    for event in client.events(FETCH_S):
        say_connection(event)
        match event:
            case Result():
                client.fetch(job)
            case Fetched(result=result, pixels=pixels):
                return result, pixels
            case Answered(refusal=refusal) if refusal is not None:
                raise Refused(with_log_id(refusal))
            case JobLost():
                raise Refused(f"The daemon no longer knows the job {job}; see 'impasto jobs'.")
    raise Refused(f"The result of the job {job} has not arrived after {FETCH_S:g} s; try again.")


def _forget(client: "Client", job: str) -> None:
    """Has the daemon forget a job, and forgets it here."""
    from impasto_protocol import Answered

    client.acknowledge(job)
    for event in client.events(ANSWER_S):
        if isinstance(event, Answered) and event.request == "ACK":
            break
    LeftJob.forget(job)


def _is_over(entry: "m.JobEntry") -> bool:
    from impasto_protocol.states import TERMINAL_STATES

    return entry.state in TERMINAL_STATES


def _named(entries: "list[m.JobEntry]", name: str) -> "m.JobEntry":
    found = [entry for entry in entries if name and entry.job.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} jobs begin with {name!r}; give more digits" if found else f"There is no job {name!r}"
    raise Refused(f"{what}; 'impasto jobs' lists them.")


def _why_no_result(entry: "m.JobEntry") -> str:
    if not _is_over(entry):
        return f"The job {entry.job[:SHOWN_DIGITS]} is {entry.state}; wait for its end with 'impasto jobs watch'."
    trouble = f": {entry.trouble}" if entry.trouble else "; there is no picture."
    return f"The job {entry.job[:SHOWN_DIGITS]} is {entry.state}{trouble}"


def _described(entry: "m.JobEntry") -> dict[str, Any]:
    return {
        "job": entry.job,
        "state": entry.state.value,
        "kind": entry.kind.value,
        "width": entry.width,
        "height": entry.height,
        "changed_s_ago": round(entry.changed_s, 1),
        "ahead": entry.ahead,
        "evaluation": entry.evaluation,
        "evaluations": entry.evaluations,
        "remaining_s": entry.remaining_s,
        "has_result": entry.has_result,
        "trouble": entry.trouble,
    }


def _journaled() -> list[dict[str, Any]]:
    """What the journal of a daemon that does not run has."""
    from impasto_daemon.server.journal import Journal
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    path = Places(connection_path()).journal
    if not path.exists():
        return []
    with refusing():
        journal = Journal(path, read_only=True)
        try:
            return [_described_in_journal(job) for job in journal.jobs()]
        finally:
            journal.close()


def _described_in_journal(job: "JournaledJob") -> dict[str, Any]:
    from impasto_protocol.messages import Result, State

    states = [event for event in job.events if isinstance(event, State)]
    failure = states[-1].failure
    return {
        "job": job.name,
        "state": states[-1].state.value,
        "kind": job.order.kind.value,
        "width": job.order.content.format.width,
        "height": job.order.content.format.height,
        "changed_s_ago": round(max(0.0, time.time() - job.changed_at), 1),
        "ahead": 0,
        "evaluation": None,
        "evaluations": None,
        "remaining_s": None,
        "has_result": any(isinstance(event, Result) for event in job.events),
        "trouble": "" if failure is None else failure.text,
    }


def _print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("job", "state", "kind", "content", "since", "")
    for each in found:
        table.add_row(
            each["job"][:SHOWN_DIGITS],
            each["state"],
            each["kind"],
            sides(each["height"], each["width"]),
            duration(each["changed_s_ago"]),
            _remark(each),
        )
    Console(highlight=False).print(table)


def _remark(job: dict[str, Any]) -> str:
    if job["evaluations"]:
        return f"{job['evaluation']} of {job['evaluations']}, {time_left(job['remaining_s'])}"
    if job["ahead"]:
        return f"{job['ahead']} before it"
    if job["has_result"]:
        return "to be fetched"
    return str(job["trouble"])
