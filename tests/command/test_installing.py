"""`impasto install`, `uninstall`, `service` and `doctor` as commands: what they print and how they end."""

import json
import os
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import platformdirs
import pytest

from command.calling import Impasto, python
from impasto_daemon.commands.doctor import FOUND_SOMETHING
from impasto_daemon.commands.starting import options_of, running, stop_daemon
from impasto_daemon.engine_checks import check_backend, check_weights
from impasto_engine.networks.published import PUBLISHED
from impasto_installer.doctor.check import Status
from impasto_protocol import Connection, connection_path, write_connection
from impasto_protocol.transport import new_key_pair

SLOW_PACKAGES = {"keras", "tensorflow", "numpy", "scipy", "PIL", "impasto_engine"}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without a GIMP, without weights, and without a daemon."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", "data"), ("KERAS_HOME", "keras")):
        monkeypatch.setenv(variable, str(home / folder))
    monkeypatch.setenv("IMPASTO_CONNECTION", str(home / "state" / "connection.json"))
    monkeypatch.delenv("IMPASTO_WEIGHTS_DIR", raising=False)
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    return home


def a_broken_gimp(folder: Path) -> Path:
    program = folder / "gimp-console-3.0"
    program.write_text("#!/bin/sh\necho 'gimp: cannot open shared object file' >&2\nexit 127\n")
    program.chmod(0o755)
    return program


@pytest.mark.skipif(any(Path("/usr/bin").glob("gimp*-3*")), reason="this machine has a GIMP 3, which is found")
def test_without_a_gimp_there_is_nothing_to_install_into(impasto: Impasto) -> None:
    outcome = impasto("install")
    assert outcome.code == 2
    assert "There is no GIMP 3 in any of the usual places; install one" in outcome.stderr


@pytest.mark.parametrize(("option", "value"), [("--gimp", "absent"), ("--wheels", "absent")])
def test_what_is_named_has_to_be_there(option: str, value: str, impasto: Impasto) -> None:
    outcome = impasto("install", option, value)
    assert outcome.code == 2
    assert f"{value!r}; correct {option}." in outcome.stderr


def test_a_gimp_that_does_not_start_is_told_of_and_nothing_is_written(
    impasto: Impasto, nowhere: Path, tmp_path: Path
) -> None:
    gimp = a_broken_gimp(tmp_path / "bin")
    outcome = impasto("install", "--gimp", gimp)
    assert outcome.code == 2
    assert outcome.stdout == f"{gimp} (the distribution's) ...\n"
    assert "does not answer (gimp: cannot open shared object file); start it once by hand." in outcome.stderr
    assert not any(path.is_file() for path in nowhere.rglob("*"))


@pytest.mark.skipif(any(Path("/usr/bin").glob("gimp*-3*")), reason="this machine has a GIMP 3, which is found")
def test_a_folder_of_a_gimp_that_is_not_found_gets_the_plug_in_and_gives_it_back(
    impasto: Impasto, nowhere: Path
) -> None:
    user_folder = nowhere / ".config" / "GIMP" / "3.0"
    user_folder.mkdir(parents=True)
    outcome = impasto("install")
    assert outcome.code == 0
    assert "nothing could be checked" in outcome.stdout
    assert (user_folder / "plug-ins" / "impasto" / "impasto.py").stat().st_mode & 0o111
    assert impasto("uninstall").stdout == f"Removed from {user_folder / 'plug-ins'}.\n"
    assert list(user_folder.iterdir()) == []
    assert not (nowhere / "data").exists() or list((nowhere / "data").iterdir()) == []


@pytest.fixture
def systemctl(tmp_path: Path, nowhere: Path) -> Iterator[Path]:
    """A systemctl that takes down what it is told, and starts and stops what the unit names."""
    told, enabled = tmp_path / "told", tmp_path / "enabled"
    unit = nowhere / ".config" / "systemd" / "user" / "impasto.service"
    program = tmp_path / "bin" / "systemctl"
    program.write_text(
        f"""#!/bin/sh
PATH=/usr/bin:/bin
start() {{
    eval "exec env -i HOME=$HOME PYTHONPATH=$PYTHONPATH $(sed -n 's/^Environment=//p' {unit} | tr '\\n' ' ') \
        $(sed -n 's/^ExecStart=//p' {unit})" </dev/null >/dev/null 2>&1 &
    echo $! > {tmp_path}/pid
}}
case "$2" in
    is-enabled) test -e {enabled}; exit ;;
    enable) touch {enabled}; start ;;
    start) kill -0 $(cat {tmp_path}/pid) || start ;;
    disable | stop) kill $(cat {tmp_path}/pid); rm {tmp_path}/pid; test $2 = stop || rm {enabled} ;;
esac
echo "$@" >> {told}
"""
    )
    program.chmod(0o755)
    yield told
    stop_daemon()


