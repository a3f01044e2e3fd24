"""What a client knows of its jobs, and which of their reliable events are new, known or missing. Sends nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from impasto_protocol.download import Download
from impasto_protocol.messages import Result, Snapshot, State

__all__ = ["Novelty", "Tracked", "Tracking"]


class Novelty(Enum):
    """What a reliable event is to us."""

    NEW = auto()
    KNOWN = auto()
    AFTER_A_GAP = auto()


@dataclass(slots=True)
class Tracked:
    """One job.

    Attributes:
        seen: The `seq` of its last event we took.
        is_known_there: Whether the daemon has ever spoken of it.
        is_acknowledged: Whether we are through with it.
        is_followed: Whether another session ordered it.
        trusts_gaps: Whether the daemon has just told all it has, so that what is missing is gone for good.
        result: What it promised.
        download: The result on its way.
        damaged: Results that arrived damaged.
    """

    seen: int = 0
    is_known_there: bool = False
    is_acknowledged: bool = False
    is_followed: bool = False
    trusts_gaps: bool = False
    result: Result | None = None
    download: Download | None = None
    damaged: int = 0


class Tracking:
    """All jobs of a client."""

    def __init__(self) -> None:
        self._jobs: dict[str, Tracked] = {}

    def __getitem__(self, job: str) -> Tracked:
        return self._jobs.setdefault(job, Tracked())

    def seen(self) -> dict[str, int]:
        """The last `seq` seen of each job we are not through with."""
        return {job: tracked.seen for job, tracked in self._jobs.items() if not tracked.is_acknowledged}

    def followed(self) -> list[str]:
        """The jobs of other sessions that we are not through with."""
        return [job for job, tracked in self._jobs.items() if tracked.is_followed and not tracked.is_acknowledged]

    def take(self, event: State | Result) -> Novelty:
        """Counts a reliable event, unless some before it are missing."""
        tracked = self[event.job]
        tracked.is_known_there = True
        if tracked.is_acknowledged or event.seq <= tracked.seen:
            return Novelty.KNOWN
        if event.seq > tracked.seen + 1 and not tracked.trusts_gaps:
            return Novelty.AFTER_A_GAP
        tracked.seen, tracked.trusts_gaps = event.seq, False
        if isinstance(event, Result):
            tracked.result = event
        return Novelty.NEW

    def compare(self, snapshot: Snapshot) -> Iterator[str]:
        """The jobs that the daemon should know and no longer does; they are forgotten here, too."""
        there = {summary.job for summary in snapshot.jobs}
        for summary in snapshot.jobs:
            tracked = self[summary.job]
            tracked.is_known_there = True
            tracked.trusts_gaps = summary.seq > tracked.seen
        for job, tracked in list(self._jobs.items()):
            if tracked.is_known_there and job not in there:
                del self._jobs[job]
                if not tracked.is_acknowledged:
                    yield job
