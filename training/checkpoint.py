"""The state of a training run: variables of the model and of its optimiser, and the step."""

from pathlib import Path

import keras
import numpy as np

__all__ = ["restore", "save"]


def save(file: Path, model: keras.Model, step: int) -> None:
    """Writes the state so that a crash leaves the old file or the new one."""
    variables = {f"variable_{n}": keras.ops.convert_to_numpy(v) for n, v in enumerate(_variables(model))}
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, step=step, **variables)
    unfinished.replace(file)


def restore(file: Path, model: keras.Model) -> int:
    """Puts the state back and gives the step.

    Raises:
        SystemExit: The file belongs to a student of other widths.
    """
    with np.load(file) as saved:
        variables = _variables(model)
        shapes = [saved[f"variable_{n}"].shape for n in range(len(saved.files) - 1)]
        if shapes != [tuple(variable.shape) for variable in variables]:
            raise SystemExit(f"{file} was written for a student of other widths; give another --run.")
        for n, variable in enumerate(variables):
            variable.assign(saved[f"variable_{n}"])
        return int(saved["step"])


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.trainable_variables, *model.optimizer.variables]
