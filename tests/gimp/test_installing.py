"""`impasto install`, the doctor and `impasto uninstall` with a real GIMP: what it registers and answers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gimp.doors import door_to
from gimp.gimp_root import CACHE, GimpRoot
from gimp.running import product_python, wheels_for
from impasto_installer.doctor.check import Status
from impasto_installer.doctor.editor_checks import examine
from impasto_installer.editors.finding import Editor, given_editor
from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.running import run_program
from impasto_installer.installing import Installed, Product, Transport, install
from impasto_installer.plugin_folder import content_of, find_sources, lay_out
from impasto_installer.uninstalling import uninstall

VERSION = "1.0"

OWN_BIN = Path(sys.executable).parent

GIMPS_OWN = {"pluginrc"}
"""What GIMP itself writes, and mends at its next start."""


@pytest.fixture(scope="module")
def door(root: GimpRoot, shared: Path) -> Path:
    """A program that is this GIMP, as the user's own would be."""
    return door_to(root, shared / "gimp-console", shared)


def editor_of(door: Path, home: Path) -> Editor:
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    for variable in ("XDG_CONFIG_HOME", "GIMP3_DIRECTORY"):
        environment.pop(variable, None)
    return given_editor(door, Machine(system=System.LINUX, home=home, environment=environment))


@pytest.fixture(scope="module")
def product() -> Product:
    return Product(sources=find_sources(), version=VERSION, python=Path(sys.executable))


@pytest.fixture(scope="module")
def first(door: Path, shared: Path, product: Product) -> Installed:
    """What came of installing for a user who has never started GIMP."""
    home = shared / "first-home"
    home.mkdir()
    return install(editor_of(door, home), product, run_program, own_bin=OWN_BIN)


@pytest.fixture
def editor(door: Path, first: Installed, shared: Path, tmp_path: Path) -> Editor:
    """A GIMP of another user, who has the same in the same place."""
    home = shared / f"home-{tmp_path.name}"
    shutil.copytree(shared / "first-home", home, symlinks=True)
    return editor_of(door, home)


@pytest.fixture
def plugin(editor: Editor, first: Installed, shared: Path) -> Path:
    return editor.machine.home / first.folder.relative_to(shared / "first-home")


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in GIMPS_OWN and path.suffix != ".pyc"
    }


def test_gimp_registers_what_is_installed(first: Installed, shared: Path) -> None:
    assert (first.changed, first.transport) == (True, Transport.VENDORED)
    assert first.folder.is_relative_to(shared / "first-home" / ".config" / "GIMP")


def test_installing_again_changes_nothing_and_uninstalling_leaves_nothing(
    editor: Editor, plugin: Path, product: Product
) -> None:
    before = files_in(plugin)
    assert not install(editor, product, run_program, own_bin=OWN_BIN).changed
    assert files_in(plugin) == before
    assert uninstall(plugin) == ()
    assert not any("impasto" in path for path in files_in(editor.machine.home))


Plant = Callable[[Path], object]


def no_longer_executable(folder: Path) -> None:
    (folder / "impasto.py").chmod(0o644)


def library_broken(folder: Path) -> None:
    for library in (folder / "vendored").rglob("*.so*"):
        library.write_bytes(library.read_bytes()[:1000])


def protocol_missing(folder: Path) -> None:
    shutil.rmtree(folder / "impasto_protocol")
    later_s = (folder / "impasto.py").stat().st_mtime + 2.0
    os.utime(folder / "impasto.py", (later_s, later_s))  # so that GIMP asks it again


def registration_of_another_version(folder: Path) -> None:
    """GIMP keeps what it was told by a main file of the same time."""
    pluginrc = folder.parents[1] / "pluginrc"
    told = pluginrc.read_bytes()
    assert b'"plug-in-impasto-stylize"' in told
    pluginrc.write_bytes(told.replace(b'"plug-in-impasto-stylize"', b'"plug-in-impasto-as-it-was"'))


@pytest.mark.parametrize(
    ("plant", "name", "said"),
    [
        (registration_of_another_version, "menu", "does not have the plug-in in its menus"),
        (no_longer_executable, "menu", "does not have the plug-in in its menus"),
        (library_broken, "connection", "pyzmq"),
        (protocol_missing, "menu", "No module named 'impasto_protocol'"),
    ],
)
def test_what_is_planted_is_seen_by_gimp_itself_and_mended_by_installing_again(
    plant: Plant, name: str, said: str, editor: Editor, plugin: Path, product: Product
) -> None:
    plant(plugin)
    checks = examine(editor, VERSION, run_program, own_bin=OWN_BIN).checks
    faults = {check.name.partition(": ")[2]: check for check in checks if check.status is not Status.OK}
    assert said in faults[name].message
    mended = install(editor, product, run_program, own_bin=OWN_BIN)  # which asks GIMP
    assert (mended.changed, mended.transport) == (True, Transport.VENDORED)


