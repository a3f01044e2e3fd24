"""`impasto jobs cancel` while it waits, with a daemon that does as it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command.calling import Impasto
from impasto_protocol import JobState
from impasto_protocol import messages as m
from impasto_protocol.errors import BusyError
from protocol.fake_daemon import FakeDaemon, FakeJob
from protocol.following import ORDER

JOB = "a" * 32
BROKEN_OFF = (JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.INTERRUPTED, JobState.QUEUED)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    """Has a job that was interrupted and waits to go on."""
    daemon = FakeDaemon(tmp_path / "impasto" / "connection.json")
    monkeypatch.setenv("IMPASTO_CONNECTION", str(daemon.path))
    daemon.jobs[JOB] = FakeJob(ORDER)
    daemon.start()
    enter(daemon, *BROKEN_OFF, aloud=False)
    yield daemon
    daemon.stop()


def enter(daemon: FakeDaemon, *states: JobState, aloud: bool = True) -> None:
    for state in states:
        daemon.enter(JOB, state, aloud=aloud)


def cancelling_leads_to(daemon: FakeDaemon, *states: JobState) -> None:
    def cancelled(fake: FakeDaemon, message: m.Message) -> m.Message | None:
        enter(fake, *states)
        return fake.usual(message)

    daemon.on["CANCEL"] = cancelled


def test_who_cancels_a_job_is_told_that_it_waits_to_go_on(fake: FakeDaemon, impasto: Impasto) -> None:
    cancelling_leads_to(fake, JobState.STARTING, JobState.CANCELLING, JobState.SUCCEEDED)
    cancelled = impasto("jobs", "cancel", JOB, "--keep")
    assert (cancelled.code, cancelled.stdout) == (0, "The job aaaaaaaa is SUCCEEDED.\n")
    assert cancelled.stderr == "aaaaaaaa is QUEUED.\n"


def test_who_cancels_a_job_is_told_when_it_is_interrupted_meanwhile(fake: FakeDaemon, impasto: Impasto) -> None:
    enter(fake, JobState.STARTING, JobState.RUNNING, aloud=False)
    again = (JobState.CANCELLING, JobState.INTERRUPTED, JobState.QUEUED, JobState.STARTING, JobState.CANCELLING)
    cancelling_leads_to(fake, *again, JobState.CANCELLED)
    cancelled = impasto("jobs", "cancel", JOB, "--keep")
    assert (cancelled.code, cancelled.stdout) == (0, "The job aaaaaaaa is CANCELLED.\n")
    assert cancelled.stderr == "aaaaaaaa is INTERRUPTED.\naaaaaaaa is QUEUED.\n"


def test_a_job_of_which_nothing_is_told_is_not_waited_for(fake: FakeDaemon, impasto: Impasto) -> None:
    def refuse(daemon: FakeDaemon, message: m.Message) -> m.Message | None:
        raise BusyError("This session follows 32 jobs; acknowledge one, or open another session.")

    fake.on["FOLLOW"] = refuse
    cancelling_leads_to(fake, JobState.CANCELLED)
    refused = impasto("jobs", "cancel", JOB)
    assert refused.code == 2
    assert "This session follows 32 jobs; acknowledge one" in refused.stderr
    assert "Traceback" not in refused.stderr
