"""Gradients, compilation and devices with TensorFlow."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from impasto_engine.backend import GradientFunction, TermsFunction
from impasto_engine.types import Tensor, Tree

__all__ = ["compile_forward", "compile_gradient", "device"]


def compile_gradient(terms: TermsFunction) -> GradientFunction:
    """See `Backend.compile_gradient`."""

    @tf.function  # type: ignore[untyped-decorator]
    def terms_and_gradient(picture: Tensor, arguments: Tree) -> tuple[Tensor, Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(picture)
            values = terms(picture, arguments)
            loss = tf.reduce_sum(values)
        return values, tape.gradient(loss, picture)

    def call(picture: NDArray[np.float32], arguments: Tree) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        values, gradient = terms_and_gradient(tf.convert_to_tensor(picture), arguments)
        return values.numpy(), gradient.numpy()

    return call


def compile_forward(function: Callable[[Tensor, Tree], Tree]) -> Callable[[Tensor, Tree], Tree]:
    """See `Backend.compile_forward`."""
    compiled = tf.function(function)
    return lambda picture, arguments: compiled(tf.convert_to_tensor(picture), arguments)


def device() -> str:
    """See `Backend.device`."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
