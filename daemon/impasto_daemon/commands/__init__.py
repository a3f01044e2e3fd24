"""The command line: what `impasto` can be asked to do.

One module for each command, and beside them what they share. No module here may import the engine, NumPy or Keras
when it is itself imported, so that `--help` and `--version` answer at once; the commands import them when they run.
"""

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from impasto_daemon.commands.bench import bench
from impasto_daemon.commands.daemon import daemon
from impasto_daemon.commands.doctor import doctor
from impasto_daemon.commands.evaluate import evaluate
from impasto_daemon.commands.failures import exit_code_of
from impasto_daemon.commands.install import install, uninstall
from impasto_daemon.commands.jobs import jobs
from impasto_daemon.commands.networks import networks
from impasto_daemon.commands.quiet_start import leave
from impasto_daemon.commands.reconstruct import reconstruct
from impasto_daemon.commands.service import service
from impasto_daemon.commands.styles import styles
from impasto_daemon.commands.stylize import stylize
from impasto_daemon.commands.weights import weights
from impasto_daemon.streams import give_missing_streams

__all__ = ["app", "main", "run"]

app = typer.Typer(name="impasto", add_completion=False, pretty_exceptions_enable=False)
for command in (stylize, reconstruct, evaluate, styles, networks, bench, install, uninstall, doctor):
    app.command()(command)
app.add_typer(daemon, name="daemon")
app.add_typer(jobs, name="jobs")
app.add_typer(service, name="service")
app.add_typer(weights, name="weights")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"impasto {metadata.version('impasto')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def impasto(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Paint photographs in the style of paintings."""
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Runs the command with these arguments and gives its exit code; whatever goes wrong is said on stderr."""
    command = typer.main.get_command(app)
    return exit_code_of(lambda: command.main(list(arguments), prog_name="impasto", standalone_mode=False))


def main() -> None:
    """The `impasto` command."""
    give_missing_streams()
    leave(run(sys.argv[1:]))
