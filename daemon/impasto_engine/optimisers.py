"""Optimisers behind one small interface."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b

__all__ = ["OPTIMISERS", "Minimise", "scipy_lbfgs"]

Evaluate = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
"""A point to its loss and gradient. May raise to end the minimisation; every optimiser lets that through."""


Bounds = tuple[float, float]
"""The lowest and the highest value."""


class Minimise(Protocol):
    """A way to minimise a function of many variables."""

    def __call__(self, evaluate: Evaluate, start: NDArray[np.float64], evaluations: int, bounds: Bounds | None) -> None:
        """Evaluates ever better points, about `evaluations` of them, or fewer where none is better.

        Returns nothing: whoever evaluates keeps the best point.

        Args:
            evaluate: The function.
            start: `(n,)`, the first point evaluated; values outside the bounds are moved to them.
            evaluations: How many.
            bounds: The lowest and the highest value that every variable may take; None for any.
        """


HISTORY = 10
"""Pairs of steps and gradient changes that L-BFGS remembers (m in Nocedal & Wright, 2006, algorithm 7.4)."""


def scipy_lbfgs(evaluate: Evaluate, start: NDArray[np.float64], evaluations: int, bounds: Bounds | None) -> None:
    """L-BFGS by SciPy (R. Byrd et al., "A Limited Memory Algorithm for Bound Constrained Optimization", 1995)."""
    box = None if bounds is None else [bounds] * start.size
    fmin_l_bfgs_b(evaluate, start, bounds=box, m=HISTORY, maxfun=evaluations, maxiter=evaluations)


OPTIMISERS: Mapping[str, Minimise] = {"scipy": scipy_lbfgs}
