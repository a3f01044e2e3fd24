"""L-BFGS within bounds, in float32: made for pictures, whose many variables are known to seven digits at best.

The two-loop recursion (J. Nocedal, S. Wright, *Numerical Optimization*, 2006, algorithm 7.4) gives the direction;
values that lie on a bound and want to leave it stay out of it (the two-metric projection of D. Bertsekas, "Projected
Newton Methods for Optimization Problems with Simple Constraints", 1982); the step is clipped to the bounds and
shortened until it lowers the loss enough (Armijo's condition). SciPy's L-BFGS-B looks for the best bounds to meet
before each step, in float64, which takes longer than an evaluation of a small network.

All that is known between two evaluations is an `LbfgsState`: besides the pairs, three vectors, and never more than two
others beside these. Vectors are not changed once they are there, but replaced by others, so that whoever has noted them
(`as_memory`) can take the minimisation up from there with the same result.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

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


TOLD, TOLD_GRADIENT = "told", "told_gradient"
"""In a memory: the loss and the gradient of its trial, where that was evaluated and no step made yet."""


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


@dataclass(slots=True, kw_only=True, eq=False)
class LbfgsState:
    """Between two evaluations.

    Attributes:
        trial: `(n,)`, the point to evaluate next; None when nothing is left to gain.
        first_step: As for `Minimise`.
        point: `(n,)`, the last point accepted; None before the first evaluation, as the next.
        gradient: `(n,)`, there.
        loss: There.
        length: Of the trial's step, in lengths of the direction.
        shortenings: How often it has been shortened.
        history: The last pairs, newest last, `HISTORY` at the most.
    """

    trial: Vector | None
    first_step: float | None
    point: Vector | None = None
    gradient: Vector | None = None
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
            _check(vector, size)
        return cls(
            **{"trial": None, **vectors},
            first_step=first_step[0] if first_step else None,
            loss=loss,
            length=length,
            shortenings=int(shortenings),
            history=history,
        )


_VECTORS = ("trial", "point", "gradient")


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
    told = None
    if memory is None:
        state = begin(start, bounds, first_step)
    else:
        state, told = LbfgsState.from_memory(memory, start.size), _told(memory, start.size)
    del start, memory  # which would keep their vectors to the end
    if told is not None:
        step(state, *told, bounds, history)
        del told
    for _ in range(evaluations):
        if state.trial is None:
            return
        _evaluate(evaluate, state, bounds, history)


def begin(start: Vector, bounds: Bounds | None, first_step: float | None) -> LbfgsState:
    """The state before the first evaluation."""
    return LbfgsState(trial=_clipped(start, bounds), first_step=first_step)


def step(state: LbfgsState, loss: float, gradient: Vector, bounds: Bounds | None, history: int = HISTORY) -> None:
    """Goes on to the next trial after one was evaluated, and lets go of every vector as soon as it can.

    Args:
        state: Where things stand; is changed.
        loss: At `state.trial`.
        gradient: `(n,)`, there.
        bounds: The same at each step.
        history: How many pairs are kept.
    """
    trial, point = state.trial, state.point
    assert trial is not None  # noqa: S101
    if point is None:
        state.point, state.gradient, state.loss = trial, gradient, loss
        _aim(state, bounds)
        return
    assert state.gradient is not None  # noqa: S101
    promised = float(np.dot(state.gradient, trial - point))
    del trial, point
    if loss <= state.loss + SUFFICIENT * promised:
        _accept(state, loss, gradient, history)
        _aim(state, bounds)
    elif state.shortenings + 1 < MOST_SHORTENINGS:
        excess = loss - state.loss - promised
        shorter = -0.5 * promised / excess if excess > 0.0 else SHRINKING[1]
        state.length *= min(max(shorter, SHRINKING[0]), SHRINKING[1])
        state.shortenings += 1
        state.trial = None
        _try(state, _direction(state, bounds)[0], bounds)
    elif state.history:
        state.history = ()
        _aim(state, bounds)
    else:
        state.trial = None


def _evaluate(evaluate: Evaluate, state: LbfgsState, bounds: Bounds | None, history: int) -> None:
    assert state.trial is not None  # noqa: S101
    step(state, *evaluate(state.trial, partial(_following, state.as_memory())), bounds, history)


def _following(memory: Memory, loss: float, gradient: Vector) -> Memory:
    """The memory before the evaluation, and what was evaluated: the step from there is made when it is taken up."""
    return {**memory, TOLD: np.array([loss]), TOLD_GRADIENT: gradient}


def _told(memory: Memory, size: int) -> tuple[float, Vector] | None:
    """What `_following` added."""
    if TOLD not in memory:
        return None
    if TOLD_GRADIENT not in memory:
        raise CheckpointError(f"The checkpoint lacks '{TOLD_GRADIENT}' of the optimiser; paint anew.")
    _check(memory[TOLD_GRADIENT], size)
    return float(memory[TOLD][0]), memory[TOLD_GRADIENT]


def _accept(state: LbfgsState, loss: float, gradient: Vector, most: int) -> None:
    """Moves to the trial, and learns from the way there. The old point and gradient are let go in between."""
    assert state.trial is not None  # noqa: S101
    assert state.point is not None  # noqa: S101
    assert state.gradient is not None  # noqa: S101
    s = state.trial - state.point
    state.point, state.trial, state.loss = state.trial, None, loss
    y = gradient - state.gradient
    state.gradient = gradient
    state.history = _learnt(state.history, s, y, most)


def _aim(state: LbfgsState, bounds: Bounds | None) -> None:
    """Takes a new direction from the point, and the first trial in it."""
    state.trial, state.shortenings = None, 0
    direction, slope = _direction(state, bounds)
    if slope >= 0.0 and state.history:
        state.history = ()
        direction, slope = _direction(state, bounds)
    if slope >= 0.0:
        return
    state.length = 1.0
    if not state.history:
        norm, first_step = float(np.linalg.norm(direction)), state.first_step
        state.length = 1.0 / norm if first_step is None else first_step * float(np.sqrt(direction.size)) / norm
    _try(state, direction, bounds)


def _direction(state: LbfgsState, bounds: Bounds | None) -> tuple[Vector, float]:
    """The direction from the point, and how the loss changes along it. Always the same, so that it need not be kept."""
    assert state.point is not None  # noqa: S101
    assert state.gradient is not None  # noqa: S101
    free = _free(state.point, state.gradient, bounds)
    direction = _inverse_times(state.history, free)
    np.negative(direction, out=direction)
    direction[free == 0.0] = 0.0
    return direction, float(np.dot(direction, free))


def _try(state: LbfgsState, direction: Vector, bounds: Bounds | None) -> None:
    """Makes the direction, which nobody else has, the trial at the length given."""
    assert state.point is not None  # noqa: S101
    direction *= np.float32(state.length)
    direction += state.point
    state.trial = _clipped(direction, bounds, out=direction)


def _check(vector: NDArray[Any], size: int) -> None:
    """Refuses a vector of a memory that is none of `size` variables."""
    if vector.shape != (size,) or vector.dtype != np.float32:
        raise CheckpointError(
            f"The checkpoint holds {vector.dtype} of shape {vector.shape} where the optimiser has float32 of "
            f"({size},); paint anew."
        )


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
