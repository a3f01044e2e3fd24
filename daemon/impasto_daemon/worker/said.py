"""What the server and the painting process say to each other, through a pipe."""

from dataclasses import dataclass

from impasto_daemon.server.painter import Painted
from impasto_protocol.failures import Failure
from impasto_protocol.messages import Estimate, Estimated, Progress
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import PixelFormat

__all__ = [
    "Adjusted",
    "Answered",
    "Asked",
    "Began",
    "Discarded",
    "Failed",
    "Finished",
    "LaidDown",
    "LayDownWished",
    "Logged",
    "PauseWished",
    "Paused",
    "Ready",
    "Shown",
    "StopWished",
    "Taken",
    "Told",
    "Unfit",
    "Unpaused",
]


@dataclass(frozen=True, slots=True)
class PauseWished:
    """Server: pause, or go on."""

    number: int
    pause: bool


@dataclass(frozen=True, slots=True)
class StopWished:
    """Server: stop for good."""

    number: int
    keep_picture: bool


@dataclass(frozen=True, slots=True)
class LayDownWished:
    """Server: stop, to go on some other time."""

    number: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Server: paint on with other weights."""

    number: int
    adjustment: Adjustment


@dataclass(frozen=True, slots=True)
class Asked:
    """Server: what would this cost?"""

    question: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Taken:
    """Server: the shared memory may be written to again."""


@dataclass(frozen=True, slots=True)
class Logged:
    """Worker: this belongs in the server's log."""

    level: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker: ready to paint."""

    device: str
    devices: int
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Worker: cannot be made ready."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Began:
    """Worker: painting has begun."""

    number: int


@dataclass(frozen=True, slots=True)
class Told:
    """Worker: an evaluation is done."""

    number: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Shown:
    """Worker: the best picture so far is in the shared memory."""

    number: int
    evaluation: int
    format: PixelFormat


@dataclass(frozen=True, slots=True)
class Paused:
    """Worker: painting has stopped for now."""

    number: int


@dataclass(frozen=True, slots=True)
class Unpaused:
    """Worker: painting goes on."""

    number: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Worker: the picture is finished."""

    number: int
    painted: Painted


@dataclass(frozen=True, slots=True)
class Discarded:
    """Worker: painting was stopped, and there is no picture."""

    number: int


@dataclass(frozen=True, slots=True)
class LaidDown:
    """Worker: painting was stopped, and can go on from its checkpoint."""

    number: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Worker: painting cannot go on."""

    number: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Answered:
    """Worker: this is what it would cost, or why that cannot be said."""

    question: int
    answer: Estimated | Failure
