"""A daemon that is killed, stopped, and started twice: what was accepted is painted, once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.processes import DaemonProcess
from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    Disconnected,
    Fetched,
    JobState,
    PreviewWish,
    Progress,
    Reconnected,
    Result,
    Settings,
    State,
    Ticket,
    WhenDetached,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import ProtocolError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, ORDER, STYLE, states, until, until_a

LONG = 60.0


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path / "impasto" / "connection.json")
    process.start()
    yield process
    process.close()


@pytest.fixture
def client(daemon: DaemonProcess) -> Iterator[Client]:
    with daemon.client() as connected:
        connected.connect(timeout_s=PATIENCE_S)
        yield connected


def submitted(client: Client, evaluations: int = 5, **changes: object) -> str:
    order = replace(ORDER, settings=Settings(evaluations=evaluations), previews=PreviewWish(interval_s=0.0), **changes)
    return client.submit(order, [CONTENT, STYLE], timeout_s=PATIENCE_S)


def test_jobs_that_were_queued_and_running_are_painted_after_the_daemon_was_killed(
    daemon: DaemonProcess, client: Client
) -> None:
    running, queued = submitted(client, 60), submitted(client)
    before = until(client, lambda event: isinstance(event, Progress) and event.evaluation >= 30)
    daemon.kill()
    daemon.start()
    after = until(client, lambda e: isinstance(e, State) and e.job == queued and e.is_final, patience_s=LONG)
    assert states(before + after, running) == [
        *("QUEUED", "STARTING", "RUNNING", "INTERRUPTED"),
        *("QUEUED", "STARTING", "RUNNING", "SUCCEEDED"),
    ]
    assert states(before + after, queued) == ["QUEUED", "STARTING", "RUNNING", "SUCCEEDED"]
    assert [event.job for event in after if isinstance(event, Result)] == [running, queued]
    reached = [event.evaluation for event in before if isinstance(event, Progress)][-1]
    resumed = [event.evaluation for event in after if isinstance(event, Progress) and event.job == running]
    assert reached <= resumed[0], "it goes on from its checkpoint"
    assert any(isinstance(event, Reconnected) and event.resumed for event in after)
    client.fetch(queued)
    assert until_a(client, Fetched)[-1].pixels == bytes(255 - value for value in CONTENT.data)


def test_a_result_outlives_the_daemon_until_it_is_acknowledged(daemon: DaemonProcess, client: Client) -> None:
    job = submitted(client)
    until_a(client, State, job=job, state=JobState.SUCCEEDED)
    daemon.kill()
    daemon.start()
    until_a(client, Reconnected)
    client.fetch(job)
    assert until_a(client, Fetched)[-1].pixels == bytes(255 - value for value in CONTENT.data)
    client.acknowledge(job)
    until(client, lambda event: getattr(event, "request", "") == "ACK")
    daemon.kill()
    daemon.start()
    until_a(client, Reconnected)
    assert [event for event in client.events(0.3) if isinstance(event, (State, Result))] == []


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_a_daemon_killed_at_any_moment_loses_no_accepted_job_and_doubles_none(
    kills: int, daemon: DaemonProcess, client: Client
) -> None:
    accepted = []
    seen: list[object] = []
    for turn in range(kills):
        accepted.append(submitted(client))
        deadline = time.monotonic() + turn % 12 * 0.03  # from QUEUED to SUCCEEDED
        while time.monotonic() < deadline:
            seen += client.events(0.005)
        daemon.kill()
        daemon.start()
        seen += until_a(client, Reconnected)
    while any(not {"SUCCEEDED", "FAILED"} & set(states(seen, job)) for job in accepted):
        seen += until(client, lambda event: isinstance(event, State) and event.is_final, patience_s=LONG)
    assert sum("SUCCEEDED" in states(seen, job) for job in accepted) > kills / 2, "few are interrupted twice"
    for job in accepted:
        results = sum(isinstance(event, Result) and event.job == job for event in seen)
        assert results == ("SUCCEEDED" in states(seen, job)), "a picture for each that succeeded, and one only"
        sequence = [event.seq for event in seen if isinstance(event, (State, Result)) and event.job == job]
        assert sequence == list(range(1, len(sequence) + 1))


def test_a_job_that_is_to_end_with_its_client_ends_when_that_does_not_come_back(daemon: DaemonProcess) -> None:
    with daemon.client() as client:
        client.connect(timeout_s=PATIENCE_S)
        ticket = client.ticket
        job = submitted(client, 100_000, when_detached=WhenDetached.CANCEL)
        until_a(client, Progress, job=job)
    with daemon.client() as another:
        another.connect(timeout_s=PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while another.status(timeout_s=PATIENCE_S).painting:
            assert time.monotonic() < deadline
    with Client(daemon.client()._link._dial, name="again", ticket=ticket) as back:
        back.connect(timeout_s=PATIENCE_S)
        assert states(until_a(back, State, job=job, state=JobState.CANCELLED), job)[-2:] == ["CANCELLING", "CANCELLED"]


def test_a_client_that_is_killed_is_noticed_and_its_job_goes_on(daemon: DaemonProcess, client: Client) -> None:
    script = f"""
