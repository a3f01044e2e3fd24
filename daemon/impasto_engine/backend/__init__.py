"""The one seam between the engine and the array library underneath Keras.

Everything the engine computes is written in `keras.ops`. What those cannot say (take a gradient, compile, name the
device) is supplied by one module per backend, chosen by `KERAS_BACKEND` when Keras is first imported. No other
module may import tensorflow, jax or torch.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import SettingsError
from impasto_engine.types import Tensor, Tree

__all__ = ["Advance", "Backend", "GradientFunction", "StepFunction", "TermsFunction", "current"]

TermsFunction = Callable[[Tensor, Tree], Tensor]
"""`(picture (1, H, W, 3) float32, arguments) -> terms (T,) float32`, written in `keras.ops`."""

GradientFunction = Callable[[NDArray[np.float32], Tree], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""`(picture (1, H, W, 3), arguments) -> (terms (T,), gradient of their sum (1, H, W, 3))`, NumPy in and out."""

StepFunction = Callable[[Tree, Tensor, Tensor], Tree]
"""`(state, terms (T,), gradient (n,)) -> state` of an optimiser, written in `keras.ops`."""

Advance = Callable[[Tree, Tree], Tree]
"""`(state, arguments) -> state` after one more evaluation; tensors of the device in and out, and nothing in between
asks the host."""


class Backend(Protocol):
    """What a backend module offers beside `keras.ops`."""

    def compile_gradient(self, terms: TermsFunction) -> GradientFunction:
        """One function that gives the terms and the gradient of their sum in one pass."""

    def compile_advance(self, terms: TermsFunction, step: StepFunction, shape: tuple[int, ...]) -> Advance:
        """An evaluation at the `trial` of a state, together with the optimiser's step from there.

        Args:
            terms: What is minimised.
            step: The optimiser.
            shape: Of the picture, `(1, H, W, 3)`, of which the state's vectors are the values.
        """

    def forward(self, function: Callable[[Tensor, Tree], Tree], picture: Tensor, arguments: Tree) -> Tree:
        """What `function` gives this once, without a gradient, in the shortest time."""

    def compile_forward(self, function: Callable[[Tensor, Tree], Tree]) -> Callable[[Tensor, Tree], Tree]:
        """A compiled `function`, for passes that need no gradient and are made often."""

    def kernels(self, kernel: Tensor) -> tuple[Tensor, ...]:
        """A kernel `(3, 3, c_in, c_out)`, and after it what else `convolve` wants to know of it."""

    def convolve(self, features: Tensor, kernels: Sequence[Tensor]) -> Tensor:
        """Convolves `(N, H, W, c_in)` within zeros to `(N, H, W, c_out)`.

        Args:
            features: What is convolved.
            kernels: As `kernels` gave them.
        """

    def use_device(self, index: int) -> int:
        """Computes on one of several devices from now on; to be said before anything is computed.

        Args:
            index: Which, from 0.

        Returns:
            How many there are; where there is but one, nothing changes.
        """

    def device(self) -> str:
        """The device that computes, for people: `CPU`, or the name of the GPU."""


_MODULES = {"tensorflow": "with_tensorflow", "jax": "with_jax", "torch": "with_torch"}


@cache
def current() -> Backend:
    """The backend that Keras runs on.

    Raises:
        SettingsError: Keras was told to run on a backend that the engine does not know.
    """
    import keras

    name = keras.backend.backend()
    if name not in _MODULES:
        raise SettingsError(
            f"Keras runs on the backend {name!r}, which Impasto does not know; "
            f"set KERAS_BACKEND to one of {', '.join(_MODULES)}."
        )
    return cast("Backend", import_module(f"impasto_engine.backend.{_MODULES[name]}"))
