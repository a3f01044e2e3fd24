"""What is said about the session and the daemon itself."""

from dataclasses import dataclass, field

from impasto_protocol.failures import Failure
from impasto_protocol.fields import (
    BudgetBytes,
    ByteCount,
    Count,
    Name,
    Names,
    Seconds,
    SessionId,
    Side,
    SizeBytes,
    Text,
    Token,
    Version,
)
from impasto_protocol.orders import Settings

__all__ = ["Bye", "Done", "Error", "Estimate", "Estimated", "Hello", "Ping", "Pong", "Report", "Status", "Welcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Begins a session, or takes up an old one with its token."""

    protocol_min: Version
    protocol_max: Version
    client: Text
    capabilities: Names = ()
    session: SessionId | None = None
    resume_token: Token | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The session stands; `resumed` says whether it is the old one."""

    protocol: Version
    daemon: Text
    session: SessionId
    resume_token: Token = field(repr=False)
    resumed: bool
    device: Text
    networks: Names
    capabilities: Names = ()
    max_picture_bytes: SizeBytes
    max_jobs: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Is anyone there?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """Yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Asks how the daemon is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the daemon is; `queued` and `painting` count the jobs of all sessions.

    `memory_bytes` is the server's; `painters_memory_bytes` is that of all painting processes, which older daemons do
    not tell.
    """

    daemon: Text
    device: Text
    uptime_s: Seconds
    sessions: Count
    queued: Count
    painting: Count
    memory_bytes: ByteCount
    painters_memory_bytes: ByteCount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Asks what a painting would cost, before anything is sent or started."""

    width: Side
    height: Side
    styles: Count = 1
    network: Name | None = None
    polish: Name | None = None
    settings: Settings
    memory_budget_bytes: BudgetBytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What it would cost: the size it would be painted in, the time without waiting, the peak of memory.

    `memory_budget_bytes` is what the painting would have to keep to, if anything; with more than that it is refused.
    """

    width: Side
    height: Side
    evaluations: Count
    duration_s: Seconds
    memory_bytes: ByteCount
    memory_budget_bytes: BudgetBytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """The sender ends the connection."""

    text: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A message was refused."""

    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was asked is done or under way."""
