"""The states of a job, and which may follow which: one table, as data.

```
QUEUED ─▶ STARTING ─▶ RUNNING ─▶ SUCCEEDED | FAILED
  ▲                    │  ▲
  │                    ▼  │
  │                   PAUSED
  │
  ├── INTERRUPTED ◀── STARTING | RUNNING | PAUSED      the painting process or the daemon died
  └─ once, else FAILED

QUEUED | INTERRUPTED ─▶ CANCELLED                      nothing had to be stopped
STARTING | RUNNING | PAUSED ─▶ CANCELLING ─▶ CANCELLED
                                  └─ where the picture so far is wanted ─▶ SUCCEEDED | INTERRUPTED | FAILED
```
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from impasto_protocol.errors import IllegalTransitionError

__all__ = ["FIRST_STATE", "TERMINAL_STATES", "TRANSITIONS", "JobState", "check_transition"]


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    INTERRUPTED = "INTERRUPTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


FIRST_STATE = JobState.QUEUED
"""The state of a job that has just been accepted."""

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.STARTING, JobState.FAILED, JobState.CANCELLED}),
        JobState.STARTING: frozenset(
            {JobState.RUNNING, JobState.CANCELLING, JobState.INTERRUPTED, JobState.FAILED},
        ),
        JobState.RUNNING: frozenset(
            {JobState.PAUSED, JobState.CANCELLING, JobState.INTERRUPTED, JobState.SUCCEEDED, JobState.FAILED}
        ),
        JobState.PAUSED: frozenset({JobState.RUNNING, JobState.CANCELLING, JobState.INTERRUPTED}),
        JobState.CANCELLING: frozenset(
            {JobState.CANCELLED, JobState.SUCCEEDED, JobState.INTERRUPTED, JobState.FAILED},
        ),
        JobState.INTERRUPTED: frozenset({JobState.QUEUED, JobState.FAILED, JobState.CANCELLED}),
        JobState.SUCCEEDED: frozenset(),
        JobState.FAILED: frozenset(),
        JobState.CANCELLED: frozenset(),
    }
)
"""For each state, those that may follow it."""

TERMINAL_STATES = frozenset(state for state, following in TRANSITIONS.items() if not following)
"""The states that nothing follows."""


def check_transition(state: JobState, following: JobState) -> None:
    """Makes sure that a state may follow another.

    Raises:
        IllegalTransitionError: It may not.
    """
    if following not in TRANSITIONS[state]:
        allowed = ", ".join(sorted(TRANSITIONS[state])) or "nothing"
        raise IllegalTransitionError(f"A job that is {state} cannot become {following}; {allowed} may follow.")
