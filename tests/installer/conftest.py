"""A GIMP that is not there, and an Impasto of a few lines to put into it."""

from pathlib import Path

import pytest

from impasto_installer.editors.finding import Editor, find_editors, given_editor
from impasto_installer.editors.machine import Machine, System
from impasto_installer.installing import Product
from installer.fake_gimp import FakeGimp, small_sources, written


@pytest.fixture
def system_python(tmp_path: Path) -> Path:
    """GIMP's own Python."""
    python = written(tmp_path / "usr" / "bin" / "python3")
    python.chmod(0o755)
    return python


@pytest.fixture
def machine(tmp_path: Path, system_python: Path) -> Machine:
    environment = {"PATH": str(system_python.parent), "HOME": str(tmp_path / "home")}
    return Machine(system=System.LINUX, home=tmp_path / "home", environment=environment, root=tmp_path)


@pytest.fixture
def editor(machine: Machine, system_python: Path) -> Editor:
    return given_editor(written(system_python.parent / "gimp-console-3.0"), machine)


@pytest.fixture
def flatpak(machine: Machine) -> Editor:
    """GIMP in a Flatpak."""
    active = machine.home / ".local" / "share" / "flatpak" / "app" / "org.gimp.GIMP" / "current" / "active"
    written(active / "files" / "bin" / "gimp-console-3.0")
    (editor,) = find_editors(machine)
    return editor


@pytest.fixture
def gimp(tmp_path: Path, system_python: Path) -> FakeGimp:
    fake = FakeGimp(tmp_path / "home" / ".config" / "GIMP" / "3.0", system_python)
    fake.user_folder.mkdir(parents=True)
    return fake


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return Product(sources=small_sources(tmp_path / "sources"), version="1.0", python=Path("/opt/impasto/bin/python"))
