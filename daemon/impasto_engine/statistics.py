"""Second-order statistics of features: what this engine calls the style of a picture.

L. Gatys, A. Ecker, M. Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv 1508.06576: the Gram matrix.
L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, §4: the guided Gram matrix, in
which every position carries a weight. All are divided by the number of positions (the weights sum to one), so that
pictures of different sizes can be compared.
"""

import keras
from keras import ops

from impasto_engine.networks.reading import Reading
from impasto_engine.types import Tensor

__all__ = ["mean_and_second_moment", "moments", "weighted_sums", "with_gradient_of"]


def mean_and_second_moment(
    features: Tensor, guide: Tensor | None, reading: Reading | None = None, *, centred: bool
) -> tuple[Tensor, Tensor]:
    """The mean μ of the features and their second moment.

    Args:
        features: `(1, h, w, c)`, any float type; computed in float32.
        guide: `(h, w)` float32 weights that sum to one, or None for equal weights.
        reading: How a distilled network's features are compared; None to take them as they are.
        centred: Give the covariance `Σ g f fᵀ - μ μᵀ` rather than the Gram matrix `Σ g f fᵀ`.

    Returns:
        μ `(c,)` and the second moment `(c, c)`, both float32.
    """
    positions, channels = features.shape[1] * features.shape[2], features.shape[3]
    if reading is not None and positions < 2 * channels:
        features, reading = reading.features(features), None  # fewer products than reading the second moment
    return moments(*weighted_sums(features, guide), reading, centred=centred)


def weighted_sums(features: Tensor, guide: Tensor | None) -> tuple[Tensor, Tensor]:
    """`Σ g f` `(c,)` and `Σ g f fᵀ` `(c, c)`, both float32; arguments as those of `mean_and_second_moment`."""
    positions, channels = features.shape[1] * features.shape[2], features.shape[3]
    flat = ops.reshape(features, (positions, channels))
    if guide is not None:
        return _sums(flat, ops.reshape(guide, (positions, 1)))
    first, second = _sums(flat, None)
    return first / positions, second / positions


def moments(first: Tensor, second: Tensor, reading: Reading | None, *, centred: bool) -> tuple[Tensor, Tensor]:
    """The mean and the second moment from the weighted sums over all positions."""
    if centred:
        second = second - ops.outer(first, first)
    return (first, second) if reading is None else reading.statistics(first, second)


def _sums(features: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """`Σ w f` `(c,)` and `Σ w f fᵀ` `(c, c)`, both float32; no weights count as ones.

    A backend left to itself keeps for the gradient a float32 copy of the features and a transposed one, which at the
    first tap are the largest arrays of all. Every loss here is symmetric in `Σ w f fᵀ`, so its gradient is twice that
    of one of the two factors; and it may flow through sums taken in the features' own type, whose value is cancelled.
    """
    own = features if weights is None else features * ops.cast(weights, features.dtype)
    product = ops.cast(ops.matmul(ops.transpose(ops.stop_gradient(own)), features), "float32")
    first = ops.cast(ops.sum(own, axis=0), "float32")
    if keras.backend.standardize_dtype(features.dtype) == "float32":
        return first, with_gradient_of(2.0 * product, product)
    exact = ops.cast(features, "float32")
    weighted = exact if weights is None else exact * weights
    second = ops.matmul(ops.transpose(weighted), exact)
    return with_gradient_of(first, ops.sum(weighted, axis=0)), with_gradient_of(2.0 * product, second)


def with_gradient_of(carrier: Tensor, value: Tensor) -> Tensor:
    """The value, differentiated as the carrier."""
    return ops.stop_gradient(value) + (carrier - ops.stop_gradient(carrier))
