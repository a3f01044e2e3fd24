"""What a client asks about jobs, and what answers that."""

from dataclasses import dataclass
from typing import Annotated

from impasto_protocol.fields import AtMost, ByteCount, Count, JobId, Seq
from impasto_protocol.limits import MAX_ENTRIES
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.states import JobState

__all__ = [
    "Accepted",
    "Ack",
    "Adjust",
    "Cancel",
    "Credit",
    "JobSummary",
    "Pause",
    "Resume",
    "Snapshot",
    "Submit",
    "Unpause",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Orders a job. The same order under the same id, said twice, is one job."""

    job: JobId
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The job is in the journal and survives the death of either side; `ahead` jobs are before it."""

    job: JobId
    ahead: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust:
    """Changes weights of a job that is being painted."""

    job: JobId
    adjustment: Adjustment


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Stops painting for now, at the next evaluation."""

    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpause:
    """Goes on painting."""

    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stops painting for good, at the next evaluation; with `keep_picture` the best picture so far is the result."""

    job: JobId
    keep_picture: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The client has everything of a job that is over; the daemon may forget it."""

    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The client has consumed so many bytes of progress and previews, and may be sent as many again."""

    size_bytes: ByteCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """After coming back: for each job the last `seq` seen."""

    seen: Annotated[dict[JobId, Seq], AtMost(MAX_ENTRIES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """Where a job stands: its state, and the `seq` of its last event."""

    job: JobId
    state: JobState
    seq: Seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All jobs of the session; the events that were missed follow."""

    jobs: Annotated[tuple[JobSummary, ...], AtMost(MAX_ENTRIES)]