def test_the_daemon_is_started_at_login_and_no_more(impasto: Impasto, nowhere: Path, systemctl: Path) -> None:
    unit = nowhere / ".config" / "systemd" / "user" / "impasto.service"
    done = f"The daemon is started at every login, and runs now: {unit}.\n"
    assert impasto("service", "install").stdout == done
    assert systemctl.read_text().splitlines()[-1] == "--user enable --now impasto.service"
    assert running() == int((systemctl.parent / "pid").read_text())
    assert impasto("service", "remove").stdout == "The daemon is not started at login any more.\n"
    assert impasto("service", "remove").stdout == "The daemon is not started at login.\n"
    assert not unit.exists()


def test_a_daemon_that_was_started_otherwise_makes_way_for_the_one_of_the_login(
    impasto: Impasto, systemctl: Path
) -> None:
    impasto("daemon", "start")
    before = running()
    impasto("service", "install")
    mine = int((systemctl.parent / "pid").read_text())
    assert before is not None
    assert running() == mine != before
    impasto("service", "install")
    assert running() == mine


def test_a_daemon_of_before_an_upgrade_makes_way(
    impasto: Impasto, systemctl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older" / "impasto-0.0.1.dist-info" / "METADATA"
    older.parent.mkdir(parents=True)
    older.write_text("Metadata-Version: 2.1\nName: impasto\nVersion: 0.0.1\n")
    impasto("service", "install")
    impasto("daemon", "stop")
    with monkeypatch.context() as before:
        before.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "older"), *sys.path]))
        impasto("daemon", "start")
    assert "impasto 0.0.1 has" in impasto("daemon", "status").stdout
    (systemctl.parent / "pid").unlink()
    impasto("service", "install")
    assert f"impasto {metadata.version('impasto')} has" in impasto("daemon", "status").stdout


def test_options_of_the_daemon_are_those_at_login_and_go_again(
    impasto: Impasto, nowhere: Path, systemctl: Path
) -> None:
    unit = nowhere / ".config" / "systemd" / "user" / "impasto.service"
    impasto("service", "install", "--memory-budget", "3GB")
    before = running()
    assert '"daemon" "run" "--memory-budget" "3GB"' in unit.read_text()
    impasto("service", "install")
    assert '"daemon" "run"\n' in unit.read_text()
    assert running() not in (None, before)
    assert impasto("service", "install", "--memory-budget", "much").code == 2


def test_a_daemon_that_was_started_otherwise_is_told_of_when_the_one_of_the_login_goes(
    impasto: Impasto, systemctl: Path
) -> None:
    impasto("service", "install")
    impasto("daemon", "stop")
    impasto("daemon", "start")
    (systemctl.parent / "pid").unlink()
    told = impasto("service", "remove").stdout
    assert told.endswith(
        f"One that was started otherwise still runs (process {running()}); 'impasto daemon stop' stops it.\n"
    )


def test_no_daemon_is_started_at_login_where_one_elsewhere_was_joined(
    impasto: Impasto, nowhere: Path, systemctl: Path
) -> None:
    public, secret = new_key_pair()
    joined = Connection(
        endpoint="tcp://192.0.2.7:7710",
        server_key=public,
        client_public_key=public,
        client_secret_key=secret,
        pid=4711,
        protocol_min=1,
        protocol_max=1,
        daemon="impasto 1.0",
        elsewhere=True,
    )
    write_connection(joined, connection_path())
    outcome = impasto("service", "install")
    assert outcome.code == 2
    assert "was joined, and does not run here" in outcome.stderr
    assert not systemctl.exists()


def test_uninstalling_takes_the_service_along(impasto: Impasto, nowhere: Path, systemctl: Path) -> None:
    impasto("service", "install")
    assert "The daemon is not started at login any more.\n" in impasto("uninstall").stdout
    assert not (nowhere / ".config" / "systemd").exists()


def test_a_daemon_that_made_way_for_one_that_does_not_start_is_back_with_its_own_options(
    impasto: Impasto, systemctl: Path
) -> None:
    impasto("daemon", "start", "--memory-budget", "3GB")
    before = running()
    program = systemctl.parent / "bin" / "systemctl"
    program.write_text(program.read_text().replace("enable) touch", "enable) exit 1; touch"))
    outcome = impasto("service", "install", "--memory-budget", "5GB")
    assert (outcome.code, "so the daemon is not started at login" in outcome.stderr) == (2, True)
    now = running()
    assert now is not None
    assert now != before
    assert options_of(now) == ["--memory-budget", "3GB"]