import sys
from pathlib import Path
from impasto_protocol import Client, dial
from protocol.following import submitted
client = Client(lambda: dial(Path({str(daemon.path)!r})), name="to be killed")
client.connect(timeout_s=20.0)
job = submitted(client)
print(client.ticket.session, client.ticket.resume_token.hex(), job, flush=True)
sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as victim:
        assert victim.stdout is not None
        session, token, job = victim.stdout.readline().split()
        assert client.status(timeout_s=PATIENCE_S).sessions == 2
        victim.kill()
    killed = time.monotonic()
    while client.status(timeout_s=PATIENCE_S).sessions == 2:
        assert time.monotonic() - killed < 6.0
        for _ in client.events(0.05):
            pass
    ticket = Ticket(session=session, resume_token=bytes.fromhex(token))
    with Client(client._link._dial, name="its heir", ticket=ticket) as heir:
        heir.connect(timeout_s=PATIENCE_S)
        until_a(heir, Result, job=job)
        heir.fetch(job)
        until_a(heir, Fetched)


def test_a_stopped_daemon_says_so_ends_soon_and_leaves_nothing_behind(daemon: DaemonProcess, client: Client) -> None:
    job = submitted(client, 100_000)
    until_a(client, Progress, job=job)
    child = client.estimate(m.Estimate(width=8, height=8, settings=Settings()), timeout_s=PATIENCE_S).memory_bytes
    os.kill(child, 0)  # the fake studio tells its process
    asked = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    told = until_a(client, Disconnected)
    assert daemon.process.wait(PATIENCE_S) == 0
    assert time.monotonic() - asked < 3.0
    assert "stopping" in str(told[-1].error)
    assert states(told, job) == ["INTERRUPTED", "QUEUED"]
    assert not daemon.path.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    daemon.start()
    until_a(client, State, job=job, state=JobState.RUNNING)


def test_a_job_survives_any_number_of_orderly_stops(daemon: DaemonProcess, client: Client) -> None:
    job = submitted(client, 100_000)
    for _ in range(3):
        until_a(client, State, job=job, state=JobState.RUNNING)
        daemon.terminate()
        daemon.start()
    until_a(client, State, job=job, state=JobState.RUNNING)


def test_a_job_that_gets_further_each_time_survives_any_number_of_kills(daemon: DaemonProcess, client: Client) -> None:
    job = submitted(client, 130)
    seen: list[object] = []
    for reached in (25, 50, 75, 100):
        seen += until(client, lambda e, at=reached: isinstance(e, Progress) and e.job == job and e.evaluation >= at)
        client.adjust(job, Adjustment(style_weight=float(reached)))
        seen += until_a(client, Answered, request="ADJUST")
        daemon.kill()
        daemon.start()
        seen += until_a(client, Reconnected)
    seen += until(client, lambda e: isinstance(e, State) and e.job == job and e.is_final, patience_s=LONG)
    assert states(seen, job)[-1] == "SUCCEEDED"
    told = [event for event in seen if isinstance(event, Progress) and event.job == job]
    assert told[-1].losses == {"style_weight": 100.0}
    assert sum(isinstance(event, Result) for event in seen) == 1


def test_a_daemon_is_up_in_two_seconds(daemon: DaemonProcess) -> None:
    daemon.kill()
    began = time.monotonic()
    daemon.start()
    with daemon.client() as client:
        client.connect(timeout_s=PATIENCE_S)
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("count", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_of_many_daemons_started_at_once_one_lives_and_the_others_name_it(count: int, tmp_path: Path) -> None:
    daemons = DaemonProcess(tmp_path / "impasto" / "connection.json")
    processes = [daemons.launch() for _ in range(count)]
    deadline = time.monotonic() + LONG
    while sum(process.poll() is None for process in processes) > 1 or not daemons.path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (alive,) = (process for process in processes if process.poll() is None)
    assert json.loads(daemons.path.read_text())["pid"] == alive.pid
    for process in processes:
        if process is not alive:
            _, said = process.communicate()
            assert "A daemon is already running: process" in said
            assert process.returncode == 1
    with daemons.client() as client:
        client.connect(timeout_s=PATIENCE_S)
    daemons.close()


def test_a_daemon_that_was_stopped_for_a_while_goes_on(daemon: DaemonProcess, client: Client) -> None:
    job = submitted(client, 100)
    until_a(client, Progress, job=job)
    daemon.process.send_signal(signal.SIGSTOP)
    gone = until_a(client, Disconnected)
    daemon.process.send_signal(signal.SIGCONT)
    back = until(client, lambda e: isinstance(e, State) and e.job == job and e.is_final, patience_s=LONG)
    assert states(gone + back, job) == ["SUCCEEDED"]


def test_a_stale_connection_file_is_replaced(daemon: DaemonProcess) -> None:
    daemon.kill()
    stale = daemon.path.read_text()
    with daemon.client() as client, pytest.raises(ProtocolError, match="stale"):
        client.connect(timeout_s=1.0)
    daemon.start()
    assert daemon.path.read_text() != stale
    with daemon.client() as client:
        client.connect(timeout_s=PATIENCE_S)
