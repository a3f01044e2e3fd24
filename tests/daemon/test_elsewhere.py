"""A daemon on another machine: on another address of this one, and between two network namespaces."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from command.pictures import pixels_of, save, waves
from impasto_protocol import read_connection
from protocol.fake_daemon import PATIENCE_S

HERE, THERE, STRANGER = "here", "there", "stranger"
ADDRESSES = {THERE: "10.203.77.1", HERE: "10.203.77.2"}
PORT = 17710
LONG_S = 300.0


class Machines:
    """Users with folders of their own, who run `impasto`, each perhaps in a network namespace.

    Args:
        folder: For what they keep.
        namespaces: The network namespace of each user that has one.
    """

    def __init__(self, folder: Path, namespaces: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._namespaces = namespaces or {}
        (folder / "weights").mkdir()

    def connection(self, user: str) -> Path:
        return self.folder / user / "connection.json"

    def impasto(self, user: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            self._command(user, arguments),
            capture_output=True,
            text=True,
            env=self._environment(user),
            timeout=LONG_S,
            check=False,
        )

    def launched(self, user: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command(user, arguments), env=self._environment(user))  # noqa: S603

    def _command(self, user: str, arguments: Sequence[str | Path]) -> list[str]:
        enter = ["ip", "netns", "exec", self._namespaces[user]] if user in self._namespaces else []
        return [*enter, sys.executable, "-m", "impasto_daemon", *map(str, arguments)]

    def _environment(self, user: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "IMPASTO_CONNECTION": str(self.connection(user)),
            "IMPASTO_WEIGHTS_DIR": str(self.folder / "weights"),
            "KERAS_HOME": str(self.folder / "keras"),
        }


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    yield made
    made.impasto(THERE, "daemon", "stop")


def test_a_daemon_elsewhere_is_joined_with_its_invitation_and_left_again(machines: Machines) -> None:
    key = machines.impasto(HERE, "daemon", "key").stdout.strip()
    assert machines.impasto(HERE, "daemon", "key").stdout.strip() == key
    started = machines.impasto(THERE, "daemon", "start", "--bind", f"127.0.0.2:{PORT}", "--allow", key)
    assert started.returncode == 0, started.stderr
    invitation = machines.folder / THERE / "invitation.json"
    assert "secret" not in invitation.read_text()
    joined = machines.impasto(HERE, "daemon", "join", invitation)
    assert f"tcp://127.0.0.2:{PORT}" in joined.stdout, joined.stderr
    assert json.loads(machines.impasto(HERE, "daemon", "status", "--json").stdout)["sessions"] == 1
    assert machines.impasto(HERE, "jobs").stdout == "There are no jobs.\n"

    server_key = read_connection(machines.connection(HERE)).server_key
    machines.impasto(THERE, "daemon", "stop")
    lost = machines.impasto(HERE, "daemon", "status")
    assert lost.returncode == 2
    assert "start it there" in lost.stderr
    assert "start it there" in machines.impasto(HERE, "jobs").stderr
    not_here = machines.impasto(HERE, "daemon", "start")
    assert not_here.returncode == 2
    assert "impasto daemon leave" in not_here.stderr
    machines.impasto(THERE, "daemon", "start", "--bind", f"127.0.0.2:{PORT}", "--allow", key)
    assert machines.impasto(HERE, "daemon", "status").returncode == 0
    assert read_connection(machines.connection(HERE)).server_key == server_key

    assert machines.impasto(HERE, "daemon", "leave").stdout == "Painting on this machine again.\n"
    assert not machines.connection(HERE).exists()
    assert machines.impasto(HERE, "daemon", "leave").stdout == "No daemon elsewhere was joined.\n"


def test_who_was_not_let_in_is_told_so(machines: Machines) -> None:
    key = machines.impasto(HERE, "daemon", "key").stdout.strip()
    machines.impasto(THERE, "daemon", "start", "--bind", "127.0.0.2", "--allow", key)
    refused = machines.impasto(STRANGER, "daemon", "join", machines.folder / THERE / "invitation.json")
    assert refused.returncode == 2
    assert "does not accept our key" in refused.stderr
    assert not machines.connection(STRANGER).exists(), "who is refused has joined nothing"


def test_a_file_that_is_no_invitation_is_refused(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear friend")
    refused = machines.impasto(HERE, "daemon", "join", tmp_path / "letter")
    assert refused.returncode == 2
    assert "is no daemon's invitation" in refused.stderr


@pytest.fixture
def two_namespaces(tmp_path: Path) -> Iterator[Machines]:
    """Two machines, as far as the network is concerned: two namespaces and a cable between them."""
    names = {user: f"impasto-{user}-{os.getpid()}" for user in ADDRESSES}
    ends = dict(zip(ADDRESSES, (f"imp{os.getpid()}a", f"imp{os.getpid()}b"), strict=True))
    commands = [["netns", "add", name] for name in names.values()]
    commands.append(["link", "add", ends[THERE], "type", "veth", "peer", "name", ends[HERE]])
    for user, address in ADDRESSES.items():
        inside = ["-n", names[user]]
        commands.append(["link", "set", ends[user], "netns", names[user]])
        commands.append([*inside, "addr", "add", f"{address}/24", "dev", ends[user]])
        commands.append([*inside, "link", "set", ends[user], "up"])
    try:
        if shutil.which("ip") is None:
            pytest.skip("There is no 'ip' here, so no network namespaces can be made; install iproute2.")
        for command in commands:
            made = subprocess.run(["ip", *command], capture_output=True, text=True, check=False)  # noqa: S603, S607
            if made.returncode:
                pytest.skip(f"Network namespaces cannot be made here ({made.stderr.strip()}); run this as root.")
        yield Machines(tmp_path, names)
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)  # noqa: S603, S607


@pytest.mark.slow
def test_a_daemon_in_another_network_namespace_paints_the_same_picture(
    two_namespaces: Machines, tmp_path: Path
) -> None:
    machines = two_namespaces
    key = machines.impasto(HERE, "daemon", "key").stdout.strip()
    process = machines.launched(THERE, "daemon", "run", "--bind", f"{ADDRESSES[THERE]}:{PORT}", "--allow", key)
    try:
        invitation = machines.folder / THERE / "invitation.json"
        deadline = time.monotonic() + PATIENCE_S
        while not machines.connection(THERE).exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
        joined = machines.impasto(HERE, "daemon", "join", invitation)
        assert f"tcp://{ADDRESSES[THERE]}:{PORT}" in joined.stdout, joined.stderr
        content, style = save(tmp_path / "c.png", waves(30, 40, 1)), save(tmp_path / "s.png", waves(36, 36, 2))
        options = ("--network", "lite", "--size", "48", "--evaluations", "4", "--precision", "float32")
        out = tmp_path / "out.png"
        painted = machines.impasto(HERE, "stylize", content, style, *options, "-o", out, "--daemon")
        assert painted.returncode == 0, painted.stderr
        assert pixels_of(out).shape == (36, 48, 3)
        local = tmp_path / "local.png"
        assert machines.impasto(HERE, "stylize", content, style, *options, "-o", local).returncode == 0
        with Image.open(local) as one, Image.open(out) as other:
            assert one.tobytes() == other.tobytes()
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
