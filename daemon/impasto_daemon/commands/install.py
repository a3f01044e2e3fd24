"""`impasto install` and `impasto uninstall`: the plug-in into every GIMP of this machine, and out again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasto_daemon.commands.failures import REFUSED, Refused

if TYPE_CHECKING:
    from impasto_installer.installing import Installed, Product

__all__ = ["install", "own_bin", "own_product", "refusing_to_install", "uninstall"]

Gimp = Annotated[
    list[Path] | None,
    typer.Option(
        "--gimp",
        metavar="PROGRAM",
        help="Install into this GIMP, and not into all that are found; as often as needed.",
        show_default=False,
    ),
]
Wheels = Annotated[
    Path | None,
    typer.Option(
        "--wheels",
        metavar="FOLDER",
        help="Take pyzmq and msgpack for GIMP's Python from wheels in this folder, without internet.",
        show_default=False,
    ),
]


def install(gimp: Gimp = None, wheels: Wheels = None) -> int:
    """Put the plug-in into every GIMP 3 of this machine, and check that it is there.

    Doing it again renews what has changed. When something fails, everything is as it was.
    """
    from impasto_installer.editors.finding import find_editors, given_editor, lonely_folders
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.errors import InstallerError
    from impasto_installer.installing import install as install_into
    from impasto_installer.installing import install_unseen
    from impasto_installer.records import Records, records_path

    machine = this_machine()
    if wheels is not None and not wheels.is_dir():
        raise Refused(f"There is no folder {str(wheels)!r}; correct --wheels.")
    for program in gimp or ():
        if not program.is_file():
            raise Refused(f"There is no program {str(program)!r}; correct --gimp.")
    editors = [given_editor(program.absolute(), machine) for program in gimp or ()] or find_editors(machine)
    installed: list[Path] = []
    known: set[Path] = set()
    failed = 0
    with refusing_to_install():
        product = own_product()
    for editor in editors:
        typer.echo(f"{editor.name} ...")
        try:
            done = install_into(editor, product, run_program, wheels=wheels, own_bin=own_bin())
        except InstallerError as error:
            failed += 1
            typer.echo(f"  {error}", err=True)
            continue
        if done.folder in installed:
            typer.echo(
                "  Another GIMP above uses the same folder; where these libraries do not load, a bridge will do."
            )
        installed.append(done.folder)
        known.update(done.known_folders)
        _tell(done)
    if gimp is None and not failed:
        for folder in lonely_folders(machine, known):
            typer.echo(f"{folder} ...")
            with refusing_to_install():
                done = install_unseen(folder, product)
            installed.append(done.folder)
            _tell(done)
    if installed:
        Records(records_path()).remember(installed)
    elif not failed:
        raise Refused(
            "There is no GIMP 3 in any of the usual places; install one (https://www.gimp.org/downloads), or name its "
            "program with --gimp."
        )
    if installed:
        typer.echo("Look for it in GIMP, under Filters > Artistic > Neural Style Transfer; restart GIMP if it is open.")
    return REFUSED if failed else 0


def uninstall() -> int:
    """Take the plug-in out of every GIMP, and the daemon out of what is started at login."""
    from impasto_installer.editors.machine import this_machine
    from impasto_installer.editors.running import run_program
    from impasto_installer.errors import InstallerError
    from impasto_installer.present import present_folders
    from impasto_installer.records import Records, records_path
    from impasto_installer.service import service_of
    from impasto_installer.uninstalling import uninstall as uninstall_from

    machine, records, failed = this_machine(), Records(records_path()), 0
    folders = present_folders(machine, records)
    for folder in folders:
        try:
            kept = uninstall_from(folder)
        except InstallerError as error:
            failed += 1
            typer.echo(f"  {error}", err=True)
            continue
        typer.echo(f"Removed from {folder.parent}.")
        for file in kept:
            typer.echo(f"  {file} stays: Impasto did not write what is in it.")
    records.forget()
    with refusing_to_install():
        if service_of(machine, run_program).remove():
            typer.echo("The daemon is not started at login any more.")
    if not folders:
        typer.echo("The plug-in is in no GIMP.")
    return REFUSED if failed else 0


def own_product() -> "Product":
    """What is installed from here.

    Raises:
        PluginFolderError: A part is missing.
    """
    from impasto_installer.installing import Product
    from impasto_installer.plugin_folder import find_sources

    return Product(sources=find_sources(), version=metadata.version("impasto"), python=Path(sys.executable).absolute())


def own_bin() -> Path | None:
    """The folder of programs of our own virtual environment, whose `python3` is not the user's; None outside of one."""
    return Path(sys.executable).parent if sys.prefix != sys.base_prefix else None


@contextmanager
def refusing_to_install() -> Iterator[None]:
    """Ends the command with the one sentence that the installer has for it."""
    from impasto_installer.errors import InstallerError

    try:
        yield
    except InstallerError as error:
        raise Refused(str(error)) from error


def _tell(done: "Installed") -> None:
    typer.echo(f"  {'installed' if done.changed else 'nothing to change'} in {done.folder}, with {done.transport}")
    for remark in done.remarks:
        typer.echo(f"  {remark}")
