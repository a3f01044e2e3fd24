"""The bridge: a client without pyzmq reaches the daemon through another process, and nobody is left behind."""

import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_protocol import Client, Disconnected, Fetched, JobState, Progress, Reconnected, State
from impasto_protocol.bridge_records import ERROR, MESSAGE, error_in, error_parts, read_record, write_record
from impasto_protocol.bridge_transport import BridgeTransport
from impasto_protocol.errors import (
    ConnectionLostError,
    NoDaemonError,
    ProtocolError,
    StaleConnectionError,
    TooLargeError,
    UnreachableError,
    UnsafeConnectionFileError,
)
from impasto_protocol.limits import MAX_FRAME_BYTES, MAX_FRAMES
from protocol.fake_daemon import PATIENCE_S, FakeDaemon
from protocol.following import large_picture, submitted, until, until_a

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def bridge(path: Path, python: str = sys.executable) -> BridgeTransport:
    return BridgeTransport(python, path, ENVIRONMENT)


@pytest.fixture
def bridged(daemon: FakeDaemon) -> Iterator[Client]:
    client = Client(lambda: bridge(daemon.path), name="a test", chance=lambda: 0.0)
    client.connect(timeout_s=PATIENCE_S)
    yield client
    client.close()


def heard(transport: BridgeTransport) -> Any:
    """The next that comes, or the error it ends with."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            frames = transport.receive()
        except ProtocolError as error:
            return error
        if frames is not None:
            return frames
        transport.wait(0.1)
    raise AssertionError("Nothing came.")


def test_a_picture_goes_to_the_daemon_and_its_painting_comes_home(bridged: Client, daemon: FakeDaemon) -> None:
    job = submitted(bridged)
    daemon.enter(job, JobState.STARTING)
    daemon.enter(job, JobState.RUNNING)
    painted = large_picture(12)
    daemon.finish(job, painted.format, painted.data)
    until_a(bridged, State, state=JobState.SUCCEEDED)
    bridged.fetch(job)
    assert until_a(bridged, Fetched)[-1].pixels == painted.data


def test_the_descriptor_tells_when_something_has_come(bridged: Client, daemon: FakeDaemon) -> None:
    job = submitted(bridged)
    list(bridged.events(0.0))
    daemon.say(
        Progress(job=job, evaluation=1, evaluations=2, scale=1, scales=1, width=8, height=4, losses={}, elapsed_s=1.0)
    )
    assert select.select([bridged.descriptor], [], [], PATIENCE_S)[0]
    assert until_a(bridged, Progress)


def test_a_restarted_daemon_is_reached_by_another_bridge(bridged: Client, daemon: FakeDaemon) -> None:
    submitted(bridged)
    daemon.stop()
    until_a(bridged, Disconnected)
    daemon.start()
    assert until_a(bridged, Reconnected)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: None, NoDaemonError),
        (lambda path: path.write_text("{}") and path.chmod(0o644), UnsafeConnectionFileError),
    ],
    ids=["missing", "unsafe"],
)
def test_what_is_wrong_with_the_connection_file_is_told_as_it_is(
    make: Callable[[Path], object], error: type[ProtocolError], tmp_path: Path
) -> None:
    path = tmp_path / "connection.json"
    make(path)
    transport = bridge(path)
    told = heard(transport)
    transport.close()
    assert type(told) is error
    assert str(path) in str(told)


def test_a_daemon_that_is_gone_is_told_to_be_gone(daemon: FakeDaemon) -> None:
    daemon.stop()
    transport = bridge(daemon.path)
    told = heard(transport)
    transport.close()
    assert type(told) in (StaleConnectionError, NoDaemonError)


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"no-such-python.*impasto install"):
        bridge(tmp_path / "connection.json", str(tmp_path / "no-such-python"))


def test_a_python_without_impasto_is_named_with_what_it_said(tmp_path: Path) -> None:
    transport = BridgeTransport(sys.executable, tmp_path / "connection.json", {"PYTHONHOME": str(tmp_path)})
    told = heard(transport)
    transport.close()
    assert isinstance(told, UnreachableError)
    assert sys.executable in str(told)


def test_a_bridge_ends_when_its_client_is_killed(daemon: FakeDaemon) -> None:
    script = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from impasto_protocol.bridge_transport import BridgeTransport\n"
        "t = BridgeTransport(sys.executable, Path(sys.argv[1]), os.environ)\n"
        "print(t._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    client = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script, daemon.path], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert client.stdout is not None
    with client.stdout:
        pid = int(client.stdout.readline())
    client.send_signal(signal.SIGKILL)
    client.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "The bridge lives on."
        pause_for(0.02)


def pause_for(seconds: float) -> None:
    select.select([], [], [], seconds)


def test_a_client_needs_neither_pyzmq_nor_compiled_code(daemon: FakeDaemon) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nsys.modules['zmq'] = None\nsys.modules['msgpack._cmsgpack'] = None\n"
        "from impasto_protocol import Client\nfrom impasto_protocol.bridge_transport import BridgeTransport\n"
        "c = Client(lambda: BridgeTransport(sys.executable, Path(sys.argv[1]), os.environ), name='bare')\n"
        "print(c.connect(timeout_s=20.0).daemon)\nc.close()\n"
    )
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script, daemon.path], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()


def test_the_bridges_of_a_closed_client_have_ended(daemon: FakeDaemon) -> None:
    made: list[BridgeTransport] = []
    client = Client(lambda: made.append(bridge(daemon.path)) or made[-1], name="a test")
    client.connect(timeout_s=PATIENCE_S)
    client.close()
    assert [each._process.returncode for each in made] == [0]


# Records


@given(kind=st.sampled_from([MESSAGE, ERROR]), parts=st.lists(st.binary(max_size=2000), max_size=MAX_FRAMES))
def test_records_come_out_as_they_went_in(kind: bytes, parts: list[bytes]) -> None:
    pipe = io.BytesIO()
    write_record(pipe, kind, parts)
    write_record(pipe, kind, [])
    pipe.seek(0)
    assert read_record(pipe) == (kind, parts)
    assert read_record(pipe) == (kind, [])
    assert read_record(pipe) is None


@given(st.binary(max_size=60), st.integers(0, 60))
def test_no_damage_makes_reading_fail_otherwise_than_as_told(damage: bytes, at: int) -> None:
    pipe = io.BytesIO()
    write_record(pipe, MESSAGE, [b"one", b"two" * 9])
    whole = pipe.getvalue()
    pipe = io.BytesIO(whole[:at] + damage)
    try:
        while read_record(pipe) is not None:
            pass
    except (ConnectionLostError, TooLargeError):
        pass


@pytest.mark.parametrize(
    "claim", [b"M" + bytes([MAX_FRAMES + 1]), b"M\x01" + (MAX_FRAME_BYTES + 1).to_bytes(4, "little")]
)
def test_what_claims_too_much_is_refused_before_memory_is_taken(claim: bytes) -> None:
    with pytest.raises(TooLargeError, match="it may send"):
        read_record(io.BytesIO(claim))


def test_an_error_keeps_its_class_and_its_text() -> None:
    found = error_in(error_parts(NoDaemonError("No daemon — none.")))
    assert type(found) is NoDaemonError
    assert str(found) == "No daemon — none."


@pytest.mark.parametrize("name", ["SystemExit", "REFUSALS", "OfALaterVersionError", ""])
def test_an_error_of_no_class_of_ours_is_a_lost_connection(name: str) -> None:
    assert type(error_in([name.encode(), b"text"])) is ConnectionLostError


def test_progress_keeps_coming_while_the_client_talks(bridged: Client, daemon: FakeDaemon) -> None:
    job = submitted(bridged)
    for evaluation in range(1, 40):
        daemon.say(
            Progress(
                job=job, evaluation=evaluation, evaluations=40, scale=1, scales=1, width=8, height=4, losses={},
                elapsed_s=1.0,
            )
        )  # fmt: skip
        bridged.pause(job)
    until(bridged, lambda event: isinstance(event, Progress) and event.evaluation == 39)
