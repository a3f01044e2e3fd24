"""Targets: what the content and style images look like through the network, computed once for each scale.

Here the constants of `recipes` are fixed: k_c for the content, k_1 and k_2 for the style.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.backend import GradientFunction
from impasto_engine.errors import SettingsError
from impasto_engine.guides import guides, normalise
from impasto_engine.networks.network import Extractor, Network, Pooling, Precision, TapShape
from impasto_engine.objective import Objective, as_compared
from impasto_engine.progress import Losses
from impasto_engine.recipes import Normalisation, Recipe
from impasto_engine.statistics import mean_and_second_moment, moments
from impasto_engine.tiling import TiledGradient, features_in_tiles, sums_in_tiles
from impasto_engine.types import Mask, Tensor, Tree

__all__ = ["Problem", "Source", "Weights", "pose"]

FLATNESS = 0.01
"""A style without variance (a plain colour) would make the relative covariance loss infinite: its energy is taken to
be at least that of a picture whose features vary by this share of their mean's square."""

SMALLEST_ENERGY = 1e-12
"""Keeps a division by the energy of an all-zero feature map finite."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weights of the three losses."""

    content: float
    style: float
    tv: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An objective with its arguments: all there is to minimise at one scale.

    Attributes:
        objective: The terms as a function of the picture.
        arguments: What the function needs beside it.
        crop: Pixels of the sides of what is looked at at once; None for the whole picture.
    """

    objective: Objective
    arguments: Tree
    crop: int | None = None

    def gradient(self) -> GradientFunction:
        """The terms and the gradient of their sum."""
        if self.crop is None:
            return backend.current().compile_gradient(self.objective)
        return TiledGradient(self.objective, self.crop)

    def losses(self, terms: NDArray[np.float32]) -> Losses:
        """The objective's terms `(T,)` by name."""
        names = self.objective.term_names
        return Losses(layers={name: float(value) for name, value in zip(names, terms, strict=True)})


def pose(
    *,
    content: NDArray[np.float32],
    alpha: Mask | None,
    styles: Sequence[Source],
    network: Network,
    recipe: Recipe,
    weights: Weights,
    content_taps: tuple[str, ...],
    style_taps: tuple[str, ...],
    pooling: Pooling,
    precision: Precision,
    crop: int | None = None,
) -> Problem:
    """The problem of painting at one scale.

    Args:
        content: `(H, W, 3)` float32, sRGB, 0-255.
        alpha: `(H, W)` of the content; transparent pixels count in no term. None where all are opaque.
        styles: The style images.
        network: The feature network.
        recipe: The recipe.
        weights: The weights of its losses.
        content_taps: Where the content is compared; none switches the term off.
        style_taps: Where the style is compared; none switches the term off.
        pooling: The network's pooling.
        precision: The precision of the features.
        crop: Look at pictures in crops with sides of so many pixels (see `tiling`); None for at whole pictures.
    """
    extractor = network.extractor(
        tuple(dict.fromkeys((*content_taps, *style_taps))), pooling=pooling, edges=recipe.edges, precision=precision
    )
    height, width = content.shape[:2]
    for colours in (content, *(style.colours for style in styles)):
        if min(colours.shape[:2]) < network.smallest_side:
            raise SettingsError(
                f"A picture of {colours.shape[1]} × {colours.shape[0]} pixels is too small for {network.name}, "
                f"which needs {network.smallest_side} on each side; choose a larger size, or vgg16."
            )
    shapes = extractor.shapes(height, width)
    groups = _grouped_by_region(styles if style_taps else ())
    arguments: Tree = {
        "parameters": extractor.parameters,
        "weights": _term_weights(weights, recipe, len(content_taps), len(style_taps)),
        "content": _content_targets(extractor, content, alpha, content_taps, recipe, crop),
        "styles": _style_groups(extractor, groups, alpha, (height, width), style_taps, shapes, recipe, crop),
    }
    if alpha is not None:
        arguments["visible"] = alpha
    objective = Objective(
        extractor=extractor,
        content_taps=content_taps,
        style_taps=style_taps,
        centred=recipe.centred,
        variation=recipe.total_variation,
    )
    if crop is None:
        # On the device from here on, rather than sent there with each evaluation.
        arguments = keras.tree.map_structure(ops.convert_to_tensor, arguments)
    return Problem(objective=objective, arguments=arguments, crop=crop)


def _term_weights(weights: Weights, recipe: Recipe, contents: int, styles: int) -> NDArray[np.float32]:
    per_content = weights.content / max(contents, 1)
    per_style = weights.style * recipe.style_tap_weight(max(styles, 1))
    return np.array([per_content] * contents + [per_style] * styles + [weights.tv], np.float32)


