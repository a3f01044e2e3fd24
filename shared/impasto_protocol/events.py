"""What a client tells its caller, beside the messages `State`, `Progress`, `Preview` and `Result` themselves."""

from dataclasses import dataclass, field
from typing import TypeAlias

from impasto_protocol.errors import ProtocolError, RefusalError
from impasto_protocol.messages import Preview, Progress, Result, State

__all__ = ["Answered", "Disconnected", "Event", "Fetched", "JobLost", "Reconnected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A result is here, whole and undamaged.

    Attributes:
        result: What the daemon tells of it.
        pixels: The bytes of `result.picture`, read-only.
    """

    result: Result
    pixels: memoryview = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The daemon has answered a request that was made without waiting.

    Attributes:
        job: About which job.
        request: The name of the request's type, such as `PAUSE`.
        refusal: Why not; None if it is done or under way.
    """

    job: str
    request: str
    refusal: RefusalError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The connection broke; the client is dialling again, for as long as it is asked for events."""

    error: ProtocolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected:
    """A session stands again; `resumed` says whether it is the old one, in which the jobs are."""

    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLost:
    """The daemon no longer knows a job."""

    job: str


Event: TypeAlias = State | Progress | Preview | Result | Fetched | Answered | Disconnected | Reconnected | JobLost
