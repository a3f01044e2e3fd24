"""Gradients, compilation and devices with TensorFlow."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from impasto_engine.backend import Advance, GradientFunction, StepFunction, TermsFunction
from impasto_engine.types import Tensor, Tree

__all__ = ["compile_advance", "compile_forward", "compile_gradient", "device", "forward", "use_device"]


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
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(picture)
        values = terms(picture, arguments)
        loss = tf.reduce_sum(values)
    return values, tape.gradient(loss, picture)


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
