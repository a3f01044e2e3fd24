"""The three recipes, each spelled out by itself as `design/ENGINE.md` states it, with their gradients.

- `article`: F. Chollet, "Neural style transfer", Keras examples, 2016, in its VGG16 form.
- `gatys`: L. Gatys, A. Ecker, M. Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv 1508.06576.
- `impasto`: covariance and mean apart, every term relative to the energy of its own target.

Regions and transparency follow L. Gatys et al., CVPR 2017: sums over positions carry a weight for each position.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from oracles.guides import guides
from oracles.network import Array, Pass, forward

CONTENT_LAYERS = ("block4_conv2",)
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))

WEIGHTS: Mapping[str, tuple[float, float, float]] = {
    "impasto": (100.0, 100.0, 0.005),
    "gatys": (1.0, 1000.0, 0.0),
    "article": (0.025, 1.0, 1.0),
}
"""Content, style and total variation."""

Valued = tuple[float, Array]
"""A loss and its gradient with respect to its first argument."""


@dataclass(frozen=True, kw_only=True)
class StyleImage:
    """A style: `(H, W, 3)` RGB, 0-255; its weight; its alpha `(H, W)`; its region `(H, W)` of the content's size."""

    picture: Array
    weight: float = 1.0
    alpha: Array | None = None
    region: Array | None = None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The weighted terms of a picture by name, the gradient of their sum, and the pass's margin from a kink."""

    terms: dict[str, float]
    gradient: Array
    margin: float

    @property
    def loss(self) -> float:
        return sum(self.terms.values())


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """A recipe on a network.

    Attributes:
        recipe: `impasto`, `gatys` or `article`.
        kernels: The network's.
        content: `(H, W, 3)` RGB, 0-255.
        styles: One or more.
        alpha: `(H, W)` of the content.
        pooling: `max` or `average`.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        weights: Of content, style and total variation; None for the recipe's own.
        readings: Of a distilled network: for each layer the matrix `(c, t)` that takes its features to its teacher's,
            which are then compared like any others.
    """

    recipe: str
    kernels: Mapping[str, tuple[Array, Array]]
    content: Array
    styles: Sequence[StyleImage]
    alpha: Array | None = None
    pooling: str = "max"
    content_layers: tuple[str, ...] = CONTENT_LAYERS
    style_layers: tuple[str, ...] = STYLE_LAYERS
    weights: tuple[float, float, float] | None = None
    readings: Mapping[str, Array] = field(default_factory=dict)
    _passes: dict[str, Mapping[str, Array]] = field(default_factory=dict)

    def judge(self, picture: Array) -> Judgement:
        """The terms of a picture and their gradient."""
        content_weight, style_weight, tv_weight = self.weights or WEIGHTS[self.recipe]
        seen = self._forward(picture)
        features = self._read(seen)
        terms: dict[str, float] = {}
        of_features = {layer: np.zeros_like(features[layer]) for layer in (*self.content_layers, *self.style_layers)}
        for layer in self.content_layers:
            value, gradient = self._content(layer, features[layer])
            terms[f"content/{layer}"] = content_weight / len(self.content_layers) * value
            of_features[layer] += content_weight / len(self.content_layers) * gradient
        for layer in self.style_layers:
            weight = style_weight if self.recipe == "impasto" else style_weight / len(self.style_layers)
            terms[f"style/{layer}"] = 0.0
            for style, share in zip(self.styles, self._shares(), strict=True):
                value, gradient = self._style(layer, features[layer], style)
                terms[f"style/{layer}"] += weight * share * value
                of_features[layer] += weight * share * gradient
        value, gradient = self._total_variation(picture.astype(np.float64))
        terms["tv"] = tv_weight * value
        of_own = {
            layer: g @ self.readings[layer].T if layer in self.readings else g for layer, g in of_features.items()
        }
        return Judgement(terms=terms, gradient=seen.gradient(of_own) + tv_weight * gradient, margin=seen.margin)

    def _read(self, seen: Pass) -> dict[str, Array]:
        return {layer: f @ self.readings[layer] if layer in self.readings else f for layer, f in seen.features.items()}

    def _forward(self, picture: Array) -> Pass:
        layers = list(self.kernels)
        deepest = max((*self.content_layers, *self.style_layers), key=layers.index)
        return forward(self.kernels, picture, deepest=deepest, replicate=self.recipe == "impasto", pooling=self.pooling)

    def _of(self, key: str, picture: Array) -> Mapping[str, Array]:
        if key not in self._passes:
            self._passes[key] = self._read(self._forward(picture))
        return self._passes[key]

    def _content(self, layer: str, features: Array) -> Valued:
        target = self._of("content", self.content)[layer]
        counts = 1.0 if self.alpha is None else guides(self.alpha, self.kernels)[layer][:, :, None]
        constant = {
            "impasto": 1.0 / max(np.sum(counts * target**2), 1e-300) if self.recipe == "impasto" else 0.0,
            "gatys": 0.5,
            "article": 1.0,
        }[self.recipe]
        return (
            float(constant * np.sum(counts * (features - target) ** 2)),
            constant * 2.0 * counts * (features - target),
        )

    def _style(self, layer: str, features: Array, style: StyleImage) -> Valued:
        target = self._of(f"style {id(style)}", style.picture)[layer]
        here, there = self._picture_guide(layer, features, style), self._style_guide(layer, target, style)
        compare: Callable[[Array, Array, Array, Array], Valued] = {
            "impasto": relative_covariance_and_mean,
            "gatys": gatys_gram,
            "article": lambda f, g, t, h: article_gram(
                f, g, t, h, pixels=self.content.shape[0] * self.content.shape[1]
            ),
        }[self.recipe]
        return compare(features, here, target, there)

    def _picture_guide(self, layer: str, features: Array, style: StyleImage) -> Array:
        """What each position counts in the picture's statistics; sums to one."""
        if style.region is None and self.alpha is None:
            return equal_guide(features)
        place = np.ones(self.content.shape[:2])
        for mask in (style.region, self.alpha):
            place = place if mask is None else place * mask
        guide = guides(place, self.kernels)[layer]
        return guide / guide.sum()

    def _style_guide(self, layer: str, target: Array, style: StyleImage) -> Array:
        if style.alpha is None:
            return equal_guide(target)
        guide = guides(style.alpha, self.kernels)[layer]
        return guide / guide.sum()

    def _shares(self) -> list[float]:
        """How much each style counts: its weight times the share of the (opaque) picture that its region covers,
        relative to the largest sum of weights that meets in one place."""
        opaque = np.ones(self.content.shape[:2]) if self.alpha is None else self.alpha.astype(np.float64)
        regions = [np.ones_like(opaque) if style.region is None else style.region for style in self.styles]
        most = np.max(sum(style.weight * region for style, region in zip(self.styles, regions, strict=True)))
        return [
            float(style.weight / most * np.sum(region * opaque) / np.sum(opaque))
            for style, region in zip(self.styles, regions, strict=True)
        ]

    def _total_variation(self, picture: Array) -> Valued:
        return (article_variation if self.recipe == "article" else mean_squared_variation)(picture, self.alpha)


