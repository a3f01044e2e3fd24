"""Which GIMPs are on a machine, and which folders of theirs a plug-in could go into. Nothing is run here."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.packaging import PACKAGINGS, Packaging

__all__ = ["Editor", "find_editors", "given_editor", "lonely_folders", "users_folders"]

_VERSION = re.compile(r"3\.\d+")
_FAMILY = re.compile(r"gimp(-console)?(-3(\.\d+)?)?(\.exe)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A GIMP 3.

    Attributes:
        packaging: How it came here.
        program: What was found of it.
        machine: Where.
    """

    packaging: Packaging
    program: Path
    machine: Machine

    @property
    def name(self) -> str:
        """What to call it before a person."""
        return f"{self.program} ({self.packaging.name})"

    @property
    def call(self) -> tuple[str, ...]:
        """How it is called."""
        called = tuple(word.format(program=self.program.name) for word in self.packaging.call)
        return called or (str(self.program),)


def find_editors(machine: Machine) -> tuple[Editor, ...]:
    """Every GIMP 3 in the places of `PACKAGINGS`, one for each installation."""
    return tuple(
        Editor(packaging=packaging, program=program, machine=machine)
        for packaging in PACKAGINGS
        if packaging.system is machine.system
        for program in _programs(packaging, machine)
    )


def given_editor(program: Path, machine: Machine) -> Editor:
    """The GIMP that the user names: of the kind in whose places it lies, else the system's first that can be called."""
    for editor in find_editors(machine):
        if program == editor.program or any(program in machine.places(door) for door in editor.packaging.doors):
            return editor
    is_appimage = program.suffix == ".AppImage"
    kinds = [each for each in PACKAGINGS if each.system is machine.system and not each.call]
    packaging = next((each for each in kinds if (each.name == "AppImage") is is_appimage), kinds[0])
    return Editor(packaging=packaging, program=program, machine=machine)


def lonely_folders(machine: Machine, known: set[Path]) -> tuple[Path, ...]:
    """Users' folders of GIMP 3 whose program was not found, or did not say that they are its own."""
    folders = dict.fromkeys(
        folder
        for packaging in PACKAGINGS
        if packaging.system is machine.system
        for folder in users_folders(packaging, machine)
    )
    seen = {folder.resolve() for folder in known}
    return tuple(folder for folder in folders if folder.resolve() not in seen)


def users_folders(packaging: Packaging, machine: Machine) -> Iterator[Path]:
    """The folders of users of such a GIMP 3."""
    for template in packaging.user_folders:
        for folder in machine.places(template):
            if folder.is_dir() and _VERSION.fullmatch(folder.name):
                yield folder


def _programs(packaging: Packaging, machine: Machine) -> Iterator[Path]:
    """One program of each installation: the console's before the other, whatever links lead to it."""
    installations: set[Path] = set()
    for program in _candidates(packaging, machine):
        installation = _installation(program, packaging)
        if installation not in installations and program.is_file():
            installations.add(installation)
            yield program


def _candidates(packaging: Packaging, machine: Machine) -> Iterator[Path]:
    if packaging.on_path:
        for folder in machine.environment.get("PATH", "").split(os.pathsep):
            if folder and "/snap/" not in f"{folder}/" and "flatpak" not in folder:
                for name in ("gimp-console-3*", "gimp-console", "gimp-3*", "gimp"):
                    yield from (each for each in sorted(Path(folder).glob(name)) if _FAMILY.fullmatch(each.name))
    for template in packaging.programs:
        yield from machine.places(template)


def _installation(program: Path, packaging: Packaging) -> Path:
    """What stands for an installation: its folder, its file where it is one, and for a sandbox all of it."""
    if packaging.call:
        return Path(packaging.name)
    resolved = program.resolve()
    if packaging.system is System.LINUX and program.suffix == ".AppImage":
        return resolved
    version = _VERSION.search(resolved.name)
    return resolved.parent / (version[0] if version else "")
