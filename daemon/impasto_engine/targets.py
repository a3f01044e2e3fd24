"""Targets: what the content and style images look like through the network, computed once for each scale.

Here the constant k_c of `recipes` is fixed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.backend import GradientFunction
from impasto_engine.errors import SettingsError
from impasto_engine.guides import guides, normalise
from impasto_engine.networks.network import Extractor, Network, Pooling, Precision
from impasto_engine.networks.reading import Reading
from impasto_engine.objective import Objective, squared
from impasto_engine.progress import Losses
from impasto_engine.recipes import Normalisation, Recipe, TotalVariation
from impasto_engine.style_targets import SMALLEST_ENERGY, Sight, Source, style_targets
from impasto_engine.tiling import TiledGradient, features_in_tiles
from impasto_engine.types import Mask, Tensor, Tree
from impasto_engine.weighing import Place, Weighing, Weights
from impasto_engine.workshop import Workshop

__all__ = ["Problem", "Source", "pose"]


ENERGY_VALUES = 2**22
"""Features whose energy is computed at once: 16 MB in float32, beside as much for each step of the computation."""


class Kind(NamedTuple):
    """What an objective computes; equal where one compiled function serves for two."""

    sight: Sight
    content_taps: tuple[str, ...]
    style_taps: tuple[str, ...]
    centred: bool
    variation: TotalVariation


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An objective with its arguments: all there is to minimise at one scale.

    Attributes:
        objective: The terms as a function of the picture.
        kind: What that computes.
        arguments: What the function needs beside the picture, with the weights that the problem was posed with.
        weighing: From weights to those of the arguments that depend on them.
        crop: Pixels of the sides of what is looked at at once; None for the whole picture.
    """

    objective: Objective
    kind: Kind
    arguments: Tree
    weighing: Weighing
    crop: int | None = None

    def weighed(self, weights: Weights) -> Tree:
        """The arguments with other weights."""
        groups = zip(self.arguments["styles"], self.weighing.shares(weights), strict=True)
        styles = [{**group, "styles": _shared(group["styles"], shares)} for group, shares in groups]
        return {**self.arguments, "weights": self.weighing.terms(weights), "styles": styles}

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
    workshop: Workshop | None = None,
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
        workshop: Where statistics of the styles may be at hand; None for nowhere.
    """
    taps = tuple(dict.fromkeys((*content_taps, *style_taps)))
    sight = Sight(network, taps, pooling, recipe.edges, precision, crop)
    extractor = network.extractor(taps, pooling=pooling, edges=recipe.edges, precision=precision)
    height, width = content.shape[:2]
    for colours in (content, *(style.colours for style in styles)):
        if min(colours.shape[:2]) < network.smallest_side:
            raise SettingsError(
                f"A picture of {colours.shape[1]} × {colours.shape[0]} pixels is too small for {network.name}, "
                f"which needs {network.smallest_side} on each side; choose a larger size, or vgg16."
            )
    places = _places(styles if style_taps else (), alpha)
    weighing = Weighing(
        recipe=recipe,
        contents=len(content_taps),
        styles=len(style_taps),
        places=places,
        own=tuple(style.weight for style in styles),
    )
    workshop = workshop or Workshop()
    asked = [style_targets(extractor, style, style_taps, (height, width), recipe, sight, workshop) for style in styles]
    arguments: Tree = {
        "parameters": extractor.parameters,
        "weights": weighing.terms(weights),
        "content": _content_targets(extractor, content, alpha, content_taps, recipe, crop),
        "styles": [
            {
                "guides": _place_guides(extractor, place.region, alpha, style_taps),
                "styles": _shared([{"taps": asked[style]} for style in place.styles], shares),
            }
            for place, shares in zip(places, weighing.shares(weights), strict=True)
        ],
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
    kind = Kind(sight, content_taps, style_taps, recipe.centred, recipe.total_variation)
    return Problem(objective=objective, kind=kind, arguments=arguments, weighing=weighing, crop=crop)


def _shared(styles: Sequence[Tree], shares: Sequence[np.float32]) -> list[Tree]:
    return [{**style, "share": share} for style, share in zip(styles, shares, strict=True)]


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

    def look(picture: Tensor, parameters: Tree) -> Tree:
        features = extractor(picture, parameters)
        return {tap: features[tap] for tap in taps}

    if crop is None:
        features = backend.current().forward(look, content[None], extractor.parameters)
    else:
        features = features_in_tiles(extractor, content, taps, crop)
    visible = guides(extractor, alpha) if alpha is not None else {}
    targets: Tree = {}
    for tap in taps:
        target = {"features": features[tap]}
        if tap in visible:
            target["visible"] = ops.convert_to_tensor(visible[tap])
        energy = _energy(features[tap], extractor.readings.get(tap), target.get("visible"))
        target["scale"] = np.float32(_content_scale(recipe.normalisation, energy))
        targets[tap] = target
    return targets


def _energy(features: Tensor, reading: Reading | None, visible: Tensor | None) -> float:
    """`objective.squared` of features, some rows at a time: in float32, all of a large picture would be a burden."""
    _, height, width, channels = features.shape
    rows = max(ENERGY_VALUES // (width * channels), 1)
    energy = 0.0
    for begin in range(0, height, rows):
        these = slice(begin, begin + rows)
        exact = ops.cast(features[:, these], "float32")
        part = squared(exact, reading, None if visible is None else visible[these])
        energy += float(ops.convert_to_numpy(part))
    return energy


def _content_scale(normalisation: Normalisation, energy: float) -> float:
    """The constant k_c: relative to the content's energy; ½ (Gatys 2015, eq. 1); or 1 (the article)."""
    if normalisation is Normalisation.ENERGY:
        return 1.0 / max(energy, SMALLEST_ENERGY)
    return 0.5 if normalisation is Normalisation.GATYS else 1.0


def _places(styles: Sequence[Source], alpha: Mask | None) -> tuple[Place, ...]:
    """Styles that are painted in the same place share the picture's statistics."""
    together: dict[int | None, list[int]] = {}
    for number, style in enumerate(styles):
        together.setdefault(None if style.region is None else id(style.region), []).append(number)
    regions = [styles[numbers[0]].region for numbers in together.values()]
    return tuple(
        Place(region=region, area=_area(region, alpha), styles=tuple(numbers))
        for region, numbers in zip(regions, together.values(), strict=True)
    )


def _area(region: Mask | None, alpha: Mask | None) -> float:
    """A region's share of the opaque part of the picture."""
    if region is None:
        return 1.0
    opaque = np.ones_like(region) if alpha is None else alpha
    return float((region * opaque).sum(dtype=np.float64)) / max(float(opaque.sum(dtype=np.float64)), 1.0)


def _place_guides(
    extractor: Extractor, region: Mask | None, alpha: Mask | None, taps: tuple[str, ...]
) -> dict[str, Mask]:
    if region is None and alpha is None:
        return {}
    masks = [mask for mask in (region, alpha) if mask is not None]
    guided = guides(extractor, masks[0] if len(masks) == 1 else masks[0] * masks[1])
    return {tap: normalise(guided[tap]) for tap in taps if tap in guided}
