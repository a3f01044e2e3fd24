"""Every fault that the doctor is to find, planted: who does what the doctor says is rid of it.

The cures are followed to the letter, from the text, by a reader who knows nothing else; a cure that cannot be followed
so fails here. GIMP and pip are stand-ins; daemon, connection file and weights are the real ones.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from command.bad_line import BadLine, bad_line
from impasto_daemon.commands import run
from impasto_daemon.engine_checks import check_weights
from impasto_engine.networks.published import PUBLISHED, keras_folder
from impasto_installer.doctor.check import Check, Status
from impasto_installer.doctor.daemon_checks import check_daemon
from impasto_installer.doctor.editor_checks import examine
from impasto_installer.editors.finding import Editor
from impasto_installer.installing import Product, install
from impasto_protocol.connection import connection_path
from installer.fake_gimp import BROKEN, FakeGimp, written

VERSION = metadata.version("impasto")

DESKTOP = "/usr/local/bin:/usr/bin:/bin"
"""Where programs are looked for outside of every environment."""


class Machine:
    """A machine on which everything is in order, and somebody who does what the doctor says.

    Args:
        editor: Its GIMP.
        product: The Impasto of today.
        gimp: What that GIMP does.
    """

    def __init__(self, editor: Editor, product: Product, gimp: FakeGimp) -> None:
        self.editor, self.gimp = editor, gimp
        self.product = replace(product, version=VERSION)
        self.path = DESKTOP
        gimp.python = Path(shutil.which("python3", path=DESKTOP) or "")

    def install(self) -> None:
        """`impasto install`."""
        install(self.shown, self.product, self.gimp)

    @property
    def shown(self) -> Editor:
        """GIMP as this shell starts it."""
        environment = {**self.editor.machine.environment, "PATH": self.path}
        return replace(self.editor, machine=replace(self.editor.machine, environment=environment))

    def faults(self) -> list[Check]:
        """What the doctor finds."""
        weights = [check for check in check_weights() if check.name == "weights of vgg16"]
        checks = [*weights, *check_daemon(connection_path(), VERSION), *examine(self.shown, VERSION, self.gimp).checks]
        return [check for check in checks if check.status is not Status.OK]

    def follow(self, cure: str) -> None:
        """Does what it says, sentence by sentence."""
        steps: tuple[tuple[str, Callable[..., object]], ...] = (
            (r"Run 'chmod go-w ([^' ]+)'\.", lambda path: Path(path).chmod(Path(path).stat().st_mode & ~0o022)),
            (r"Run 'impasto install', and restart GIMP\. ?", self.install),
            (r"Delete '([^']+)'\. ?", self._delete),
            (r"Run 'impasto ([^']+)' and (?:then )?'impasto ([^']+)'\. ?", self._call),
            (r"Run 'impasto ([^']+)' for the best paintings\. ?", self._call),
            (r"Start GIMP from the desktop, or leave that environment before \(.*\)\. ?", self._leave_the_environment),
        )
        while cure:
            found = next(((step, match) for text, step in steps if (match := re.match(text, cure))), None)
            assert found is not None, f"Nobody can follow {cure!r}."
            step, match = found
            step(*match.groups())
            cure = cure[match.end() :]

    def _delete(self, path: str) -> None:
        shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()

    def _call(self, *commands: str) -> None:
        for words in commands:
            assert run(words.split()) == 0

    def _leave_the_environment(self) -> None:
        self.path = DESKTOP


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[BadLine]:
    """A line over which something small comes as VGG16's weights."""
    with bad_line() as server:
        monkeypatch.setitem(PUBLISHED, "vgg16", server.published)  # type: ignore[arg-type]
        yield server


