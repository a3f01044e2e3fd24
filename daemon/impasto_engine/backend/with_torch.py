"""Gradients and devices with PyTorch, which runs eagerly: nothing is compiled."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import torch
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

    def call(picture: NDArray[np.float32], arguments: Tree) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        values, gradient = _terms_and_gradient(terms, keras.ops.convert_to_tensor(picture), arguments)
        return values.cpu().numpy(), gradient.cpu().numpy()

    return call


def compile_advance(terms: TermsFunction, step: StepFunction, shape: tuple[int, ...]) -> Advance:
    """See `Backend.compile_advance`."""

    def advance(state: Tree, arguments: Tree) -> Tree:
        values, gradient = _terms_and_gradient(terms, state["trial"].reshape(shape), arguments)
        with torch.no_grad():
            return step(state, values, gradient.reshape(-1))

    return advance


def _terms_and_gradient(terms: TermsFunction, picture: Tensor, arguments: Tree) -> tuple[Tensor, Tensor]:
    variable = picture.detach().requires_grad_(True)
    with torch.enable_grad():
        values = terms(variable, _tensors(arguments))
        (gradient,) = torch.autograd.grad(values.sum(), variable)
    return values.detach(), gradient


def forward(function: Callable[[Tensor, Tree], Tree], picture: Tensor, arguments: Tree) -> Tree:
    """See `Backend.forward`."""
    return compile_forward(function)(picture, arguments)


def compile_forward(function: Callable[[Tensor, Tree], Tree]) -> Callable[[Tensor, Tree], Tree]:
    """See `Backend.compile_forward`."""

    def call(picture: Tensor, arguments: Tree) -> Tree:
        with torch.no_grad():
            return function(keras.ops.convert_to_tensor(picture), _tensors(arguments))

    return call


def _tensors(arguments: Tree) -> Tree:
    """The same with tensors for NumPy arrays, which do not mix with PyTorch's."""
    return keras.tree.map_structure(keras.ops.convert_to_tensor, arguments)


def kernels(kernel: Tensor) -> tuple[Tensor, ...]:
    """See `Backend.kernels`."""
    return (kernel,)


def convolve(features: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    """See `Backend.convolve`."""
    return keras.ops.conv(features, kernels[0], padding="same", data_format="channels_last")


def use_device(index: int) -> int:
    """See `Backend.use_device`."""
    count = int(torch.cuda.device_count())
    if count > 1:
        torch.cuda.set_device(index)
    return max(count, 1)


def device() -> str:
    """See `Backend.device`."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
