"""What an optimiser is here: a way to evaluate ever better points."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["HISTORY", "Bounds", "Evaluate", "Minimise"]

Evaluate = Callable[[NDArray[np.floating]], tuple[float, NDArray[np.float32]]]
"""A point `(n,)` to its loss and gradient `(n,)`; it keeps the point, which must not be changed afterwards. May raise
to end the minimisation; every optimiser lets that through."""

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
        """


HISTORY = 10
"""Pairs of steps and gradient changes that L-BFGS remembers (m in Nocedal & Wright, 2006, algorithm 7.4)."""
