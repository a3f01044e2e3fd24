"""L-BFGS within bounds, in `keras.ops`: its state stays on the device, and no step asks the host anything.

The same method as `projected_lbfgs`, with every decision written as a choice between two values, so that one step
follows another without a number leaving the device: one evaluation, one step. The direction is that of the two-loop
recursion (J. Nocedal, S. Wright, *Numerical Optimization*, 2006, algorithm 7.4) in its compact form (R. Byrd,
J. Nocedal, R. Schnabel, "Representations of Quasi-Newton Matrices and Their Use in Limited Memory Methods", 1994,
theorem 2.2): two products with the whole history at once, rather than one after another with each pair.

What is known is a state: a mapping of tensors, float32, that nothing changes.

- `trial` `(n,)`, the point to evaluate next; `point`, `gradient`, `direction` `(n,)`, `loss`, `length` and
  `shortenings` as in `projected_lbfgs.LbfgsState`, the loss infinite before the first evaluation.
- `steps` and `changes` `(m, n)`: the last pairs s and y, the newest last, each divided by √(sᵀy); zeros where there are
  fewer. `known` `(m,)`: one for each pair there is. `crossed` and `squared` `(m, m)`: sᵢᵀyⱼ and yᵢᵀyⱼ.
- `best` `(n,)` with `best_terms` `(T,)` and `best_loss`; `terms`, those just evaluated.
- `first_step` as for `Minimise`, zero for none, and `first_loss`, by which an explosion is known.
- `count`: evaluations, without those that left all as it was.
- `halted`: 0, or why every further step leaves all as it is: `FAULT`, a loss that is not finite or exploded; `ENDED`,
  nothing is left to gain.
"""

from keras import ops

from impasto_engine.descent import EXPLOSION
from impasto_engine.minimise import HISTORY, Bounds
from impasto_engine.projected_lbfgs import LEAST_CURVATURE, MOST_SHORTENINGS, SHRINKING, SUFFICIENT
from impasto_engine.types import Tensor, Tree

__all__ = ["ENDED", "FAULT", "begin", "step"]

FAULT = 1.0
ENDED = 2.0


def begin(
    start: Tensor, terms: int, *, first_step: float | None, bounds: Bounds | None, history: int = HISTORY
) -> Tree:
    """The state before the first evaluation.

    Args:
        start: `(n,)` float32, the first point evaluated.
        terms: How many terms the loss has.
        first_step: As for `Minimise`.
        bounds: The same at each step.
        history: How many pairs are kept.
    """
    start = ops.convert_to_tensor(start, "float32")
    start = start if bounds is None else ops.clip(start, *bounds)
    size = start.shape[0]
    vector, number, infinite = ops.zeros((size,)), ops.zeros(()), ops.full((), float("inf"))
    return {
        "trial": start,
        "point": start,
        "gradient": vector,
        "direction": vector,
        "loss": infinite,
        "length": number,
        "shortenings": number,
        "steps": ops.zeros((history, size)),
        "changes": ops.zeros((history, size)),
        "known": ops.zeros((history,)),
        "crossed": ops.zeros((history, history)),
        "squared": ops.zeros((history, history)),
        "best": start,
        "best_terms": ops.zeros((terms,)),
        "best_loss": infinite,
        "terms": ops.zeros((terms,)),
        "first_step": ops.full((), first_step or 0.0),
        "first_loss": infinite,
        "count": number,
        "halted": number,
    }


