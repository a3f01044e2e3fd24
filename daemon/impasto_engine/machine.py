"""What was measured once on this machine and is remembered: how fast it convolves in each precision.

The measurement is one convolution like those in the middle of VGG, with its gradient. It takes a second, is kept in
the user's cache folder, and is taken again when the processor, the backend or its version change.
"""

import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from impasto_engine import backend
from impasto_engine.networks.network import Precision
from impasto_engine.settings import AUTO
from impasto_engine.types import Tensor, Tree

__all__ = ["convolution_flops_per_s", "resolve_precision"]

BFLOAT16_GAIN = 1.2
"""bfloat16 must be faster by this factor to be chosen: its rounding is only worth a real gain."""

_SIDE, _CHANNELS, _REPEATS = 96, 128, 3

Measure = Callable[[Precision], float]


def resolve_precision(precision: str, *, memory: Path | None = None, measure: Measure | None = None) -> Precision:
    """The precision to compute in: the one named, or for `auto` the one that is faster on this machine.

    Args:
        precision: `auto`, `float32` or `bfloat16`.
        memory: The file that remembers; None for the one in the user's cache folder.
        measure: Gives the speed of a precision; None to measure it.
    """
    if precision != AUTO:
        return Precision(precision)
    fast = convolution_flops_per_s(Precision.BFLOAT16, memory=memory, measure=measure)
    safe = convolution_flops_per_s(Precision.FLOAT32, memory=memory, measure=measure)
    return Precision.BFLOAT16 if fast > BFLOAT16_GAIN * safe else Precision.FLOAT32


def convolution_flops_per_s(
    precision: Precision, *, memory: Path | None = None, measure: Measure | None = None
) -> float:
    """Floating-point operations a second of a convolution with its gradient, measured once and then remembered."""
    memory = memory or Path(platformdirs.user_cache_dir("impasto", appauthor=False)) / "machine.json"
    remembered = _read(memory)
    key = f"{_identity()} {precision.value}"
    if key not in remembered:
        remembered[key] = (measure or _measure)(precision)
        _write(memory, remembered)
    return float(remembered[key])


def _identity() -> str:
    import keras

    return " ".join(
        [
            platform.node(),
            platform.machine(),
            str(os.cpu_count()),
            backend.current().device(),
            keras.backend.backend(),
            keras.__version__,
        ]
    )


def _measure(precision: Precision) -> float:
    from keras import ops

    random = np.random.default_rng(0)
    kernel = random.normal(size=(3, 3, _CHANNELS, _CHANNELS)).astype(np.float32)
    arguments = {"kernels": backend.current().kernels(ops.cast(kernel, precision.value))}
    picture = random.normal(size=(1, _SIDE, _SIDE, _CHANNELS)).astype(np.float32)

    def terms(x: Tensor, parameters: Tree) -> Tensor:
        features = ops.cast(x, precision.value)
        for _ in range(2):
            features = ops.relu(backend.current().convolve(features, parameters["kernels"]))
        return ops.reshape(ops.mean(ops.square(ops.cast(features, "float32"))), (1,))

    compiled = backend.current().compile_gradient(terms)
    compiled(picture, arguments)
    best_s = min(_timed(lambda: compiled(picture, arguments)) for _ in range(_REPEATS))
    return 2 * 2 * 2 * kernel.size * _SIDE * _SIDE / best_s


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _read(memory: Path) -> dict[str, float]:
    try:
        values = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in values.items() if isinstance(v, int | float)} if isinstance(values, dict) else {}


def _write(memory: Path, values: dict[str, float]) -> None:
    """Remembers, if it can: a read-only cache folder only means measuring again next time."""
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        beside = memory.with_name(f"{memory.name}.{os.getpid()}")
        beside.write_text(json.dumps(values, indent=1), encoding="utf-8")
        beside.replace(memory)
