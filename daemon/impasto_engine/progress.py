"""What a caller learns while a picture is being painted, and at the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from impasto_engine.types import Pixels

if TYPE_CHECKING:
    from impasto_engine.checkpoint import Checkpoint

__all__ = ["Losses", "Painting", "Progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The loss of a picture, taken apart; every number is weighted, so that they add up.

    Attributes:
        layers: For each term, `content/TAP`, `style/TAP` or `tv`, what it adds to the loss.
    """

    layers: Mapping[str, float]

    @property
    def terms(self) -> dict[str, float]:
        """What `content`, `style` and `tv` add to the loss."""
        sums = {"content": 0.0, "style": 0.0, "tv": 0.0}
        for name, value in self.layers.items():
            sums[name.partition("/")[0]] += value
        return sums

    @property
    def loss(self) -> float:
        """Their sum."""
        return sum(self.layers.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a painting stands after an evaluation.

    Attributes:
        evaluation: Evaluations so far, over all scales.
        evaluations: Evaluations planned, over all scales.
        scale: Which scale, from 1; polishing counts as one more.
        scales: How many scales.
        height: Rows of the picture at this scale.
        width: Columns of the picture at this scale.
        network: The feature network at this scale, through which the losses are seen.
        losses: Of the picture just evaluated, which need not be the best.
        best_loss: The loss of the best picture of this scale.
        seconds: Since painting began.
        remaining_s: Estimate of the seconds to the end; None after the very first evaluation, most of whose time went
            into compiling.
        rollbacks: How often painting had to go back to the best picture because a loss was not finite or exploded.
        preview: Call it for the best picture of this scale so far, as `Painting.pixels`; costs nothing until called.
        checkpoint: Call it for where the painting stands now, to go on from later; costs nothing until called.
    """

    evaluation: int
    evaluations: int
    scale: int
    scales: int
    height: int
    width: int
    network: str
    losses: Losses
    best_loss: float
    seconds: float
    remaining_s: float | None
    rollbacks: int
    preview: Callable[[], Pixels] = field(repr=False)
    checkpoint: "Callable[[], Checkpoint]" = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Painting:
    """A finished picture.

    Attributes:
        pixels: `(H, W, 3)` float32, sRGB, [0, 1]; `(H, W, 4)` where the content has alpha.
        losses: Of the picture at the last scale painted, before its colours were set back or clipped.
        evaluations: Evaluations spent.
        seconds: From the start of the painting to its end.
        stopped: Whether the caller stopped it.
        rollbacks: As in `Progress`.
        precision: `float32` or `bfloat16`.
    """

    pixels: Pixels = field(repr=False)
    losses: Losses
    evaluations: int
    seconds: float
    stopped: bool
    rollbacks: int
    precision: str