def _content_targets(
    extractor: Extractor,
    content: NDArray[np.float32],
    alpha: Mask | None,
    taps: tuple[str, ...],
    recipe: Recipe,
    crop: int | None,
) -> Tree:
    if not taps:
        return {}

    def compared(picture: Tensor, parameters: Tree) -> Tree:
        features = extractor(picture, parameters)
        return {tap: as_compared(features[tap], extractor.readings.get(tap)) for tap in taps}

    if crop is None:
        features = backend.current().forward(compared, content[None], extractor.parameters)
    else:
        features = features_in_tiles(extractor, content, taps, crop)
    visible = guides(extractor, alpha) if alpha is not None else {}
    targets: Tree = {}
    for tap in taps:
        target = {"features": features[tap]}
        energies = ops.sum(ops.square(ops.cast(features[tap], "float32")), axis=-1)[0]
        if tap in visible:
            target["visible"] = visible[tap]
            energies = energies * ops.convert_to_tensor(visible[tap])
        energy = float(ops.convert_to_numpy(ops.sum(energies)))
        target["scale"] = np.float32(_content_scale(recipe.normalisation, energy))
        targets[tap] = target
    return targets


def _content_scale(normalisation: Normalisation, energy: float) -> float:
    """The constant k_c: relative to the content's energy; ½ (Gatys 2015, eq. 1); or 1 (the article)."""
    if normalisation is Normalisation.ENERGY:
        return 1.0 / max(energy, SMALLEST_ENERGY)
    return 0.5 if normalisation is Normalisation.GATYS else 1.0


def _grouped_by_region(styles: Sequence[Source]) -> list[list[Source]]:
    """Styles that are painted in the same place share the picture's statistics."""
    groups: dict[int | None, list[Source]] = {}
    for style in styles:
        groups.setdefault(None if style.region is None else id(style.region), []).append(style)
    return list(groups.values())


def _style_groups(
    extractor: Extractor,
    groups: Sequence[Sequence[Source]],
    alpha: Mask | None,
    size: tuple[int, int],
    taps: tuple[str, ...],
    shapes: dict[str, TapShape],
    recipe: Recipe,
    crop: int | None,
) -> list[Tree]:
    everywhere = np.ones(size, np.float32)
    opaque = everywhere if alpha is None else alpha
    coverage = sum(
        style.weight * (everywhere if style.region is None else style.region) for group in groups for style in group
    )
    full = float(np.max(coverage)) if groups else 1.0
    result = []
    for group in groups:
        region = group[0].region
        place = opaque if region is None else region * opaque
        area = float(place.sum(dtype=np.float64)) / max(float(opaque.sum(dtype=np.float64)), 1.0)
        masked = region is not None or alpha is not None
        guided = guides(extractor, place) if masked else {}
        result.append(
            {
                "guides": {tap: normalise(guided[tap]) for tap in taps if tap in guided},
                "styles": [
                    {
                        "share": np.float32(style.weight * area / full),
                        "taps": _style_targets(extractor, style, taps, shapes, size, recipe, crop),
                    }
                    for style in group
                ],
            }
        )
    return result


def _style_targets(
    extractor: Extractor,
    style: Source,
    taps: tuple[str, ...],
    shapes: dict[str, TapShape],
    size: tuple[int, int],
    recipe: Recipe,
    crop: int | None,
) -> Tree:
    guided = {tap: normalise(g) for tap, g in guides(extractor, style.alpha).items()} if style.alpha is not None else {}

    def measured(picture: Tensor, parameters: Tree) -> Tree:
        features = extractor(picture, parameters)
        return {
            tap: mean_and_second_moment(
                features[tap], guided.get(tap), extractor.readings.get(tap), centred=recipe.centred
            )
            for tap in taps
        }

    if crop is None:
        statistics = backend.current().forward(measured, style.colours[None], extractor.parameters)
    else:
        statistics = {
            tap: moments(*sums, extractor.readings.get(tap), centred=recipe.centred)
            for tap, sums in sums_in_tiles(extractor, style.colours, guided, taps, crop).items()
        }
    own_shapes = extractor.shapes(*style.colours.shape[:2])
    targets = {}
    for tap in taps:
        mean, second = (ops.convert_to_numpy(part) for part in statistics[tap])
        positions = shapes[tap].height * shapes[tap].width
        own_positions = own_shapes[tap].height * own_shapes[tap].width
        channels = extractor.readings[tap].channels if tap in extractor.readings else own_shapes[tap].channels
        targets[tap] = _style_target(
            recipe.normalisation, mean, second, positions, own_positions, pixels=size[0] * size[1], channels=channels
        )
    return targets


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
