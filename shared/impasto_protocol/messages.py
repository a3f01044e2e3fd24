"""Everything that can be said: one frozen dataclass per message type.

`vocabulary` says who sends which and what answers it; `docs/PROTOCOL.md` tells what they mean. A field without a
default must be there; fields that this version does not know are ignored.
"""

from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from impasto_protocol.errors import MalformedMessageError
from impasto_protocol.failures import Failure
from impasto_protocol.fields import (
    AtMost,
    Between,
    ByteCount,
    Count,
    Data,
    Digest,
    JobId,
    Name,
    Names,
    Number,
    Numbers,
    Offset,
    Seconds,
    Seq,
    SessionId,
    Side,
    SizeBytes,
    Text,
    Token,
    Version,
)
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_ENTRIES, WINDOW_BYTES
from impasto_protocol.orders import Adjustment, Order, Settings
from impasto_protocol.pixels import Blob, PixelFormat
from impasto_protocol.states import TERMINAL_STATES, JobState

__all__ = [
    "Accepted",
    "Ack",
    "Adjust",
    "BlobOk",
    "Bye",
    "Cancel",
    "Chunk",
    "Credit",
    "Done",
    "Error",
    "Estimate",
    "Estimated",
    "Fetch",
    "Hello",
    "JobSummary",
    "Message",
    "Pause",
    "Ping",
    "Pong",
    "Preview",
    "Progress",
    "Report",
    "Result",
    "Resume",
    "Snapshot",
    "State",
    "Status",
    "Submit",
    "Unpause",
    "Upload",
    "Wanted",
    "Welcome",
]

PartBytes: TypeAlias = Annotated[int, Between(1, MAX_BUFFER_BYTES)]
"""Bytes of a part of a picture that fits into one buffer."""


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
    """How the daemon is; `queued` and `painting` count the jobs of all sessions."""

    daemon: Text
    device: Text
    uptime_s: Seconds
    sessions: Count
    queued: Count
    painting: Count
    memory_bytes: ByteCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Asks what a painting would cost, before anything is sent or started."""

    width: Side
    height: Side
    styles: Count = 1
    network: Name | None = None
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What it would cost: the size it would be painted in, the time without waiting, the peak of memory."""

    width: Side
    height: Side
    evaluations: Count
    duration_s: Seconds
    memory_bytes: ByteCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Offers a picture's bytes under their name."""

    digest: Digest
    size_bytes: SizeBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The daemon has the bytes up to here, and wants those that follow."""

    digest: Digest
    offset_bytes: Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobOk:
    """The daemon has all the bytes, and they are those of the name."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a picture's bytes, in either direction."""

    digest: Digest
    offset_bytes: Offset
    data: Data = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= memoryview(self.data).nbytes <= MAX_BUFFER_BYTES:
            raise MalformedMessageError(
                f"A chunk has {memoryview(self.data).nbytes:,} bytes; send 1 to {MAX_BUFFER_BYTES:,}.", field="data"
            )


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
class State:
    """Reliable: the job has entered a state; `failure` says why it failed."""

    job: JobId
    seq: Seq
    state: JobState
    failure: Failure | None = None

    def __post_init__(self) -> None:
        if (self.state is JobState.FAILED) != (self.failure is not None):
            raise MalformedMessageError(
                f"A job is {self.state} and its failure is {self.failure}; FAILED needs one, the others have none.",
                field="failure",
            )

    @property
    def is_final(self) -> bool:
        """Whether no other state follows."""
        return self.state in TERMINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Newest only: where the painting stands; a loss that is not finite is left out."""

    job: JobId
    evaluation: Count
    evaluations: Count
    scale: Count
    scales: Count
    width: Side
    height: Side
    losses: Numbers
    best_loss: Number | None = None
    elapsed_s: Seconds
    remaining_s: Seconds | None = None
    rollbacks: Count = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Newest only: the best picture so far, shrunk to fit one message."""

    job: JobId
    evaluation: Count
    format: PixelFormat
    data: Data = field(repr=False)

    def __post_init__(self) -> None:
        given = memoryview(self.data).nbytes
        if not given == self.format.size_bytes <= WINDOW_BYTES:
            raise MalformedMessageError(
                f"A preview of {self.format.size_bytes:,} bytes came with {given:,}; send them all, at most "
                f"{WINDOW_BYTES:,}.",
                field="data",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Reliable: the picture is finished and waits to be fetched; the state SUCCEEDED follows."""

    job: JobId
    seq: Seq
    picture: Blob
    losses: Numbers
    evaluations: Count
    duration_s: Seconds
    stopped: bool
    rollbacks: Count
    network: Name
    precision: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Asks for a part of a job's result."""

    job: JobId
    offset_bytes: Offset
    length_bytes: PartBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The client has consumed so many bytes of progress and previews, and may be sent as many again."""

    size_bytes: ByteCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The client has everything of a job that is over; the daemon may forget it."""

    job: JobId


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
class Done:
    """What was asked is done or under way."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """The sender ends the connection."""

    text: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A message was refused."""

    failure: Failure


Message: TypeAlias = (
    Hello
    | Welcome
    | Ping
    | Pong
    | Status
    | Report
    | Estimate
    | Estimated
    | Upload
    | Wanted
    | BlobOk
    | Chunk
    | Submit
    | Accepted
    | State
    | Progress
    | Preview
    | Result
    | Fetch
    | Credit
    | Ack
    | Adjust
    | Pause
    | Unpause
    | Cancel
    | Done
    | Resume
    | Snapshot
    | Bye
    | Error
)
"""Any message."""
