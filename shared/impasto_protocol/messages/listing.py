"""What a client asks about the jobs of all its user's sessions, and what answers that."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from impasto_protocol.fields import AtMost, Chars, Count, JobId, Seconds, Seq, Side
from impasto_protocol.limits import MAX_LISTED, MAX_TROUBLE_CHARS
from impasto_protocol.orders import OrderKind
from impasto_protocol.states import JobState

__all__ = ["Follow", "JobEntry", "Jobs", "ListJobs"]

Trouble: TypeAlias = Annotated[str, Chars(MAX_TROUBLE_CHARS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListJobs:
    """Asks for all jobs of the user, of whichever session, whose `number` is greater than `after`."""

    after: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry:
    """One job, as a list shows it.

    Attributes:
        number: Its place in the order of acceptance, from 1.
        job: Its id.
        state: Where it stands.
        seq: Of its last reliable event.
        kind: What is painted.
        width: Pixels of a row of its content.
        height: Rows of its content.
        attached: Whether a client of its session is there.
        has_result: Whether its result can be fetched.
        ahead: Jobs before it, if it waits.
        changed_s: Seconds since its state last changed.
        evaluation: Evaluations so far, while it is painted.
        evaluations: Evaluations planned, while it is painted.
        remaining_s: To its end, where that is known.
        trouble: Why it failed, shortened.
    """

    number: Count
    job: JobId
    state: JobState
    seq: Seq
    kind: OrderKind
    width: Side
    height: Side
    attached: bool
    has_result: bool
    ahead: Count = 0
    changed_s: Seconds
    evaluation: Count | None = None
    evaluations: Count | None = None
    remaining_s: Seconds | None = None
    trouble: Trouble = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The first of them, in the order of acceptance; `more` says whether to ask again after the last."""

    jobs: Annotated[tuple[JobEntry, ...], AtMost(MAX_LISTED)]
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Wants to be told of a job of another session of the same user as if it were the session's own."""

    job: JobId
