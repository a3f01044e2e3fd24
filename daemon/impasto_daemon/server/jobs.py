"""A job, as long as anyone may ask for it."""

from dataclasses import dataclass, field

from impasto_protocol.messages import JobSummary, Progress, Result, State
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.states import FIRST_STATE, TERMINAL_STATES, JobState

__all__ = ["Job"]


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """See the module.

    Attributes:
        number: Its place in the order of acceptance.
        session: Whose it is.
        name: The id its client chose.
        order: What to paint.
        events: All its reliable events; the `seq` of each is its place, from 1.
        adjustment: The weights that were changed since the order was given.
        interruptions: How often a process died over it without getting further.
        keep_picture: Whether the picture so far is wanted, once it is cancelled.
        changed_at: When something last happened to it, in seconds of `time.time`.
        has_result: Whether its result can be fetched.
        followers: Sessions that are told of it beside its own.
        progress: Where its painting was last seen; None before that.
    """

    number: int
    session: str
    name: str
    order: Order
    events: list[State | Result] = field(repr=False)
    adjustment: Adjustment = field(default_factory=Adjustment)
    interruptions: int = 0
    keep_picture: bool = False
    changed_at: float = 0.0
    has_result: bool = False
    followers: set[str] = field(default_factory=set, repr=False)
    progress: Progress | None = field(default=None, repr=False)

    @property
    def state(self) -> JobState:
        """Where it stands."""
        return next((event.state for event in reversed(self.events) if isinstance(event, State)), FIRST_STATE)

    @property
    def is_over(self) -> bool:
        """Whether no other state follows."""
        return self.state in TERMINAL_STATES

    @property
    def result(self) -> Result | None:
        """What was told of its result."""
        return next((event for event in reversed(self.events) if isinstance(event, Result)), None)

    @property
    def summary(self) -> JobSummary:
        """As a SNAPSHOT tells of it."""
        return JobSummary(job=self.name, state=self.state, seq=len(self.events))
