"""The stages of a painting: which network at which size, for how many evaluations."""

from dataclasses import dataclass

from impasto_engine.networks.network import Network
from impasto_engine.recipes import recipe_named
from impasto_engine.resample import fit
from impasto_engine.scales import Scale, schedule
from impasto_engine.settings import ORIGINAL, Settings

__all__ = ["Stage", "painting_size", "stages"]

POLISH_EVALUATIONS = 30
"""Evaluations with the polisher for a recipe that has no number of its own."""


ALL_SCALES = 3
SHARE_BELOW = 0.53
"""A small picture, of fewer scales, is painted with this share of a distilled network's evaluations. At 256 pixels it
ends within 6 % of the loss, in VGG16's eyes, that all of them would reach: see `benchmarks/RESULTS.md`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a painting.

    Attributes:
        scale: The size, and how many evaluations may be spent on it.
        network: The feature network.
    """

    scale: Scale
    network: Network


def painting_size(height: int, width: int, settings: Settings) -> tuple[int, int]:
    """The height and width in which a content image of `height` × `width` will be painted."""
    recipe = recipe_named(settings.recipe)
    if settings.size == ORIGINAL:
        return height, width
    if settings.size is not None:
        return fit(height, width, int(settings.size))
    if recipe.rows is not None:
        return recipe.rows, max(1, int(width * recipe.rows / height))
    return fit(height, width, recipe.longer_side)


def stages(height: int, width: int, network: Network, polisher: Network | None, settings: Settings) -> list[Stage]:
    """The scales of the recipe with one network, and then, if there is a polisher, the full size again with that.

    Args:
        height: Rows of the finished picture.
        width: Columns of the finished picture.
        network: The feature network that paints.
        polisher: The one that paints on at full size; None for none.
        settings: How to paint.
    """
    recipe = recipe_named(settings.recipe)

    def scales_with(evaluations: int) -> tuple[Scale, ...]:
        return schedule(
            height,
            width,
            evaluations,
            coarse_to_fine=recipe.coarse_to_fine,
            smallest_side=network.smallest_side,
        )

    distilled = recipe.distilled_evaluations if network.distilled else None
    scales = scales_with(settings.evaluations or distilled or recipe.evaluations)
    if distilled is not None and settings.evaluations is None and len(scales) < ALL_SCALES:
        scales = scales_with(round(SHARE_BELOW * distilled))
    result = [Stage(scale=scale, network=network) for scale in scales]
    if polisher is not None:
        evaluations = settings.polish_evaluations or recipe.polish_evaluations or POLISH_EVALUATIONS
        result.append(Stage(scale=Scale(height=height, width=width, evaluations=evaluations), network=polisher))
    return result
