"""The daemon at login: what is written, what is called, and that it goes as it came."""

import configparser
import plistlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.running import Said
from impasto_installer.errors import ServiceError
from impasto_installer.service import service_of

PYTHON = Path("/home/ada/my tools/100% $mine/bin/python")


class Commands:
    """Takes down what is called; refuses what it is told to."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.calls: list[str] = []

    def __call__(self, call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        self.calls.append(" ".join(call))
        if self.refused and self.refused in self.calls[-1]:
            return Said(code=1, errors="Failed to connect to bus: No medium found\n")
        return Said(code=0)


def machine(system: System, tmp_path: Path) -> Machine:
    return Machine(system=system, home=tmp_path, environment={"USERNAME": "ada & bob"}, root=tmp_path)


def test_systemd_gets_a_unit_of_the_users_own(tmp_path: Path) -> None:
    commands = Commands()
    service = service_of(machine(System.LINUX, tmp_path), commands, PYTHON)
    service.install()
    assert service.file == tmp_path / ".config" / "systemd" / "user" / "impasto.service"
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(service.file.read_text())
    started = shlex.split(unit["Service"]["ExecStart"])
    assert started == [str(PYTHON).replace("%", "%%"), "-m", "impasto_daemon", "daemon", "run"]
    assert unit["Install"]["WantedBy"] == "default.target"
    assert commands.calls == ["systemctl --user daemon-reload", "systemctl --user enable --now impasto.service"]


def test_launchd_gets_an_agent(tmp_path: Path) -> None:
    commands = Commands()
    service = service_of(machine(System.MACOS, tmp_path), commands, PYTHON)
    service.install()
    assert service.file == tmp_path / "Library" / "LaunchAgents" / "org.impasto.daemon.plist"
    agent = plistlib.loads(service.file.read_bytes())
    assert agent["ProgramArguments"] == [str(PYTHON), "-m", "impasto_daemon", "daemon", "run"]
    assert (agent["RunAtLoad"], agent["KeepAlive"]) == (True, {"Crashed": True})
    (call,) = commands.calls
    assert call.startswith("launchctl bootstrap gui/")
    assert call.endswith(str(service.file))


def test_windows_gets_a_task_at_logon(tmp_path: Path) -> None:
    commands = Commands()
    service = service_of(machine(System.WINDOWS, tmp_path), commands, Path("/C/my tools/python.exe"))
    service.install()
    task = ElementTree.fromstring(service.file.read_bytes().decode("utf-16"))  # noqa: S314
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert task.findtext(f".//{space}Command") == "/C/my tools/pythonw.exe"
    assert task.findtext(f".//{space}Arguments") == "-m impasto_daemon daemon run"
    assert task.findtext(f".//{space}LogonTrigger/{space}UserId") == "ada & bob"
    assert commands.calls == [f"schtasks /Create /F /TN Impasto /XML {service.file}", "schtasks /Run /TN Impasto"]


@pytest.mark.parametrize("system", System)
def test_it_goes_as_it_came(system: System, tmp_path: Path) -> None:
    commands = Commands()
    service = service_of(machine(system, tmp_path), commands, PYTHON)
    assert not service.remove()
    assert commands.calls == []
    service.install()
    service.install()
    assert service.is_installed
    assert service.remove()
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    assert not service.is_installed


@pytest.mark.parametrize(
    ("system", "refused"), [(System.LINUX, "enable"), (System.MACOS, "bootstrap"), (System.WINDOWS, "/Create")]
)
def test_a_system_that_refuses_leaves_no_file(system: System, refused: str, tmp_path: Path) -> None:
    service = service_of(machine(system, tmp_path), Commands(refused), PYTHON)
    with pytest.raises(
        ServiceError, match=r"failed \(Failed to connect to bus: No medium found\).*plug-in still starts"
    ):
        service.install()
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_system_that_refuses_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    here = machine(System.LINUX, tmp_path)
    service_of(here, Commands(), Path("/old/python")).install()
    service = service_of(here, Commands("enable"), PYTHON)
    with pytest.raises(ServiceError):
        service.install()
    assert "/old/python" in service.file.read_text()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file")
    with pytest.raises(ServiceError, match=r"Cannot write '.*impasto\.service'"):
        service_of(machine(System.LINUX, tmp_path), Commands(), PYTHON).install()