@pytest.fixture
def sound(
    editor: Editor, product: Product, gimp: FakeGimp, line: BadLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("IMPASTO_CONNECTION", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("IMPASTO_WEIGHTS_DIR", raising=False)
    machine = Machine(editor, product, gimp)
    machine.install()
    assert run(["weights", "fetch", "vgg16", "--quiet"]) == 0
    assert machine.faults() == []
    yield machine
    run(["daemon", "stop"])


def not_executable(machine: Machine) -> None:
    (machine.gimp.plugin / "impasto.py").chmod(0o644)


def wrong_folder(machine: Machine) -> None:
    """As one unzips an archive of that name into it."""
    outer = machine.gimp.plugin.with_name("impasto-1.0")
    outer.mkdir()
    machine.gimp.plugin.rename(outer / "impasto")


def a_folder_too_deep(machine: Machine) -> None:
    aside = machine.gimp.user_folder / "aside"
    machine.gimp.plugin.rename(aside)
    machine.gimp.plugin.mkdir()
    aside.rename(machine.gimp.plugin / "impasto")


def an_old_version(machine: Machine) -> None:
    machine.product, today = replace(machine.product, version="0.0.1"), machine.product
    machine.install()
    machine.product = today


def a_python3_before_gimps(machine: Machine) -> None:
    other = written(machine.gimp.user_folder.parents[3] / "conda" / "python3")
    other.chmod(0o755)
    machine.path = f"{other.parent}{os.pathsep}{machine.path}"


def an_old_registration(machine: Machine) -> None:
    machine.gimp.keeps_an_old_registration()


def a_file_missing(machine: Machine) -> None:
    (machine.gimp.plugin / "styles" / "ink.jpg").unlink()


def a_list_of_files_that_makes_no_sense(machine: Machine) -> None:
    written(machine.gimp.plugin / "installed-files.json", "{")


def a_library_broken(machine: Machine) -> None:
    written(machine.gimp.plugin / "vendored" / "zmq" / "__init__.py", BROKEN)


def a_folder_of_the_daemons_that_others_may_write_to(machine: Machine) -> None:
    connection_path().parent.mkdir(parents=True)
    connection_path().parent.chmod(0o775)
    assert run(["daemon", "start"]) != 0


def a_stale_connection_file(machine: Machine) -> None:
    started_by("daemon", "start")
    kept = connection_path().read_bytes()
    run(["daemon", "stop"])
    connection_path().write_bytes(kept)
    connection_path().chmod(0o600)


def a_connection_file_for_everybody(machine: Machine) -> None:
    started_by("daemon", "start")
    connection_path().chmod(0o644)


def a_connection_file_of_nonsense(machine: Machine) -> None:
    started_by("daemon", "start")
    connection_path().write_text("{")


def a_daemon_of_another_version(machine: Machine) -> None:
    """An Impasto that says it is another, as one that was installed before it was upgraded."""
    elsewhere = machine.gimp.user_folder.parents[3] / "upgraded-since"
    written(
        elsewhere / "impasto-0.0.1.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: impasto\nVersion: 0.0.1\n"
    )
    started_by("daemon", "start", elsewhere=elsewhere)


def weights_missing(machine: Machine) -> None:
    (keras_folder() / PUBLISHED["vgg16"].file_name).unlink()


def weights_cut_off(machine: Machine) -> None:
    file = keras_folder() / PUBLISHED["vgg16"].file_name
    file.write_bytes(file.read_bytes()[:1000])


def started_by(*words: str, elsewhere: Path | None = None) -> None:
    path = os.pathsep.join([*([str(elsewhere)] if elsewhere else ()), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-m", "impasto_daemon", *words], env=environment, check=True, capture_output=True)  # noqa: S603


FAULTS = (
    not_executable,
    wrong_folder,
    a_folder_too_deep,
    an_old_version,
    a_python3_before_gimps,
    an_old_registration,
    a_file_missing,
    a_list_of_files_that_makes_no_sense,
    a_library_broken,
    a_folder_of_the_daemons_that_others_may_write_to,
    a_stale_connection_file,
    a_connection_file_for_everybody,
    a_connection_file_of_nonsense,
    a_daemon_of_another_version,
    weights_missing,
    weights_cut_off,
)


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_who_follows_the_cure_is_rid_of_the_fault(plant: Callable[[Machine], None], sound: Machine) -> None:
    plant(sound)
    faults = sound.faults()
    assert faults != []
    for cure in dict.fromkeys(fault.cure for fault in faults):  # each once, as a reader would
        sound.follow(cure)
    assert sound.faults() == []