def equal_guide(features: Array) -> Array:
    """Every position counts the same; sums to one."""
    return np.full(features.shape[:2], 1.0 / (features.shape[0] * features.shape[1]))


def _flat(features: Array, guide: Array) -> tuple[Array, Array]:
    return features.reshape(-1, features.shape[2]), guide.reshape(-1, 1)


def relative_covariance_and_mean(features: Array, guide: Array, target: Array, target_guide: Array) -> Valued:
    """`‖Cov - Cov_s‖² / ‖Cov_s‖² + ‖μ - μ_s‖² / ‖μ_s‖²`.

    A style without variance is taken to vary by a hundredth of its mean's square: ‖Cov_s‖ counts as at least
    0.01 · ‖μ_s‖².
    """
    f, g = _flat(features, guide)
    t, h = _flat(target, target_guide)
    mean, mean_s = np.sum(g * f, axis=0), np.sum(h * t, axis=0)
    covariance = (f - mean).T @ (g * (f - mean))
    covariance_s = (t - mean_s).T @ (h * (t - mean_s))
    energy = max(np.sum(covariance_s**2), (0.01 * np.sum(mean_s**2)) ** 2)
    of_covariance = 2.0 * (covariance - covariance_s) / energy
    of_mean = 2.0 * (mean - mean_s) / np.sum(mean_s**2)
    value = np.sum((covariance - covariance_s) ** 2) / energy + np.sum((mean - mean_s) ** 2) / np.sum(mean_s**2)
    gradient = g * (2.0 * (f - mean) @ of_covariance + of_mean)
    return float(value), gradient.reshape(features.shape)


