"""How long a painting will take and how much memory it will need, before it begins."""

from dataclasses import dataclass

from impasto_engine import machine
from impasto_engine.budget import Demand, default_budget_bytes, held_bytes, peak_bytes, room_within, work
from impasto_engine.networks.network import Network, Precision
from impasto_engine.recipes import recipe_named
from impasto_engine.settings import Settings
from impasto_engine.stages import Stage, painting_size, stages

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
    pixels = height * width
    height, width = painting_size(height, width, settings)
    precision = machine.resolve_precision(settings.precision)
    flops_per_s = EFFICIENCY * machine.convolution_flops_per_s(precision)
    networks = [each for each in (network, polisher) if each is not None]
    held = held_bytes(networks, pixels, settings.color)
    budget_bytes = memory_budget_bytes or default_budget_bytes()
    evaluations, seconds, peak = 0, 0.0, 0.0
    for stage in stages(height, width, network, polisher, settings):
        scale = stage.scale
        demand = _demand(stage, settings, precision, held)
        room = room_within(demand, budget_bytes)
        forward_s = work(demand.extractor, scale.height, scale.width, room.crop) / flops_per_s
        seconds += (1 + styles) * forward_s + SCALE_OVERHEAD_S
        seconds += scale.evaluations * (PASSES * forward_s + EVALUATION_OVERHEAD_S)
        evaluations += scale.evaluations
        peak = max(peak, peak_bytes(demand, room))
    return Estimate(height=height, width=width, evaluations=evaluations, seconds=seconds, memory_bytes=int(peak))


def _demand(stage: Stage, settings: Settings, precision: Precision, held: int) -> Demand:
    network, recipe = stage.network, recipe_named(settings.recipe)
    contents = network.content_taps if settings.content_layers is None else settings.content_layers
    styles = network.style_taps if settings.style_layers is None else settings.style_layers
    return Demand(
        extractor=network.extractor(
            tuple(dict.fromkeys((*contents, *styles))),
            pooling=settings.pooling,
            edges=recipe.edges,
            precision=precision,
        ),
        content_taps=contents,
        height=stage.scale.height,
        width=stage.scale.width,
        held_bytes=held,
        optimizer=settings.optimizer or recipe.optimizer,
    )
