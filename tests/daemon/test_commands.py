"""`impasto daemon` and `impasto jobs`, each in a process of its own, with a network of random weights."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from impasto_protocol import Client, Connection, dial, read_connection, write_connection
from impasto_protocol.orders import Order, Style
from impasto_protocol.transport import new_key_pair
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, STYLE

ANYWHERE = "0.0.0.0"  # noqa: S104

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "impasto" / "connection.json"


@pytest.fixture
def environment(path: Path, tmp_path: Path) -> dict[str, str]:
    """No weights are at hand, so that the painting process loads none."""
    (tmp_path / "weights").mkdir()
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "IMPASTO_CONNECTION": str(path),
        "IMPASTO_WEIGHTS_DIR": str(tmp_path / "weights"),
        "KERAS_HOME": str(tmp_path / "keras"),
    }


@pytest.fixture
def impasto(environment: dict[str, str]) -> Iterator[Run]:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "impasto_daemon", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60.0,
            check=False,
        )

    yield run
    run("daemon", "stop")


def test_a_new_user_whose_files_the_group_may_write_to_has_a_daemon(
    environment: dict[str, str], impasto: Run, tmp_path: Path
) -> None:
    """The daemon refuses folders that others may write to, and so must not make any; its log lies below its folder."""
    del environment["IMPASTO_CONNECTION"]
    environment |= {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "home" / "state")}
    umask = os.umask(0o002)
    try:
        started = impasto("daemon", "start")
    finally:
        os.umask(umask)
    assert (started.returncode, started.stderr) == (0, "")
    made = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
    assert made
    assert [path for path in made if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("closed", [False, True])
def test_a_daemon_without_standard_streams_paints_all_the_same(
    closed: bool, impasto: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    """As `pythonw.exe` starts it, for which the streams are None, and their descriptors closed."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"import os, sys\nsys.stdin = sys.stdout = sys.stderr = None\nif {closed}: os.closerange(0, 3)\n"
    )
    path = os.pathsep.join([str(tmp_path / "site"), environment["PYTHONPATH"]])
    command = [sys.executable, "-m", "impasto_daemon", "daemon", "run"]
    with subprocess.Popen(command, env={**environment, "PYTHONPATH": path}) as started:  # noqa: S603
        try:
            deadline = time.monotonic() + PATIENCE_S
            while "Device: unknown" in (told := impasto("daemon", "status").stdout) or not told:
                assert started.poll() is None
                assert time.monotonic() < deadline
            assert "Device: none" not in told
            impasto("daemon", "stop")
            assert started.wait(PATIENCE_S) == 0
        finally:
            started.kill()


def test_a_daemon_is_started_asked_and_stopped(impasto: Run, path: Path) -> None:
    started = impasto("daemon", "start")
    assert (started.returncode, started.stderr) == (0, "")
    pid = read_connection(path).pid
    for kept in (path.parent / "journal.sqlite", path.parent / "pictures", path.parent / "daemon.log"):
        assert kept.stat().st_mode & 0o077 == 0
    assert started.stdout == f"The daemon is running: process {pid}.\n"
    assert impasto("daemon", "start").stdout == f"The daemon is running already: process {pid}.\n"
    other = impasto("daemon", "start", "--memory-budget", "3GB")
    assert other.returncode == 2
    assert f"as process {pid} and without these options; stop it with 'impasto daemon stop'" in other.stderr
    told = impasto("daemon", "status").stdout
    for words in ("impasto ", "Memory: ", " for painting", "Device: ", "Networks: ", "1 session, ", "queued"):
        assert words in told
    report = json.loads(impasto("daemon", "status", "--json").stdout)
    assert (report["sessions"], report["queued"], report["painting"]) == (1, 0, 0)
    assert set(report["networks"]) <= {"vgg16", "vgg19", "lite", "resnet50", "inception_v3", "xception"}
    again = impasto("daemon", "run")
    assert again.returncode == 3  # what starts it at login takes that for no failure
    assert f"already running: process {pid}" in again.stderr
    asked = time.monotonic()
    assert impasto("daemon", "stop").stdout == "The daemon has stopped.\n"
    assert time.monotonic() - asked < 4.0  # of which one is the command's own
    assert not path.exists()
    assert impasto("daemon", "stop").stdout == "No daemon is running.\n"
    lost = impasto("daemon", "status")
    assert lost.returncode == 2
    assert "start the daemon with 'impasto daemon start'" in lost.stderr


def test_jobs_are_listed_with_and_without_a_daemon(impasto: Run, path: Path) -> None:
    assert impasto("jobs").stdout == "There are no jobs.\n"
    impasto("daemon", "start")
    with Client(lambda: dial(path), name="a test") as client:
        client.connect(timeout_s=PATIENCE_S)
        order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),), network="none")
        job = client.submit(order, [CONTENT, STYLE], timeout_s=PATIENCE_S)
    (listed,) = json.loads(impasto("jobs", "--json").stdout)
    assert (listed["job"], listed["width"], listed["height"]) == (job, 8, 4)
    impasto("daemon", "stop")
    assert [each["job"] for each in json.loads(impasto("jobs", "--json").stdout)] == [job]
    assert job[:8] in impasto("jobs").stdout


def test_a_client_elsewhere_is_let_in_by_its_own_key(impasto: Run, path: Path, tmp_path: Path) -> None:
    public, secret = new_key_pair()
    assert impasto("daemon", "start", "--bind", ANYWHERE, "--allow", public).returncode == 0
    here = read_connection(path)
    assert here.endpoint.startswith("tcp://127.0.0.1:")
    there = Connection(
        endpoint=here.endpoint,
        server_key=here.server_key,
        client_public_key=public,
        client_secret_key=secret,
        pid=1,
        protocol_min=1,
        protocol_max=1,
        daemon="elsewhere",
    )
    write_connection(there, tmp_path / "elsewhere" / "connection.json")
    with Client(lambda: dial(tmp_path / "elsewhere" / "connection.json"), name="from elsewhere") as client:
        client.connect(timeout_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--bind", "256.0.0.1"], "Cannot listen on '256.0.0.1'"),
        (["--allow", "sesame"], "The key 'sesame' is none"),
        (["--allow", "é" * 40], "is none"),
    ],
    ids=["address", "short", "letters"],
)
def test_a_daemon_that_cannot_run_says_why(arguments: list[str], why: str, impasto: Run) -> None:
    refused = impasto("daemon", "start", *arguments)
    assert refused.returncode == 2
    assert "The daemon did not start:" in refused.stderr
    assert why in refused.stderr


def test_the_server_imports_nothing_slow(environment: dict[str, str]) -> None:
    code = (
        "import sys, impasto_daemon.server.daemon, impasto_daemon.server.worker_painter; "
        "import impasto_daemon.worker.opening; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    modules = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    ).stdout.split()
    assert {"keras", "tensorflow", "numpy", "scipy", "PIL", "impasto_engine", "typer"} & set(modules) == set()
