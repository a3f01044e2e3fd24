"""How long a painting will take and how much memory it will need, before it begins."""

from dataclasses import dataclass

from impasto_engine import machine
from impasto_engine.budget import default_budget_bytes, peak_bytes, room_within, work
from impasto_engine.networks.network import Extractor, Network, Precision
from impasto_engine.recipes import recipe_named
from impasto_engine.settings import Settings
from impasto_engine.stages import painting_size, stages

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
    height: int,
    width: int,
    network: Network,
    settings: Settings | None = None,
    *,
    polisher: Network | None = None,
    styles: int = 1,
    memory_budget_bytes: int | None = None,
) -> Estimate:
    """What painting a content image of `height` × `width` pixels will cost.

    Measures the machine's speed on the first call ever, which takes a second or two.

    Args:
        height: Rows of the content image as it is, before any resizing.
        width: Columns of the content image.
        network: The feature network.
        settings: How to paint.
        polisher: The network that paints on at full size; None for none.
        styles: Number of style images.
        memory_budget_bytes: As of `paint`.
    """
    settings = settings or Settings()
    height, width = painting_size(height, width, settings)
    precision = machine.resolve_precision(settings.precision)
    flops_per_s = EFFICIENCY * machine.convolution_flops_per_s(precision)
    parameter_bytes = sum(each.parameter_bytes for each in (network, polisher) if each is not None)
    budget_bytes = memory_budget_bytes or default_budget_bytes()
    evaluations, seconds, peak = 0, 0.0, 0.0
    for stage in stages(height, width, network, polisher, settings):
        scale, extractor = stage.scale, _extractor(stage.network, settings, precision)
        sides = scale.height, scale.width
        room = room_within(extractor, *sides, parameter_bytes=parameter_bytes, budget_bytes=budget_bytes)
        forward_s = work(extractor, *sides, room.crop) / flops_per_s
        seconds += (1 + styles) * forward_s + SCALE_OVERHEAD_S
        seconds += scale.evaluations * (PASSES * forward_s + EVALUATION_OVERHEAD_S)
        evaluations += scale.evaluations
        peak = max(peak, peak_bytes(extractor, *sides, room, parameter_bytes=parameter_bytes))
    return Estimate(height=height, width=width, evaluations=evaluations, seconds=seconds, memory_bytes=int(peak))


def _extractor(network: Network, settings: Settings, precision: Precision) -> Extractor:
    taps = (*(settings.content_layers or network.content_taps), *(settings.style_layers or network.style_taps))
    return network.extractor(
        tuple(dict.fromkeys(taps)),
        pooling=settings.pooling,
        edges=recipe_named(settings.recipe).edges,
        precision=precision,
    )
