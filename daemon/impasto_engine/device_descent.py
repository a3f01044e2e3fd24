"""The minimisation at one scale with the optimiser on the device: see `descent`, which has the optimiser on the host.

Evaluations follow one another without the host waiting for any; what came of them is fetched a batch at a time.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.backend import Advance, TermsFunction
from impasto_engine.descent import (
    MOST_ROLLBACKS,
    ROLLBACK_STEP,
    Descent,
    OnEvaluation,
    Origin,
    begun,
    unpaintable,
)
from impasto_engine.device_lbfgs import ENDED, FAULT, begin, step
from impasto_engine.errors import CheckpointError
from impasto_engine.minimise import Bounds, Memory
from impasto_engine.types import Tree

__all__ = ["compile_descent", "descend_on_device", "is_memory_of_device"]

WeightsT = TypeVar("WeightsT")

BATCH_S = 0.1
"""Seconds that a batch of evaluations should take: a person does not notice that they wait for it."""


def compile_descent(terms: TermsFunction, shape: tuple[int, ...], bounds: Bounds | None) -> Advance:
    """One evaluation of a picture `(1, H, W, 3)` with the optimiser's step from there, compiled."""
    return backend.current().compile_advance(terms, partial(step, bounds=bounds), shape)


def is_memory_of_device(memory: Memory) -> bool:
    """Whether a checkpoint's memory is that of this optimiser, rather than of one on the host."""
    return "halted" in memory


def descend_on_device(
    advance: Advance,
    arguments_of: Callable[[WeightsT], Tree],
    start: "Origin[WeightsT]",
    evaluations: int,
    *,
    terms: int,
    bounds: Bounds | None,
    first_step: float | None,
    round_evaluations: int | None,
    weights: Callable[[], WeightsT],
    on_evaluation: OnEvaluation[WeightsT],
    ends_on_plateau: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Descent[WeightsT]:
    """As `descent.descend`, but that weights are asked for, and progress is told, after each batch of evaluations.

    What is told of an evaluation within a batch has its own terms, and picture and checkpoint of the end of the batch.

    Args:
        advance: What `compile_descent` made.
        arguments_of: From weights to the arguments of `advance`.
        start: As of `descend`.
        evaluations: As of `descend`.
        terms: How many the loss has.
        bounds: As of `descend`.
        first_step: As of `descend`.
        round_evaluations: As of `descend`.
        weights: Asked before each batch.
        on_evaluation: As of `descend`.
        ends_on_plateau: As of `descend`.
        clock: Gives seconds.
    """
    descent = begun(start, weights())
    del start
    state: Tree = None
    batch = 1
    while descent.evaluations < evaluations and descent.rollbacks_in_a_row < MOST_ROLLBACKS:
        if weights() != descent.weights:
            descent, state = descent.weighed(weights()), None
        if state is None:
            if descent.memory is None:
                state = _begun(descent, terms, first_step, bounds)
                descent = replace(descent, round_began=descent.evaluations, round_loss=descent.loss)
            else:
                state = _resumed(descent.memory, descent.picture.size, terms, bounds)
                descent = replace(descent, memory=None)
        round_left = (round_evaluations or evaluations) + descent.round_began - descent.evaluations
        began = clock()
        arguments, count, told = arguments_of(descent.weights), state["count"], []
        for _ in range(min(batch, evaluations - descent.evaluations, round_left)):
            state = advance(state, arguments)
            told.append(state["terms"])
        fetched = _fetched(descent, state, told, spent_before=count)
        batch = max(1, int(BATCH_S * fetched.spent / max(clock() - began, 1e-9)))
        before, descent = descent, fetched.descent
        for place, own_terms in enumerate(fetched.terms, 1):
            now = descent if place == fetched.spent else replace(descent, evaluations=before.evaluations + place)
            if on_evaluation(now, own_terms, partial(_resumable, descent, state)):
                return replace(descent, stopped=True)
        round_is_over = round_evaluations is not None and descent.evaluations - descent.round_began >= round_evaluations
        if fetched.halted or round_is_over:
            state = None
        standstill = fetched.halted == ENDED and not round_is_over and descent.at_a_standstill
        if standstill or (ends_on_plateau and descent.plateaus):
            break
    return descent


class _Fetched(NamedTuple):
    """What came of a batch: where things stand, evaluations made, their terms, and why it ended before its time."""

    descent: Descent[Any]
    spent: int
    terms: NDArray[np.float32]
    halted: float


def _fetched(descent: Descent[WeightsT], state: Tree, told: list[Tree], *, spent_before: Tree) -> _Fetched:
    terms = ops.convert_to_numpy(ops.stack(told))
    spent = int(state["count"] - spent_before)
    halted, loss = float(state["halted"]), float(state["best_loss"])
    after = replace(descent, evaluations=descent.evaluations + spent, first_loss=float(state["first_loss"]))
    if loss < descent.loss:
        picture = ops.convert_to_numpy(state["best"]).reshape(descent.picture.shape)
        best_terms = ops.convert_to_numpy(state["best_terms"])
        after = replace(after, picture=picture, terms=best_terms, loss=loss, rollbacks_in_a_row=0)
    if halted == FAULT:
        if after.evaluations == 1:
            raise unpaintable(float(np.sum(terms[0], dtype=np.float64)))
        after = after.rolled_back()
    return _Fetched(after.looked_at(), spent, terms[:spent], halted)


def _begun(descent: Descent[WeightsT], terms: int, first_step: float | None, bounds: Bounds | None) -> Tree:
    """The optimiser anew, from the best picture, of which is known what was known."""
    first = None if first_step is None else first_step * ROLLBACK_STEP**descent.rollbacks_in_a_row
    state = begin(descent.picture.reshape(-1), terms, first_step=first, bounds=bounds)
    if descent.terms.size:
        state["best_terms"] = ops.convert_to_tensor(descent.terms)
    state["best_loss"] = ops.full((), descent.loss)
    state["first_loss"] = ops.full((), descent.first_loss)
    return state


def _resumable(descent: Descent[WeightsT], state: Tree) -> Descent[WeightsT]:
    if float(state["halted"]):
        return descent
    return replace(descent, memory={name: ops.convert_to_numpy(value) for name, value in state.items()})


def _resumed(memory: Memory, size: int, terms: int, bounds: Bounds | None) -> Tree:
    """The state that `_resumable` gave.

    Raises:
        CheckpointError: It gave nothing like this.
    """
    pattern = begin(np.zeros(size, np.float32), terms, first_step=None, bounds=bounds)
    for name, value in pattern.items():
        if name not in memory:
            raise CheckpointError(f"The checkpoint lacks '{name}' of the optimiser; paint anew.")
        if memory[name].shape != tuple(value.shape) or memory[name].dtype != np.float32:
            raise CheckpointError(
                f"The checkpoint holds {memory[name].dtype} of shape {memory[name].shape} where the optimiser has "
                f"float32 of {tuple(value.shape)}; paint anew."
            )
    return {name: ops.convert_to_tensor(memory[name]) for name in pattern}
