"""Where the student begins: with the teacher's most telling channels, layer upon layer.

At each layer those channels of the teacher are chosen that together say most about all of its channels, and the
student's kernel is the one that computes them best, in the sense of least squares, from what the student has computed
so far (channel selection with reconstruction: Y. He et al., "Channel Pruning for Accelerating Very Deep Neural
Networks", 2017). So training has errors to mend rather than noise to form.
"""

from collections.abc import Mapping

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.networks.vgg import BGR_MEAN, Vgg
from impasto_engine.types import Tensor
from training.pictures import Colours

__all__ = ["Kernels", "begin", "least_squares"]

Kernels = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""For each layer its kernel `(3, 3, c_in, c_out)` and bias `(c_out,)`."""

RIDGE = 1e-5
"""Of the mean energy of the inputs: keeps kernels small where the inputs say the same thing twice."""

POSITIONS = 60_000
"""How many positions, drawn at random, enter the least squares of a layer."""


def begin(
    teacher: Vgg, widths: Mapping[str, int], pictures: Colours, *, seed: int
) -> tuple[Kernels, dict[str, NDArray[np.float32]]]:
    """Kernels for a student of these widths, and its readings: for each layer `(student's, teacher's channels)`.

    Args:
        teacher: The network to be like.
        widths: For each layer of the student its channels. Layers have the teacher's names, and are to give what those
            give, but for such as `before` names, which prepare the layer that follows.
        pictures: `(n, H, W, 3)` float32, sRGB, 0-255.
        seed: Of the choice of positions.
    """
    rng = np.random.default_rng(seed)
    kernels: Kernels = {}
    readings = {}
    cut = teacher.extractor(
        tuple(layer for layer in widths if layer in teacher.taps),
        pooling=Pooling.MAX,
        edges=Edges.REPLICATE,
        precision=Precision.FLOAT32,
    ).parameters
    hers = own = ops.pad(
        np.flip(pictures, -1) - np.float32(BGR_MEAN), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric"
    )
    for layer, ((kernel, *_), bias) in cut.items():
        if layer.endswith("_conv1") and kernels:
            hers, own = (ops.max_pool(x, 2, 2, data_format="channels_last") for x in (hers, own))
        if layer != "block1_conv1":
            hers = _padded(hers)
        wanted = ops.conv(hers, kernel, padding="valid", data_format="channels_last") + bias
        hers = ops.relu(wanted)
        for own_layer in (name for name in widths if name in (layer, before(layer))):
            padded = own if own_layer == "block1_conv1" else _padded(own)
            patches, answers = _samples(ops.convert_to_numpy(padded), ops.convert_to_numpy(wanted), rng)
            chosen = most_telling(np.maximum(answers, 0.0), widths[own_layer])
            solution = least_squares(np.pad(patches, ((0, 0), (0, 1)), constant_values=1.0), answers[:, chosen])
            kernels[own_layer] = (solution[:-1].reshape(3, 3, -1, len(chosen)), solution[-1])
            fitted, offset = (ops.convert_to_tensor(part) for part in kernels[own_layer])
            own = ops.relu(ops.conv(padded, fitted, padding="valid", data_format="channels_last") + offset)
        if layer in widths:
            seen = (ops.convert_to_numpy(x).reshape(-1, x.shape[-1]) for x in (own, hers))
            some = rng.permutation(int(np.prod(wanted.shape[:3])))[:POSITIONS]
            readings[layer] = least_squares(*(features[some] for features in seen))
    return kernels, readings


def before(layer: str) -> str:
    """The name of a layer that the student may have before the first of a block: `block5_before`."""
    return f"{layer.removesuffix('_conv1')}_before"


def _padded(x: Tensor) -> Tensor:
    return ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))


def most_telling(features: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """The channels from which all channels can best be computed: `(count,)`, chosen one after the other.

    Each choice takes away what the channel explains of all the others before the next is made.

    Args:
        features: `(n, c)` float32.
        count: How many to choose, at most c.
    """
    moment = features.T.astype(np.float64) @ features
    nothing = 1e-9 * np.diag(moment).max() + np.finfo(np.float64).tiny
    chosen: list[int] = []
    for _ in range(count):
        own = np.diag(moment)
        explained = np.where(own > nothing, np.square(moment).sum(axis=0) / np.maximum(own, nothing), 0.0)
        explained[chosen] = -1.0
        best = int(np.argmax(explained))
        chosen.append(best)
        if own[best] > nothing:
            moment = moment - np.outer(moment[:, best], moment[best]) / own[best]
    return np.array(chosen)


def least_squares(inputs: NDArray[np.float32], answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix M that makes `inputs @ M` nearest to `answers`: `(i, o)` for `(n, i)` and `(n, o)`."""
    moment = inputs.T.astype(np.float64) @ inputs
    ridge = RIDGE * np.trace(moment) / len(moment)
    solution = np.linalg.solve(moment + ridge * np.eye(len(moment)), inputs.T.astype(np.float64) @ answers)
    return solution.astype(np.float32)


def _samples(
    padded: NDArray[np.float32], wanted: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Patches that a 3 × 3 kernel sees, `(n, 9 c)`, and what it should answer, `(n, o)`, at random positions."""
    count = min(POSITIONS, int(np.prod(wanted.shape[:3])))
    where = np.unravel_index(rng.choice(int(np.prod(wanted.shape[:3])), count, replace=False), wanted.shape[:3])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.moveaxis(windows[where], 1, -1).reshape(count, -1), wanted[where]
