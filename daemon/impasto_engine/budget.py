"""Memory: what a painting needs, and how it keeps within a budget.

Three things take it. The features of every layer are kept for the gradient, and would be the largest part; they are
bounded by looking at the picture tile by tile (see `tiling`). Vectors as large as the picture are counted one by one
below; the optimiser can do with fewer where its history is shorter. The rest does not depend on the picture.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psutil

from impasto_engine.colour import Color
from impasto_engine.minimise import HISTORY
from impasto_engine.networks.network import Extractor, Geometry, Network, evaluation_work
from impasto_engine.optimisers import HOST, SCIPY
from impasto_engine.tiles import tiles

__all__ = ["Demand", "Room", "Vectors", "default_budget_bytes", "held_bytes", "peak_bytes", "room_within", "work"]

RUNTIME_BYTES = 800e6
"""Resident memory of Python with Keras and TensorFlow, once it has computed something, and what an allocator leaves
unused. The next three numbers were fitted to what `benchmarks/growth.py` measured, this one so that no case took more
than was estimated."""

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


class Vectors(NamedTuple):
    """How many vectors a minimisation holds at once.

    Attributes:
        alone: Pairs of L-BFGS apart.
        pair: Of each pair that it remembers.
    """

    alone: int
    pair: int


VECTORS: Mapping[str, Vectors] = {
    HOST: Vectors(alone=5, pair=2),
    SCIPY: Vectors(alone=48, pair=4),
}
"""Of the optimisers on the host. Ours has the point, which is the best picture too, its gradient, the trial and that
one's gradient, and, between evaluations, the step to the trial. Features are gone by then, but their memory was seen
not to be given back, so that both count. SciPy's works in float64, with copies of its own, the bounds among them; they
were counted with `tracemalloc`. One on a device is taken for ours."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be painted at one size.

    Attributes:
        extractor: The network.
        content_taps: Where the content is compared: what it looks like there is kept.
        height: Rows of the picture.
        width: Columns of the picture.
        held_bytes: What is held whatever the room; see `held_bytes`.
        optimizer: Its name.
    """

    extractor: Extractor
    content_taps: tuple[str, ...]
    height: int
    width: int
    held_bytes: int
    optimizer: str = HOST


def held_bytes(networks: Sequence[Network], pixels: int, color: Color) -> int:
    """What a painting holds from its beginning to its end: the networks' weights, and the content as it was given.

    Args:
        networks: All that are loaded.
        pixels: Of the content image.
        color: Whose colours the picture will wear; to keep its own, the content is held a second time, in grey.
    """
    pictures = 2 if color is Color.LUMINANCE else 1
    return sum(each.parameter_bytes for each in networks) + pictures * VECTOR_BYTES_PER_PIXEL * pixels


def room_within(demand: Demand, budget_bytes: int) -> Room:
    """The room that a painting has: the whole picture at once where that fits; else a long history and large tiles.

    Where even the smallest exceeds the budget, or the network cannot be cut, this is the least that can be had.

    Args:
        demand: What is to be painted.
        budget_bytes: What the whole process may take.
    """
    geometry = demand.extractor.geometry
    rooms = [Room(None, history) for history in HISTORIES[:2]]
    if geometry is None:
        rooms = [Room(None, history) for history in HISTORIES]
    fitting = next((room for room in rooms if peak_bytes(demand, room) <= budget_bytes), None)
    if fitting is not None or geometry is None:
        return fitting or rooms[-1]
    comfortable = _crop(geometry, COMFORTABLE_OWN_SIDE)
    for history in HISTORIES:
        room = _largest_tiles(demand, geometry, history, budget_bytes)
        if room.crop is not None and room.crop >= comfortable and peak_bytes(demand, room) <= budget_bytes:
            break
    whole = Room(None, room.history)
    cut = room.crop is not None and room.crop < max(demand.height, demand.width)
    return room if cut and peak_bytes(demand, room) < peak_bytes(demand, whole) else whole


def _crop(geometry: Geometry, own_side: int) -> int:
    """The sides of a crop whose tile owns about so many pixels of each side."""
    return 2 * geometry.halo + max(own_side // geometry.grid, 1) * geometry.grid


def _largest_tiles(demand: Demand, geometry: Geometry, history: int, budget_bytes: int) -> Room:
    """The largest that keep within the budget; the smallest there are, where none do."""
    least, most = _crop(geometry, LEAST_OWN_SIDE), max(demand.height, demand.width) + geometry.grid
    crops = range(least, max(most, least + 1), geometry.grid)
    fitting = bisect_right(crops, float(budget_bytes), key=lambda crop: peak_bytes(demand, Room(crop, history)))
    return Room(crops[max(fitting - 1, 0)], history)


def peak_bytes(demand: Demand, room: Room) -> float:
    """The peak of the process's memory while it paints."""
    height, width, extractor = demand.height, demand.width, demand.extractor
    rows, columns = (height, width) if room.crop is None else (min(height, room.crop), min(width, room.crop))
    features = FEATURE_COPIES * extractor.feature_bytes(rows, columns)
    tiled = 0.0 if room.crop is None else TILED_BYTES + (TILED_FEATURES - 1.0) * features
    content = extractor.feature_bytes(height, width, demand.content_taps) if demand.content_taps else 0
    counted = VECTORS.get(demand.optimizer, VECTORS[HOST])
    vectors = (counted.alone + counted.pair * room.history) * VECTOR_BYTES_PER_PIXEL * height * width
    return RUNTIME_BYTES + demand.held_bytes + content + vectors + features + tiled


def work(extractor: Extractor, height: int, width: int, crop: int | None) -> float:
    """What half an evaluation costs (see `evaluation_work`), tiles with their halos counted."""
    geometry = extractor.geometry
    if crop is None or geometry is None:
        return evaluation_work(extractor, height, width)
    cut = tiles(height, width, crop, halo=geometry.halo, grid=geometry.grid)
    sizes = [(each.rows.stop - each.rows.start, each.columns.stop - each.columns.start) for each in cut]
    return TILED_PASSES * sum(evaluation_work(extractor, *size) for size in sizes)
