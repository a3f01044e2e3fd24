"""What a caller may choose about a painting."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from impasto_engine.colour import Color
from impasto_engine.errors import SettingsError
from impasto_engine.networks.network import Pooling
from impasto_engine.optimisers import OPTIMISER_NAMES
from impasto_engine.recipes import DEFAULT_STRENGTH, Recipe, Start, content_weight_at, recipe_named
from impasto_engine.types import Mask, Pixels

__all__ = ["AUTO", "ORIGINAL", "PRECISIONS", "Settings", "Style"]

ORIGINAL = "original"
"""The size that leaves the content's as it is."""

AUTO = "auto"
"""The precision that is faster on this machine."""

PRECISIONS = (AUTO, "float32", "bfloat16")

LARGEST_SIDE = 32768
"""Pixels of the longer side that may be asked for."""

MOST_EVALUATIONS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Style:
    """A style image and what it is to do.

    Attributes:
        pixels: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1]; transparent pixels count in no statistic.
        weight: How much it counts beside other styles in the same place; above zero.
        region: `(h, w)` float32 in [0, 1] over the content, of any size: where it is painted. None for everywhere.
    """

    pixels: Pixels
    weight: float = 1.0
    region: Mask | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0.0):
            raise SettingsError(f"A style's weight is {self.weight}; give a number above 0, or leave the style out.")
        if self.region is None:
            return
        if self.region.ndim != 2 or not bool(((self.region >= 0.0) & (self.region <= 1.0)).all()):
            raise SettingsError(
                f"A region of shape {self.region.shape} is no mask; give (height, width) with values from 0 to 1."
            )
        if not bool(self.region.any()):
            raise SettingsError("A region is black everywhere, so its style has no place; paint some of it white.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to paint. A field that is None takes the recipe's own value.

    Attributes:
        recipe: `impasto`, `gatys` or `article`.
        size: Pixels of the longer side, or `original`.
        evaluations: Evaluations in all.
        polish_evaluations: Evaluations at full size with a second network, where there is one.
        strength: Of the style, in [0, 1]; 0.5 is the recipe's own balance. Sets the content weight.
        content_weight: Weight of the content loss, instead of a strength.
        style_weight: Weight of the style loss.
        tv_weight: Weight of the total variation.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        style_scale: Size of the style image relative to the picture's: larger means larger strokes.
        color: Whose colours the picture wears.
        init: The picture painting starts from.
        pooling: `max` or `average`.
        optimizer: `lbfgs`, ours, whose vectors stay on the GPU where there is one; `device`, the same, where Keras
            computes in any case; or `scipy`.
        precision: `auto`, `float32` or `bfloat16`.
        seed: Of the noise that painting may start from.
    """

    recipe: str = "impasto"
    size: int | str | None = None
    evaluations: int | None = None
    polish_evaluations: int | None = None
    strength: float | None = None
    content_weight: float | None = None
    style_weight: float | None = None
    tv_weight: float | None = None
    content_layers: tuple[str, ...] | None = None
    style_layers: tuple[str, ...] | None = None
    style_scale: float = 1.0
    color: Color = Color.STYLE
    init: Start | None = None
    pooling: Pooling = Pooling.MAX
    optimizer: str | None = None
    precision: str = AUTO
    seed: int = 0

    def __post_init__(self) -> None:
        recipe_named(self.recipe)
        if self.size is not None and self.size != ORIGINAL:
            if isinstance(self.size, str):
                raise SettingsError(f"The size is {self.size!r}; give a number of pixels or {ORIGINAL!r}.")
            _within("size", self.size, 1, LARGEST_SIDE)
        for name, count in (("evaluations", self.evaluations), ("polish evaluations", self.polish_evaluations)):
            if count is not None:
                _whole(f"number of {name}", count)
                _within(f"number of {name}", count, 1, MOST_EVALUATIONS)
        if self.strength is not None:
            _within("strength", self.strength, 0.0, 1.0)
            if self.content_weight is not None:
                raise SettingsError(
                    f"Both a strength ({self.strength}) and a content weight ({self.content_weight}) are given, "
                    "and each sets the other; give one of them."
                )
        for name in ("content_weight", "style_weight", "tv_weight"):
            weight = getattr(self, name)
            if weight is not None:
                _within(name.replace("_", " "), weight, 0.0, 1e12)
        _within("style scale", self.style_scale, 0.05, 8.0)
        if self.optimizer is not None:
            _one_of("optimizer", self.optimizer, OPTIMISER_NAMES)
        _one_of("precision", self.precision, PRECISIONS)
        for name, kind in (("color", Color), ("pooling", Pooling), ("init", Start)):
            value = getattr(self, name)
            if value is not None or name != "init":
                _one_of(name, value, tuple(kind))
                object.__setattr__(self, name, kind(value))
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if layers is not None and not (isinstance(layers, tuple) and all(isinstance(one, str) for one in layers)):
                raise SettingsError(f"The {name.replace('_', ' ')} are {layers!r}; give a tuple of names.")
        _whole("seed", self.seed)
        _within("seed", self.seed, 0, 2**63 - 1)

    def content_weight_in(self, recipe: Recipe) -> float:
        """The weight of the content loss that these settings give a recipe."""
        if self.content_weight is not None:
            return self.content_weight
        strength = DEFAULT_STRENGTH if self.strength is None else self.strength
        return content_weight_at(strength, recipe.content_weight)

    def as_dict(self) -> dict[str, Any]:
        """Every field that is not None, ready for JSON; `from_dict` reads it back."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Settings":
        """The settings that `as_dict` gave; fields of later versions are ignored.

        Raises:
            SettingsError: A value is out of its range.
        """
        known = {field.name for field in fields(cls)}
        taken: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in known
        }
        try:
            return cls(**taken)
        except TypeError as error:
            raise SettingsError(f"The settings {dict(values)!r} cannot be read; paint anew without them.") from error


def _whole(name: str, value: object) -> None:
    if not isinstance(value, int):
        raise SettingsError(f"The {name} is {value!r}; give a whole number.")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(f"The {name} is {value}; give a number from {low} to {high}.")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(f"The {name} is {value!r}; choose one of {', '.join(choices)}.")