def gatys_gram(features: Array, guide: Array, target: Array, target_guide: Array) -> Valued:
    """`Σ (G/M - A/M_s)² / (4 N²)`: equation 4, each Gram matrix divided by its own number of positions."""
    f, g = _flat(features, guide)
    t, h = _flat(target, target_guide)
    difference = f.T @ (g * f) - t.T @ (h * t)
    constant = 1.0 / (4.0 * features.shape[2] ** 2)
    return float(constant * np.sum(difference**2)), (constant * 4.0 * g * (f @ difference)).reshape(features.shape)


def article_gram(features: Array, guide: Array, target: Array, target_guide: Array, *, pixels: int) -> Valued:
    """`Σ (G - A)² / (4 · 3² · (H·W)²)` with Gram matrices that are sums over positions."""
    f, g = _flat(features, guide * guide.size)
    t, h = _flat(target, target_guide * target_guide.size)
    difference = f.T @ (g * f) - t.T @ (h * t)
    constant = 1.0 / (4.0 * 3.0**2 * float(pixels) ** 2)
    return float(constant * np.sum(difference**2)), (constant * 4.0 * g * (f @ difference)).reshape(features.shape)


def mean_squared_variation(picture: Array, alpha: Array | None) -> Valued:
    """`mean dx² + mean dy²` over pairs of neighbours, each pair weighed by both pixels' alpha."""
    value, gradient = 0.0, np.zeros_like(picture)
    for axis in (0, 1):
        count = picture.shape[axis]
        if count < 2:
            continue
        first, second = (np.take(np.arange(count), span) for span in (range(count - 1), range(1, count)))
        difference = np.take(picture, second, axis) - np.take(picture, first, axis)
        pairs = np.ones(difference.shape[:2])
        if alpha is not None:
            pairs = np.take(alpha, first, axis).astype(np.float64) * np.take(alpha, second, axis)
        share = pairs[:, :, None] / (3.0 * np.sum(pairs))
        value += float(np.sum(share * difference**2))
        later, earlier = (slice(1, None), slice(None, -1))
        gradient[(later,) if axis == 0 else (slice(None), later)] += 2.0 * share * difference
        gradient[(earlier,) if axis == 0 else (slice(None), earlier)] -= 2.0 * share * difference
    return value, gradient


def article_variation(picture: Array, alpha: Array | None) -> Valued:
    """`Σ (dx² + dy²)^1.25`, the last row and column left out, each corner of three weighed by its pixels' alpha."""
    down = picture[1:, :-1] - picture[:-1, :-1]
    right = picture[:-1, 1:] - picture[:-1, :-1]
    counts = 1.0
    if alpha is not None:
        opaque = alpha.astype(np.float64)[:, :, None]
        counts = opaque[:-1, :-1] * opaque[1:, :-1] * opaque[:-1, 1:]
    steep = counts * 1.25 * (down**2 + right**2) ** 0.25 * 2.0
    gradient = np.zeros_like(picture)
    gradient[1:, :-1] += steep * down
    gradient[:-1, 1:] += steep * right
    gradient[:-1, :-1] -= steep * (down + right)
    return float(np.sum(counts * (down**2 + right**2) ** 1.25)), gradient
