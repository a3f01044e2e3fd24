"""The student as the engine reads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.beginning import Kernels

__all__ = ["write_student"]


def write_student(
    file: Path, kernels: Kernels, readings: Mapping[str, NDArray[np.float32]], about: Mapping[str, Any]
) -> None:
    """Writes kernels and readings; see `impasto_engine.networks.lite` for what is in the file.

    Kernels are rounded to 255 steps for each output channel, which keeps them within about 1 % and leaves features as
    they are, but for a thousandth of their variance; the file is half as large as in float16.

    Args:
        file: Where to, `.npz`.
        kernels: The student's kernels and biases.
        readings: For each layer the matrix Q `(student's channels, teacher's channels)`.
        about: How the student was made.
    """
    arrays: dict[str, NDArray[Any]] = {"about": np.array(json.dumps(about))}
    for layer, (kernel, bias) in kernels.items():
        scale = np.maximum(np.abs(kernel).max(axis=(0, 1, 2)), np.finfo(np.float32).tiny) / 127.0
        arrays[f"{layer}/kernel"] = np.rint(kernel / scale).astype(np.int8)
        arrays[f"{layer}/scale"] = scale.astype(np.float32)
        arrays[f"{layer}/bias"] = bias.astype(np.float32)
    for layer, reading in readings.items():
        arrays[f"{layer}/reading"] = square_root(reading @ reading.T).astype(np.float16)
        arrays[f"{layer}/channels"] = np.array(reading.shape[1])
    unfinished = file.with_suffix(".part.npz")
    np.savez_compressed(unfinished, **arrays)
    unfinished.replace(file)


def square_root(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The symmetric R with `R R = matrix`, for a symmetric positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix.astype(np.float64))
    return ((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T).astype(np.float32)
