"""Memory: what a painting needs, and how it keeps within a budget.

The largest part are the features of every layer, which are kept for the gradient; they are bounded by looking at the
picture tile by tile (see `tiling`). What is as large as the picture itself is not; but the optimiser can do with a
shorter history.
"""

import math
from typing import NamedTuple

import psutil

from impasto_engine.minimise import HISTORY
from impasto_engine.networks.network import Extractor, evaluation_work
from impasto_engine.tiles import tiles

__all__ = ["Room", "default_budget_bytes", "peak_bytes", "room_within", "work"]

RUNTIME_BYTES = 760e6
"""Resident memory of Python with Keras and TensorFlow, once it has computed something. This and the next three numbers
were fitted to what `benchmarks/growth.py` measured."""

FEATURE_COPIES = 2.85
"""Peak memory of an evaluation relative to the features of all layers: they are kept for the backward pass, beside the
gradients of the largest ones."""

TILED_BYTES = 300e6
"""What is held besides where a picture is in tiles: more compiled functions, for crops of several sizes."""

TILED_FEATURES = 1.25
"""What the features of a crop take in tiles relative to what they take alone: features of crops of other sizes leave
the allocator with pieces that do not fit. Without it, VGG16 took up to 12 % more than was estimated."""

VECTOR_BYTES_PER_PIXEL = 3 * 4
"""A vector is as large as the picture, in float32."""

VECTORS = 17
"""Beside the pairs of L-BFGS: the point, the gradient, the direction and what follows them while they are still needed,
the best picture, the pictures that it is painted from, and the content's features."""

HISTORIES = (HISTORY, 6, 4, 2)
"""Pairs that L-BFGS is given. With two a painting ends within 5 % of the loss that ten reach; see
`benchmarks/RESULTS.md`."""

COMFORTABLE_OWN_SIDE = 512
"""Pixels. Before tiles become smaller than this, and their halos larger than they are, the history becomes shorter."""

SHARE_OF_MACHINE = 0.5
"""Part of the machine's memory that painting may take unless told otherwise; the editor needs the rest."""

LEAST_OWN_SIDE = 256
"""Pixels. A tile that owns less than this spends nearly all its time on its halo, and saves less than 0.1 GB."""

TILED_PASSES = 1.5
"""What an evaluation in tiles takes relative to one of the same pixels at once: two passes forward and one backward."""


def default_budget_bytes() -> int:
    """What painting may take on this machine, in bytes."""
    return int(SHARE_OF_MACHINE * psutil.virtual_memory().total)


class Room(NamedTuple):
    """How a painting keeps within its budget.

    Attributes:
        crop: Pixels of the sides of what is looked at at once; None for the whole picture.
        history: Pairs that L-BFGS remembers.
    """

    crop: int | None = None
    history: int = HISTORY


def room_within(extractor: Extractor, height: int, width: int, *, parameter_bytes: int, budget_bytes: int) -> Room:
    """The room that a painting has: the whole picture at once where that fits; else a long history and large tiles.

    Where even the smallest exceeds the budget, or the network cannot be cut, this is the least that can be had.

    Args:
        extractor: The network.
        height: Rows of the picture.
        width: Columns of the picture.
        parameter_bytes: Of the weights of all networks that are loaded.
        budget_bytes: What the whole process may take.
    """
    geometry, sides = extractor.geometry, (height, width)

    def needed(room: Room) -> float:
        return peak_bytes(extractor, *sides, room, parameter_bytes=parameter_bytes)

    rooms = [Room(None, history) for history in HISTORIES[:2]]
    if geometry is None:
        rooms = [Room(None, history) for history in HISTORIES]
    fitting = next((room for room in rooms if needed(room) <= budget_bytes), None)
    if fitting is not None or geometry is None:
        return fitting or rooms[-1]
    features = FEATURE_COPIES * extractor.feature_bytes(height, width)
    least = 2 * geometry.halo + max(LEAST_OWN_SIDE // geometry.grid, 1) * geometry.grid
    for history in HISTORIES:
        left = max(budget_bytes - TILED_BYTES - (needed(Room(None, history)) - features), 0.0)
        side = math.sqrt(left / (TILED_FEATURES * features) * height * width)
        crop = max(int(side / geometry.grid) * geometry.grid, least)
        if crop > least and needed(Room(crop, history)) > budget_bytes:  # by the rounding of the features' sides
            crop -= geometry.grid
        if crop >= 2 * geometry.halo + COMFORTABLE_OWN_SIDE:
            break
    tiled, whole = Room(crop, history), Room(None, history)
    return tiled if crop < max(height, width) and needed(tiled) < needed(whole) else whole


def peak_bytes(extractor: Extractor, height: int, width: int, room: Room, *, parameter_bytes: int) -> float:
    """The peak of the process's memory while it paints; other arguments as of `room_within`."""
    rows, columns = (height, width) if room.crop is None else (min(height, room.crop), min(width, room.crop))
    features = FEATURE_COPIES * extractor.feature_bytes(rows, columns)
    tiled = 0.0 if room.crop is None else TILED_BYTES + (TILED_FEATURES - 1.0) * features
    vectors = (VECTORS + 2 * room.history) * VECTOR_BYTES_PER_PIXEL * height * width
    return RUNTIME_BYTES + parameter_bytes + vectors + features + tiled


def work(extractor: Extractor, height: int, width: int, crop: int | None) -> float:
    """What half an evaluation costs (see `evaluation_work`), tiles with their halos counted."""
    geometry = extractor.geometry
    if crop is None or geometry is None:
        return evaluation_work(extractor, height, width)
    cut = tiles(height, width, crop, halo=geometry.halo, grid=geometry.grid)
    sizes = [(each.rows.stop - each.rows.start, each.columns.stop - each.columns.start) for each in cut]
    return TILED_PASSES * sum(evaluation_work(extractor, *size) for size in sizes)
