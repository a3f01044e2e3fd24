"""Between the server and what paints: two interfaces, and what is said through them.

The server asks a `Painter` for one painting at a time; the painter tells its `Patron`, in the server's own thread, what
becomes of it. The usual painter is a process of its own, see `worker_painter`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from impasto_protocol.errors import RefusalError
from impasto_protocol.fields import Data
from impasto_protocol.messages import Estimate, Estimated, Progress
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.pixels import Blob, PixelFormat

__all__ = ["Answer", "Assignment", "Painted", "Painter", "Patron"]

Answer: TypeAlias = Callable[["Estimated | RefusalError"], None]
"""Takes the answer to a question, some time later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Everything a painter needs for one painting.

    Attributes:
        number: By which server and painter speak of it; that of no other job.
        job: The job's id, for messages about it.
        order: What to paint.
        pictures: The file with the bytes of each picture that the order names, by digest.
        result: The file to write the finished picture to.
        checkpoint: The file to write down where the painting stands; where there is one, to go on from.
        adjustment: The weights that were changed since the order was given.
        is_cancelled: Whether nothing is wanted any more but the picture so far, from the checkpoint.
    """

    number: int
    job: str
    order: Order
    pictures: Mapping[bytes, Path]
    result: Path
    checkpoint: Path
    adjustment: Adjustment = field(default_factory=Adjustment)
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """A finished picture, and what `Result` tells of it.

    Attributes:
        picture: What it is.
        crc32: Of its bytes.
        file: Where its bytes are.
        losses: Its losses.
        evaluations: Evaluations spent.
        duration_s: From start to end.
        stopped: Whether it was stopped before its end.
        rollbacks: How often painting went back to the best picture.
        network: The feature network used.
        precision: The precision used.
        polisher: The feature network that polished; None if none did.
        versions: Of what painted: `impasto`, `keras`, and the backend under its name.
        network_digest: The SHA-256 of the network's weights file; None where there is none.
        polisher_digest: The same of the polisher.
    """

    picture: Blob
    crc32: int
    file: Path
    losses: Mapping[str, float]
    evaluations: int
    duration_s: float
    stopped: bool
    rollbacks: int
    network: str
    precision: str
    polisher: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    network_digest: bytes | None = None
    polisher_digest: bytes | None = None


class Patron(Protocol):
    """Whom a painter tells. `number` is the assignment's."""

    def ready(self) -> None:
        """The painter can take an assignment."""

    def unfit(self, why: RefusalError) -> None:
        """The painter cannot be made ready; it goes on trying."""

    def began(self, number: int) -> None:
        """Painting has begun."""

    def progressed(self, number: int, progress: Progress) -> None:
        """An evaluation is done."""

    def showed(self, number: int, evaluation: int, form: PixelFormat, data: Data) -> None:
        """This is the best picture so far."""

    def paused(self, number: int) -> None:
        """Painting has stopped for now."""

    def unpaused(self, number: int) -> None:
        """Painting goes on."""

    def finished(self, number: int, painted: Painted) -> None:
        """The picture is finished."""

    def discarded(self, number: int) -> None:
        """Painting was stopped, and there is no picture."""

    def laid_down(self, number: int) -> None:
        """Painting was stopped, and can go on from its checkpoint."""

    def failed(self, number: int, why: RefusalError) -> None:
        """Painting cannot go on."""

    def lost(self) -> None:
        """The painter died, and with it the painting it was at; `ready` follows when there is another."""


class Painter(Protocol):
    """Paints one picture at a time. No method waits."""

    @property
    def is_ready(self) -> bool:
        """Whether it can take an assignment, once it has ended the one before."""

    @property
    def device(self) -> str:
        """What it computes on, or that it is not known yet."""

    @property
    def devices(self) -> int:
        """How many devices there are for painters, its own included; 1 as long as it is not known."""

    @property
    def networks(self) -> tuple[str, ...]:
        """The feature networks that can be ordered; none as long as it is not ready."""

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory of a process of its own; 0 while there is none."""

    def start(self, patron: Patron) -> None:
        """Makes itself ready."""

    def paint(self, assignment: Assignment) -> None:
        """Begins a painting."""

    def pause(self) -> None:
        """Stops painting at the next evaluation, for now."""

    def unpause(self) -> None:
        """Goes on."""

    def stop(self, *, keep_picture: bool) -> None:
        """Stops painting at the next evaluation, for good; hard, if that does not come and no picture is to be kept."""

    def lay_down(self) -> None:
        """Stops painting at the next evaluation, to go on some other time."""

    def adjust(self, adjustment: Adjustment) -> None:
        """Paints on with other weights."""

    def estimate(self, question: Estimate, answer: Answer) -> None:
        """Says what a painting would cost; may wait for the next evaluation."""

    def tend(self) -> None:
        """Looks after what has become due; called several times a second."""

    def close(self) -> None:
        """Ends it; nothing is told from now on."""
