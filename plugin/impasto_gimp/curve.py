"""The loss curve as points to draw: logarithmic, because a loss falls by factors. No gi."""

import math
from collections.abc import Sequence

__all__ = ["curve_points"]


def curve_points(losses: Sequence[tuple[int, float]], evaluations: int) -> list[tuple[float, float]]:
    """Where the curve runs, in a square from (0, 0), top left, to (1, 1).

    Args:
        losses: Evaluations and losses, in order.
        evaluations: How many there will be.

    Returns:
        Points; none while there are fewer than two positive losses.
    """
    shown = [(evaluation, math.log(loss)) for evaluation, loss in losses if loss > 0.0 and math.isfinite(loss)]
    if len(shown) < 2:
        return []
    last = max(evaluations, shown[-1][0], 1)
    lowest, highest = min(value for _, value in shown), max(value for _, value in shown)
    span = highest - lowest or 1.0
    return [(evaluation / last, (highest - value) / span) for evaluation, value in shown]
