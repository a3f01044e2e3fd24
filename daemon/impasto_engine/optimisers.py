"""The optimisers by name."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from impasto_engine.errors import CheckpointError
from impasto_engine.minimise import HISTORY, Bounds, Evaluate, Memory, Minimise
from impasto_engine.projected_lbfgs import projected_lbfgs

__all__ = ["DEVICE", "HOST", "OPTIMISERS", "OPTIMISER_NAMES", "SCIPY", "optimizer_for", "scipy_lbfgs"]

HOST, DEVICE, SCIPY = "lbfgs", "device", "scipy"
"""The first two are ours, and the same method: with its vectors in the host's memory, or in the device's. The latter is
`device_descent`, which is not called as the others are."""


def optimizer_for(wanted: str, *, device: str, tiled: bool) -> str:
    """Which optimiser a scale is painted with.

    Args:
        wanted: The setting's or the recipe's. `lbfgs` stays on the device where that is a GPU.
        device: As `Backend.device` names it.
        tiled: Whether the picture is looked at in tiles; it is then put together on the host, and minimised there.
    """
    if wanted not in (HOST, DEVICE):
        return wanted
    return HOST if tiled or (wanted == HOST and device == "CPU") else DEVICE


def scipy_lbfgs(
    evaluate: Evaluate,
    start: NDArray[np.float32],
    evaluations: int,
    *,
    bounds: Bounds | None,
    first_step: float | None,
    memory: Memory | None = None,
    history: int = HISTORY,
) -> None:
    """L-BFGS by SciPy (R. Byrd et al., "A Limited Memory Algorithm for Bound Constrained Optimization", 1995).

    SciPy's first trial step has norm one, or, within bounds, the norm of the gradient. On a picture norm one is a
    thousandth of a grey level for each value, and in bfloat16 the loss does not notice: the line search fails before it
    has begun. So the variables are measured in units of the step that is wanted, and the loss in units of its gradient
    at the start, which makes the first step one unit long either way; L-BFGS is otherwise indifferent to both. Its
    tolerances are switched off, since they are meant for losses of about one, and recipes differ by powers of ten.

    SciPy keeps what it knows to itself, so there is no memory to go on from.
    """
    if memory is not None:
        raise CheckpointError("SciPy's L-BFGS cannot go on from a memory; paint anew.")
    from scipy.optimize import fmin_l_bfgs_b  # not at the top: half a second, and most paintings do without

    unit = 1.0 if first_step is None else first_step * math.sqrt(start.size)
    loss_unit: float | None = None if first_step is not None else 1.0

    def scaled(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal loss_unit
        loss, gradient = evaluate(point * unit)
        if loss_unit is None:
            loss_unit = float(np.linalg.norm(gradient)) * unit or 1.0
        return loss / loss_unit, gradient.astype(np.float64) * (unit / loss_unit)

    box = None if bounds is None else [(bounds[0] / unit, bounds[1] / unit)] * start.size
    fmin_l_bfgs_b(
        scaled,
        start.astype(np.float64) / unit,
        bounds=box,
        m=history,
        maxfun=evaluations,
        maxiter=evaluations,
        factr=0.0,
        pgtol=0.0,
    )


OPTIMISERS: Mapping[str, Minimise] = {HOST: projected_lbfgs, SCIPY: scipy_lbfgs}
"""Those on the host: `lbfgs`, ours and made for pictures, and `scipy`, the reference."""

OPTIMISER_NAMES = (HOST, DEVICE, SCIPY)
"""All that a painting may ask for."""