def test_what_the_login_started_is_back_with_its_own_options_where_others_are_refused(
    impasto: Impasto, systemctl: Path
) -> None:
    impasto("service", "install", "--memory-budget", "3GB")
    program = systemctl.parent / "bin" / "systemctl"
    refusing = 'enable) grep -q 5GB "$HOME/.config/systemd/user/impasto.service" && exit 1; touch'
    program.write_text(program.read_text().replace("enable) touch", refusing))
    outcome = impasto("service", "install", "--memory-budget", "5GB")
    assert (outcome.code, "so the daemon is started at login as it was before" in outcome.stderr) == (2, True)
    now = running()
    assert now == int((systemctl.parent / "pid").read_text())
    assert options_of(now) == ["--memory-budget", "3GB"]


def test_a_system_without_systemd_is_told_of(impasto: Impasto, nowhere: Path) -> None:
    outcome = impasto("service", "install")
    assert outcome.code == 2
    assert "'systemctl --user daemon-reload' failed" in outcome.stderr
    assert not any(path.is_file() for path in nowhere.rglob("*"))


def test_a_report_has_the_ends_of_the_logs_where_they_usually_lie(
    impasto: Impasto, nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMPASTO_CONNECTION")
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere / "state"))
    log = Path(platformdirs.user_log_dir("impasto", appauthor=False)) / "daemon.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"it broke in {nowhere}")
    impasto("doctor", "--gimp", a_broken_gimp(tmp_path / "bin"), "--report", tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        assert report.read("logs/0-daemon.log").startswith(b"it broke in ")


def test_the_doctor_prints_checks_and_writes_a_report(impasto: Impasto, nowhere: Path, tmp_path: Path) -> None:
    gimp = a_broken_gimp(tmp_path / "bin")
    file = tmp_path / "report.zip"
    outcome = impasto("doctor", "--json", "--gimp", gimp, "--report", file)
    assert outcome.code == FOUND_SOMETHING
    checks = {check["name"]: check for check in outcome.json["checks"]}
    assert all(check.keys() == {"name", "status", "message", "cure"} for check in checks.values())
    assert [name for name, check in checks.items() if check["status"] == "error"] == ["GIMP 3"]
    assert all(check["cure"] for check in checks.values() if check["status"] != "ok")
    assert {"Impasto", "backend", "weights of lite", "daemon", "disk", "memory"} <= checks.keys()
    with zipfile.ZipFile(file) as report:
        told = json.loads(report.read("checks.json"))
        assert str(nowhere) not in "".join(report.read(name).decode() for name in report.namelist())
    assert [check["name"] for check in told["checks"]] == list(checks)
    words = impasto("doctor", "--gimp", gimp)
    assert words.code == FOUND_SOMETHING
    assert words.stdout.splitlines()[-1] == f"1 of {len(checks)} checks found a problem."


def test_missing_weights_are_a_warning_with_the_command_that_fetches_them() -> None:
    found = {check.name: check for check in check_weights()}
    assert found["weights of vgg16"].status is Status.WARNING
    assert found["weights of vgg16"].cure.startswith("Run 'impasto weights fetch vgg16'")
    assert found["weights of lite"].status is Status.OK


def test_damaged_weights_are_a_problem(nowhere: Path) -> None:
    file = nowhere / "keras" / "models" / PUBLISHED["vgg19"].file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half of it")
    found = {check.name: check for check in check_weights()}
    assert found["weights of vgg19"].status is Status.ERROR
    assert "cut off at 10 of 80,134,624 bytes" in found["weights of vgg19"].message


def test_the_backend_and_its_device_are_named() -> None:
    check = check_backend()
    assert check.status is Status.OK
    assert "computes on" in check.message


def test_a_broken_backend_is_a_finding_and_not_the_end() -> None:
    code = "from impasto_daemon.engine_checks import check_backend; c = check_backend(); print(c.status, c.message)"
    with python(code, environment={**os.environ, "KERAS_BACKEND": "abacus"}) as started:
        out, _ = started.communicate()
    assert out.startswith("error Keras does not start (")


@pytest.mark.parametrize("command", ["install", "uninstall", "service", "weights", "doctor"])
def test_a_command_has_help_and_does_not_wait_for_the_engine_to_give_it(command: str) -> None:
    code = (
        "import sys; from impasto_daemon.commands import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    with python(code, command, "--help") as started:
        answer, modules = started.communicate()
    assert f"impasto {command}" in answer
    assert {module.partition(".")[0] for module in modules.split()} & SLOW_PACKAGES == set()
