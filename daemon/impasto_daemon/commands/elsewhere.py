"""`impasto daemon key`, `join` and `leave`: painting with a daemon on another machine."""

from pathlib import Path
from typing import Annotated

import typer

from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.starting import ANSWER_S, joined, reached, refusing, running

__all__ = ["join", "key", "leave"]


def key() -> None:
    """Print this machine's public key, for a daemon elsewhere to let in with --allow."""
    from impasto_protocol.invitation import lasting_keys

    with refusing():
        typer.echo(lasting_keys(_keys_place()).public)


def join(
    invitation: Annotated[
        Path,
        typer.Argument(
            metavar="INVITATION", help="The file invitation.json of the daemon elsewhere.", show_default=False
        ),
    ],
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Where it is, if not where the invitation says.")
    ] = None,
) -> None:
    """Paint with a daemon on another machine from now on, until leave."""
    from impasto_protocol import connection_path, write_connection
    from impasto_protocol.connection import write_private
    from impasto_protocol.invitation import connection_by, lasting_keys, read_invitation

    if (pid := running()) is not None:
        raise Refused(f"A daemon is running here (process {pid}); stop it first with 'impasto daemon stop'.")
    with refusing():
        connection = connection_by(read_invitation(invitation), lasting_keys(_keys_place()), host=host)
        place = connection_path()
        before = place.read_text(encoding="utf-8") if place.exists() else None
        write_connection(connection, place)
    try:
        with reached("daemon join") as client:
            report = client.status(timeout_s=ANSWER_S)
    except BaseException:  # Ctrl-C, too: who is not let in has joined nothing
        place.unlink(missing_ok=True)
        if before is not None:
            write_private(before, place)
        raise
    typer.echo(f"Painting with {report.daemon} at {connection.endpoint} ({report.device}) from now on.")


def leave() -> None:
    """Paint on this machine again."""
    from impasto_protocol import connection_path

    if joined() is None:
        typer.echo("No daemon elsewhere was joined.")
        return
    connection_path().unlink()
    typer.echo("Painting on this machine again.")


def _keys_place() -> Path:
    from impasto_protocol import connection_path

    return connection_path().with_name("client-keys.json")
