"""How long a painting will take and how much memory it will need, before it begins."""

from dataclasses import dataclass

from impasto_engine import machine
from impasto_engine.networks.network import Network
from impasto_engine.painting import painting_size
from impasto_engine.recipes import recipe_named
from impasto_engine.scales import schedule
from impasto_engine.settings import Settings

__all__ = ["Estimate", "estimate"]

PASSES = 2.0
"""An evaluation goes through the network forward and backward; a backward pass to the picture alone, without gradients
of the weights, costs what a forward pass costs."""

EFFICIENCY = 0.8
"""Speed of the whole network relative to the convolution measured by `machine`; `benchmarks/RESULTS.md` has both."""

SCALE_OVERHEAD_S = 1.5
"""Seconds to prepare and compile one scale."""

EVALUATION_OVERHEAD_S = 0.005
"""Seconds of an evaluation that do not depend on the size."""

RUNTIME_BYTES = 620e6
"""Resident memory of Python with Keras and TensorFlow imported."""

FEATURE_COPIES = 1.9
"""Peak memory of an evaluation relative to the features of all layers: they are kept for the backward pass, beside the
gradients of the largest ones."""

OPTIMISER_BYTES_PER_PIXEL = 3 * 8 * 26
"""SciPy's L-BFGS keeps ten pairs of vectors and a few more in float64, three values a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a painting will cost on this machine.

    Attributes:
        height: Rows of the finished picture.
        width: Columns of the finished picture.
        evaluations: Evaluations, if none is saved.
        seconds: From start to end, with the network already loaded.
        memory_bytes: Peak of the whole process.
    """

    height: int
    width: int
    evaluations: int
    seconds: float
    memory_bytes: int


def estimate(
    height: int, width: int, network: Network, settings: Settings | None = None, *, styles: int = 1
) -> Estimate:
    """What painting a content image of `height` × `width` pixels will cost.

    Measures the machine's speed on the first call ever, which takes a second or two.

    Args:
        height: Rows of the content image as it is, before any resizing.
        width: Columns of the content image.
        network: The feature network.
        settings: How to paint.
        styles: Number of style images.
    """
    settings = settings or Settings()
    recipe = recipe_named(settings.recipe)
    height, width = painting_size(height, width, settings)
    evaluations = settings.evaluations or recipe.evaluations
    precision = machine.resolve_precision(settings.precision)
    taps = tuple(
        dict.fromkeys(
            (*(settings.content_layers or network.content_taps), *(settings.style_layers or network.style_taps))
        )
    )
    extractor = network.extractor(taps, pooling=settings.pooling, edges=recipe.edges, precision=precision)
    flops_per_s = EFFICIENCY * machine.convolution_flops_per_s(precision)
    seconds = 0.0
    for scale in schedule(
        height, width, evaluations, coarse_to_fine=recipe.coarse_to_fine, smallest_side=network.smallest_side
    ):
        forward_s = extractor.flops(scale.height, scale.width) / flops_per_s
        seconds += (1 + styles) * forward_s + SCALE_OVERHEAD_S
        seconds += scale.evaluations * (PASSES * forward_s + EVALUATION_OVERHEAD_S)
    features = extractor.feature_bytes(height, width)
    memory = (
        RUNTIME_BYTES + network.parameter_bytes + FEATURE_COPIES * features + OPTIMISER_BYTES_PER_PIXEL * height * width
    )
    return Estimate(height=height, width=width, evaluations=evaluations, seconds=seconds, memory_bytes=int(memory))
