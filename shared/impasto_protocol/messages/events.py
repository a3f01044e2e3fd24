"""What the daemon tells of jobs without being asked."""

from dataclasses import dataclass, field

from impasto_protocol.errors import MalformedMessageError
from impasto_protocol.failures import Failure
from impasto_protocol.fields import (
    Checksum,
    Count,
    Data,
    Digest,
    JobId,
    Name,
    Number,
    Numbers,
    Seconds,
    Seq,
    Side,
    Texts,
)
from impasto_protocol.limits import WINDOW_BYTES
from impasto_protocol.pixels import Blob, PixelFormat
from impasto_protocol.states import TERMINAL_STATES, JobState

__all__ = ["Preview", "Progress", "Result", "State"]


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
    crc32: Checksum
    losses: Numbers
    evaluations: Count
    duration_s: Seconds
    stopped: bool
    rollbacks: Count
    network: Name
    precision: Name
    polisher: Name | None = None
    versions: Texts | None = None
    network_digest: Digest | None = None
    polisher_digest: Digest | None = None
