"""The loss that is minimised, as one function of the picture, written in `keras.ops`.

The function gives its terms one by one, already weighted; their sum is the loss. Everything that a job may change
between evaluations (targets, guides, weights) is an argument, so that one compiled function serves them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops

from impasto_engine.networks.network import Extractor
from impasto_engine.networks.reading import Reading
from impasto_engine.recipes import TotalVariation
from impasto_engine.statistics import mean_and_second_moment
from impasto_engine.types import Tensor, Tree

__all__ = ["Objective", "as_compared", "total_variation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The terms of a recipe for a network cut at the taps the recipe reads.

    Attributes:
        extractor: The network.
        content_taps: Where the content is compared.
        style_taps: Where the style is compared.
        centred: Compare covariances and means rather than raw Gram matrices.
        variation: The form of total variation.
    """

    extractor: Extractor
    content_taps: tuple[str, ...]
    style_taps: tuple[str, ...]
    centred: bool
    variation: TotalVariation

    @property
    def term_names(self) -> tuple[str, ...]:
        """The terms in the order in which they are given: `content/TAP`..., `style/TAP`..., `tv`."""
        contents = [f"content/{tap}" for tap in self.content_taps]
        styles = [f"style/{tap}" for tap in self.style_taps]
        return (*contents, *styles, "tv")

    def __call__(self, picture: Tensor, arguments: Tree) -> Tensor:
        """The weighted terms.

        Args:
            picture: `(1, H, W, 3)` float32, sRGB, 0-255.
            arguments: What `targets.pose` computed: the network's parameters, targets, guides and weights.

        Returns:
            `(T,)` float32, in the order of `term_names`.
        """
        features = self.extractor(picture, arguments["parameters"])
        readings = self.extractor.readings
        terms = [
            content_loss(as_compared(features[tap], readings.get(tap)), arguments["content"][tap])
            for tap in self.content_taps
        ]
        terms += [self._style_loss(tap, features[tap], arguments["styles"]) for tap in self.style_taps]
        terms.append(total_variation(picture, self.variation, arguments.get("visible")))
        return ops.stack(terms) * arguments["weights"]

    def _style_loss(self, tap: str, features: Tensor, groups: Sequence[Tree]) -> Tensor:
        loss = 0.0
        for group in groups:
            guide, reading = group["guides"].get(tap), self.extractor.readings.get(tap)
            statistics = mean_and_second_moment(features, guide, reading, centred=self.centred)
            for style in group["styles"]:
                loss = loss + style["share"] * style_loss(statistics, style["taps"][tap])
        return loss


def as_compared(features: Tensor, reading: Reading | None) -> Tensor:
    """The features in the space in which they are compared."""
    return features if reading is None else reading.features(features)


def content_loss(features: Tensor, target: Tree) -> Tensor:
    """`k_c · Σ_p v_p ‖F_p - P_p‖²` (see `recipes`)."""
    squared = ops.square(ops.cast(features, "float32") - ops.cast(target["features"], "float32"))
    if "visible" in target:
        squared = squared * target["visible"][None, :, :, None]
    return target["scale"] * ops.sum(squared)


def style_loss(statistics: tuple[Tensor, Tensor], target: Tree) -> Tensor:
    """`k_2 · ‖S - S_t‖²_F + k_1 · ‖μ - μ_t‖²` (see `recipes`)."""
    mean, second = statistics
    return target["second_scale"] * ops.sum(ops.square(second - target["second"])) + target["mean_scale"] * ops.sum(
        ops.square(mean - target["mean"])
    )


def total_variation(picture: Tensor, form: TotalVariation, visible: Tensor | None) -> Tensor:
    """How much neighbouring pixels differ.

    `SQUARED` is `mean dx² + mean dy²`; `POWER` is `Σ (dx² + dy²)^1.25` with the last row and column left out (the
    Keras example "Neural style transfer"). A direction in which the picture has a single pixel counts nothing.

    Args:
        picture: `(1, H, W, 3)` float32, 0-255.
        form: Which of the two.
        visible: `(H, W)` float32 in [0, 1]: how opaque each pixel is; None where all are. A difference counts as much
            as all of its pixels are opaque.
    """
    if form is TotalVariation.SQUARED:
        return _mean_squares(picture, visible)
    down = ops.square(picture[:, 1:] - picture[:, :-1])
    right = ops.square(picture[:, :, 1:] - picture[:, :, :-1])
    both = ops.power(down[:, :, :-1] + right[:, :-1], 1.25)
    if visible is not None:
        corners = visible[:-1, :-1] * visible[1:, :-1] * visible[:-1, 1:]
        both = both * corners[None, :, :, None]
    return ops.sum(both)


def _mean_squares(picture: Tensor, visible: Tensor | None) -> Tensor:
    """`mean dx² + mean dy²`, its gradient written out.

    With rows of `3 W` values and the gradient `2 (x_i - x_{i-1}) - 2 (x_{i+1} - x_i)` as a constant factor, this takes
    a sixth of the time that a backend takes to differentiate slices of `(H, W, 3)`.
    """
    _, height, width, channels = picture.shape
    rows = ops.reshape(picture, (height, width * channels))
    still = ops.stop_gradient(rows)
    value, gradient = ops.zeros(()), ops.zeros_like(still)
    for axis, step in ((0, 1), (1, channels)):
        if rows.shape[axis] == step:
            continue
        later, earlier = (still[step:], still[:-step]) if axis == 0 else (still[:, step:], still[:, :-step])
        difference = later - earlier
        if visible is None:
            weighted = difference / float(np.prod(difference.shape))
        else:
            pairs = visible[1:] * visible[:-1] if axis == 0 else visible[:, 1:] * visible[:, :-1]
            weighted = difference * ops.repeat(pairs, channels, axis=1)
            weighted = weighted / (channels * ops.maximum(ops.sum(pairs), 1.0))
        value = value + ops.sum(weighted * difference)
        before, after = [[0, 0], [0, 0]], [[0, 0], [0, 0]]
        before[axis][0] = after[axis][1] = step
        gradient = gradient + 2.0 * (ops.pad(weighted, before) - ops.pad(weighted, after))
    carrier = ops.sum(rows * gradient)
    return value + (carrier - ops.stop_gradient(carrier))
