"""What a style image asks of the picture: its statistics through the network, and what a difference to them counts.

Here the constants k_1 and k_2 of `recipes` are fixed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.fingerprint import fingerprint
from impasto_engine.guides import guides, normalise
from impasto_engine.networks.network import Edges, Extractor, Network, Pooling, Precision
from impasto_engine.recipes import Normalisation, Recipe
from impasto_engine.statistics import mean_and_second_moment, moments
from impasto_engine.tiling import sums_in_tiles
from impasto_engine.types import Mask, Tensor, Tree
from impasto_engine.workshop import Statistics, Workshop

__all__ = ["SMALLEST_ENERGY", "Sight", "Source", "style_targets"]

FLATNESS = 0.01
"""A style without variance (a plain colour) would make the relative covariance loss infinite: its energy is taken to
be at least that of a picture whose features vary by this share of their mean's square."""

SMALLEST_ENERGY = 1e-12
"""Keeps a division by the energy of an all-zero feature map finite."""


class Sight(NamedTuple):
    """Through what pictures are seen; equal where features are."""

    network: Network
    taps: tuple[str, ...]
    pooling: Pooling
    edges: Edges
    precision: Precision
    crop: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A style image at the size in which its statistics are taken.

    Attributes:
        colours: `(H, W, 3)` float32, sRGB, 0-255.
        alpha: `(H, W)`; transparent pixels count in no statistic. None where all are opaque.
        weight: How much this style counts beside the others.
        region: `(H, W)` of the content's size: where this style is painted. None for everywhere.
    """

    colours: NDArray[np.float32]
    alpha: Mask | None
    weight: float
    region: Mask | None


def style_targets(
    extractor: Extractor,
    style: Source,
    taps: tuple[str, ...],
    size: tuple[int, int],
    recipe: Recipe,
    sight: Sight,
    workshop: Workshop,
) -> Tree:
    """What a style image asks of the picture at each tap.

    Args:
        extractor: The network.
        style: The image.
        taps: Where it is compared.
        size: Rows and columns of the picture.
        recipe: The recipe.
        sight: Through what the image is seen.
        workshop: Where its statistics may be at hand.
    """
    if not taps:
        return {}
    kind = (sight, taps, recipe.centred, fingerprint((style.colours, style.alpha)))
    statistics = workshop.statistics(kind, lambda: _statistics(extractor, style, taps, sight.crop, recipe.centred))
    shapes, own_shapes = extractor.shapes(*size), extractor.shapes(*style.colours.shape[:2])
    targets = {}
    for tap in taps:
        mean, second = statistics[tap]
        positions = shapes[tap].height * shapes[tap].width
        own_positions = own_shapes[tap].height * own_shapes[tap].width
        channels = extractor.readings[tap].channels if tap in extractor.readings else own_shapes[tap].channels
        targets[tap] = _style_target(
            recipe.normalisation, mean, second, positions, own_positions, pixels=size[0] * size[1], channels=channels
        )
    return targets


def _statistics(
    extractor: Extractor, style: Source, taps: tuple[str, ...], crop: int | None, centred: bool
) -> Statistics:
    guided = {tap: normalise(g) for tap, g in guides(extractor, style.alpha).items()} if style.alpha is not None else {}

    def measured(picture: Tensor, parameters: Tree) -> Tree:
        features = extractor(picture, parameters)
        return {
            tap: mean_and_second_moment(features[tap], guided.get(tap), extractor.readings.get(tap), centred=centred)
            for tap in taps
        }

    if crop is None:
        statistics = backend.current().forward(measured, style.colours[None], extractor.parameters)
    else:
        statistics = {
            tap: moments(*sums, extractor.readings.get(tap), centred=centred)
            for tap, sums in sums_in_tiles(extractor, style.colours, guided, taps, crop).items()
        }
    return {tap: (ops.convert_to_numpy(statistics[tap][0]), ops.convert_to_numpy(statistics[tap][1])) for tap in taps}


def _style_target(
    normalisation: Normalisation,
    mean: NDArray[np.float32],
    second: NDArray[np.float32],
    positions: int,
    own_positions: int,
    *,
    pixels: int,
    channels: int,
) -> Tree:
    """The statistics of a style at one tap and the constants k_1 and k_2.

    With Ĝ = G / M the Gram matrix divided by its number of positions:

    - `ENERGY`: 1 / ‖S_t‖² and 1 / ‖μ_t‖².
    - `GATYS`: (G/M - A/M)² / (4 N²), which is (G - A)² / (4 N² M²) where M is the same (Gatys 2015, eq. 4). N is the
      number of channels compared: the teacher's, for a distilled network.
    - `ARTICLE`: (G - A)² / (4 · 3² · (H·W)²), unnormalised, so M Ĝ is compared with M_t Â.
    """
    mean_scale = 0.0
    if normalisation is Normalisation.ENERGY:
        mean_energy = float(np.sum(np.square(mean, dtype=np.float64)))
        energy = max(float(np.sum(np.square(second, dtype=np.float64))), (FLATNESS * mean_energy) ** 2)
        second_scale = 1.0 / max(energy, SMALLEST_ENERGY)
        mean_scale = 1.0 / max(mean_energy, SMALLEST_ENERGY)
    elif normalisation is Normalisation.GATYS:
        second_scale = 1.0 / (4.0 * channels**2)
    else:
        second_scale = (positions / pixels) ** 2 / (4.0 * 3.0**2)
        second = second * np.float32(own_positions / positions)
    return {
        "mean": mean,
        "second": second,
        "mean_scale": np.float32(mean_scale),
        "second_scale": np.float32(second_scale),
    }
