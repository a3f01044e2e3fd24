"""The minimisation at one scale: keeps the best picture, and never loses it to a number that is none."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import PaintingError
from impasto_engine.minimise import Bounds, Minimise

__all__ = ["Descent", "descend"]

Terms = NDArray[np.float32]
Picture = NDArray[np.float32]

EXPLOSION = 1e3
"""A loss so many times the first one is no line search at work but an explosion."""

ROLLBACK_STEP = 0.1
"""What a rollback multiplies the first step by."""

STANDSTILL = 1e-4
"""An optimiser that ends by itself, its line search lost in rounding or its curvature misleading, is started anew from
the best picture, unless it has lowered the loss by less than this share."""

MOST_ROLLBACKS = 5
"""Rollbacks in a row without a better picture in between, after which the scale ends with the best it has."""


@dataclass(slots=True)
class Descent:
    """Where a minimisation stands; also its outcome.

    Attributes:
        picture: The best picture so far, `(H, W, 3)` float32, 0-255, not clipped.
        terms: Its weighted terms, `(T,)`; none before the first evaluation.
        loss: Their sum.
        evaluations: Evaluations spent.
        rollbacks: How often a loss was not finite or exploded.
        stopped: Whether the caller asked to stop.
    """

    picture: Picture
    terms: Terms = field(default_factory=lambda: np.empty(0, np.float32))
    loss: float = math.inf
    evaluations: int = 0
    rollbacks: int = 0
    stopped: bool = False


class _EndedError(Exception):
    """Leaves the optimiser: the evaluations are spent or the caller asked to stop."""


class _RolledBackError(Exception):
    """Leaves the optimiser: the loss is not finite, or exploded."""


def descend(
    evaluate: Callable[[Picture], tuple[Terms, Picture]],
    start: Picture,
    evaluations: int,
    *,
    minimise: Minimise,
    bounds: Bounds | None,
    first_step: float | None,
    round_evaluations: int | None,
    on_evaluation: Callable[[Descent, Terms], bool],
) -> Descent:
    """Minimises the sum of the terms from a starting picture.

    Args:
        evaluate: A picture `(H, W, 3)` float32 to its terms and their gradient.
        start: The picture to start from.
        evaluations: How many evaluations may be spent.
        minimise: The optimiser.
        bounds: The lowest and the highest value that a picture may hold; None for any.
        first_step: Of the optimiser; a tenth of it after each rollback in a row.
        round_evaluations: Start the optimiser anew after so many evaluations; None for never.
        on_evaluation: Told after each evaluation where things stand and the terms just evaluated; True to stop.

    Raises:
        PaintingError: The very first evaluation gives no finite number.
    """
    state = Descent(picture=start)
    first_loss = math.inf
    rollbacks_in_a_row = 0

    def watched(point: NDArray[np.floating]) -> tuple[float, NDArray[np.float32]]:
        nonlocal first_loss, rollbacks_in_a_row
        if state.evaluations >= evaluations:
            raise _EndedError
        picture = point.reshape(start.shape).astype(np.float32, copy=False)
        terms, gradient = evaluate(picture)
        loss = float(np.sum(terms, dtype=np.float64))
        sound = np.isfinite(loss) and bool(np.isfinite(gradient).all()) and loss <= EXPLOSION * first_loss
        if state.evaluations == 0:
            if not sound:
                raise PaintingError(
                    f"The network gave the loss {loss} for the starting picture, which cannot be painted from; "
                    "its weights may be damaged: fetch them again or choose another network."
                )
            first_loss = max(loss, float(np.finfo(np.float32).tiny))
        state.evaluations += 1
        if sound and loss < state.loss:
            state.picture, state.terms, state.loss = picture, terms, loss
            rollbacks_in_a_row = 0
        if on_evaluation(state, terms):
            state.stopped = True
            raise _EndedError
        if not sound:
            raise _RolledBackError
        return loss, gradient.reshape(-1)

    while state.evaluations < evaluations:
        loss_before, spent_before = state.loss, state.evaluations
        left = evaluations - state.evaluations
        try:
            minimise(
                watched,
                state.picture.reshape(-1),
                min(left, round_evaluations or left),
                bounds=bounds,
                first_step=None if first_step is None else first_step * ROLLBACK_STEP**rollbacks_in_a_row,
            )
        except _EndedError:
            break
        except _RolledBackError:
            state.rollbacks += 1
            rollbacks_in_a_row += 1
            if rollbacks_in_a_row >= MOST_ROLLBACKS:
                break
            continue
        round_is_over = round_evaluations is not None and state.evaluations - spent_before >= round_evaluations
        if not round_is_over and state.loss > (1.0 - STANDSTILL) * loss_before:
            break
    return state
