"""Gradients, compilation and devices with JAX."""

from collections.abc import Callable, Sequence

import jax
import keras
import numpy as np
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


def compile_gradient(terms: TermsFunction) -> GradientFunction:
    """See `Backend.compile_gradient`."""
    compiled = jax.jit(_value_and_gradient(terms))

    def call(picture: NDArray[np.float32], arguments: Tree) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        (_, values), gradient = compiled(picture, arguments)
        return np.asarray(values), np.asarray(gradient)

    return call


def compile_advance(terms: TermsFunction, step: StepFunction, shape: tuple[int, ...]) -> Advance:
    """See `Backend.compile_advance`."""
    look = _value_and_gradient(terms)

    def advance(state: Tree, arguments: Tree) -> Tree:
        (_, values), gradient = look(state["trial"].reshape(shape), arguments)
        return step(state, values, gradient.reshape(-1))

    compiled: Advance = jax.jit(advance)
    return compiled


def _value_and_gradient(terms: TermsFunction) -> Callable[[Tensor, Tree], tuple[tuple[Tensor, Tensor], Tensor]]:
    def loss_and_terms(picture: Tensor, arguments: Tree) -> tuple[Tensor, Tensor]:
        values = terms(picture, arguments)
        return values.sum(), values

    look: Callable[[Tensor, Tree], tuple[tuple[Tensor, Tensor], Tensor]]
    look = jax.value_and_grad(loss_and_terms, has_aux=True)
    return look


def forward(function: Callable[[Tensor, Tree], Tree], picture: Tensor, arguments: Tree) -> Tree:
    """See `Backend.forward`. Compiled, since JAX would otherwise compile every operation by itself."""
    return compile_forward(function)(picture, arguments)


def compile_forward(function: Callable[[Tensor, Tree], Tree]) -> Callable[[Tensor, Tree], Tree]:
    """See `Backend.compile_forward`."""
    # A function of its own, because JAX keeps weak references, which an object with slots does not give.
    compiled: Callable[[Tensor, Tree], Tree] = jax.jit(lambda picture, arguments: function(picture, arguments))
    return compiled


def kernels(kernel: Tensor) -> tuple[Tensor, ...]:
    """See `Backend.kernels`."""
    return (kernel,)


def convolve(features: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    """See `Backend.convolve`."""
    return keras.ops.conv(features, kernels[0], padding="same", data_format="channels_last")


def use_device(index: int) -> int:
    """See `Backend.use_device`."""
    devices = jax.devices()
    if devices[0].platform == "cpu":
        return 1
    if len(devices) > 1:
        jax.config.update("jax_default_device", devices[index])
    return len(devices)


def device() -> str:
    """See `Backend.device`."""
    chosen = jax.config.jax_default_device or jax.devices()[0]
    return "CPU" if chosen.platform == "cpu" else str(chosen.device_kind)
