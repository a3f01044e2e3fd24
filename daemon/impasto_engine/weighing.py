"""Weighing: what each loss and each style counts, which may change while a picture is being painted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import SettingsError
from impasto_engine.recipes import Recipe, recipe_named
from impasto_engine.settings import Settings, Style
from impasto_engine.types import Mask

__all__ = ["Place", "Weighing", "Weights", "weights_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weights of the three losses, and of the styles beside each other.

    Attributes:
        content: Of the content loss.
        style: Of the style loss.
        tv: Of the total variation.
        styles: Of each style; None for those that the styles came with.
    """

    content: float
    style: float
    tv: float
    styles: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name, weight in (("content", self.content), ("style", self.style), ("tv", self.tv)):
            if not (math.isfinite(weight) and weight >= 0.0):
                raise SettingsError(f"The {name} weight is {weight}; give a number from 0 on.")
        for weight in self.styles or ():
            if not (math.isfinite(weight) and weight > 0.0):
                raise SettingsError(f"A style's weight is {weight}; give a number above 0.")


def weights_of(settings: Settings, styles: Sequence[Style] | None = None) -> Weights:
    """The weights that the settings, and perhaps the styles, come to."""
    recipe = recipe_named(settings.recipe)
    return Weights(
        content=settings.content_weight_in(recipe),
        style=recipe.style_weight if settings.style_weight is None else settings.style_weight,
        tv=recipe.tv_weight if settings.tv_weight is None else settings.tv_weight,
        styles=None if styles is None else tuple(style.weight for style in styles),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where some of the styles are painted.

    Attributes:
        region: `(H, W)`; None for everywhere.
        area: Its share of the opaque part of the picture.
        styles: Which styles, by their places in the caller's sequence.
    """

    region: Mask | None
    area: float
    styles: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighing:
    """From weights to factors, for one recipe, its taps and the places of its styles.

    Attributes:
        recipe: Whose weights they are.
        contents: How many content taps there are.
        styles: How many style taps.
        places: Where the styles are painted.
        own: The weight that each style came with.
    """

    recipe: Recipe
    contents: int
    styles: int
    places: tuple[Place, ...]
    own: tuple[float, ...]

    def terms(self, weights: Weights) -> NDArray[np.float32]:
        """The factor of each term, `(T,)`, in the order of `Objective.term_names`."""
        per_content = weights.content / max(self.contents, 1)
        per_style = weights.style * self.recipe.style_tap_weight(max(self.styles, 1))
        return np.array([per_content] * self.contents + [per_style] * self.styles + [weights.tv], np.float32)

    def shares(self, weights: Weights) -> list[list[np.float32]]:
        """The factor of each style, place by place.

        A style counts as its weight and the area of its place say, relative to the sum of the weights where that is
        largest, so that a region is painted as strongly as a whole picture would be.
        """
        each = self.own if weights.styles is None else weights.styles
        if len(each) != len(self.own):
            raise SettingsError(f"There are {len(each)} weights for {len(self.own)} styles; give one for each.")
        coverage = sum(
            each[style] * (np.float32(1.0) if place.region is None else place.region)
            for place in self.places
            for style in place.styles
        )
        full = float(np.max(coverage)) if self.places else 1.0
        return [[np.float32(each[style] * place.area / full) for style in place.styles] for place in self.places]
