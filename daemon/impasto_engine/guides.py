"""Guides: how much each position of a tap counts in a statistic, from masks over the picture.

L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, §4: a region's guide is shrunk
to each tap and eroded, so that a neuron counts only where what it sees lies in the region.
"""

import numpy as np

from impasto_engine.networks.network import Extractor
from impasto_engine.types import Mask

__all__ = ["erode", "guides", "normalise"]

SIGHT_THRESHOLD = 0.5
"""A position counts from where it sees this share of what the best placed position sees of the region. Relative, so
that a region smaller than a deep tap's receptive field still counts at its centre."""


def guides(extractor: Extractor, mask: Mask) -> dict[str, Mask]:
    """The guide of a mask at each tap.

    Args:
        extractor: The network, which knows what each position sees.
        mask: `(H, W)`, not zero everywhere.

    Returns:
        For each tap `(h, w)` float32 in [0, 1], not zero everywhere.
    """
    return {tap: erode(seen) for tap, seen in extractor.sight(mask).items()}


def erode(seen: Mask) -> Mask:
    """From the share of the region that a position sees to how much it counts, in [0, 1]."""
    best = float(seen.max())
    if best <= 0.0:
        return np.ones_like(seen)
    threshold = SIGHT_THRESHOLD * best
    counted: Mask = np.clip((seen - threshold) / (best - threshold), 0.0, 1.0).astype(np.float32)
    return counted


def normalise(guide: Mask) -> Mask:
    """The guide divided by its sum."""
    shares: Mask = (guide / guide.sum(dtype=np.float64)).astype(np.float32)
    return shares
