"""The daemon at login: what is written, what is called, and that it goes as it came."""

import configparser
import os
import plistlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from impasto_daemon.commands.failures import EXHAUSTED, UNEXPECTED
from impasto_installer.doctor.check import Status
from impasto_installer.doctor.login_checks import check_login
from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.running import Said
from impasto_installer.errors import ServiceError
from impasto_installer.service import LoginService, service_of

PYTHON = Path("/home/ada/my tools/100% $mine/bin/python")


class Commands:
    """A system that starts programs at login: knows what it was told, and refuses what it is told to.

    Attributes:
        refused: Part of the commands that it refuses.
        calls: What was called, but for questions.
        known: What it starts at login: the text of the file.
        clings: How often launchd refuses an agent after it was told to let go of the one before.
    """

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.calls: list[str] = []
        self.known: bytes | None = None
        self.clings = 0

    def __call__(self, call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        words = set(call)
        if words & QUESTIONS:
            return Said(code=0 if self.known is not None else 113)
        self.calls.append(" ".join(call))
        if self.refused and self.refused in self.calls[-1]:
            return Said(code=1, errors="Failed to connect to bus: No medium found\n")
        if words & {"enable", "bootstrap", "/Create"}:
            if "bootstrap" in words and (self.known is not None or self.clings > 0):
                self.clings -= 1
                return Said(code=5, errors="Bootstrap failed: 5: Input/output error\n")
            self.known = self.file.read_bytes()
        elif words & {"disable", "bootout", "/Delete"}:
            was_known, self.known = self.known is not None, None
            return Said(code=0 if was_known else 3)
        return Said(code=0)

    file: Path
    """What the system reads."""


QUESTIONS = {"is-enabled", "print", "/Query"}

SECOND = [(System.LINUX, "enable"), (System.MACOS, "bootstrap"), (System.WINDOWS, "/Run")]
"""The last command that tells each system."""


def service(system: System, tmp_path: Path, commands: Commands, python: Path = PYTHON) -> LoginService:
    made = service_of(machine(system, tmp_path), commands, python, wait=lambda _: None)
    commands.file = made.file
    return made


def machine(system: System, tmp_path: Path) -> Machine:
    return Machine(system=system, home=tmp_path, environment={"USERNAME": "ada & bob"}, root=tmp_path)


def test_systemd_gets_a_unit_of_the_users_own(tmp_path: Path) -> None:
    commands = Commands()
    systemd = service(System.LINUX, tmp_path, commands)
    systemd.install()
    assert systemd.file == tmp_path / ".config" / "systemd" / "user" / "impasto.service"
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(systemd.file.read_text())
    started = shlex.split(unit["Service"]["ExecStart"])
    python = str(PYTHON).replace("%", "%%").replace("$", "$$")
    assert started == ["/usr/bin/env", python, "-m", "impasto_daemon", "daemon", "run"]
    assert unit["Install"]["WantedBy"] == "default.target"
    assert unit["Service"]["Restart"] == "on-failure"
    again = {UNEXPECTED, EXHAUSTED}
    assert again.isdisjoint(map(int, unit["Service"]["RestartPreventExitStatus"].split()))
    assert again.isdisjoint(map(int, unit["Service"]["SuccessExitStatus"].split()))
    assert commands.calls == ["systemctl --user daemon-reload", "systemctl --user enable --now impasto.service"]


def test_launchd_gets_an_agent(tmp_path: Path) -> None:
    commands = Commands()
    launchd = service(System.MACOS, tmp_path, commands)
    launchd.install()
    assert launchd.file == tmp_path / "Library" / "LaunchAgents" / "org.impasto.daemon.plist"
    agent = plistlib.loads(launchd.file.read_bytes())
    assert agent["ProgramArguments"] == [str(PYTHON), "-m", "impasto_daemon", "daemon", "run"]
    assert (agent["RunAtLoad"], agent["KeepAlive"]) == (True, {"Crashed": True})
    (call,) = commands.calls
    assert call.startswith("launchctl bootstrap gui/")
    assert call.endswith(str(launchd.file))


def test_windows_gets_a_task_at_logon(tmp_path: Path) -> None:
    commands = Commands()
    windows = service(System.WINDOWS, tmp_path, commands, Path("/C/my tools/python.exe"))
    windows.install()
    task = ElementTree.fromstring(windows.file.read_bytes().decode("utf-16"))  # noqa: S314
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert task.findtext(f".//{space}Command") == "/C/my tools/pythonw.exe"
    assert task.findtext(f".//{space}Arguments") == "-m impasto_daemon daemon run"
    assert task.findtext(f".//{space}LogonTrigger/{space}UserId") == "ada & bob"
    name = "Impasto-ada & bob"  # two users of a machine have two tasks
    assert commands.calls == [f"schtasks /Create /F /TN {name} /XML {windows.file}", f"schtasks /Run /TN {name}"]


VARIABLES = {
    "IMPASTO_CONNECTION": '/home/ada/my "files"/100% $mine/connection.json',
    "KERAS_BACKEND": "jax",
    "IMPASTO_WEIGHTS_DIR": "",
    "HOME": "/home/ada",
}


@pytest.mark.parametrize("system", [System.LINUX, System.MACOS])
def test_the_daemon_at_login_serves_where_one_started_here_would(system: System, tmp_path: Path) -> None:
    here = Machine(system=system, home=tmp_path, environment=VARIABLES, root=tmp_path)
    text = service_of(here, Commands(), PYTHON).text()
    wanted = {name: VARIABLES[name] for name in ("IMPASTO_CONNECTION", "KERAS_BACKEND")}
    if system is System.MACOS:
        assert plistlib.loads(text.encode())["EnvironmentVariables"] == wanted
    else:
        lines = [line.partition("=")[2] for line in text.splitlines() if line.startswith("Environment=")]
        told = dict(word.split("=", 1) for line in lines for word in shlex.split(line.replace("%%", "%")))
        assert told == wanted


def test_a_place_that_is_named_from_here_is_named_from_everywhere(tmp_path: Path) -> None:
    environment = {"IMPASTO_CONNECTION": "here/connection.json"}
    here = Machine(system=System.LINUX, home=tmp_path, environment=environment, root=tmp_path)
    assert f'"IMPASTO_CONNECTION={Path.cwd()}/here/connection.json"' in service_of(here, Commands(), PYTHON).text()


def test_systemd_is_found_where_su_and_sudo_do_not_tell_of_it(tmp_path: Path) -> None:
    asked: list[Mapping[str, str]] = []

    def run(call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        asked.append(environment)
        return Said(code=0)

    place = tmp_path / "run" / "user" / str(os.getuid())
    service_of(machine(System.LINUX, tmp_path), run).install()
    assert "XDG_RUNTIME_DIR" not in asked[-1]
    place.mkdir(parents=True)
    service_of(machine(System.LINUX, tmp_path), run).install()
    assert asked[-1]["XDG_RUNTIME_DIR"] == str(place)


def test_what_systemd_cannot_be_asked_to_forget_is_deleted(tmp_path: Path) -> None:
    """Without a way to the user's systemd, its link to the unit stays, and so the unit would be started again."""
    service(System.LINUX, tmp_path, Commands()).install()
    daemon = service_of(machine(System.LINUX, tmp_path), lambda *_, timeout_s: Said(code=1), wait=lambda _: None)
    link = daemon.file.parent / "default.target.wants" / daemon.file.name
    link.parent.mkdir()
    link.symlink_to(daemon.file)
    assert daemon.remove()
    assert not (tmp_path / ".config" / "systemd").exists()


def test_what_others_have_in_the_folders_stays(tmp_path: Path) -> None:
    daemon = service(System.LINUX, tmp_path, Commands())
    daemon.install()
    other = daemon.file.with_name("other.service")
    other.touch()
    assert daemon.remove()
    assert left_in(tmp_path) == [other]


@pytest.mark.parametrize("system", System)
def test_what_is_started_is_told_from_what_another_impasto_has_left(system: System, tmp_path: Path) -> None:
    daemon = service(system, tmp_path, commands := Commands())
    assert not daemon.starts_this_one
    daemon.install()
    assert daemon.starts_this_one
    assert service_of(machine(system, tmp_path), commands, PYTHON, arguments=("--bind", "::1")).starts_this_one
    assert not service(system, tmp_path, commands, Path("/elsewhere/python")).starts_this_one


def test_the_doctor_tells_of_the_daemon_at_login_what_is_wrong(tmp_path: Path) -> None:
    daemon = service(System.LINUX, tmp_path, commands := Commands())
    assert check_login(daemon, is_running=True) == []
    daemon.install()
    (fine,) = check_login(daemon, is_running=True)
    assert (fine.status, fine.cure) == (Status.OK, "")
    (stopped,) = check_login(daemon, is_running=False)
    (moved,) = check_login(service(System.LINUX, tmp_path, commands, Path("/new/python")), is_running=True)
    commands.known = None
    (unknown,) = check_login(daemon, is_running=True)
    for found, words in ((stopped, "does not run now"), (moved, "another Impasto"), (unknown, "does not start it")):
        assert found.status is Status.WARNING
        assert words in found.message
        assert found.cure.startswith("Run 'impasto service install'")


def left_in(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("system", System)
def test_it_goes_as_it_came(system: System, tmp_path: Path) -> None:
    commands = Commands()
    daemon = service(system, tmp_path, commands)
    assert not daemon.remove()
    assert commands.calls == []
    daemon.install()
    assert daemon.is_installed
    assert daemon.remove()
    assert left_in(tmp_path) == []
    assert not daemon.is_installed
    assert commands.known is None


@pytest.mark.parametrize("system", System)
def test_installing_again_starts_what_was_stopped_and_disturbs_nothing_that_runs(
    system: System, tmp_path: Path
) -> None:
    commands = Commands()
    daemon = service(system, tmp_path, commands)
    daemon.install()
    before, commands.calls = commands.known, []
    daemon.install()
    assert commands.known == before
    assert not any(word in call for call in commands.calls for word in ("bootout", "bootstrap", "/End", "/Create"))
    assert any(word in commands.calls[-1] for word in ("start impasto", "kickstart", "/Run"))


@pytest.mark.parametrize("system", [System.MACOS, System.WINDOWS])
def test_what_runs_already_need_not_be_started(system: System, tmp_path: Path) -> None:
    service(system, tmp_path, commands := Commands()).install()
    commands.refused = "kickstart" if system is System.MACOS else "/Run"
    service(system, tmp_path, commands).install()


@pytest.mark.parametrize("system", System)
def test_an_impasto_that_has_moved_takes_the_place_of_the_one_before(system: System, tmp_path: Path) -> None:
    commands = Commands()
    service(system, tmp_path, commands, Path("/old/python")).install()
    commands.clings = 4
    daemon = service(system, tmp_path, commands)
    daemon.install()
    assert commands.known == daemon.text().encode(daemon.encoding)


def test_a_launchd_that_never_lets_go_is_given_up(tmp_path: Path) -> None:
    commands = Commands()
    service(System.MACOS, tmp_path, commands, Path("/old/python")).install()
    commands.clings = 1000
    with pytest.raises(ServiceError, match="Input/output error"):
        service(System.MACOS, tmp_path, commands).install()
    assert b"/old/python" in commands.file.read_bytes()


@pytest.mark.parametrize(("system", "refused"), [*SECOND, (System.LINUX, "daemon-reload"), (System.WINDOWS, "/Create")])
def test_a_system_that_refuses_is_left_as_it_was(system: System, refused: str, tmp_path: Path) -> None:
    commands = Commands(refused)
    with pytest.raises(
        ServiceError, match=r"failed \(.*: No medium found\), so the daemon is not started at login; .*(again|Startup)"
    ):
        service(system, tmp_path, commands).install()
    assert left_in(tmp_path) == []
    assert commands.known is None


def refuse() -> None:
    raise ServiceError("The system was told to start the daemon, but none answers")


@pytest.mark.parametrize("system", System)
def test_a_daemon_that_does_not_answer_is_not_started_at_login(system: System, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="none answers, so the daemon is not started at login"):
        service(system, tmp_path, commands := Commands()).install(prove=refuse)
    assert left_in(tmp_path) == []
    assert commands.known is None


@pytest.mark.parametrize("system", System)
def test_one_that_does_not_answer_again_stays_and_is_told_of(system: System, tmp_path: Path) -> None:
    daemon = service(system, tmp_path, commands := Commands())
    daemon.install()
    known = commands.known
    with pytest.raises(ServiceError, match=r"none answers$"):
        daemon.install(prove=refuse)
    assert (daemon.file.read_bytes(), commands.known) == (known, known)


@pytest.mark.parametrize("system", System)
def test_what_runs_makes_way_for_what_is_new_only_and_not_before_the_system_agrees(
    system: System, tmp_path: Path
) -> None:
    made_way: list[int] = []
    commands = Commands()
    daemon = service(system, tmp_path, commands)
    daemon.install(make_way=lambda: made_way.append(len(commands.calls)))
    assert made_way == [len(commands.calls) - 1]
    daemon.install(make_way=lambda: made_way.append(-1))
    assert made_way[1:] == []


@pytest.mark.parametrize(("system", "refused"), SECOND)
def test_a_system_that_refuses_the_new_one_keeps_the_old(system: System, refused: str, tmp_path: Path) -> None:
    commands = Commands()
    old = service(system, tmp_path, commands, Path("/old/python"))
    old.install()
    known, refusals = commands.known, iter([refused])

    def call(words: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        commands.refused = next(refusals, "") if refused in words else ""
        return commands(words, environment, timeout_s=timeout_s)

    new = service_of(machine(system, tmp_path), call, PYTHON, wait=lambda _: None)
    new.letting_go_s = 0.0
    with pytest.raises(ServiceError, match="started at login as it was before"):
        new.install()
    assert (old.file.read_bytes(), commands.known) == (known, known)


def test_a_task_whose_file_is_gone_is_removed_all_the_same(tmp_path: Path) -> None:
    commands = Commands()
    task = service(System.WINDOWS, tmp_path, commands)
    task.install()
    task.file.unlink()
    assert task.remove()
    assert commands.known is None


def test_a_task_that_the_system_keeps_is_told_of(tmp_path: Path) -> None:
    service(System.WINDOWS, tmp_path, commands := Commands()).install()
    commands.refused = "/Delete"
    with pytest.raises(ServiceError, match=r"still starts the daemon at login: 'schtasks /Delete /F' failed"):
        service(System.WINDOWS, tmp_path, commands).remove()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".config").write_text("a file")
    with pytest.raises(ServiceError, match=r"Cannot write '.*impasto\.service'"):
        service_of(machine(System.LINUX, tmp_path), Commands(), PYTHON).install()
