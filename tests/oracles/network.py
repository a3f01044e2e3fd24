"""The forward pass of a VGG-shaped network and its gradient, layer by layer.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014: 3 × 3
convolutions with ReLU, and a 2 × 2 pooling with stride 2 between the blocks. A picture here is `(H, W, 3)` float64,
RGB, 0-255; features are `(h, w, c)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Backward = Callable[[Array], Array]

BGR_MEAN = np.array([103.939, 116.779, 123.68])

AVERAGE_POOLING_GAINS = (1.31, 1.73, 1.84, 2.06)


@dataclass(frozen=True)
class Pass:
    """What a forward pass saw.

    Attributes:
        features: Of every layer up to the deepest asked for.
        gradient: From the gradient with respect to some of the features to that with respect to the picture.
        margin: How far the pass is from a kink of the network, relative to the size of the activations: the smallest
            distance of an activation from ReLU's corner, or of a pooling window's largest from its second largest.
            A float32 pass makes the same decisions where this is well above 1e-7.
    """

    features: Mapping[str, Array]
    gradient: Callable[[Mapping[str, Array]], Array]
    margin: float


def forward(
    kernels: Mapping[str, tuple[Array, Array]], picture: Array, *, deepest: str, replicate: bool, pooling: str = "max"
) -> Pass:
    """A forward pass.

    Args:
        kernels: For each convolution, shallow to deep, its kernel `(3, 3, c_in, c_out)` and bias `(c_out,)`.
        picture: `(H, W, 3)`, RGB, 0-255.
        deepest: The last convolution wanted.
        replicate: Whether the first convolution sees the picture's rim repeated around it, rather than zeros.
        pooling: `max` or `average`.
    """
    x = picture.astype(np.float64)[:, :, ::-1] - BGR_MEAN
    features: dict[str, Array] = {}
    steps: list[tuple[str | None, Backward]] = []
    margins = [np.inf]
    gains = iter(AVERAGE_POOLING_GAINS)
    for number, (name, (kernel, bias)) in enumerate(kernels.items()):
        if number > 0 and name.endswith("_conv1"):
            x, back, margin = _max_pool(x) if pooling == "max" else _average_pool(x, next(gains))
            steps.append((None, back))
            margins.append(margin)
        x, back, margin = _convolution(x, kernel.astype(np.float64), bias.astype(np.float64), replicate and number == 0)
        features[name] = x
        steps.append((name, back))
        margins.append(margin)
        if name == deepest:
            break

    def gradient(of_features: Mapping[str, Array]) -> Array:
        flowing = np.zeros_like(x)
        for name, back in reversed(steps):
            if name in of_features:
                flowing = flowing + of_features[name]
            flowing = back(flowing)
        return flowing[:, :, ::-1]

    return Pass(features=features, gradient=gradient, margin=float(min(margins)))


def _convolution(x: Array, kernel: Array, bias: Array, replicate: bool) -> tuple[Array, Backward, float]:
    height, width = x.shape[:2]
    rim = ((1, 1), (1, 1), (0, 0))
    padded = np.pad(x, rim, mode="edge") if replicate else np.pad(x, rim)
    shifts = [(i, j) for i in range(3) for j in range(3)]
    before = bias + sum(padded[i : i + height, j : j + width] @ kernel[i, j] for i, j in shifts)
    size = np.sqrt(np.mean(before**2))
    margin = float(np.min(np.abs(before)) / size) if size > 0 else np.inf

    def back(of_output: Array) -> Array:
        of_before = np.where(before > 0, of_output, 0.0)
        of_padded = np.zeros_like(padded)
        for i, j in shifts:
            of_padded[i : i + height, j : j + width] += of_before @ kernel[i, j].T
        if replicate:  # what the repeated rim received belongs to the pixels it repeats
            of_padded[1] += of_padded[0]
            of_padded[-2] += of_padded[-1]
            of_padded[:, 1] += of_padded[:, 0]
            of_padded[:, -2] += of_padded[:, -1]
        return of_padded[1:-1, 1:-1]

    return np.maximum(before, 0.0), back, margin


def windows(x: Array) -> Array:
    """The 2 × 2 pooling windows of `x`, as `(h, w, 4, c)`, NaN where a window hangs over the edge.

    An odd last row or column is dropped. A picture of a single row or column is pooled all the same, and then its
    windows hang over the edge.
    """
    if min(x.shape[:2]) < 2:
        x = np.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2), (0, 0)), constant_values=np.nan)
    h, w, c = x.shape[0] // 2, x.shape[1] // 2, x.shape[2]
    return x[: 2 * h, : 2 * w].reshape(h, 2, w, 2, c).transpose(0, 2, 1, 3, 4).reshape(h, w, 4, c)


def _into_picture(of_windows: Array, shape: tuple[int, ...]) -> Array:
    h, w, _, c = of_windows.shape
    spread = of_windows.reshape(h, w, 2, 2, c).transpose(0, 2, 1, 3, 4).reshape(2 * h, 2 * w, c)
    result = np.zeros((max(2 * h, shape[0]), max(2 * w, shape[1]), c))
    result[: 2 * h, : 2 * w] = spread
    return result[: shape[0], : shape[1]]


def _max_pool(x: Array) -> tuple[Array, Backward, float]:
    seen = np.nan_to_num(windows(x), nan=-np.inf)
    largest = np.argmax(seen, axis=2, keepdims=True)
    chosen = np.arange(4)[None, None, :, None] == largest
    ordered = np.sort(seen, axis=2)
    active = ordered[:, :, 3] > 0  # a tie of zeros is of no consequence: ReLU lets no gradient through
    gaps = (ordered[:, :, 3] - ordered[:, :, 2])[active]
    size = np.sqrt(np.mean(x**2))
    margin = float(gaps.min() / size) if gaps.size else np.inf
    return (
        np.max(seen, axis=2),
        lambda of_output: _into_picture(np.where(chosen, of_output[:, :, None, :], 0.0), x.shape),
        margin,
    )


def _average_pool(x: Array, gain: float) -> tuple[Array, Backward, float]:
    seen = windows(x)
    there = ~np.isnan(seen)
    share = gain * there / there.sum(axis=2, keepdims=True)
    return (
        np.sum(share * np.nan_to_num(seen), axis=2),
        lambda of_output: _into_picture(share * of_output[:, :, None, :], x.shape),
        np.inf,
    )
