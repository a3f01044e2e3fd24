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

LEAST_BLOCKS = 64
"""Blocks from which on products may be rounded to bfloat16. Of 8 to 32, small pictures through random networks were off
by 2 % of their loss."""


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
    """`Σ g f` `(c,)` and `Σ g f fᵀ` `(c, c)`, both float32; arguments as those of `mean_and_second_moment`.

    A backend left to itself keeps for the gradient a float32 copy of the features and a transposed one, which at the
    first tap are the largest arrays of all. Every loss here is symmetric in `Σ g f fᵀ`, so its gradient is twice that
    of one of the two factors, and flows in the features' own type.
    """
    _, height, width, channels = features.shape
    own = features if guide is None else features * ops.cast(guide[None, :, :, None], features.dtype)
    rows = _rows_of_a_block(height, width, channels)
    if keras.backend.standardize_dtype(features.dtype) == "float32":
        first, second = _products(own, features, height)
        second = with_gradient_of(2.0 * second, second)
    elif rows is not None:
        first, second = _products(own, features, rows)
        second = with_gradient_of(2.0 * second, second)
    else:
        first, second = _products(own, features, height)
        exact = ops.cast(features, "float32")
        weighted = exact if guide is None else exact * guide[None, :, :, None]
        exact_first, exact_second = _products(weighted, exact, height)
        first, second = with_gradient_of(first, exact_first), with_gradient_of(2.0 * second, exact_second)
    return (first, second) if guide is not None else (first / (height * width), second / (height * width))


def _rows_of_a_block(height: int, width: int, channels: int) -> int | None:
    """Rows over which products are summed in bfloat16 before they are in float32; None for no such blocks.

    A sum over a block is rounded to eight bits, and the error of the sum of B of them falls with √B. A block has at
    least as many positions as there are channels, so that writing the sums costs no more than reading the features.
    """
    wanted = -(-channels // width)
    return next((rows for rows in range(wanted, height // LEAST_BLOCKS + 1) if height % rows == 0), None)


def _products(own: Tensor, features: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """`Σ o` `(c,)` and `Σ o fᵀ` `(c, c)` in float32, summed within blocks of so many rows in the features' own type.

    The gradient goes through the second factor only.
    """
    _, height, width, channels = features.shape
    blocks, positions = height // rows, rows * width
    own, features = (ops.reshape(each, (blocks, positions, channels)) for each in (own, features))
    first = ops.sum(own, axis=1)
    second = ops.matmul(ops.transpose(ops.stop_gradient(own), (0, 2, 1)), features)
    return ops.sum(ops.cast(first, "float32"), axis=0), ops.sum(ops.cast(second, "float32"), axis=0)


def moments(first: Tensor, second: Tensor, reading: Reading | None, *, centred: bool) -> tuple[Tensor, Tensor]:
    """The mean and the second moment from the weighted sums over all positions."""
    if centred:
        second = second - ops.outer(first, first)
    return (first, second) if reading is None else reading.statistics(first, second)


def with_gradient_of(carrier: Tensor, value: Tensor) -> Tensor:
    """The value, differentiated as the carrier."""
    return ops.stop_gradient(value) + (carrier - ops.stop_gradient(carrier))
