"""VGG16 and VGG19 as feature networks, written in `keras.ops`.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
arXiv 1409.1556, table 1, columns D and E. Layer names are those of `keras.applications`. The network is spelled out
here, rather than called as a Keras model, because the engine chooses what a Keras model fixes: pooling, the first
edge, precision, and where to stop.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.errors import SettingsError
from impasto_engine.networks.network import Edges, Extractor, Geometry, Pooling, Precision, TapShape
from impasto_engine.networks.reading import Reading
from impasto_engine.types import Mask, Tensor, Tree

__all__ = ["BGR_MEAN", "BLOCKS", "Parameters", "Vgg"]

BLOCKS: Mapping[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions in each block."""

BGR_MEAN = (103.939, 116.779, 123.68)
"""Mean of ImageNet's pixels, 0-255, in the order blue, green, red, subtracted from every input (Simonyan 2014, §2.1;
the figures are those of the weights' publication)."""

AVERAGE_POOLING_GAINS = (1.31, 1.73, 1.84, 2.06)
"""What average pooling after each block hands on is smaller than what maximum pooling does; these factors make up for
it. They are VGG16's mean ratios on photographs and paintings: see `benchmarks/pooling_gain.py`."""

_POOLS = ("block1_pool", "block2_pool", "block3_pool", "block4_pool")

