"""Second-order statistics of features: what this engine calls the style of a picture.

L. Gatys, A. Ecker, M. Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv 1508.06576: the Gram matrix.
L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, §4: the guided Gram matrix, in
which every position carries a weight. All are divided by the number of positions (the weights sum to one), so that
pictures of different sizes can be compared.
"""

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
    f = ops.cast(ops.reshape(features, (positions, channels)), "float32")
    if guide is None:
        mean = ops.mean(f, axis=0)
        second = ops.matmul(ops.transpose(f), f) / positions
    else:
        weighted = f * ops.reshape(guide, (positions, 1))
        mean = ops.sum(weighted, axis=0)
        second = ops.matmul(ops.transpose(weighted), f)
    if centred:
        second = second - ops.outer(mean, mean)
    return mean, second
