"""Memory: what a painting needs, and how much of its picture may be looked at at once to stay within a budget.

The largest part are the features of every layer, which are kept for the gradient; they are bounded by looking at the
picture tile by tile (see `tiling`). The vectors of the optimiser are as large as the picture, and are not.
"""

import math

import psutil

from impasto_engine.networks.network import Extractor, Precision, evaluation_work
from impasto_engine.tiles import tiles

__all__ = ["crop_within", "default_budget_bytes", "peak_bytes", "work"]

RUNTIME_BYTES = 620e6
"""Resident memory of Python with Keras and TensorFlow imported."""

FEATURE_COPIES = {Precision.FLOAT32: 2.1, Precision.BFLOAT16: 2.75}
"""Peak memory of an evaluation relative to the features of all layers: they are kept for the backward pass, beside the
gradients of the largest ones, and in bfloat16 beside float32 copies of these."""

BYTES_PER_PIXEL = 3 * 4 * 37
"""What is as large as the picture, in float32: ten pairs of vectors of L-BFGS and a few more, the pictures that it is
painted from, and the gradient."""

SHARE_OF_MACHINE = 0.5
"""Part of the machine's memory that painting may take unless told otherwise; the editor needs the rest."""

LEAST_OWN_SIDE = 64
"""Pixels. A tile that owns less than this spends nearly all its time on its halo."""

TILED_PASSES = 1.5
"""What an evaluation in tiles takes relative to one of the same pixels at once: two passes forward and one backward."""


def default_budget_bytes() -> int:
    """What painting may take on this machine, in bytes."""
    return int(SHARE_OF_MACHINE * psutil.virtual_memory().total)


def crop_within(
    extractor: Extractor, height: int, width: int, precision: Precision, *, parameter_bytes: int, budget_bytes: int
) -> int | None:
    """Pixels of the sides of the crops in which a picture is looked at; None for at the whole picture.

    Where even the smallest crops exceed the budget, or the network cannot be cut, this is the least that can be had.

    Args:
        extractor: The network.
        height: Rows of the picture.
        width: Columns of the picture.
        precision: Of the features.
        parameter_bytes: Of the weights of all networks that are loaded.
        budget_bytes: What the whole process may take.
    """
    geometry = extractor.geometry
    needed = peak_bytes(extractor, height, width, None, precision, parameter_bytes=parameter_bytes)
    if geometry is None or needed <= budget_bytes:
        return None
    features = FEATURE_COPIES[precision] * extractor.feature_bytes(height, width)
    left = max(budget_bytes - (needed - features), 0.0)
    side = math.sqrt(left / features * height * width)
    least = 2 * geometry.halo + max(LEAST_OWN_SIDE // geometry.grid, 1) * geometry.grid
    crop = max(int(side / geometry.grid) * geometry.grid, least)
    return None if crop >= max(height, width) else crop


def peak_bytes(
    extractor: Extractor, height: int, width: int, crop: int | None, precision: Precision, *, parameter_bytes: int
) -> float:
    """The peak of the process's memory while it paints; arguments as of `crop_within`."""
    rows, columns = (height, width) if crop is None else (min(height, crop), min(width, crop))
    features = FEATURE_COPIES[precision] * extractor.feature_bytes(rows, columns)
    return RUNTIME_BYTES + parameter_bytes + BYTES_PER_PIXEL * height * width + features


def work(extractor: Extractor, height: int, width: int, crop: int | None) -> float:
    """What half an evaluation costs (see `evaluation_work`), tiles with their halos counted."""
    geometry = extractor.geometry
    if crop is None or geometry is None:
        return evaluation_work(extractor, height, width)
    cut = tiles(height, width, crop, halo=geometry.halo, grid=geometry.grid)
    sizes = [(each.rows.stop - each.rows.start, each.columns.stop - each.columns.start) for each in cut]
    return TILED_PASSES * sum(evaluation_work(extractor, *size) for size in sizes)
