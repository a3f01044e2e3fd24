"""The loss that is minimised, as one function of the picture, written in `keras.ops`.

The function gives its terms one by one, already weighted; their sum is the loss. Everything that a job may change
between evaluations (targets, guides, weights) is an argument, so that one compiled function serves them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keras import ops

from impasto_engine.networks.network import Extractor
from impasto_engine.recipes import TotalVariation
from impasto_engine.statistics import mean_and_second_moment
from impasto_engine.types import Tensor, Tree

__all__ = ["Objective", "total_variation"]


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
        terms = [content_loss(features[tap], arguments["content"][tap]) for tap in self.content_taps]
        terms += [self._style_loss(tap, features[tap], arguments["styles"]) for tap in self.style_taps]
        terms.append(total_variation(picture, self.variation, arguments.get("visible")))
        return ops.stack(terms) * arguments["weights"]

    def _style_loss(self, tap: str, features: Tensor, groups: Sequence[Tree]) -> Tensor:
        loss = 0.0
        for group in groups:
            statistics = mean_and_second_moment(features, group["guides"].get(tap), centred=self.centred)
            for style in group["styles"]:
                loss = loss + style["share"] * style_loss(statistics, style["taps"][tap])
        return loss


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
    down = ops.square(picture[:, 1:] - picture[:, :-1])
    right = ops.square(picture[:, :, 1:] - picture[:, :, :-1])
    if form is TotalVariation.POWER:
        both = ops.power(down[:, :, :-1] + right[:, :-1], 1.25)
        if visible is not None:
            corners = visible[:-1, :-1] * visible[1:, :-1] * visible[:-1, 1:]
            both = both * corners[None, :, :, None]
        return ops.sum(both)
    terms = []
    for differences, axis in ((down, 0), (right, 1)):
        if 0 in differences.shape:
            continue
        if visible is None:
            terms.append(ops.mean(differences))
        else:
            pairs = visible[1:] * visible[:-1] if axis == 0 else visible[:, 1:] * visible[:, :-1]
            weighted = ops.sum(differences * pairs[None, :, :, None])
            terms.append(weighted / (3.0 * ops.maximum(ops.sum(pairs), 1.0)))
    return sum(terms) if terms else ops.zeros(())
