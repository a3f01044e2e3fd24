"""The daemon's paintings as a list for people. No gi."""

from impasto_gimp.naming import time_text
from impasto_protocol.messages import JobEntry, Report
from impasto_protocol.states import TERMINAL_STATES, JobState

__all__ = ["can_be_brought", "can_be_ended", "can_be_followed", "daemon_line", "described", "is_listed"]

STATES = {
    JobState.QUEUED: "waiting",
    JobState.STARTING: "about to begin",
    JobState.RUNNING: "being painted",
    JobState.PAUSED: "paused",
    JobState.CANCELLING: "being stopped",
    JobState.INTERRUPTED: "interrupted",
    JobState.SUCCEEDED: "finished",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


def described(job: JobEntry, name: str | None) -> str:
    """One painting in a line, below its name.

    Args:
        job: What the daemon tells of it.
        name: What it is called here, if that is known.
    """
    said = [f"{job.width} × {job.height} pixels", STATES[job.state]]
    if job.evaluation is not None and job.evaluations:
        said.append(f"evaluation {job.evaluation} of {job.evaluations}")
    if job.remaining_s is not None:
        said.append(f"{time_text(job.remaining_s)} left")
    if job.attached and can_be_ended(job):
        said.append("in a window that is open")
    if job.trouble:
        said.append(job.trouble)
    line = " · ".join(said)
    return line if name is None else f"{name}\n{line}"


def is_listed(job: JobEntry) -> bool:
    """Whether there is anything to say or to do about it."""
    return job.state is not JobState.CANCELLED


def can_be_ended(job: JobEntry) -> bool:
    """Whether it is neither over nor being stopped."""
    return job.state not in TERMINAL_STATES and job.state is not JobState.CANCELLING


def can_be_followed(job: JobEntry) -> bool:
    """Whether it goes on, and nobody looks at it."""
    return can_be_ended(job) and not job.attached


def can_be_brought(job: JobEntry) -> bool:
    """Whether its picture waits to be fetched, by nobody in particular."""
    return job.state in TERMINAL_STATES and job.has_result and not job.attached


def daemon_line(report: Report) -> str:
    """The daemon in a line."""
    return f"{report.daemon} runs on {report.device}: {report.painting} painting, {report.queued} waiting."
