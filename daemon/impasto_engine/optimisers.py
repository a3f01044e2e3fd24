"""Optimisers behind one small interface."""

import math
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

    def __call__(
        self,
        evaluate: Evaluate,
        start: NDArray[np.float64],
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


def scipy_lbfgs(
    evaluate: Evaluate,
    start: NDArray[np.float64],
    evaluations: int,
    *,
    bounds: Bounds | None,
    first_step: float | None,
) -> None:
    """L-BFGS by SciPy (R. Byrd et al., "A Limited Memory Algorithm for Bound Constrained Optimization", 1995).

    SciPy's first trial step has norm one, or, within bounds, the norm of the gradient. On a picture norm one is a
    thousandth of a grey level for each value, and in bfloat16 the loss does not notice: the line search fails before it
    has begun. So the variables are measured in units of the step that is wanted, and the loss in units of its gradient
    at the start, which makes the first step one unit long either way; L-BFGS is otherwise indifferent to both. Its
    tolerances are switched off, since they are meant for losses of about one, and recipes differ by powers of ten.
    """
    unit = 1.0 if first_step is None else first_step * math.sqrt(start.size)
    loss_unit: float | None = None if first_step is not None else 1.0

    def scaled(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal loss_unit
        loss, gradient = evaluate(point * unit)
        if loss_unit is None:
            loss_unit = float(np.linalg.norm(gradient)) * unit or 1.0
        return loss / loss_unit, gradient * (unit / loss_unit)

    box = None if bounds is None else [(bounds[0] / unit, bounds[1] / unit)] * start.size
    fmin_l_bfgs_b(
        scaled, start / unit, bounds=box, m=HISTORY, maxfun=evaluations, maxiter=evaluations, factr=0.0, pgtol=0.0
    )


OPTIMISERS: Mapping[str, Minimise] = {"scipy": scipy_lbfgs}
