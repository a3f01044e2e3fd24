"""What one evaluation costs on this machine: for `impasto bench` and for the documents."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops

from impasto_engine import backend, machine
from impasto_engine.cost import PASSES
from impasto_engine.materials import prepare
from impasto_engine.networks.network import Network, Precision
from impasto_engine.recipes import recipe_named
from impasto_engine.settings import Settings, Style
from impasto_engine.stages import painting_size
from impasto_engine.targets import pose
from impasto_engine.types import Pixels, Tensor, Tree
from impasto_engine.weighing import weights_of

__all__ = ["EvaluationCost", "matmul_peak", "measure_evaluation"]

PEAK_SIDES = (2048, 4096)
"""Rows and columns of the matrices that are multiplied to learn the machine's peak: large enough to be bound by
arithmetic, on a GPU too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCost:
    """The cost of one evaluation: loss, terms and gradient.

    Attributes:
        height: Rows of the picture.
        width: Columns of the picture.
        precision: `float32` or `bfloat16`.
        first_s: Seconds of the first evaluation, which compiles.
        median_s: Median seconds of the later ones.
        best_s: The fastest of them.
        flops: Floating-point operations of the convolutions, forward and backward.
    """

    height: int
    width: int
    precision: str
    first_s: float
    median_s: float
    best_s: float
    flops: int


def measure_evaluation(
    content: Pixels,
    style: Pixels,
    network: Network,
    settings: Settings,
    *,
    repeats: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> EvaluationCost:
    """Times evaluations of the content image itself at the size that the settings give it.

    Args:
        content: `(H, W, 3)` float32, sRGB, [0, 1].
        style: As `content`.
        network: The feature network.
        settings: Size, recipe, pooling and precision.
        repeats: Evaluations to time after the first.
        clock: Gives seconds.
    """
    recipe = recipe_named(settings.recipe)
    height, width = painting_size(content.shape[0], content.shape[1], settings)
    precision = machine.resolve_precision(settings.precision)
    materials = prepare(content, (Style(pixels=style),), settings.color)
    picture, alpha = materials.content_at(height, width)
    problem = pose(
        content=picture,
        alpha=alpha,
        styles=materials.sources_at(height, width, settings.style_scale, as_content=recipe.style_as_content),
        network=network,
        recipe=recipe,
        weights=weights_of(settings),
        content_taps=network.content_taps,
        style_taps=network.style_taps,
        pooling=settings.pooling,
        precision=precision,
    )
    compiled = backend.current().compile_gradient(problem.objective)
    times = []
    for _ in range(repeats + 1):
        began = clock()
        compiled(picture[None], problem.arguments)
        times.append(clock() - began)
    return EvaluationCost(
        height=height,
        width=width,
        precision=precision.value,
        first_s=times[0],
        median_s=statistics.median(times[1:]),
        best_s=min(times[1:]),
        flops=int(PASSES * problem.objective.extractor.flops(height, width)),
    )


def matmul_peak(
    precision: Precision,
    *,
    sides: Sequence[int] = PEAK_SIDES,
    repeats: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Floating-point operations a second of the fastest product of two large matrices on this machine, right now.

    Args:
        precision: Of the matrices.
        sides: Their rows and columns.
        repeats: Products of each size.
        clock: Gives seconds.
    """

    def multiply(left: Tensor, right: Tree) -> Tree:
        return ops.matmul(left, right)

    look, best = backend.current().compile_forward(multiply), 0.0
    for side in sides:
        matrix = ops.cast(np.random.default_rng(0).normal(size=(side, side)).astype(np.float32), precision.value)
        for _ in range(repeats + 1):  # the first compiles
            began = clock()
            float(ops.cast(look(matrix, matrix)[0, 0], "float32"))  # waits for the product
            best = max(best, 2.0 * side**3 / (clock() - began))
    return best
