"""The schedule of sizes: coarse to fine, many evaluations where they are cheap and few where they are dear."""

from dataclasses import dataclass

from impasto_engine.resample import fit

__all__ = ["Scale", "schedule"]

COARSEST_LONGER_SIDE = 96
"""Pixels. Below this a picture shows the network too few positions for its statistics to mean anything."""

COARSEST_SHORTER_SIDE = 24
"""Pixels. As `COARSEST_LONGER_SIDE`, for pictures that are long and narrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One size in the schedule.

    Attributes:
        height: Rows of the picture at this scale.
        width: Columns of the picture at this scale.
        evaluations: How many evaluations may be spent on it.
    """

    height: int
    width: int
    evaluations: int


def schedule(
    height: int, width: int, evaluations: int, *, coarse_to_fine: bool, smallest_side: int = 1
) -> tuple[Scale, ...]:
    """The scales, coarsest first, the last one `height` × `width`.

    Each scale is twice as large as the one before it, and the evaluations fall in equal steps: three scales share them
    as 3 : 2 : 1. Every scale has at least one evaluation, unless there are fewer evaluations than scales; then the
    coarsest scales go. No scale has a shorter side below
    `smallest_side`, unless the picture itself has.
    """
    longer, shorter = max(height, width), min(height, width)
    count = 1
    while coarse_to_fine and count < evaluations:
        halved = 2**count
        if longer < COARSEST_LONGER_SIDE * halved or shorter < max(COARSEST_SHORTER_SIDE, smallest_side) * halved:
            break
        count += 1
    shares = list(range(count, 0, -1))
    spent = [max(1, evaluations * share // sum(shares)) for share in shares]
    spent[0] += evaluations - sum(spent)
    sizes = [fit(height, width, max(1, round(longer / 2**level))) for level in range(count - 1, 0, -1)]
    sizes.append((height, width))
    return tuple(Scale(height=h, width=w, evaluations=n) for (h, w), n in zip(sizes, spent, strict=True) if n > 0)
