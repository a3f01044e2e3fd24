"""What an optimiser is here: a way to evaluate ever better points."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["HISTORY", "Bounds", "Evaluate", "Following", "Memory", "Minimise"]

HISTORY = 10
"""Pairs of steps and gradient changes that L-BFGS remembers (m in Nocedal & Wright, 2006, algorithm 7.4)."""

Memory: TypeAlias = Mapping[str, NDArray[Any]]
"""All that an optimiser knows between two evaluations, as arrays by name, none of which is changed afterwards."""

Following: TypeAlias = Callable[[float, NDArray[np.float32]], Memory]
"""From a loss and a gradient to what the optimiser will know after them. Pure: asking changes nothing."""


class Evaluate(Protocol):
    """A function of many variables, with its gradient."""

    def __call__(
        self, point: NDArray[np.floating], following: Following | None = None, /
    ) -> tuple[float, NDArray[np.float32]]:
        """The loss and the gradient `(n,)` at a point `(n,)`; may raise to end the minimisation.

        Args:
            point: Is kept, and must not be changed afterwards.
            following: What the optimiser will know after this evaluation; None if it cannot tell.
        """


Bounds = tuple[float, float]
"""The lowest and the highest value."""


class Minimise(Protocol):
    """A way to minimise a function of many variables."""

    def __call__(
        self,
        evaluate: Evaluate,
        start: NDArray[np.float32],
        evaluations: int,
        *,
        bounds: Bounds | None,
        first_step: float | None,
        memory: Memory | None = None,
        history: int = HISTORY,
    ) -> None:
        """Evaluates ever better points, about `evaluations` of them, or fewer where none is better.

        Returns nothing: whoever evaluates keeps the best point.

        Args:
            evaluate: The function.
            start: `(n,)`, the first point evaluated; values outside the bounds are moved to them.
            evaluations: How many.
            bounds: The lowest and the highest value that every variable may take; None for any.
            first_step: Root mean square by which the first trial step changes the variables, before anything is known
                of the curvature; None for the optimiser's own.
            memory: What `following` gave after some evaluation, to go on as if nothing had happened since; `start` and
                `first_step` are then those of that time. None to begin. An optimiser that cannot tell what it knows
                is never given any.
            history: How many pairs of steps and gradient changes are remembered.

        Raises:
            CheckpointError: The memory is not one that this optimiser has given.
        """
