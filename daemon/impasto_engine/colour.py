"""Whose colours the painted picture wears.

All work on sRGB-encoded colours, as the published methods do.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from impasto_engine.types import Mask

__all__ = ["Color", "luminance", "match_colours", "match_luminance", "with_colours_of"]


class Color(StrEnum):
    """Whose colours the painted picture wears."""

    STYLE = "style"
    LUMINANCE = "luminance"
    MATCH = "match"


LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma of ITU-R BT.601: the Y of YIQ, in which Gatys et al. 2017 keep the content's colours."""

SMALLEST_VARIANCE = 1e-6
"""Added to each variance, in units of [0, 1]²: far below one 8-bit step, yet enough to invert a flat picture's."""


def luminance(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """The luma of `(H, W, 3)` colours as three equal channels."""
    grey: NDArray[np.float32] = np.repeat((colours @ LUMA)[..., None], 3, axis=-1)
    return grey


def match_luminance(
    style: NDArray[np.float32],
    content: NDArray[np.float32],
    style_alpha: Mask | None = None,
    content_alpha: Mask | None = None,
) -> NDArray[np.float32]:
    """The style's luma, shifted and scaled to the mean and deviation of the content's.

    L. Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, §5.1, equation 8.

    Returns:
        `(H, W, 3)` float32, three equal channels, clipped to [0, 1].
    """
    style_luma, content_luma = luminance(style), luminance(content)
    style_mean, style_deviation = _mean_and_deviation(style_luma[..., 0], style_alpha)
    content_mean, content_deviation = _mean_and_deviation(content_luma[..., 0], content_alpha)
    gain = content_deviation / style_deviation
    matched: NDArray[np.float32] = np.clip(
        (style_luma - style_mean) * np.float32(gain) + np.float32(content_mean), 0, 1
    )
    return matched


def with_colours_of(
    content: NDArray[np.float32], painted: NDArray[np.float32], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """The painted picture's luma with the content's colour differences (the I and Q of YIQ), clipped to [0, 1].

    Args:
        content: `(H, W, 3)`.
        painted: `(H, W, 3)`.
        out: Where to put it, which may be `painted` itself; None for a new array.
    """
    luma = painted @ LUMA
    both: NDArray[np.float32] = np.subtract(content, (content @ LUMA)[..., None], out=out)
    both += luma[..., None]
    return np.clip(both, 0.0, 1.0, out=both)


def match_colours(
    style: NDArray[np.float32],
    content: NDArray[np.float32],
    style_alpha: Mask | None = None,
    content_alpha: Mask | None = None,
) -> NDArray[np.float32]:
    """The style recoloured so that its mean and covariance of colours are the content's.

    Of the linear maps that do so this is the one that moves colours least: F. Pitié, A. Kokaram, "The Linear
    Monge-Kantorovitch Linear Colour Mapping for Example-Based Colour Transfer", CVMP 2007, equation 4.

    Args:
        style: `(H, W, 3)` float32, sRGB, [0, 1].
        content: As `style`, of any size.
        style_alpha: `(H, W)`; transparent pixels count in no statistic.
        content_alpha: As `style_alpha`.

    Returns:
        `(H, W, 3)` float32, clipped to [0, 1].
    """
    style_mean, style_covariance = _mean_and_covariance(style, style_alpha)
    content_mean, content_covariance = _mean_and_covariance(content, content_alpha)
    root = _power(style_covariance, 0.5)
    inverse_root = _power(style_covariance, -0.5)
    transport = inverse_root @ _power(root @ content_covariance @ root, 0.5) @ inverse_root
    return np.clip((style - style_mean) @ transport.T + content_mean, 0.0, 1.0).astype(np.float32)


def _mean_and_deviation(values: NDArray[np.float32], alpha: Mask | None) -> tuple[float, float]:
    mean = float(np.average(values, weights=alpha))
    variance = float(np.average(np.square(values - mean), weights=alpha))
    return mean, float(np.sqrt(variance + SMALLEST_VARIANCE))


def _mean_and_covariance(
    colours: NDArray[np.float32], alpha: Mask | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flat = colours.reshape(-1, 3).astype(np.float64)
    weights = None if alpha is None else alpha.reshape(-1)
    mean = np.average(flat, axis=0, weights=weights)
    covariance = np.atleast_2d(np.cov(flat, rowvar=False, bias=True, aweights=weights))
    return mean, covariance + SMALLEST_VARIANCE * np.eye(3)


def _power(symmetric: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(symmetric)
    return np.asarray((vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T)