def test_a_python_in_the_way_does_not_keep_the_plug_in_out_of_the_menu(
    editor: Editor, shared: Path, tmp_path: Path
) -> None:
    other = shared / f"other-{tmp_path.name}" / "python3"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    path = f"{other.parent}{os.pathsep}{editor.machine.environment['PATH']}"
    machine = replace(editor.machine, environment={**editor.machine.environment, "PATH": path})
    checks = examine(replace(editor, machine=machine), VERSION, run_program, own_bin=OWN_BIN).checks
    (shadowed,) = (check for check in checks if "python3" in check.name)
    assert str(other) in shadowed.message
    assert [check.message for check in checks if check.status is Status.ERROR] == []


@pytest.fixture(scope="module")
def wheels(root: GimpRoot) -> Path:
    """pyzmq and msgpack for GIMP's Python, as somebody brought them from a machine with internet."""
    return wheels_for(root, CACHE)


def test_an_older_plug_in_is_replaced_and_gimp_registers_what_is_new(
    editor: Editor, plugin: Path, product: Product, wheels: Path
) -> None:
    """The older one paints only in the menu of those days, has no libraries, and files that are no more."""
    uninstall(plugin)
    older = content_of(product.sources, version="0.0.1", python=None)
    older["impasto.py"] = older["impasto.py"].replace(b'"plug-in-impasto-', b'"plug-in-impasto-older-')
    older["impasto_gimp/gone.py"] = b"x = 1\n"
    lay_out(plugin, older, version="0.0.1")
    before = examine(editor, VERSION, run_program, own_bin=OWN_BIN).checks
    assert {check.name.partition(": ")[2] for check in before if check.status is Status.ERROR} >= {"version", "menu"}
    upgraded = install(editor, product, run_program, wheels=wheels, own_bin=OWN_BIN)
    assert (upgraded.changed, upgraded.transport) == (True, Transport.VENDORED)
    assert not (plugin / "impasto_gimp" / "gone.py").exists()
    after = examine(editor, VERSION, run_program, own_bin=OWN_BIN).checks
    assert [check.message for check in after if check.status is Status.ERROR] == []


def test_where_no_libraries_can_be_had_gimp_reaches_impasto_over_a_bridge(
    editor: Editor, plugin: Path, product: Product, root: GimpRoot, shared: Path, tmp_path: Path
) -> None:
    beyond = replace(product, python=product_python(root, shared))
    bridged = install(editor, beyond, run_program, wheels=tmp_path, own_bin=OWN_BIN)
    assert (bridged.changed, bridged.transport) == (True, Transport.BRIDGE)
    assert bridged.remarks[0].startswith("It goes over a bridge, because pyzmq and msgpack for Python ")
    assert not (plugin / "vendored").exists()
    checks = examine(editor, VERSION, run_program, own_bin=OWN_BIN).checks
    assert checks[-1].message == "The plug-in goes over a bridge through Impasto's own Python."
    assert uninstall(plugin) == ()


def test_the_command_installs_without_internet_and_says_what_it_did(
    door: Path, editor: Editor, plugin: Path, wheels: Path, tmp_path: Path
) -> None:
    uninstall(plugin)
    environment = {
        **editor.machine.environment,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(editor.machine.home / ".config"),
        **dict.fromkeys(("PIP_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    }

    def impasto(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "impasto_daemon", *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    first = impasto("install", "--gimp", door, "--wheels", wheels)
    assert (first.returncode, first.stderr) == (0, "")
    assert f"{door} (the distribution's) ..." in first.stdout
    assert f"  installed in {plugin}, with pyzmq beside the plug-in\n" in first.stdout
    assert "Filters > Artistic > Neural Style Transfer" in first.stdout
    gone = impasto("uninstall")
    assert (gone.returncode, gone.stderr) == (0, "")
    assert gone.stdout.startswith("Removed from ")
    assert not (tmp_path / "data" / "impasto").exists()
    assert impasto("uninstall").stdout == "The plug-in is in no GIMP.\n"
