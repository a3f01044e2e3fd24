"""What launchd and the Task Scheduler are given, held against what is documented of it.

Neither runs here. The tables are from launchd.plist(5) and from the Task Scheduler Schema, version 1.2, of Microsoft's
[MS-TSCH], section 2.5; they have what Impasto could want, and not all that there is.
"""

import plistlib
import re
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import pytest

from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.running import Said
from impasto_installer.service import LoginService, service_of

PROCESS_TYPES = {"Background", "Standard", "Adaptive", "Interactive"}

KEEP_ALIVE = {"SuccessfulExit": bool, "Crashed": bool}

AGENT: dict[str, type] = {
    "Label": str,
    "Program": str,
    "ProgramArguments": list,
    "EnvironmentVariables": dict,
    "RunAtLoad": bool,
    "KeepAlive": dict,
    "ProcessType": str,
    "Umask": int,
    "WorkingDirectory": str,
    "StandardOutPath": str,
    "StandardErrorPath": str,
    "ThrottleInterval": int,
    "ExitTimeOut": int,
}

ANY, FILLED, BOOLEAN = r"[\s\S]*", r"[\s\S]+", r"true|false|0|1"

TASK = {
    "Task/RegistrationInfo/Description": ANY,
    "Task/Triggers/LogonTrigger/Enabled": BOOLEAN,
    "Task/Triggers/LogonTrigger/UserId": FILLED,
    "Task/Principals/Principal/UserId": FILLED,
    "Task/Principals/Principal/LogonType": r"S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "Task/Principals/Principal/RunLevel": r"LeastPrivilege|HighestAvailable",
    "Task/Settings/MultipleInstancesPolicy": r"Parallel|Queue|IgnoreNew|StopExisting",
    "Task/Settings/DisallowStartIfOnBatteries": BOOLEAN,
    "Task/Settings/StopIfGoingOnBatteries": BOOLEAN,
    "Task/Settings/ExecutionTimeLimit": r"P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?",
    "Task/Settings/Priority": r"\d|10",
    "Task/Actions/Exec/Command": FILLED,
    "Task/Actions/Exec/Arguments": ANY,
    "Task/Actions/Exec/WorkingDirectory": ANY,
}

SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"

PYTHON = "C:/Users/Ada & Bob/pipx/venvs/impasto/Scripts/python.exe"

VARIABLES = {"USERDOMAIN": "AzureAD", "USERNAME": "Ada & Bob", "IMPASTO_CONNECTION": "/Users/ada/a & b/c.json"}


def service(system: System, tmp_path: Path, environment: dict[str, str] = VARIABLES) -> LoginService:
    machine = Machine(system=system, home=tmp_path, environment=environment, root=tmp_path)
    return service_of(machine, lambda *_, timeout_s: Said(code=0), Path(PYTHON), arguments=("--memory-budget", "3 GB"))


def test_launchd_knows_each_key_and_its_type(tmp_path: Path) -> None:
    launchd = service(System.MACOS, tmp_path)
    agent = plistlib.loads(launchd.text().encode())
    assert {key: type(value) for key, value in agent.items()} == {key: AGENT[key] for key in agent}
    assert {key: type(value) for key, value in agent["KeepAlive"].items()} == {
        key: KEEP_ALIVE[key] for key in agent["KeepAlive"]
    }
    assert {type(word) for word in agent["ProgramArguments"]} == {str}
    assert {type(word) for pair in agent["EnvironmentVariables"].items() for word in pair} == {str}
    assert agent["ProcessType"] in PROCESS_TYPES
    assert agent["Umask"] == 63  # decimal: property lists have no octal
    assert launchd.file.name == f"{agent['Label']}.plist"  # as launchd.plist(5) expects it


def elements(text: str) -> dict[str, str]:
    """The text of each innermost element, under its path."""
    found: dict[str, str] = {}

    def look(element: ElementTree.Element, above: str) -> None:
        assert element.tag.startswith(SPACE)
        path = f"{above}/{element.tag.removeprefix(SPACE)}".lstrip("/")
        if not len(element):
            assert path not in found, f"{path} may be there once only"
            found[path] = element.text or ""
        for child in element:
            look(child, path)

    look(ElementTree.fromstring(text), "")  # noqa: S314 -- our own
    return found


def parsed(service: LoginService) -> str:
    """As the scheduler reads it: in UTF-16, with a mark of the order of its bytes."""
    content = service.text().encode(service.encoding)
    assert content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16").partition("?>")[2]


@pytest.mark.parametrize("environment", [VARIABLES, {}], ids=["somebody", "nobody"])
def test_the_task_scheduler_knows_each_element_and_its_values(environment: dict[str, str], tmp_path: Path) -> None:
    text = parsed(service(System.WINDOWS, tmp_path, environment))
    task = ElementTree.fromstring(text)  # noqa: S314 -- our own
    for path, value in elements(text).items():
        if path != "Task/Triggers/LogonTrigger":  # at everybody's logon
            assert re.fullmatch(TASK[path], value), (path, value)
    assert task.get("version") == "1.2"
    (principal,) = task.iter(f"{SPACE}Principal")
    (actions,) = task.iter(f"{SPACE}Actions")
    assert actions.get("Context") == principal.get("id")


def test_the_task_is_the_users_with_the_domain_and_not_in_the_background(tmp_path: Path) -> None:
    found = elements(parsed(service(System.WINDOWS, tmp_path)))
    whose = {path: value for path, value in found.items() if path.endswith("/UserId")}
    assert set(whose) == {"Task/Triggers/LogonTrigger/UserId", "Task/Principals/Principal/UserId"}
    assert set(whose.values()) == {r"AzureAD\Ada & Bob"}
    assert 4 <= int(found["Task/Settings/Priority"]) <= 6  # 7, the default, is below normal for processor and disk
    assert PureWindowsPath(found["Task/Actions/Exec/Command"]).name == "pythonw.exe"
    assert found["Task/Actions/Exec/Arguments"] == '-m impasto_daemon daemon run --memory-budget "3 GB"'
