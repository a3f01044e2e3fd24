"""What the engine asks of a feature network, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from impasto_engine.types import Mask, Tensor, Tree

if TYPE_CHECKING:
    from impasto_engine.networks.reading import Reading

__all__ = ["Edges", "Extractor", "Geometry", "Network", "Pooling", "Precision", "TapShape", "evaluation_work"]

FLOPS_PER_PIXEL = 80e3
"""What an evaluation spends on each pixel beside its convolutions (statistics, casts, total variation, the optimiser),
told in operations of a forward pass that take as long. Measured with VGG16 and `lite`: 23e3 in float32 and 160e3 in
bfloat16, in which convolutions are faster and the rest is not."""


class Pooling(StrEnum):
    """How a block hands on to the next."""

    MAX = "max"
    AVERAGE = "average"


class Edges(StrEnum):
    """What the first convolution sees outside the picture; later ones always see zeros, as published."""

    ZERO = "zero"
    REPLICATE = "replicate"


class Precision(StrEnum):
    """The type in which features are computed; statistics and losses are float32 in both."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapShape:
    """The features at one tap for a picture of a given size.

    Attributes:
        height: Rows of positions.
        width: Columns of positions.
        channels: Features at each position.
    """

    height: int
    width: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """How a network's features lie over a picture, for looking at it tile by tile.

    Attributes:
        halo: How far, in pixels, the deepest features see; rounded up to the grid.
        grid: Pixels from which on pooling repeats itself.
        strides: For each tap, pixels from one position to the next.
    """

    halo: int
    grid: int
    strides: Mapping[str, int]


class Extractor(Protocol):
    """A network cut at the deepest tap asked for, in one precision, ready to be called inside a compiled function.

    Attributes:
        taps: Those asked for.
        parameters: The kernels, to be handed back with each call.
        readings: For a distilled network, how the features at its taps are to be compared; none for the others.
        geometry: None for a network whose features are not the same wherever a crop begins: it sees all or nothing.
    """

    taps: tuple[str, ...]
    parameters: Tree
    readings: "Mapping[str, Reading]"
    geometry: Geometry | None

    def __call__(self, picture: Tensor, parameters: Tree) -> dict[str, Tensor]:
        """Features of a picture.

        Args:
            picture: `(1, H, W, 3)` float32, sRGB, 0-255.
            parameters: `self.parameters`, passed in so that a compiled function does not hold them as constants.

        Returns:
            For each tap, `(1, h, w, c)` features after the activation, in the extractor's precision.
        """

    def shapes(self, height: int, width: int) -> dict[str, TapShape]:
        """The shape of each tap's features for a picture of `height` × `width` pixels."""

    def flops(self, height: int, width: int) -> int:
        """Floating-point operations of one forward pass (a multiplication and an addition count as two)."""

    def feature_bytes(self, height: int, width: int, taps: Sequence[str] | None = None) -> int:
        """Bytes of the features of all layers together, those between the taps included; or of some taps alone."""

    def sight(self, mask: Mask) -> dict[str, Mask]:
        """For each tap, `(h, w)`: how much of what each position sees lies inside the mask, in [0, 1]."""


class Network(Protocol):
    """A feature network with its weights in host memory.

    Attributes:
        name: As the user writes it.
        weights: Where the weights came from, for people and for the record stored with a picture.
        content_taps: Where the content loss is taken unless layers are chosen.
        style_taps: Where the style loss is taken unless layers are chosen.
        taps: All that can be chosen, shallow to deep.
        smallest_side: Pixels below which a picture's shorter side is too small for it.
        parameter_bytes: Memory that its weights take.
        distilled: Whether it was trained to do what another network does.
    """

    name: str
    weights: str
    content_taps: tuple[str, ...]
    style_taps: tuple[str, ...]
    taps: tuple[str, ...]
    smallest_side: int
    parameter_bytes: int
    distilled: bool

    def extractor(self, taps: Sequence[str], *, pooling: Pooling, edges: Edges, precision: Precision) -> Extractor:
        """The network cut at the deepest of `taps`.

        Raises:
            SettingsError: A tap that the network does not have.
        """


def evaluation_work(extractor: Extractor, height: int, width: int) -> float:
    """What half an evaluation costs, the forward pass with its share of the rest, in floating-point operations."""
    return extractor.flops(height, width) + FLOPS_PER_PIXEL * height * width