def step(state: Tree, terms: Tensor, gradient: Tensor, bounds: Bounds | None) -> Tree:
    """The state after the trial was evaluated.

    Args:
        state: The one before.
        terms: `(T,)` float32 at `state["trial"]`; the loss is their sum.
        gradient: `(n,)` float32, of the loss there.
        bounds: The lowest and the highest value of every variable; None for any.
    """
    loss, going = ops.sum(terms), state["halted"] == 0.0
    finite = ops.logical_and(ops.isfinite(loss), ops.all(ops.isfinite(gradient)))
    sound = ops.logical_and(finite, loss <= EXPLOSION * state["first_loss"])
    better = _all(going, sound, loss < state["best_loss"])
    begun = ops.isfinite(state["loss"])

    moved = state["trial"] - state["point"]
    promised = ops.sum(state["gradient"] * moved)
    lower = ops.logical_or(ops.logical_not(begun), loss <= state["loss"] + SUFFICIENT * promised)
    accepted = _all(going, sound, lower)
    refused = _all(going, sound, ops.logical_not(lower))
    exhausted = ops.logical_and(refused, state["shortenings"] + 1.0 >= MOST_SHORTENINGS)

    history = _learnt(state, moved, gradient - state["gradient"], ops.logical_and(accepted, begun))
    had_any = history["known"][-1] > 0.0
    history["known"] = ops.where(exhausted, 0.0, history["known"])
    point = ops.where(accepted, state["trial"], state["point"])
    slope = ops.where(accepted, gradient, state["gradient"])
    free = _free(point, slope, bounds)

    aiming = ops.logical_or(accepted, exhausted)
    newton = ops.where(free == 0.0, 0.0, -_inverse_times(history, free))
    downhill = ops.sum(newton * free) < 0.0
    history["known"] = ops.where(ops.logical_or(downhill, ops.logical_not(aiming)), history["known"], 0.0)
    curved = history["known"][-1] > 0.0
    aimed = ops.where(ops.logical_and(downhill, curved), newton, -free)
    direction = ops.where(aiming, aimed, state["direction"])
    norm = ops.sqrt(ops.sum(ops.square(aimed)))
    wanted = ops.where(state["first_step"] > 0.0, state["first_step"] * float(free.shape[0]) ** 0.5, 1.0)
    first_length = wanted / ops.where(norm > 0.0, norm, 1.0)

    excess = loss - state["loss"] - promised
    parabola = ops.where(excess > 0.0, -0.5 * promised / ops.where(excess > 0.0, excess, 1.0), SHRINKING[1])
    shorter = state["length"] * ops.clip(parabola, *SHRINKING)
    length = ops.where(aiming, ops.where(curved, 1.0, first_length), ops.where(refused, shorter, state["length"]))
    trial = point + length * direction
    trial = trial if bounds is None else ops.clip(trial, *bounds)
    hopeless = ops.logical_or(norm == 0.0, ops.logical_and(exhausted, ops.logical_not(had_any)))
    ended = _all(aiming, ops.logical_not(curved), hopeless)
    halted = ops.where(going, ops.where(sound, ops.where(ended, ENDED, 0.0), FAULT), state["halted"])
    return {
        **history,
        "trial": ops.where(halted > 0.0, state["trial"], trial),
        "point": point,
        "gradient": slope,
        "direction": direction,
        "loss": ops.where(accepted, loss, state["loss"]),
        "length": length,
        "shortenings": ops.where(aiming, 0.0, state["shortenings"] + ops.cast(refused, "float32")),
        "best": ops.where(better, state["trial"], state["best"]),
        "best_terms": ops.where(better, terms, state["best_terms"]),
        "best_loss": ops.where(better, loss, state["best_loss"]),
        "terms": terms,
        "first_step": state["first_step"],
        "first_loss": ops.where(_all(going, sound, ops.logical_not(begun)), loss, state["first_loss"]),
        "count": state["count"] + ops.cast(going, "float32"),
        "halted": halted,
    }


def _all(*conditions: Tensor) -> Tensor:
    together = conditions[0]
    for condition in conditions[1:]:
        together = ops.logical_and(together, condition)
    return together


def _free(point: Tensor, gradient: Tensor, bounds: Bounds | None) -> Tensor:
    """The gradient without the values that lie on a bound and would leave it."""
    if bounds is None:
        return gradient
    low, high = bounds
    held = ops.logical_or(ops.logical_and(point <= low, gradient > 0.0), ops.logical_and(point >= high, gradient < 0.0))
    return ops.where(held, 0.0, gradient)


def _learnt(state: Tree, s: Tensor, y: Tensor, wanted: Tensor) -> Tree:
    """The history with one more pair, without the oldest, where it is wanted and tells of the curvature."""
    product = ops.sum(s * y)
    lengths = ops.sqrt(ops.sum(ops.square(s)) * ops.sum(ops.square(y)))
    learn = ops.logical_and(wanted, product > LEAST_CURVATURE * lengths)
    unit = 1.0 / ops.sqrt(ops.where(learn, product, 1.0))
    pair = ops.stack([s * unit, y * unit])
    steps = ops.concatenate([state["steps"][1:], pair[:1]])
    changes = ops.concatenate([state["changes"][1:], pair[1:]])
    column = ops.matmul(steps, pair[1][:, None])
    row = ops.matmul(pair[:1], ops.transpose(changes))
    square = ops.matmul(changes, pair[1][:, None])
    crossed = ops.concatenate([state["crossed"][1:, 1:], row[:, :-1]])
    squared = ops.concatenate([state["squared"][1:, 1:], ops.transpose(square[:-1])])
    new = {
        "steps": steps,
        "changes": changes,
        "known": ops.concatenate([state["known"][1:], ops.ones((1,))]),
        "crossed": ops.concatenate([crossed, column], axis=1),
        "squared": ops.concatenate([squared, square], axis=1),
    }
    return {name: ops.where(learn, value, state[name]) for name, value in new.items()}


def _inverse_times(history: Tree, gradient: Tensor) -> Tensor:
    """The inverse Hessian times a gradient.

    With pairs of unit product, R the upper triangle of SᵀY, and a = 1 / yᵀy of the newest pair,

    H g = a g + S R⁻ᵀ ((1 + a YᵀY) R⁻¹ Sᵀg - a Yᵀg) - a Y R⁻¹ Sᵀg.
    """
    known, steps, changes = history["known"], history["steps"], history["changes"]
    both = known[:, None] * known[None, :]
    identity = ops.eye(known.shape[0])
    triangle = ops.where(both > 0.0, ops.triu(history["crossed"]), identity)
    squared = both * history["squared"]
    newest = squared[-1, -1]
    scale = ops.where(newest > 0.0, 1.0 / ops.where(newest > 0.0, newest, 1.0), 1.0)
    along = known[:, None] * ops.matmul(steps, gradient[:, None])
    across = known[:, None] * ops.matmul(changes, gradient[:, None])
    p = ops.linalg.solve_triangular(triangle, along)
    q = p + scale * (ops.matmul(squared, p) - across)
    q = ops.linalg.solve_triangular(ops.transpose(triangle), q, lower=True)
    bent = ops.matmul(ops.transpose(q), steps) - scale * ops.matmul(ops.transpose(p), changes)
    return scale * gradient + bent[0]
