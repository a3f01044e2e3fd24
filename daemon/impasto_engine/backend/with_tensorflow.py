"""Gradients, compilation and devices with TensorFlow."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from impasto_engine.backend import Advance, GradientFunction, StepFunction, TermsFunction
from impasto_engine.types import Tensor, Tree

__all__ = [
    "compile_advance",
    "compile_forward",
    "compile_gradient",
    "convolve",
    "device",
    "forward",
    "kernels",
    "use_device",
]

GRADIENT_OF_CONVOLVE = "ImpastoConvolve"
"""Registered once: a function given to `tf.custom_gradient` would be kept for ever at each tracing."""


def compile_gradient(terms: TermsFunction) -> GradientFunction:
    """See `Backend.compile_gradient`."""
    compiled = _Compiled(partial(_terms_and_gradient, terms))

    def call(picture: NDArray[np.float32], arguments: Tree) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        values, gradient = compiled(picture, arguments)
        return values.numpy(), gradient.numpy()

    return call


def compile_advance(terms: TermsFunction, step: StepFunction, shape: tuple[int, ...]) -> Advance:
    """See `Backend.compile_advance`."""

    def advance(trial: Tensor, arguments: Tree) -> Tree:
        state, others = arguments
        values, gradient = _terms_and_gradient(terms, tf.reshape(trial, shape), others)
        return step(state, values, tf.reshape(gradient, (-1,)))

    compiled = _Compiled(advance)
    return lambda state, arguments: compiled(state["trial"], (state, arguments))


def _terms_and_gradient(terms: TermsFunction, picture: Tensor, arguments: Tree) -> tuple[Tensor, Tensor]:
    values = terms(picture, arguments)
    (gradient,) = tf.gradients(tf.reduce_sum(values), picture)  # rather than a tape, which overlooks `convolve`'s own
    return values, gradient


def forward(function: Callable[[Tensor, Tree], Tree], picture: Tensor, arguments: Tree) -> Tree:
    """See `Backend.forward`. Operation by operation: tracing a network takes longer than running it once."""
    return function(tf.convert_to_tensor(picture), tf.nest.map_structure(tf.convert_to_tensor, arguments))


def compile_forward(function: Callable[[Tensor, Tree], Tree]) -> Callable[[Tensor, Tree], Tree]:
    """See `Backend.compile_forward`."""
    return _Compiled(function)


class _Compiled:
    """A function traced once for each shape of the picture.

    The trace is kept here rather than by `tf.function`, whose count of traces would warn of every new scale.
    """

    def __init__(self, function: Callable[[Tensor, Tree], Any]) -> None:
        self._function = function
        self._traces: dict[tuple[int, ...], Any] = {}

    def __call__(self, picture: NDArray[np.float32], arguments: Tree) -> Any:
        tensors = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        picture = tf.convert_to_tensor(picture)
        shape = tuple(picture.shape)
        if shape not in self._traces:
            self._traces[shape] = tf.function(self._function, autograph=False).get_concrete_function(picture, tensors)
        return self._traces[shape](picture, tensors)


def kernels(kernel: Tensor) -> tuple[Tensor, ...]:
    """See `Backend.kernels`. On a processor, in float32, the kernel is also wanted turned round."""
    if kernel.dtype != tf.float32 or device() != "CPU":
        return (kernel,)
    return kernel, tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2))


def convolve(features: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    """See `Backend.convolve`.

    oneDNN reads a float32 kernel as it lies when it convolves, and puts it in order first when it takes the gradient
    of a convolution; the former takes up to three times as long (TensorFlow 2.21: 512 channels, or a processor without
    AVX-512). So this is the gradient of the convolution with the kernel turned round, which is the same; and its own
    gradient is again a gradient.
    """
    kernel, *turned = kernels
    if not turned:
        return tf.nn.conv2d(features, kernel, 1, "SAME")
    convolved = tf.nn.conv2d_transpose(features, *turned, _resized(features, kernel.shape[3]), 1)
    graph = tf.compat.v1.get_default_graph()
    with graph.gradient_override_map({"IdentityN": GRADIENT_OF_CONVOLVE}):
        return tf.identity_n([features, kernel, convolved])[2]


def _gradient_of_convolve(operation: tf.Operation, *upstream: Tensor) -> list[Tensor | None]:
    features, kernel, _ = operation.inputs
    return [tf.nn.conv2d_transpose(upstream[2], kernel, _resized(features, kernel.shape[2]), 1), None, None]


tf.RegisterGradient(GRADIENT_OF_CONVOLVE)(_gradient_of_convolve)


def _resized(features: Tensor, channels: int) -> Tensor:
    """The shape of features, with other channels; asks the shape, and not the features, where it can."""
    sides = features.shape[:3]
    known = sides if sides.is_fully_defined() else tf.shape(features)[:3]
    return tf.concat([known, [channels]], 0)


def use_device(index: int) -> int:
    """See `Backend.use_device`. TensorFlow would otherwise take memory on all."""
    gpus = tf.config.list_physical_devices("GPU")
    if len(gpus) > 1:
        tf.config.set_visible_devices(gpus[index], "GPU")
    return max(len(gpus), 1)


def device() -> str:
    """See `Backend.device`."""
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
