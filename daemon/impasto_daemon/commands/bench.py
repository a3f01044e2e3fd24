"""`impasto bench`: what painting costs on this machine, each case in a process of its own."""

import json
import math
import statistics
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.style_image import style_image
from impasto_daemon.commands.wording import memory, sides

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bench"]

_LOSS_TOLERANCE = 1.02
"""The loss to be reached is that of the size's first painting, the one in the first precision, times this."""

_Case = dict[str, Any]


def bench(
    content: Annotated[Path | None, typer.Argument(help="A content image; noise where none is given.")] = None,
    style: Annotated[
        str | None, typer.Argument(help="A style image, or a built-in style's name; noise where none is given.")
    ] = None,
    network: options.NetworkName = None,
    weights: options.WeightsFile = None,
    sizes: Annotated[str, typer.Option(help="Pixels of the longer side, with commas between.")] = "256,512,1024",
    precisions: Annotated[str, typer.Option(help="Precisions, with commas between.")] = "float32,bfloat16",
    repeats: Annotated[int, typer.Option(min=1, help="Evaluations to time in each case.")] = 5,
    paint: Annotated[bool, typer.Option(help="Paint whole pictures too, for the time to a given loss.")] = True,
    evaluations: options.Evaluations = None,
    as_json: options.Json = False,
) -> None:
    """Measure seconds, memory and arithmetic of an evaluation, and the time to a given loss."""
    cases = [
        {
            "content": None if content is None else str(content),
            "style": None if style is None else str(style_image(style).path),
            "network": network or "auto",
            "weights": None if weights is None else str(weights),
            "size": size,
            "precision": precision,
            "repeats": repeats,
            "paint": paint,
            "evaluations": evaluations,
        }
        for size, precision in product(_sizes(sizes), precisions.split(","))
    ]
    results = []
    for case in cases:
        typer.echo(f"{case['size']} px, {case['precision']} …", err=True)
        results.append(_measured(case))
    _add_time_to_loss(results)
    if as_json:
        typer.echo(json.dumps([{k: v for k, v in result.items() if k != "course"} for result in results], indent=1))
    else:
        _print_table(results)


def _sizes(written: str) -> list[int]:
    try:
        return [int(size) for size in written.split(",")]
    except ValueError:
        raise Refused(f"The sizes are {written!r}; give numbers of pixels with commas between, as 256,512.") from None


def _measured(case: _Case) -> _Case:
    command = [sys.executable, "-m", "impasto_daemon.bench_case", json.dumps(case)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own module
    if finished.returncode != 0:
        last = (finished.stderr.strip() or "no word").splitlines()[-1]
        raise Refused(f"The case {case['size']} px in {case['precision']} failed: {last}")
    measured: _Case = json.loads(finished.stdout.splitlines()[-1])
    return {"size": case["size"], **measured}


def _add_time_to_loss(results: "Sequence[_Case]") -> None:
    goals: dict[int, float] = {}
    for result in results:
        if "course" not in result:
            continue
        last_scale = [(s, loss) for s, scale, scales, loss in result["course"] if scale == scales]
        goal = goals.setdefault(result["size"], _LOSS_TOLERANCE * min(loss for _, loss in last_scale))
        result["goal_loss"] = goal
        result["final_loss"] = min(loss for _, loss in last_scale)
        result["evaluation_to_next_s"] = _to_next(result["course"])
        result["to_goal_s"] = min((s for s, loss in last_scale if loss <= goal), default=math.inf)


def _to_next(course: "Sequence[tuple[float, int, int, float]]") -> float | None:
    """Median seconds from one evaluation at full size to the next, the step included; None where there is but one."""
    moments = [s for s, scale, scales, _ in course if scale == scales]
    return statistics.median(later - earlier for earlier, later in pairwise(moments)) if len(moments) > 1 else None


def _print_table(results: "Sequence[_Case]") -> None:
    from rich.console import Console
    from rich.table import Table

    head = ("picture", "precision", "s/evaluation", "first", "GFLOP", "GFLOP/s", "of matmul's", "memory")
    painted = ("painting", "to the next", "its memory", "loss", "s to loss") if "course" in results[0] else ()
    table = Table(*head, *painted)
    for r in results:
        speed = r["flops"] / r["median_s"]
        row = [
            sides(r["height"], r["width"]),
            r["precision"],
            f"{r['median_s']:.3f}",
            f"{r['first_s']:.2f}",
            f"{r['flops'] / 1e9:.0f}",
            f"{speed / 1e9:.0f}",
            f"{speed / r['matmul_flops_per_s']:.0%} of {r['matmul_flops_per_s'] / 1e9:.0f}",
            _memory(r["evaluation_peak_bytes"]),
        ]
        if painted:
            goal = f"{r['goal_loss']:.1f}: {r['to_goal_s']:.0f}"
            to_next = "" if r["evaluation_to_next_s"] is None else f"{r['evaluation_to_next_s']:.3f}"
            memory_then = _memory(r["painting_peak_bytes"])
            row += [f"{r['painting_s']:.0f} s", to_next, memory_then, f"{r['final_loss']:.1f}", goal]
        table.add_row(*row)
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def _memory(size_bytes: int | None) -> str:
    return "unknown" if size_bytes is None else memory(size_bytes)
