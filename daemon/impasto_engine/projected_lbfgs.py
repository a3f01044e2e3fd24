"""L-BFGS within bounds, in float32: made for pictures, whose many variables are known to seven digits at best.

The two-loop recursion (J. Nocedal, S. Wright, *Numerical Optimization*, 2006, algorithm 7.4) gives the direction;
values that lie on a bound and want to leave it stay out of it (the two-metric projection of D. Bertsekas, "Projected
Newton Methods for Optimization Problems with Simple Constraints", 1982); the step is clipped to the bounds and
shortened until it lowers the loss enough (Armijo's condition). SciPy's L-BFGS-B looks for the best bounds to meet
before each step, in float64, which takes longer than an evaluation of a small network.

All that is known between two evaluations is an `LbfgsState`, which nothing changes: a minimisation can be left after
any evaluation and taken up from its state with the same result.
"""

from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import CheckpointError
from impasto_engine.minimise import HISTORY, Bounds, Evaluate, Memory

__all__ = ["LbfgsState", "begin", "projected_lbfgs", "step"]

Vector: TypeAlias = NDArray[np.float32]

SUFFICIENT = 1e-4
"""Armijo's constant: the share of the decrease promised by the slope that a step must bring (Nocedal & Wright, §3.1).
"""

SHRINKING = (0.1, 0.5)
"""A step that is too long is shortened to where a parabola through both losses has its minimum, within these shares."""

MOST_SHORTENINGS = 12
"""After so many the direction is given up."""

LEAST_CURVATURE = 1e-10
"""A step along which the gradient grows less than this, relative to their lengths, says nothing of the curvature."""

PIECE = 65536
"""Values that are added at once: in float32 they take a quarter of a megabyte."""


class Pair(NamedTuple):
    """What one step told of the curvature.

    Attributes:
        s: `(n,)`, the step.
        y: `(n,)`, the change of the gradient along it.
        product: `sᵀy`, above zero.
    """

    s: Vector
    y: Vector
    product: float


class LbfgsState(NamedTuple):
    """Between two evaluations.

    Attributes:
        trial: `(n,)`, the point to evaluate next; None when nothing is left to gain.
        first_step: As for `Minimise`.
        point: `(n,)`, the last point accepted; None before the first evaluation, as the next two.
        gradient: `(n,)`, there.
        direction: `(n,)`, in which the trial lies from there.
        loss: There.
        length: Of the trial's step, in lengths of the direction.
        shortenings: How often it has been shortened.
        history: The last pairs, newest last, `HISTORY` at the most.
    """

    trial: Vector | None
    first_step: float | None
    point: Vector | None = None
    gradient: Vector | None = None
    direction: Vector | None = None
    loss: float = float("inf")
    length: float = 0.0
    shortenings: int = 0
    history: tuple[Pair, ...] = ()

    def as_memory(self) -> Memory:
        """As `from_memory` takes it; no vector is copied."""
        vectors = {name: getattr(self, name) for name in _VECTORS}
        memory = {name: vector for name, vector in vectors.items() if vector is not None}
        memory["first_step"] = np.array([] if self.first_step is None else [self.first_step])
        memory["numbers"] = np.array([self.loss, self.length, self.shortenings])
        memory["products"] = np.array([pair.product for pair in self.history])
        for place, pair in enumerate(self.history):
            memory[f"s{place}"], memory[f"y{place}"] = pair.s, pair.y
        return memory

    @classmethod
    def from_memory(cls, memory: Memory, size: int) -> "LbfgsState":
        """The state that `as_memory` gave.

        Args:
            memory: What it gave.
            size: How many variables there are.

        Raises:
            CheckpointError: It gave nothing like this.
        """
        vectors = {name: memory[name] for name in _VECTORS if name in memory}
        try:
            first_step = memory["first_step"].tolist()
            loss, length, shortenings = memory["numbers"].tolist()
            history = tuple(
                Pair(memory[f"s{place}"], memory[f"y{place}"], product)
                for place, product in enumerate(memory["products"].tolist())
            )
        except KeyError as error:
            raise CheckpointError(f"The checkpoint lacks {error} of the optimiser; paint anew.") from error
        for vector in (*vectors.values(), *(part for pair in history for part in pair[:2])):
            if vector.shape != (size,) or vector.dtype != np.float32:
                raise CheckpointError(
                    f"The checkpoint holds {vector.dtype} of shape {vector.shape} where the optimiser has float32 of "
                    f"({size},); paint anew."
                )
        return cls(
            **{"trial": None, **vectors},
            first_step=first_step[0] if first_step else None,
            loss=loss,
            length=length,
            shortenings=int(shortenings),
            history=history,
        )


_VECTORS = ("trial", "point", "gradient", "direction")


def projected_lbfgs(
    evaluate: Evaluate,
    start: Vector,
    evaluations: int,
    *,
    bounds: Bounds | None,
    first_step: float | None,
    memory: Memory | None = None,
    history: int = HISTORY,
) -> None:
    """See `minimise.Minimise`."""
    state = begin(start, bounds, first_step) if memory is None else LbfgsState.from_memory(memory, start.size)
    for _ in range(evaluations):
        if state.trial is None:
            return
        following = partial(_following, state, bounds, history)
        loss, gradient = evaluate(state.trial, following)
        state = step(state, loss, gradient, bounds, history)


