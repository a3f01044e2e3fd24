"""Recipes: which losses are added up, with which weights, over which schedule of sizes.

All recipes are one formula with different constants:

    content  = weight · k_c · Σ_p v_p ‖F_p - P_p‖²                          for each content tap
    style    = weight · (k_2 · ‖S - S_t‖²_F + k_1 · ‖μ - μ_t‖²)             for each style tap
    tv       = weight · one of two forms of total variation                  over the picture

with F the features of the picture being painted, P those of the content image, v how much of the picture a position
sees that is not transparent, S the Gram or covariance matrix, μ the mean, and the subscript t for the style image.
The constants k are fixed when the targets are computed.

- `impasto`, the default: covariance and mean apart, each relative to the style's own energy; the content relative to
  the content's own energy; so weights mean the same at every size. Coarse to fine.
- `gatys`: Gatys, Ecker, Bethge 2015 (arXiv 1508.06576), equations 1 to 7, with content weight 1 and style weight 1000.
- `article`: the Keras example "Neural style transfer" by F. Chollet, 2016, in its VGG16 form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from impasto_engine.errors import SettingsError
from impasto_engine.networks.network import Edges

__all__ = ["RECIPES", "Normalisation", "Recipe", "Start", "TotalVariation", "recipe_named"]


class Normalisation(StrEnum):
    """How the constants k of a recipe follow from its targets; the formulas are in `targets`."""

    ENERGY = "energy"
    GATYS = "gatys"
    ARTICLE = "article"


class TotalVariation(StrEnum):
    """Which form of total variation."""

    SQUARED = "squared"
    POWER = "power"


class Start(StrEnum):
    """The picture that painting starts from."""

    CONTENT = "content"
    NOISE = "noise"
    STYLE = "style"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One way to paint.

    Attributes:
        name: As the user writes it.
        normalisation: How the terms are made comparable.
        content_weight: Weight of the content loss, shared equally by the content taps.
        style_weight: Weight of the style loss, of each tap or of their mean.
        style_taps_averaged: Whether it is of the mean of the taps rather than of each.
        tv_weight: Weight of the total variation.
        total_variation: Its form.
        centred: Compare covariances and means rather than raw Gram matrices.
        bounded: Keep every value of the picture in 0-255 while painting, rather than clip it at the end.
        first_step: Root mean square, in grey levels, of the first step at each scale; None for the optimiser's own.
        edges: What the first convolution sees outside the picture.
        start: The picture painting starts from unless told otherwise.
        longer_side: Pixels of the longer side unless a size is given.
        rows: Pixels of the height unless a size is given, instead of the longer side.
        style_as_content: Resize the style image to the content's height and width rather than to its longer side.
        coarse_to_fine: Paint at growing sizes, each starting from the last one's picture.
        evaluations: Evaluations in all unless told otherwise.
        distilled_evaluations: The same with a distilled network, whose loss is a guess that is not worth following as
            far; None for as many.
        optimizer: The optimiser unless told otherwise.
        polish_evaluations: Evaluations with a second network at full size, where there is one, unless told otherwise; 0
            for a recipe that is painted with one network unless told otherwise.
        ends_on_plateau: Leave a scale's evaluations unspent where they would gain next to nothing.
        round_evaluations: Forget the curvature and start the optimiser anew after so many; None for never.
    """

    name: str
    normalisation: Normalisation
    content_weight: float
    style_weight: float
    style_taps_averaged: bool
    tv_weight: float
    total_variation: TotalVariation
    centred: bool
    bounded: bool
    first_step: float | None
    edges: Edges
    start: Start
    longer_side: int = 512
    rows: int | None = None
    style_as_content: bool = False
    coarse_to_fine: bool = False
    evaluations: int
    distilled_evaluations: int | None = None
    optimizer: str = "scipy"
    polish_evaluations: int = 0
    ends_on_plateau: bool = False
    round_evaluations: int | None = None

    def style_tap_weight(self, taps: int) -> float:
        """What each of `taps` style taps weighs, for a style weight of one."""
        return 1.0 / taps if self.style_taps_averaged else 1.0


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="impasto",
            normalisation=Normalisation.ENERGY,
            content_weight=100.0,
            style_weight=100.0,
            style_taps_averaged=False,
            tv_weight=0.005,
            total_variation=TotalVariation.SQUARED,
            centred=True,
            bounded=True,
            first_step=0.25,
            edges=Edges.REPLICATE,
            start=Start.CONTENT,
            coarse_to_fine=True,
            evaluations=300,
            distilled_evaluations=150,
            optimizer="lbfgs",
            ends_on_plateau=True,
            polish_evaluations=45,
        ),
        Recipe(
            name="gatys",
            normalisation=Normalisation.GATYS,
            content_weight=1.0,
            style_weight=1000.0,
            style_taps_averaged=True,
            tv_weight=0.0,
            total_variation=TotalVariation.SQUARED,
            centred=False,
            bounded=False,
            first_step=0.25,
            edges=Edges.ZERO,
            start=Start.NOISE,
            evaluations=500,
        ),
        Recipe(
            name="article",
            normalisation=Normalisation.ARTICLE,
            content_weight=0.025,
            style_weight=1.0,
            style_taps_averaged=True,
            tv_weight=1.0,
            total_variation=TotalVariation.POWER,
            centred=False,
            bounded=False,
            first_step=None,
            edges=Edges.ZERO,
            start=Start.CONTENT,
            rows=400,
            style_as_content=True,
            evaluations=200,
            round_evaluations=20,
        ),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SettingsError: No recipe has the name.
    """
    if name not in RECIPES:
        raise SettingsError(f"There is no recipe {name!r}; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]


DEFAULT_STRENGTH = 0.5
"""The strength at which a recipe's own content weight holds."""

STRENGTH_DECADES = 2.0
"""From strength 0 to 1 the content weight falls by a factor of ten to this power."""


def content_weight_at(strength: float, content_weight: float) -> float:
    """The content weight for a strength of the style in [0, 1]; 0.5 leaves it as it is."""
    return float(content_weight * np.power(10.0, STRENGTH_DECADES * (DEFAULT_STRENGTH - strength)))