Kernels = Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""For each convolution its kernel `(3, 3, c_in, c_out)` and bias `(c_out,)`."""

Parameters: TypeAlias = Mapping[str, tuple[tuple[Tensor, ...], Tensor]]
"""For each convolution its kernel, as `Backend.kernels` has it, and its bias."""


def layer_names(blocks: Sequence[int]) -> tuple[str, ...]:
    """The names of the convolutions, shallow to deep: `block1_conv1`, `block1_conv2`, ..."""
    return tuple(f"block{b}_conv{c}" for b, count in enumerate(blocks, 1) for c in range(1, count + 1))


class Vgg:
    """A network in the shape of VGG; see `Network`."""

    smallest_side = 1

    content_taps: tuple[str, ...] = ("block4_conv2",)
    style_taps: tuple[str, ...] = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")

    def __init__(
        self, name: str, kernels: Kernels, weights: str, readings: Mapping[str, Reading] | None = None
    ) -> None:
        self.name = name
        self.weights = weights
        self._layers = tuple(kernels)
        self._readings = readings or {}
        self.distilled = bool(self._readings)
        self.taps = tuple(self._readings or kernels)
        self.parameter_bytes = sum(kernel.nbytes + bias.nbytes for kernel, bias in kernels.values())
        self._exact = {name: (ops.convert_to_tensor(k), ops.convert_to_tensor(b)) for name, (k, b) in kernels.items()}
        self._parameters: dict[Precision, Parameters] = {}

    def extractor(self, taps: Sequence[str], *, pooling: Pooling, edges: Edges, precision: Precision) -> Extractor:
        """See `Network.extractor`."""
        for tap in taps:
            if tap not in self.taps:
                raise SettingsError(f"{self.name} has no layer {tap!r}; choose among {', '.join(self.taps)}.")
        deepest = max(self._layers.index(tap) for tap in taps)
        parameters = self._parameters_in(precision)
        kept = {name: parameters[name] for name in self._layers[: deepest + 1]}
        readings = {tap: self._readings[tap] for tap in taps if tap in self._readings}
        return _VggExtractor(kept, tuple(taps), readings, pooling=pooling, edges=edges, precision=precision)

    def _parameters_in(self, precision: Precision) -> Parameters:
        """Kernels and biases of all layers, converted the first time a precision is asked for."""
        if precision not in self._parameters:
            kernels = backend.current().kernels
            self._parameters[precision] = {
                name: (kernels(ops.cast(kernel, precision.value)), ops.cast(bias, precision.value))
                for name, (kernel, bias) in self._exact.items()
            }
        return self._parameters[precision]


class _VggExtractor:
    """See `Extractor`."""

    def __init__(
        self,
        parameters: Parameters,
        taps: tuple[str, ...],
        readings: Mapping[str, Reading],
        *,
        pooling: Pooling,
        edges: Edges,
        precision: Precision,
    ) -> None:
        self.taps = taps
        self.parameters = parameters
        self.readings = readings
        self._steps = _steps(tuple(parameters))
        self._channels = {name: tuple(kernel.shape[2:]) for name, ((kernel, *_), _) in parameters.items()}
        self._pooling = pooling
        self._edges = edges
        self._dtype = precision.value
        self.geometry: Geometry | None = self._geometry()

    def __call__(self, picture: Tensor, parameters: Tree) -> dict[str, Tensor]:
        """See `Extractor.__call__`."""
        features = {}
        x = ops.cast(ops.flip(picture, axis=-1) - ops.convert_to_tensor(BGR_MEAN, "float32"), self._dtype)
        has_rim = self._edges is Edges.REPLICATE
        if has_rim:
            x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        for step in self._steps:
            if step in _POOLS:
                x = self._pool(x, AVERAGE_POOLING_GAINS[_POOLS.index(step)])
                continue
            kernels, bias = parameters[step]
            if has_rim:
                x, has_rim = ops.conv(x, kernels[0], padding="valid", data_format="channels_last"), False
            else:
                x = backend.current().convolve(x, kernels)
            x = ops.relu(x + bias)
            if step in self.taps:
                features[step] = x
        return features

    def _pool(self, x: Tensor, gain: float) -> Tensor:
        padding = _pool_padding(x.shape[1], x.shape[2])
        if self._pooling is Pooling.MAX:
            return ops.max_pool(x, 2, 2, padding=padding, data_format="channels_last")
        averaged = ops.average_pool(x, 2, 2, padding=padding, data_format="channels_last")
        return averaged * ops.cast(gain, self._dtype)

    def shapes(self, height: int, width: int) -> dict[str, TapShape]:
        """See `Extractor.shapes`."""
        return {name: shape for name, shape in self._walk(height, width) if name in self.taps}

    def flops(self, height: int, width: int) -> int:
        """See `Extractor.flops`."""
        return sum(
            2 * 9 * self._channels[name][0] * shape.channels * shape.height * shape.width
            for name, shape in self._walk(height, width)
        )

    def feature_bytes(self, height: int, width: int, taps: Sequence[str] | None = None) -> int:
        """See `Extractor.feature_bytes`."""
        layers = self._walk(height, width)
        values = sum(s.height * s.width * s.channels for name, s in layers if taps is None or name in taps)
        return values * (4 if self._dtype == "float32" else 2)

    def _geometry(self) -> Geometry:
        stride, sees, strides = 1, 0, {}
        for step in self._steps:
            sees += stride
            if step in _POOLS:
                stride *= 2
            elif step in self.taps:
                strides[step] = stride
        return Geometry(halo=-(-sees // stride) * stride, grid=stride, strides=strides)

    def _walk(self, height: int, width: int) -> list[tuple[str, TapShape]]:
        shapes = []
        for step in self._steps:
            if step in _POOLS:
                height, width = _pooled(height, width)
            else:
                channels = self._channels[step][1]
                shapes.append((step, TapShape(height=height, width=width, channels=channels)))
        return shapes

    def sight(self, mask: Mask) -> dict[str, Mask]:
        """See `Extractor.sight`.

        The mask goes through the network's own geometry with every kernel replaced by a box, so that a position
        weighs what it sees as its effective receptive field does: most in the middle, little at the rim (W. Luo et
        al., "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", 2016).
        """
        x = ops.convert_to_tensor(mask[None, :, :, None], "float32")
        box = ops.full((3, 3, 1, 1), 1.0 / 9.0, "float32")
        seen = {}
        for step in self._steps:
            if step in _POOLS:
                padding = _pool_padding(x.shape[1], x.shape[2])
                x = ops.average_pool(x, 2, 2, padding=padding, data_format="channels_last")
                continue
            x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
            x = ops.conv(x, box, padding="valid", data_format="channels_last")
            if step in self.taps:
                seen[step] = np.clip(keras.ops.convert_to_numpy(x)[0, :, :, 0], 0.0, 1.0)
        return seen


def _steps(convolutions: Sequence[str]) -> tuple[str, ...]:
    """The convolutions with a pooling step wherever one block follows another."""
    steps: list[str] = []
    pools = iter(_POOLS)
    for name in convolutions:
        if steps and name.partition("_")[0] != steps[-1].partition("_")[0]:
            steps.append(next(pools))
        steps.append(name)
    return tuple(steps)


def _pool_padding(height: int, width: int) -> str:
    """Pooling drops an odd last row, as published, but never the only one: a picture may be one pixel wide."""
    return "same" if min(height, width) < 2 else "valid"


def _pooled(height: int, width: int) -> tuple[int, int]:
    if _pool_padding(height, width) == "same":
        return -(-height // 2), -(-width // 2)
    return height // 2, width // 2
