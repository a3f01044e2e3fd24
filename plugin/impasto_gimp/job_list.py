"""The daemon's paintings as a list for people. No gi."""

from collections.abc import Mapping
from typing import Any

from impasto_gimp.naming import time_text

__all__ = ["can_be_brought", "can_be_ended", "daemon_line", "described"]

OVER = ("SUCCEEDED", "FAILED", "CANCELLED")

STATES = {
    "QUEUED": "waiting",
    "STARTING": "about to begin",
    "RUNNING": "being painted",
    "PAUSED": "paused",
    "CANCELLING": "being stopped",
    "INTERRUPTED": "interrupted",
    "SUCCEEDED": "finished",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


def described(job: Mapping[str, Any]) -> str:
    """One painting in a line."""
    said = [
        f"{job.get('width')} × {job.get('height')} pixels",
        STATES.get(str(job.get("state")), str(job.get("state"))),
    ]
    if job.get("evaluation") is not None and job.get("evaluations"):
        said.append(f"evaluation {job['evaluation']} of {job['evaluations']}")
    if job.get("remaining_s") is not None:
        said.append(f"{time_text(float(job['remaining_s']))} left")
    if job.get("trouble"):
        said.append(str(job["trouble"]))
    return " · ".join(said)


def can_be_ended(job: Mapping[str, Any]) -> bool:
    """Whether it is not over."""
    return job.get("state") not in OVER


def can_be_brought(job: Mapping[str, Any]) -> bool:
    """Whether its picture waits to be fetched."""
    return bool(job.get("has_result", job.get("state") == "SUCCEEDED"))


def daemon_line(report: Mapping[str, Any] | None, trouble: str | None) -> str:
    """The daemon in a line."""
    if report is None:
        return trouble or "No daemon is running; it is started when something is to be painted."
    return f"{report['daemon']} runs on {report['device']}: {report['painting']} painting, {report['queued']} waiting."
