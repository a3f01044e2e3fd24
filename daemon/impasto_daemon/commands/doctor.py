"""`impasto doctor`: what keeps Impasto from working on this machine, and what mends it."""

import getpass
import os
import platform
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.install import own_bin, refusing_to_install
from impasto_daemon.commands.starting import running

if TYPE_CHECKING:
    from impasto_installer.doctor.check import Check

__all__ = ["FOUND_SOMETHING", "doctor"]

FOUND_SOMETHING = 1
"""The exit code when a check failed; with `--json`, what was found tells it from an accident."""


def doctor(
    as_json: options.Json = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.zip",
            help="Write what was found, logs and environment there for a bug report; no names, addresses or keys.",
            show_default=False,
        ),
    ] = None,
    gimp: Annotated[
        list[Path] | None,
        typer.Option("--gimp", metavar="PROGRAM", help="Look at this GIMP only.", show_default=False),
    ] = None,
) -> int:
    """Look for what keeps Impasto from working, and say how to mend it."""
    from impasto_installer.doctor.check import Status
    from impasto_installer.doctor.report import as_json as told_as_json

    found = []
    for check in _checks(gimp or []):
        found.append(check)
        if not as_json:
            _show(check)
    if as_json:
        typer.echo(told_as_json(found))
    if report is not None:
        _write(report, found)
        typer.echo(f"The report is in {str(report)!r}; look at it before you pass it on.", err=True)
    worst = sum(check.status is Status.ERROR for check in found)
    if not as_json:
        is_perfect = all(check.status is Status.OK for check in found)
        fine = "Everything is in order." if is_perfect else "Nothing keeps Impasto from working."
        typer.echo(f"{worst} of {len(found)} checks found a problem." if worst else fine)
    return FOUND_SOMETHING if worst else 0


def _checks(programs: list[Path]) -> "Iterator[Check]":
    from impasto_daemon.engine_checks import check_backend, check_weights
    from impasto_installer.doctor.check import problem
    from impasto_installer.doctor.daemon_checks import check_daemon, is_elsewhere
    from impasto_installer.doctor.editor_checks import check_unseen_folder, examine
    from impasto_installer.doctor.login_checks import check_login
    from impasto_installer.doctor.machine_checks import available_bytes, check_disk, check_memory, check_python
    from impasto_installer.editors.finding import find_editors, given_editor, lonely_folders
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.service import service_of
    from impasto_protocol.connection import connection_path

    version, machine, place = metadata.version("impasto"), this_machine(), connection_path()
    yield check_python(version)
    yield check_backend()
    yield from check_weights()
    yield from check_daemon(place, version)
    login_service = service_of(machine, run_program)
    yield from check_login(login_service, is_running=running() is not None)
    has_to_start = not is_elsewhere(place) and not (login_service.starts_this_one and login_service.is_known)
    if not is_elsewhere(place):
        yield check_disk(place.parent)
    yield check_memory(available_bytes())
    editors = [given_editor(program.absolute(), machine) for program in programs] or find_editors(machine)
    seen: set[Path] = set()
    for editor in editors:
        examination = examine(editor, version, run_program, own_bin=own_bin(), has_to_start=has_to_start)
        seen.update(examination.known_folders)
        yield from examination.checks
    unseen = () if programs else lonely_folders(machine, seen)
    for folder in unseen:
        yield from check_unseen_folder(folder, version)
    if not editors and not unseen:
        yield problem(
            "GIMP 3",
            "There is no GIMP 3 in any of the usual places.",
            "Install one (https://www.gimp.org/downloads), or name its program with 'impasto install --gimp PROGRAM'.",
        )


def _show(check: "Check") -> None:
    colours: dict[str, Callable[[str], str]] = {
        "ok": lambda text: typer.style(text, fg="green"),
        "warning": lambda text: typer.style(text, fg="yellow"),
        "error": lambda text: typer.style(text, fg="red"),
    }
    mark = colours[check.status.value](f"{check.status.value:8}")
    cure = f" {check.cure}" if check.cure else ""
    typer.echo(f"{mark} {check.name}: {check.message}{cure}")


def _write(file: Path, found: "list[Check]") -> None:
    import platformdirs

    from impasto_daemon.server.places import Places
    from impasto_installer.doctor.redaction import Redaction
    from impasto_installer.doctor.report import write_report
    from impasto_protocol.connection import connection_path

    places = Places(connection_path())
    failures = sorted(Path(platformdirs.user_log_dir("impasto", appauthor=False)).glob("impasto-*.log"))[-5:]
    with refusing_to_install():
        write_report(
            file,
            found,
            logs=[places.log, places.output, *failures],
            environment=os.environ,
            redaction=Redaction(home=str(Path.home()), user=_user(), host=platform.node()),
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