def begin(start: Vector, bounds: Bounds | None, first_step: float | None) -> LbfgsState:
    """The state before the first evaluation."""
    return LbfgsState(trial=_clipped(start, bounds), first_step=first_step)


def step(state: LbfgsState, loss: float, gradient: Vector, bounds: Bounds | None, history: int = HISTORY) -> LbfgsState:
    """The state after the trial was evaluated.

    Args:
        state: The one before.
        loss: At `state.trial`.
        gradient: `(n,)`, there.
        bounds: The same at each step.
        history: How many pairs are kept.
    """
    trial, point = state.trial, state.point
    assert trial is not None  # noqa: S101
    if point is None:
        return _aimed(state._replace(point=trial, gradient=gradient, loss=loss), bounds)
    assert state.gradient is not None  # noqa: S101
    promised = float(np.dot(state.gradient, trial - point))
    if loss <= state.loss + SUFFICIENT * promised:
        pairs = _learnt(state.history, trial - point, gradient - state.gradient, history)
        return _aimed(state._replace(point=trial, gradient=gradient, loss=loss, history=pairs), bounds)
    if state.shortenings + 1 < MOST_SHORTENINGS:
        excess = loss - state.loss - promised
        shorter = -0.5 * promised / excess if excess > 0.0 else SHRINKING[1]
        length = state.length * min(max(shorter, SHRINKING[0]), SHRINKING[1])
        return _tried(state._replace(length=length, shortenings=state.shortenings + 1), bounds)
    return _aimed(state._replace(history=()), bounds) if state.history else state._replace(trial=None)


def _following(state: LbfgsState, bounds: Bounds | None, history: int, loss: float, gradient: Vector) -> Memory:
    return step(state, loss, gradient, bounds, history).as_memory()


def _aimed(state: LbfgsState, bounds: Bounds | None) -> LbfgsState:
    """With a direction from the point, and the first trial in it."""
    assert state.point is not None  # noqa: S101
    assert state.gradient is not None  # noqa: S101
    free = _free(state.point, state.gradient, bounds)
    direction = _inverse_times(state.history, free)
    np.negative(direction, out=direction)
    direction[free == 0.0] = 0.0
    if float(np.dot(direction, free)) >= 0.0:
        return _aimed(state._replace(history=()), bounds) if state.history else state._replace(trial=None)
    length = 1.0
    if not state.history:
        norm, first_step = float(np.linalg.norm(direction)), state.first_step
        length = 1.0 / norm if first_step is None else first_step * float(np.sqrt(direction.size)) / norm
    return _tried(state._replace(direction=direction, length=length, shortenings=0), bounds)


def _tried(state: LbfgsState, bounds: Bounds | None) -> LbfgsState:
    """With the trial at the length given."""
    assert state.point is not None  # noqa: S101
    assert state.direction is not None  # noqa: S101
    trial = state.point.copy()
    _add(trial, state.length, state.direction)
    return state._replace(trial=_clipped(trial, bounds, out=trial))


def _clipped(point: Vector, bounds: Bounds | None, out: Vector | None = None) -> Vector:
    low, high = bounds or (-np.inf, np.inf)
    clipped: Vector = np.clip(point, low, high, dtype=np.float32, out=out)
    return clipped


def _add(vector: Vector, factor: float, other: Vector) -> None:
    """Adds a multiple of another vector in place, by pieces that stay in the processor's cache."""
    for begin in range(0, vector.size, PIECE):
        piece = slice(begin, begin + PIECE)
        vector[piece] += np.float32(factor) * other[piece]


def _free(point: Vector, gradient: Vector, bounds: Bounds | None) -> Vector:
    """The gradient without the values that lie on a bound and would leave it."""
    if bounds is None:
        return gradient
    low, high = bounds
    held = ((point <= low) & (gradient > 0.0)) | ((point >= high) & (gradient < 0.0))
    return np.where(held, np.float32(0.0), gradient)


def _learnt(history: tuple[Pair, ...], s: Vector, y: Vector, most: int) -> tuple[Pair, ...]:
    """With one more pair, without the oldest where there are too many."""
    product = float(np.dot(s, y))
    if product <= LEAST_CURVATURE * float(np.linalg.norm(s)) * float(np.linalg.norm(y)):
        return history
    return (*history, Pair(s, y, product))[-most:]


def _inverse_times(history: tuple[Pair, ...], gradient: Vector) -> Vector:
    """The inverse Hessian times a gradient (algorithm 7.4, scaled as in equation 7.20)."""
    q = gradient.copy()
    alphas = []
    for pair in reversed(history):
        alphas.append(float(np.dot(pair.s, q)) / pair.product)
        _add(q, -alphas[-1], pair.y)
    if history:
        newest = history[-1]
        q *= np.float32(newest.product / float(np.dot(newest.y, newest.y)))
    for pair, alpha in zip(history, reversed(alphas), strict=True):
        beta = float(np.dot(pair.y, q)) / pair.product
        _add(q, alpha - beta, pair.s)
    return q
