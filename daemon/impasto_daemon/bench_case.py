"""One case of `impasto bench`, in a process of its own, so that its peak memory is its own.

    python -m impasto_daemon.bench_case '{"size": 512, "precision": "float32", ...}'

Prints one JSON object.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto_daemon.commands.quiet_start import start_keras

if TYPE_CHECKING:
    from impasto_engine.types import Pixels

__all__ = ["main"]

_NOISE_SIDE = 1024
"""Pixels of the pictures made up where none are given."""


def main(case: dict[str, Any]) -> dict[str, Any]:
    """Measures one case.

    Args:
        case: `content` and `style` (paths, or None for noise), `network`, `weights` (a path or None), `size`,
            `precision`, `repeats`, and `paint`: whether to paint the whole picture too, with `evaluations` (None for
            the recipe's own number).

    Returns:
        The cost of an evaluation, the peak memory after it, the machine's peak of arithmetic, and of the painting its
        evaluations as `[seconds, scale, scales, best loss]`.
    """
    start_keras()
    from impasto_engine import Progress, Settings, Style, load_network, paint
    from impasto_engine.measure import matmul_peak, measure_evaluation
    from impasto_engine.networks.network import Precision

    weights = None if case["weights"] is None else Path(case["weights"])
    network = load_network(case["network"], weights)
    content, style = _picture(case["content"], seed=1, smoothness=2.0), _picture(case["style"], seed=2, smoothness=1.0)
    settings = Settings(size=case["size"], precision=case["precision"], evaluations=case["evaluations"])
    cost = measure_evaluation(content, style, network, settings, repeats=case["repeats"], clock=time.perf_counter)
    result = {
        **asdict(cost),
        "evaluation_peak_bytes": peak_bytes(),
        "matmul_flops_per_s": matmul_peak(Precision(cost.precision)),
    }
    if case["paint"]:
        course: list[tuple[float, int, int, float]] = []

        def note(progress: Progress) -> None:
            course.append((progress.seconds, progress.scale, progress.scales, progress.best_loss))

        painting = paint(content, [Style(pixels=style)], network, settings, on_progress=note)
        result |= {"course": course, "painting_s": painting.seconds, "painting_peak_bytes": peak_bytes()}
    return result


def peak_bytes() -> int | None:
    """The most memory that this process has held at once; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def _picture(path: str | None, *, seed: int, smoothness: float) -> "Pixels":
    """The picture of that file, or coloured noise whose amplitude falls with frequency, as a photograph's does."""
    import numpy as np

    if path is not None:
        from impasto_engine import read_picture

        return read_picture(path).pixels[..., :3]
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(_NOISE_SIDE), np.fft.rfftfreq(_NOISE_SIDE), indexing="ij"))
    amplitudes = 1.0 / np.maximum(frequencies, 1.0 / _NOISE_SIDE) ** smoothness
    phases = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, (3, *amplitudes.shape))
    planes = np.fft.irfft2(amplitudes * np.exp(1j * phases), axes=(1, 2))
    lowest, highest = planes.min(axis=(1, 2), keepdims=True), planes.max(axis=(1, 2), keepdims=True)
    noise: Pixels = np.moveaxis((planes - lowest) / (highest - lowest), 0, -1).astype(np.float32)
    return noise


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
