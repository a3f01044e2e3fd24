"""The minimisation at one scale: keeps the best picture, and never loses it to a number that is none."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import PaintingError
from impasto_engine.minimise import HISTORY, Bounds, Following, Memory, Minimise

__all__ = ["Descent", "OnEvaluation", "Origin", "begun", "descend", "unpaintable"]

Terms = NDArray[np.float32]
Picture = NDArray[np.float32]
WeightsT = TypeVar("WeightsT")

EXPLOSION = 1e3
"""A loss so many times the first one is no line search at work but an explosion."""

ROLLBACK_STEP = 0.1
"""What a rollback multiplies the first step by."""

STANDSTILL = 1e-4
"""An optimiser that ends by itself, its line search lost in rounding or its curvature misleading, is started anew from
the best picture, unless it has lowered the loss by less than this share."""

PLATEAU_EVALUATIONS = 25
PLATEAU = 2e-3
"""So many evaluations in a row that lower the loss by less than this share are a plateau: more of them would not be
seen. A scale of default length does not come to one."""

MOST_ROLLBACKS = 5
"""Rollbacks in a row without a better picture in between, after which the scale ends with the best it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent(Generic[WeightsT]):
    """Where a minimisation stands after an evaluation; also its outcome.

    Attributes:
        picture: The best picture so far, `(H, W, 3)` float32, 0-255, not clipped.
        weights: Those of the losses below; losses with others do not compare.
        terms: Its weighted terms, `(T,)`; none before the first evaluation.
        loss: Their sum.
        evaluations: Evaluations spent.
        rollbacks: How often a loss was not finite or exploded.
        rollbacks_in_a_row: How many of them since the last better picture.
        first_loss: The first loss with these weights, by which an explosion is known.
        round_began: Evaluations that had been spent when the optimiser was last started anew.
        round_loss: The loss then.
        marked: Evaluations that had been spent when the gain was last looked at.
        marked_loss: The loss then.
        plateaus: How often the gain was too small.
        memory: What the optimiser knows; None where it is to be started anew.
        stopped: Whether the caller asked to stop.
    """

    picture: Picture
    weights: WeightsT
    terms: Terms = field(default_factory=lambda: np.empty(0, np.float32))
    loss: float = math.inf
    evaluations: int = 0
    rollbacks: int = 0
    rollbacks_in_a_row: int = 0
    first_loss: float = math.inf
    round_began: int = 0
    round_loss: float = math.inf
    marked: int = 0
    marked_loss: float = math.inf
    plateaus: int = 0
    memory: Memory | None = field(default=None, repr=False)
    stopped: bool = False

    def weighed(self, weights: WeightsT) -> "Descent[WeightsT]":
        """With other weights: the picture stays, and its loss, the curvature and what an explosion is are forgotten."""
        anew = replace(self, weights=weights, loss=math.inf, first_loss=math.inf, rollbacks_in_a_row=0, memory=None)
        return replace(anew, marked=self.evaluations, marked_loss=math.inf, plateaus=0)

    def judged(self, picture: Picture, terms: Terms, gradient: Picture) -> "Descent[WeightsT]":
        """After one more evaluation. The optimiser's memory is still that before it.

        Raises:
            PaintingError: It is the very first evaluation, and gives no finite number.
        """
        loss = float(np.sum(terms, dtype=np.float64))
        after = replace(self, evaluations=self.evaluations + 1)
        if not (np.isfinite(loss) and bool(np.isfinite(gradient).all()) and loss <= EXPLOSION * self.first_loss):
            if self.evaluations == 0:
                raise unpaintable(loss)
            return after.rolled_back()
        if math.isinf(self.first_loss):
            after = replace(after, first_loss=max(loss, float(np.finfo(np.float32).tiny)))
        if loss < self.loss:
            after = replace(after, picture=picture, terms=terms, loss=loss, rollbacks_in_a_row=0)
        return after.looked_at()

    def looked_at(self) -> "Descent[WeightsT]":
        """With the gain looked at, where it is time to."""
        if self.evaluations < self.marked + PLATEAU_EVALUATIONS:
            return self
        flat = self.loss > (1.0 - PLATEAU) * self.marked_loss
        return replace(self, marked=self.evaluations, marked_loss=self.loss, plateaus=self.plateaus + flat)

    def rolled_back(self) -> "Descent[WeightsT]":
        """With one more loss that is not finite or exploded."""
        return replace(self, rollbacks=self.rollbacks + 1, rollbacks_in_a_row=self.rollbacks_in_a_row + 1)

    @property
    def at_a_standstill(self) -> bool:
        """Whether the optimiser has gained too little since it was last started anew to be started again."""
        return self.loss > (1.0 - STANDSTILL) * self.round_loss


