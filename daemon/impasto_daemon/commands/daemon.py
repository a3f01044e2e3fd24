"""`impasto daemon`: runs, starts, stops and asks after the process that paints for editors."""

import json
import os
import signal
import sys
from functools import partial
from typing import Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.elsewhere import join, key, leave
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.starting import (
    ANSWER_S,
    options_of,
    reached,
    refuse_if_elsewhere,
    refusing,
    start_daemon,
    stop_daemon,
)
from impasto_daemon.commands.wording import counted, duration, memory

__all__ = ["LOOPBACK", "Allow", "Bind", "Budget", "arguments_of_run", "daemon"]

LOOPBACK = "127.0.0.1"

daemon = typer.Typer(help="Run the daemon, which keeps a network loaded and paints for editors.", no_args_is_help=True)

Bind = Annotated[
    str, typer.Option("--bind", metavar="ADDRESS", help="Where to listen: a host, or host:port for a port of your own.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="KEY",
        help="The public CURVE key of a client elsewhere; as often as needed.",
        show_default=False,
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--memory-budget",
        metavar="SIZE",
        help="What a painting process may take, such as 2GB: large pictures are then looked at in tiles, and those are "
        "refused that would take more all the same.",
        show_default=False,
    ),
]


def arguments_of_run(bind: str, allow: list[str] | None, memory_budget: str | None) -> list[str]:
    """The arguments by which `impasto daemon run` does as these options say; those left out are as usual."""
    arguments = [] if bind == LOOPBACK else ["--bind", bind]
    arguments += [word for key in allow or () for word in ("--allow", key)]
    if options.bytes_of(memory_budget) is not None:
        arguments += ["--memory-budget", str(memory_budget)]
    return arguments


@daemon.command()
def run(bind: Bind = LOOPBACK, allow: Allow = None, memory_budget: Budget = None) -> None:
    """Run the daemon here, until Ctrl-C or SIGTERM."""
    import asyncio
    import logging

    from impasto_daemon.server import logbook
    from impasto_daemon.server.daemon import Daemon
    from impasto_daemon.server.places import Places
    from impasto_daemon.server.worker_painter import WorkerPainter
    from impasto_daemon.worker.opening import open_engine
    from impasto_protocol.connection import connection_path

    open_studio = partial(open_engine, memory_budget_bytes=options.bytes_of(memory_budget))

    async def serve() -> None:
        serving = Daemon(
            connection_file=connection_path(),
            painter=WorkerPainter(open_studio),
            hire=lambda device: WorkerPainter(partial(open_studio, device)),
            bind=bind,
            allow=tuple(allow or ()),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(serving.stop))
        await serving.run()

    refuse_if_elsewhere()
    os.umask(0o077)  # pictures and journal are nobody else's
    logbook.begin(Places(connection_path()).log)
    if sys.stderr.isatty():
        here = logging.StreamHandler()
        here.setFormatter(logging.Formatter(logbook.FORMAT))
        logging.getLogger().addHandler(here)
    with refusing(), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serve())


@daemon.command()
def start(bind: Bind = LOOPBACK, allow: Allow = None, memory_budget: Budget = None) -> None:
    """Start the daemon in the background, unless it is running."""
    arguments = arguments_of_run(bind, allow, memory_budget)
    pid, is_new = start_daemon(arguments)
    if arguments and not is_new and options_of(pid) != arguments:
        raise Refused(
            f"The daemon runs already, as process {pid} and without these options; stop it with 'impasto daemon stop', "
            "and start it again."
        )
    typer.echo(f"The daemon is running{'' if is_new else ' already'}: process {pid}.")


@daemon.command()
def stop() -> None:
    """Stop the daemon; jobs that are not finished go on when it is started again."""
    holder, was_killed = stop_daemon()
    if holder is None:
        typer.echo("No daemon is running.")
    elif was_killed:
        typer.echo(f"The daemon, process {holder}, did not stop and was killed.")
    else:
        typer.echo("The daemon has stopped.")


@daemon.command()
def status(as_json: options.Json = False) -> None:
    """Tell how the daemon is."""
    from impasto_protocol.schema import plain

    with reached("daemon status") as client:
        report = client.status(timeout_s=ANSWER_S)
        networks = () if client.welcome is None else client.welcome.networks
    if as_json:
        typer.echo(json.dumps({**plain(report), "networks": networks}))
        return
    typer.echo(f"{report.daemon} has been running for {duration(report.uptime_s)}.")
    painters = report.painters_memory_bytes
    painting = "" if painters is None else f", and {memory(painters)} for painting"
    typer.echo(f"Memory: {memory(report.memory_bytes)}{painting}.")
    typer.echo(f"Device: {report.device}.")
    typer.echo(f"Networks: {', '.join(networks) or 'not known yet'}.")
    typer.echo(
        f"{counted(report.sessions, 'session')}, {counted(report.painting, 'job')} painting, {report.queued} queued."
    )


@daemon.command()
def log(
    log_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The log id that an error named.", show_default=False)
    ] = None,
) -> None:
    """Print where the daemon's log is, or what it has under the id that an error named."""
    from impasto_daemon.server.logbook import lines_about
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    file = Places(connection_path()).log
    if log_id is None:
        typer.echo(file)
        return
    lines = lines_about(log_id, file)
    if not lines:
        raise Refused(f"The log {str(file)!r} has nothing under {log_id!r}; it may have been set aside since.")
    typer.echo("\n".join(lines))


for command in (key, join, leave):
    daemon.command()(command)
