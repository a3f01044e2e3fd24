"""Second-order statistics of features: what this engine calls the style of a picture.

L. Gatys, A. Ecker, M. Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv 1508.06576: the Gram matrix.
L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, §4: the guided Gram matrix, in
which every position carries a weight. All are divided by the number of positions (the weights sum to one), so that
pictures of different sizes can be compared.
"""

from collections.abc import Callable

from keras import ops

from impasto_engine.types import Tensor

__all__ = ["mean_and_second_moment"]


def mean_and_second_moment(features: Tensor, guide: Tensor | None, *, centred: bool) -> tuple[Tensor, Tensor]:
    """The mean μ of the features and their second moment.

    Args:
        features: `(1, h, w, c)`, any float type; computed in float32.
        guide: `(h, w)` float32 weights that sum to one, or None for equal weights.
        centred: Give the covariance `Σ g f fᵀ - μ μᵀ` rather than the Gram matrix `Σ g f fᵀ`.

    Returns:
        μ `(c,)` and the second moment `(c, c)`, both float32.
    """
    positions, channels = features.shape[1] * features.shape[2], features.shape[3]
    flat = ops.reshape(features, (positions, channels))
    both = _sums(flat, None) / positions if guide is None else _sums(flat, ops.reshape(guide, (positions, 1)))
    mean, second = both[channels], both[:channels]
    if centred:
        second = second - ops.outer(mean, mean)
    return mean, second


def _sums(features: Tensor, weights: Tensor | None) -> Tensor:
    """`Σ w f fᵀ`, and below it as one more row `Σ w f`: `(c + 1, c)` float32; no weights count as ones.

    The gradient is written out, `w (f (U + Uᵀ) + u)` for upstream gradients U and u, because a backend left to itself
    keeps the float32 copy of the features for it: at the first tap of a bfloat16 network that copy is the largest
    array of all. Written out, the gradient is taken in the features' own type and nothing is kept.
    """

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def sums(f: Tensor) -> tuple[Tensor, Callable[..., Tensor]]:
        exact = ops.cast(f, "float32")
        weighted = exact if weights is None else exact * weights
        first = ops.sum(weighted, axis=0, keepdims=True)
        value = ops.concatenate([ops.matmul(ops.transpose(weighted), exact), first], axis=0)

        def gradient(*args: Tensor, upstream: Tensor = None) -> Tensor:
            upstream = args[0] if upstream is None else upstream
            of_second, of_first = upstream[:-1], upstream[-1]
            matrix = ops.cast(of_second + ops.transpose(of_second), f.dtype)
            result = ops.matmul(f, matrix) + ops.cast(of_first, f.dtype)
            return result if weights is None else result * ops.cast(weights, f.dtype)

        return value, gradient

    return sums(features)
