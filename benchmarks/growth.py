"""How seconds and memory of an evaluation grow with the picture, whole and in tiles.

    python benchmarks/growth.py measure RESULTS.jsonl CONTENT STYLE --case NETWORK:PRECISION:MEGAPIXELS:BUDGET[:COUNT]
    python benchmarks/growth.py table RESULTS.jsonl
    python benchmarks/growth.py plot RESULTS.jsonl PLOT.svg

Each case paints CONTENT, enlarged to so many megapixels, at its full size only, in a process of its own, for COUNT
evaluations (4 unless given), and adds a line to the results; `--case` may be repeated. BUDGET is the memory budget in
GB; `whole` looks at the whole picture at once, whatever that takes. Plotting needs matplotlib.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

Case = dict[str, Any]

WHOLE = "whole"
ALL_THE_MEMORY = 10**15
LEAST_COUNT = 3


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("results", type=Path)
    measuring.add_argument("content", type=Path)
    measuring.add_argument("style", type=Path)
    measuring.add_argument("--case", action="append", required=True)
    for name in ("table", "plot"):
        command = commands.add_parser(name)
        command.add_argument("results", type=Path)
        if name == "plot":
            command.add_argument("picture", type=Path)
    commands.add_parser("one").add_argument("case")
    arguments = parser.parse_args()
    if arguments.command == "one":
        print(json.dumps(measured(json.loads(arguments.case))))
    elif arguments.command == "measure":
        for written in arguments.case:
            case = {"content": str(arguments.content), "style": str(arguments.style), **read(written)}
            result = in_a_process(case)
            print(row(result), flush=True)
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
    else:
        results = [json.loads(line) for line in arguments.results.read_text(encoding="utf-8").splitlines()]
        if arguments.command == "table":
            print(HEAD, *(row(result) for result in results), sep="\n")
        else:
            plot(results, arguments.picture)


def read(written: str) -> Case:
    """A case as the command line has it."""
    network, precision, megapixels, budget, *given = written.split(":")
    count = int(given[0]) if given else 4
    if count < LEAST_COUNT:
        raise SystemExit(f"{written} asks for {count} evaluations; ask for {LEAST_COUNT}, of which two can be timed.")
    return {
        "network": network,
        "precision": precision,
        "megapixels": float(megapixels),
        "budget_gb": None if budget == WHOLE else float(budget),
        "count": count,
    }


def in_a_process(case: Case) -> Case:
    """The result of a case."""
    command = [sys.executable, __file__, "one", json.dumps(case)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 -- this very file
    result: Case = json.loads(finished.stdout.splitlines()[-1])
    return {**{name: case[name] for name in ("network", "precision", "megapixels", "budget_gb")}, **result}


def measured(case: Case) -> Case:
    """Seconds an evaluation, peak memory, and the estimate of it, at full size."""
    import numpy as np

    from impasto_daemon.bench_case import peak_bytes
    from impasto_engine import Progress, Settings, Style, load_network, paint, read_picture
    from impasto_engine.budget import Demand, held_bytes, room_within
    from impasto_engine.budget import peak_bytes as estimated_bytes
    from impasto_engine.colour import Color
    from impasto_engine.networks.network import Edges, Pooling, Precision
    from impasto_engine.resample import resize

    network, precision = load_network(case["network"]), Precision(case["precision"])
    content, style = (read_picture(case[name]).pixels[..., :3] for name in ("content", "style"))
    scale = math.sqrt(case["megapixels"] * 1e6 / (content.shape[0] * content.shape[1]))
    height, width = round(content.shape[0] * scale), round(content.shape[1] * scale)
    content = np.clip(resize(content, height, width), 0.0, 1.0)
    budget_bytes = ALL_THE_MEMORY if case["budget_gb"] is None else int(case["budget_gb"] * 1e9)
    moments: list[float] = []

    def note(_: Progress) -> None:
        moments.append(time.monotonic())

    # One evaluation leaves no room for a coarser scale; the others are those of a polisher, which has full size only.
    settings = Settings(
        size="original", precision=precision.value, evaluations=1, polish_evaluations=max(case["count"] - 1, 1)
    )
    began = time.monotonic()
    paint(
        content,
        [Style(pixels=style)],
        network,
        settings,
        polisher=network,
        on_progress=note,
        memory_budget_bytes=budget_bytes,
    )
    taps = tuple(dict.fromkeys((*network.content_taps, *network.style_taps)))
    demand = Demand(
        extractor=network.extractor(taps, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=precision),
        content_taps=network.content_taps,
        height=height,
        width=width,
        held_bytes=held_bytes((network, network), height * width, Color.STYLE),  # the polisher is the network again
    )
    room = room_within(demand, budget_bytes)
    pairs = min(case["count"] - 2, room.history)
    so_far = room._replace(history=pairs)
    return {
        "height": height,
        "width": width,
        "crop": room.crop,
        "history": room.history,
        "evaluation_s": min(later - earlier for earlier, later in pairwise(moments[1:])),
        "preparing_s": moments[0] - began,
        "peak_bytes": peak_bytes(),
        "estimated_bytes": estimated_bytes(demand, so_far),
        "whole_estimate_bytes": estimated_bytes(demand, room),
        "pairs": pairs,
    }


HEAD = (
    "| network | type | MP | budget | crop | pairs | s/evaluation | peak | estimate | off | for a whole painting |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def row(result: Case) -> str:
    """A line of the table."""
    budget = WHOLE if result["budget_gb"] is None else f"{result['budget_gb']:g} GB"
    peak, estimated = result["peak_bytes"], result["estimated_bytes"]
    cells = (
        result["network"],
        result["precision"],
        f"{result['megapixels']:g}",
        budget,
        result["crop"] or WHOLE,
        f"{result['pairs']} of {result['history']}",
        f"{result['evaluation_s']:.2f}",
        f"{peak / 1e9:.2f} GB",
        f"{estimated / 1e9:.2f} GB",
        f"{estimated / peak - 1.0:+.0%}",
        f"{result['whole_estimate_bytes'] / 1e9:.2f} GB",
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def plot(results: list[Case], picture: Path) -> None:
    """Seconds and memory against megapixels."""
    from matplotlib import pyplot as plt

    lines: dict[tuple[str, str, bool], list[Case]] = defaultdict(list)
    for result in results:
        lines[result["network"], result["precision"], result["crop"] is None].append(result)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    colours = {"lite": "tab:blue", "vgg16": "tab:red"}
    for (network, precision, whole), cases in sorted(lines.items()):
        cases.sort(key=lambda each: (each["megapixels"], each["peak_bytes"]))
        style = {
            "label": f"{network}, {precision}{'' if whole else ', in tiles'}",
            "color": colours.get(network),
            "linestyle": "-" if precision == "bfloat16" else ":",
            "marker": "o" if precision == "bfloat16" else "^",
            "fillstyle": "full" if whole else "none",
        }
        sizes = [each["megapixels"] for each in cases]
        left.plot(sizes, [each["evaluation_s"] for each in cases], **style)
        right.plot(sizes, [each["peak_bytes"] / 1e9 for each in cases], **style)
    for axes, what in ((left, "seconds an evaluation"), (right, "peak memory, GB")):
        axes.set(xlabel="megapixels", ylabel=what, xscale="log", yscale="log")
        axes.grid(visible=True, which="both", alpha=0.25)
    left.legend(fontsize=8)
    figure.savefig(picture)


if __name__ == "__main__":
    main()
