"""`impasto service`: has the daemon started at login, or no more."""

from importlib import metadata

import typer

from impasto_daemon.commands.daemon import LOOPBACK, Allow, Bind, Budget, arguments_of_run
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.install import refusing_to_install
from impasto_daemon.commands.starting import (
    await_daemon,
    has_ended,
    options_of,
    refuse_if_elsewhere,
    running,
    start_daemon,
    stop_daemon,
)

__all__ = ["service"]

service = typer.Typer(
    help="Start the daemon at login. The plug-in starts it when it is needed, unless GIMP runs in a sandbox.",
    no_args_is_help=True,
)


@service.command()
def install(bind: Bind = LOOPBACK, allow: Allow = None, memory_budget: Budget = None) -> None:
    """Start the daemon now and at every login, with these options.

    Doing it again changes nothing, or the options. A daemon that was started otherwise, or before an upgrade, makes
    way; its jobs go on.
    """
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.service import service_of

    refuse_if_elsewhere()
    login_service = service_of(this_machine(), run_program, arguments=arguments_of_run(bind, allow, memory_budget))
    pid = running()
    before = None if pid is None else options_of(pid)
    try:
        if _is_of_another_version():
            stop_daemon()
        with refusing_to_install():
            login_service.install(make_way=_make_way, prove=_prove)
    except Refused:
        if before is not None and not (login_service.is_known and await_daemon() is not None):
            start_daemon(before)  # unless it still runs
        raise
    typer.echo(f"The daemon is started at every login, and runs now: {login_service.file}.")


@service.command()
def remove() -> None:
    """Do not start the daemon at login any more, and stop the one that was."""
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.service import service_of

    with refusing_to_install():
        was_there = service_of(this_machine(), run_program).remove()
    typer.echo("The daemon is not started at login any more." if was_there else "The daemon is not started at login.")
    pid = running()
    if was_there and pid is not None and not has_ended(pid):
        typer.echo(f"One that was started otherwise still runs (process {pid}); 'impasto daemon stop' stops it.")


def _is_of_another_version() -> bool:
    """Whether the daemon that runs was started before Impasto was upgraded."""
    from impasto_protocol.connection import connection_path, read_connection
    from impasto_protocol.errors import ConnectionFileError

    try:
        return read_connection(connection_path()).daemon != f"impasto {metadata.version('impasto')}"
    except ConnectionFileError:
        return False


def _make_way() -> None:
    stop_daemon()


def _prove() -> None:
    """See `LoginService.install`.

    Raises:
        ServiceError: No daemon answers.
    """
    from impasto_daemon.server.places import Places
    from impasto_installer.errors import ServiceError
    from impasto_protocol.connection import connection_path

    if await_daemon() is None:
        log = Places(connection_path()).log
        raise ServiceError(f"The system was told to start the daemon, but none answers (its log is {str(log)!r})")
