"""`impasto daemon`: runs, starts, stops and asks after the process that paints for editors."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.wording import counted, duration, memory

__all__ = ["daemon"]

START_S = 15.0
"""Seconds for which `start` waits until the daemon answers; it takes less than two on an idle machine."""

STOP_S = 5.0
"""Seconds for which `stop` waits until the daemon has ended, before it kills it; it takes less than three."""

STATUS_S = 5.0
"""Seconds for which `status` waits for an answer."""

LOG_BYTES = 1_000_000
"""A log larger than this is set aside when a daemon is started."""

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


@daemon.command()
def run(bind: Bind = "127.0.0.1", allow: Allow = None) -> None:
    """Run the daemon here, until Ctrl-C or SIGTERM."""
    import asyncio
    import logging

    from impasto_daemon.server.daemon import Daemon
    from impasto_daemon.server.worker_painter import WorkerPainter
    from impasto_daemon.worker.opening import open_engine
    from impasto_protocol.connection import connection_path

    async def serve() -> None:
        serving = Daemon(
            connection_file=connection_path(),
            painter=WorkerPainter(open_engine),
            hire=lambda device: WorkerPainter(partial(open_engine, device)),
            bind=bind,
            allow=tuple(allow or ()),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(serving.stop))
        await serving.run()

    os.umask(0o077)  # pictures and journal are nobody else's
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with _refusing(), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serve())


@daemon.command()
def start(bind: Bind = "127.0.0.1", allow: Allow = None) -> None:
    """Start the daemon in the background, unless it is running."""
    from impasto_daemon.server.lock import holder_of
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    places = Places(connection_path())
    holder = holder_of(places.lock)
    if holder is not None:
        typer.echo(f"The daemon is running already: process {holder}.")
        return
    arguments = ["--bind", bind, *(word for key in allow or () for word in ("--allow", key))]
    process = _launched(arguments, places.log)
    deadline = time.monotonic() + START_S
    while not _answers(places.connection, process.pid):
        if process.poll() is not None:
            raise Refused(_last_words(places.log))
        if time.monotonic() > deadline:
            raise Refused(
                f"The daemon (process {process.pid}) does not answer after {START_S:g} s; see {str(places.log)!r}."
            )
        time.sleep(0.05)
    typer.echo(f"The daemon is running: process {process.pid}.")


@daemon.command()
def stop() -> None:
    """Stop the daemon; jobs that are not finished go on when it is started again."""
    from impasto_daemon.server.lock import holder_of
    from impasto_daemon.server.places import Places
    from impasto_protocol.connection import connection_path

    lock = Places(connection_path()).lock
    holder = holder_of(lock)
    if holder is None:
        typer.echo("No daemon is running.")
        return
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while holder_of(lock) == holder:
        if time.monotonic() > deadline:
            os.kill(holder, getattr(signal, "SIGKILL", signal.SIGTERM))
            typer.echo(f"The daemon, process {holder}, did not stop and was killed.")
            return
        time.sleep(0.02)
    typer.echo("The daemon has stopped.")


@daemon.command()
def status(as_json: options.Json = False) -> None:
    """Tell how the daemon is."""
    from impasto_protocol import Client, connection_path, dial
    from impasto_protocol.schema import plain

    with _refusing(), Client(lambda: dial(connection_path()), name="impasto daemon status") as client:
        client.connect(timeout_s=STATUS_S)
        report = client.status(timeout_s=STATUS_S)
    if as_json:
        typer.echo(json.dumps(plain(report)))
        return
    typer.echo(f"{report.daemon} has been running for {duration(report.uptime_s)}, with {memory(report.memory_bytes)}.")
    typer.echo(f"Device: {report.device}.")
    typer.echo(
        f"{counted(report.sessions, 'session')}, {counted(report.painting, 'job')} painting, {report.queued} queued."
    )


@contextmanager
def _refusing() -> Iterator[None]:
    """Ends the command with the one sentence that the daemon or the protocol has for it."""
    from impasto_daemon.server.errors import DaemonError
    from impasto_protocol.errors import ProtocolError

    try:
        yield
    except (DaemonError, ProtocolError) as error:
        raise Refused(str(error)) from error


def _launched(arguments: list[str], log: Path) -> "subprocess.Popen[bytes]":
    """A daemon of its own, which outlives this process and its terminal."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "impasto_daemon", "daemon", "run", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
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


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1].removeprefix("impasto: ") if lines else "it said nothing."
    return f"The daemon did not start: {said}"
