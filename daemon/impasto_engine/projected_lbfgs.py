"""L-BFGS within bounds, in float32: made for pictures, whose many variables are known to seven digits at best.

The two-loop recursion (J. Nocedal, S. Wright, *Numerical Optimization*, 2006, algorithm 7.4) gives the direction;
values that lie on a bound and want to leave it stay out of it (the two-metric projection of D. Bertsekas, "Projected
Newton Methods for Optimization Problems with Simple Constraints", 1982); the step is clipped to the bounds and
shortened until it lowers the loss enough (Armijo's condition). SciPy's L-BFGS-B looks for the best bounds to meet
before each step, in float64, which takes longer than an evaluation of a small network.
"""

import numpy as np
from numpy.typing import NDArray

from impasto_engine.minimise import HISTORY, Bounds, Evaluate

__all__ = ["projected_lbfgs"]

Vector = NDArray[np.float32]

SUFFICIENT = 1e-4
"""Armijo's constant: the share of the decrease promised by the slope that a step must bring (Nocedal & Wright, §3.1).
"""

SHRINKING = (0.1, 0.5)
"""A step that is too long is shortened to where a parabola through both losses has its minimum, within these shares."""

MOST_SHORTENINGS = 12
"""After so many the direction is given up."""

LEAST_CURVATURE = 1e-10
"""A step along which the gradient grows less than this, relative to their lengths, says nothing of the curvature."""


def projected_lbfgs(
    evaluate: Evaluate,
    start: Vector,
    evaluations: int,
    *,
    bounds: Bounds | None,
    first_step: float | None,
) -> None:
    """See `minimise.Minimise`."""
    low, high = bounds or (-np.inf, np.inf)
    point = np.clip(start, low, high, dtype=np.float32)
    loss, gradient = evaluate(point)
    spent = 1
    curvature = _Curvature(point.size)
    while spent < evaluations:
        free = _free(point, gradient, low, high)
        direction = -curvature.inverse_times(free)
        direction[free == 0.0] = 0.0
        slope = float(np.dot(direction, free))
        if slope >= 0.0:
            if curvature.count == 0:
                return
            curvature.forget()
            continue
        step = 1.0
        if curvature.count == 0:
            length = float(np.linalg.norm(direction))
            step = 1.0 / length if first_step is None else first_step * np.sqrt(point.size) / length
        for _ in range(MOST_SHORTENINGS):
            trial = np.clip(point + np.float32(step) * direction, low, high, dtype=np.float32)
            trial_loss, trial_gradient = evaluate(trial)
            spent += 1
            promised = float(np.dot(free, trial - point))
            if trial_loss <= loss + SUFFICIENT * promised or spent >= evaluations:
                break
            excess = trial_loss - loss - promised
            shorter = -0.5 * promised / excess if excess > 0.0 else SHRINKING[1]
            step *= min(max(shorter, SHRINKING[0]), SHRINKING[1])
        else:
            if curvature.count == 0:
                return
            curvature.forget()
            continue
        curvature.learn(trial - point, trial_gradient - gradient)
        point, loss, gradient = trial, trial_loss, trial_gradient


def _free(point: Vector, gradient: Vector, low: float, high: float) -> Vector:
    """The gradient without the values that lie on a bound and would leave it."""
    held = ((point <= low) & (gradient > 0.0)) | ((point >= high) & (gradient < 0.0))
    return np.where(held, np.float32(0.0), gradient)


class _Curvature:
    """The last steps `s` and gradient changes `y`, newest last."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self._steps = np.empty((HISTORY, size), np.float32)
        self._changes = np.empty((HISTORY, size), np.float32)
        self._products = np.empty(HISTORY)
        self._order: list[int] = []

    def forget(self) -> None:
        """Starts anew."""
        self.count = 0
        self._order = []

    def learn(self, step: Vector, change: Vector) -> None:
        """Remembers a pair, instead of the oldest where there are enough."""
        product = float(np.dot(step, change))
        if product <= LEAST_CURVATURE * float(np.linalg.norm(step)) * float(np.linalg.norm(change)):
            return
        place = self._order.pop(0) if len(self._order) == HISTORY else len(self._order)
        self._steps[place], self._changes[place], self._products[place] = step, change, product
        self._order.append(place)
        self.count = len(self._order)

    def inverse_times(self, gradient: Vector) -> Vector:
        """The inverse Hessian times a gradient (algorithm 7.4, scaled as in equation 7.20)."""
        q = gradient.copy()
        alphas = {}
        for place in reversed(self._order):
            alphas[place] = float(np.dot(self._steps[place], q)) / self._products[place]
            q -= np.float32(alphas[place]) * self._changes[place]
        if self._order:
            newest = self._order[-1]
            q *= np.float32(self._products[newest] / float(np.dot(self._changes[newest], self._changes[newest])))
        for place in self._order:
            beta = float(np.dot(self._changes[place], q)) / self._products[place]
            q += np.float32(alphas[place] - beta) * self._steps[place]
        return q
