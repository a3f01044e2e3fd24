"""The loss that is minimised, as one function of the picture, written in `keras.ops`.

The function gives its terms one by one, already weighted; their sum is the loss. Everything that a job may change
between evaluations (targets, guides, weights) is an argument, so that one compiled function serves them all.

A picture too large to be looked at at once is looked at tile by tile (see `tiling`). Then the picture is a tile's crop,
and the arguments have a `part`: which pixels are the tile's own, and the weighted sums over the whole picture, so that
the tile's gradient is that of the whole picture's style loss. Content and total variation give the tile's share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops

from impasto_engine.networks.network import Extractor
from impasto_engine.networks.reading import Reading
from impasto_engine.recipes import TotalVariation
from impasto_engine.statistics import mean_and_second_moment, moments, weighted_sums, with_gradient_of
from impasto_engine.types import Mask, Tensor, Tree

__all__ = ["Objective", "squared", "total_variation"]


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
        readings, part = self.extractor.readings, arguments.get("part")
        terms = [content_loss(features[tap], arguments["content"][tap], readings.get(tap)) for tap in self.content_taps]
        terms += [self._style_loss(tap, features[tap], arguments["styles"], part) for tap in self.style_taps]
        terms.append(total_variation(picture, self.variation, arguments.get("visible"), part))
        return ops.stack(terms) * arguments["weights"]

    def sums(self, picture: Tensor, arguments: Tree) -> Tree:
        """For each region of the styles and each style tap, what this picture adds to the weighted sums."""
        features = self.extractor(picture, arguments["parameters"])
        return [
            {tap: weighted_sums(features[tap], group["guides"].get(tap)) for tap in self.style_taps}
            for group in arguments["styles"]
        ]

    def _style_loss(self, tap: str, features: Tensor, groups: Sequence[Tree], part: Tree | None) -> Tensor:
        loss = 0.0
        for number, group in enumerate(groups):
            guide, reading = group["guides"].get(tap), self.extractor.readings.get(tap)
            if part is None:
                statistics = mean_and_second_moment(features, guide, reading, centred=self.centred)
            else:
                own, whole = weighted_sums(features, guide), part["sums"][number][tap]
                first, second = (with_gradient_of(carrier, value) for carrier, value in zip(own, whole, strict=True))
                statistics = moments(first, second, reading, centred=self.centred)
            for style in group["styles"]:
                loss = loss + style["share"] * style_loss(statistics, style["taps"][tap])
        return loss


def content_loss(features: Tensor, target: Tree, reading: Reading | None) -> Tensor:
    """`k_c · Σ_p v_p ‖F_p - P_p‖²` (see `recipes`), in the space in which features are compared."""
    difference = ops.cast(features, "float32") - ops.cast(target["features"], "float32")
    return target["scale"] * squared(difference, reading, target.get("visible"), features.dtype)


def squared(difference: Tensor, reading: Reading | None, visible: Tensor | None, dtype: str = "float32") -> Tensor:
    """`Σ_p v_p ‖D_p R‖²` in float32.

    Args:
        difference: `(1, h, w, c)` float32.
        reading: How a distilled network's features are compared; None to take them as they are.
        visible: `(h, w)`; None where all counts.
        dtype: In which differences are read.
    """
    weighted = difference if visible is None else difference * visible[None, :, :, None]
    if reading is None:
        return ops.sum(difference * weighted)
    # With its gradient written out, one product with R² rather than two with R.
    read = ops.matmul(ops.cast(ops.stop_gradient(weighted), dtype), ops.cast(reading.metric(), dtype))
    value = ops.sum(difference * ops.cast(ops.stop_gradient(read), "float32"))
    return with_gradient_of(2.0 * value, value)


def style_loss(statistics: tuple[Tensor, Tensor], target: Tree) -> Tensor:
    """`k_2 · ‖S - S_t‖²_F + k_1 · ‖μ - μ_t‖²` (see `recipes`)."""
    mean, second = statistics
    return target["second_scale"] * ops.sum(ops.square(second - target["second"])) + target["mean_scale"] * ops.sum(
        ops.square(mean - target["mean"])
    )


def total_variation(picture: Tensor, form: TotalVariation, visible: Tensor | None, part: Tree | None = None) -> Tensor:
    """How much neighbouring pixels differ.

    `SQUARED` is `mean dx² + mean dy²`; `POWER` is `Σ (dx² + dy²)^1.25` with the last row and column left out (the
    Keras example "Neural style transfer"). A direction in which the picture has a single pixel counts nothing.

    Args:
        picture: `(1, H, W, 3)` float32, 0-255.
        form: Which of the two.
        visible: `(H, W)` float32 in [0, 1]: how opaque each pixel is; None where all are. A difference counts as much
            as all of its pixels are opaque.
        part: For a crop: `owned` `(H, W)`, 1 where the upper and left pixel of a difference must be for it to count
            here; and `pairs`, what the squares down and to the right are divided by. None for a whole picture.
    """
    if form is TotalVariation.SQUARED:
        return _mean_squares(picture, visible, part)
    down = ops.square(picture[:, 1:] - picture[:, :-1])
    right = ops.square(picture[:, :, 1:] - picture[:, :, :-1])
    both = ops.power(down[:, :, :-1] + right[:, :-1], 1.25)
    if visible is not None:
        corners = visible[:-1, :-1] * visible[1:, :-1] * visible[:-1, 1:]
        both = both * corners[None, :, :, None]
    if part is not None:
        both = both * part["owned"][None, :-1, :-1, None]
    return ops.sum(both)


def weight_of_pairs(visible: Mask, channels: int) -> tuple[float, float]:
    """What the squared differences down and to the right are divided by, in a picture that is transparent in places."""
    down, right = visible[1:] * visible[:-1], visible[:, 1:] * visible[:, :-1]
    return channels * max(float(down.sum()), 1.0), channels * max(float(right.sum()), 1.0)


def _mean_squares(picture: Tensor, visible: Tensor | None, part: Tree | None) -> Tensor:
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
        earlier, later = _neighbours(still, axis, step)
        difference = later - earlier
        counts = None
        if visible is not None:
            before, after = _neighbours(visible, axis, 1)
            counts = before * after
        if part is not None:
            owned, _ = _neighbours(part["owned"], axis, 1)
            counts = owned if counts is None else owned * counts
            divisor = part["pairs"][axis]
        elif counts is None:
            divisor = float(np.prod(difference.shape))
        else:
            divisor = channels * ops.maximum(ops.sum(counts), 1.0)
        weighted = (difference if counts is None else difference * ops.repeat(counts, channels, axis=1)) / divisor
        value = value + ops.sum(weighted * difference)
        first, last = [[0, 0], [0, 0]], [[0, 0], [0, 0]]
        first[axis][0] = last[axis][1] = step
        gradient = gradient + 2.0 * (ops.pad(weighted, first) - ops.pad(weighted, last))
    return with_gradient_of(ops.sum(rows * gradient), value)


def _neighbours(array: Tensor, axis: int, step: int) -> tuple[Tensor, Tensor]:
    """All but the last, and all but the first, `step` rows or columns."""
    if axis == 0:
        return array[:-step], array[step:]
    return array[:, :-step], array[:, step:]
