"""What the painting process needs to paint: an interface, so that tests can have it without an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from impasto_daemon.server.painter import Assignment
from impasto_daemon.worker.easel import Easel
from impasto_protocol.fields import Data
from impasto_protocol.messages import Estimate, Estimated
from impasto_protocol.pixels import PixelFormat

__all__ = ["Canvas", "Studio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """A finished picture, and what `Result` tells of it.

    Attributes:
        format: How to read the samples.
        data: The samples.
        losses: Its losses, finite ones only.
        evaluations: Evaluations spent.
        duration_s: From start to end.
        stopped: Whether it was stopped before its end.
        rollbacks: How often painting went back to the best picture.
        network: The feature network used.
        precision: The precision used.
        polisher: The feature network that polished; None if none did.
        versions: As in `Painted`.
        network_digest: As in `Painted`.
        polisher_digest: As in `Painted`.
    """

    format: PixelFormat
    data: Data = field(repr=False)
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


class Studio(Protocol):
    """Where one picture at a time is painted; of one thread.

    Attributes:
        device: What it computes on.
        devices: How many devices this machine has to compute on, each in a studio of its own.
        networks: The feature networks that can be ordered.
    """

    device: str
    devices: int
    networks: tuple[str, ...]

    def estimate(self, question: Estimate) -> Estimated:
        """What a painting would cost.

        Raises:
            RefusalError: The question has no answer.
        """

    def paint(self, assignment: Assignment, easel: Easel) -> Canvas:
        """Paints; tells the easel how it goes after each evaluation, and asks it whether to go on.

        Goes on from the assignment's checkpoint, where there is one that is sound.

        Raises:
            RefusalError: It cannot be painted.
            DiscardedError: The easel wants no more of it.
            LaidDownError: The easel wants the rest some other time.
        """