def unpaintable(loss: float) -> PaintingError:
    """The error of a network that gives no finite number for the starting picture."""
    return PaintingError(
        f"The network gave the loss {loss} for the starting picture, which cannot be painted from; "
        "its weights may be damaged: fetch them again or choose another network."
    )


Origin: TypeAlias = Picture | Descent[WeightsT] | Callable[[], Picture | Descent[WeightsT]]
"""What a minimisation starts from; see `descend`."""


def begun(start: "Origin[WeightsT]", weights: WeightsT) -> Descent[WeightsT]:
    """Where a minimisation stands that starts from there."""
    given = start() if callable(start) else start
    return given if isinstance(given, Descent) else Descent(picture=given, weights=weights)


OnEvaluation = Callable[[Descent[WeightsT], Terms, Callable[[], Descent[WeightsT]]], bool]
"""Told after each evaluation where things stand, the terms just evaluated, and how to come by a state from which the
minimisation can be taken up; True to stop."""


class _EndedError(Exception):
    """Leaves the optimiser: the evaluations are spent or the caller asked to stop."""


class _RolledBackError(Exception):
    """Leaves the optimiser: the loss is not finite, or exploded."""


class _ReweighedError(Exception):
    """Leaves the optimiser: the weights are others."""


def descend(
    evaluate: Callable[[Picture, WeightsT], tuple[Terms, Picture]],
    start: "Origin[WeightsT]",
    evaluations: int,
    *,
    minimise: Minimise,
    bounds: Bounds | None,
    first_step: float | None,
    round_evaluations: int | None,
    weights: Callable[[], WeightsT],
    on_evaluation: OnEvaluation[WeightsT],
    ends_on_plateau: bool = False,
    history: int = HISTORY,
) -> Descent[WeightsT]:
    """Minimises the sum of the terms from a starting picture.

    Args:
        evaluate: A picture `(H, W, 3)` float32 and weights to its terms and their gradient.
        start: The picture to start from; or where a minimisation stood, to go on as if nothing had happened since; or
            what gives either, once, so that nobody else keeps its vectors in memory meanwhile.
        evaluations: How many evaluations may be spent, those before `start` included.
        minimise: The optimiser.
        bounds: The lowest and the highest value that a picture may hold; None for any.
        first_step: Of the optimiser; a tenth of it after each rollback in a row.
        round_evaluations: Start the optimiser anew after so many evaluations; None for never.
        weights: Asked before each evaluation. When they change, the optimiser starts anew from the best picture.
        on_evaluation: See `OnEvaluation`.
        ends_on_plateau: Leave the rest of the evaluations unspent where they would gain next to nothing.
        history: Of the optimiser.

    Raises:
        PaintingError: The very first evaluation gives no finite number.
        CheckpointError: The memory in `start` is not the optimiser's.
    """
    state = begun(start, weights())
    del start
    shape = state.picture.shape

    def watched(point: NDArray[np.floating], following: Following | None = None) -> tuple[float, NDArray[np.float32]]:
        nonlocal state
        if state.evaluations >= evaluations or (ends_on_plateau and state.plateaus):
            raise _EndedError
        if weights() != state.weights:
            raise _ReweighedError
        picture = point.reshape(shape).astype(np.float32, copy=False)
        terms, gradient = evaluate(picture, state.weights)
        before, slope = state, gradient.reshape(-1)
        now = state = before.judged(picture, terms, gradient)
        loss = float(np.sum(terms, dtype=np.float64))
        sound = now.rollbacks == before.rollbacks

        def resumable() -> Descent[WeightsT]:
            return replace(now, memory=following(loss, slope)) if sound and following is not None else now

        if on_evaluation(now, terms, resumable):
            state = replace(now, stopped=True)
            raise _EndedError
        if not sound:
            raise _RolledBackError
        return loss, slope

    while state.evaluations < evaluations and state.rollbacks_in_a_row < MOST_ROLLBACKS:
        memory = [state.memory]  # handed over, rather than kept here
        state = replace(state, memory=None)
        if memory[0] is None:
            state = replace(state, round_began=state.evaluations, round_loss=state.loss)
        round_left = (
            math.inf if round_evaluations is None else state.round_began + round_evaluations - state.evaluations
        )
        try:
            minimise(
                watched,
                state.picture.reshape(-1),
                int(min(evaluations - state.evaluations, round_left)),
                bounds=bounds,
                first_step=None if first_step is None else first_step * ROLLBACK_STEP**state.rollbacks_in_a_row,
                memory=memory.pop(),
                history=history,
            )
        except _EndedError:
            break
        except _RolledBackError:
            continue
        except _ReweighedError:
            state = state.weighed(weights())
            continue
        round_is_over = round_evaluations is not None and state.evaluations - state.round_began >= round_evaluations
        if not round_is_over and state.at_a_standstill:
            break
    return state
