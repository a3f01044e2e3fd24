"""How much each position of a layer counts in a statistic, from a mask over the picture.

L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section 4: a mask is shrunk to
each layer and eroded. What a position sees of the mask is the mask sent through the network's geometry with every
kernel a box; it counts from where it sees half of what the best placed position sees, rising to one there.
"""

from collections.abc import Iterable

import numpy as np

from oracles.network import Array, windows


def guides(mask: Array, layers: Iterable[str]) -> dict[str, Array]:
    """For each layer, shallow to deep, `(h, w)` in [0, 1]."""
    seen = mask.astype(np.float64)
    result = {}
    for number, layer in enumerate(layers):
        if number > 0 and layer.endswith("_conv1"):
            seen = np.nanmean(windows(seen[:, :, None]), axis=2)[:, :, 0]
        around = np.pad(seen, 1, mode="edge")
        height, width = seen.shape
        seen = sum(around[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9.0
        result[layer] = eroded(seen)
    return result


def eroded(seen: Array) -> Array:
    """How much a position counts that sees so much."""
    best = seen.max()
    if best == 0:
        return np.ones_like(seen)
    return np.maximum(0.0, seen - best / 2) / (best / 2)
