"""`impasto service`: has the daemon started at login, or no more."""

import typer

from impasto_daemon.commands.install import refusing_to_install
from impasto_daemon.commands.starting import refuse_if_elsewhere

__all__ = ["service"]

service = typer.Typer(
    help="Start the daemon at login. The plug-in starts it when it is needed, unless GIMP runs in a sandbox.",
    no_args_is_help=True,
)


@service.command()
def install() -> None:
    """Start the daemon now and at every login."""
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.service import service_of

    refuse_if_elsewhere()
    with refusing_to_install():
        login_service = service_of(this_machine(), run_program)
        login_service.install()
    typer.echo(f"The daemon is started at every login: {login_service.file}.")


@service.command()
def remove() -> None:
    """Stop the daemon, and do not start it at login any more."""
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.service import service_of

    with refusing_to_install():
        was_there = service_of(this_machine(), run_program).remove()
    typer.echo("The daemon is not started at login any more." if was_there else "The daemon is not started at login.")
