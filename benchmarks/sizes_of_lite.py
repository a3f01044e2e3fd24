"""What the width of the embedded network buys: size against quality.

    python benchmarks/sizes_of_lite.py OUT_DIR CONTENT:STYLE... --students runs/narrow/student.npz ... [--size 512]

The students are trained beforehand, alike but for their width, as
`python -m training.distil FOLDER... --run runs/narrow --width 0.5 --steps 800`; the `lite` of the package comes last.
Paints every pair with each of them and with VGG16, as `lite_against_vgg16.py` does, where *share* is explained. Prints
a table and writes OUT_DIR/sheet.jpg. Paintings that are there already are kept.
"""

import argparse
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lite_against_vgg16 import IMPASTO, contact_sheet, in_size, losses, painted, share

from impasto_engine.networks.weights import LITE_FILE


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare students of several widths.")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("pairs", nargs="+", metavar="CONTENT:STYLE")
    parser.add_argument("--students", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--size", type=int, default=512)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    students = {file.parent.name: file for file in asked.students} | {"lite": LITE_FILE}
    pairs = [tuple(Path(part) for part in pair.split(":")) for pair in asked.pairs]
    results = [compared(content, style, asked.size, students, asked.out) for content, style in pairs]
    print("| student | file | GFLOP | float32 | bfloat16 | " + " | ".join(r["name"] for r in results) + " |")
    print("|---|---:|---:|---:|---:|" + "---|" * len(results))
    for name, file in students.items():
        print(row(name, file, results, pairs[0], asked.size), flush=True)
    print("| vgg16 | | | | | " + " | ".join(pair_of(r["vgg16"]) for r in results) + " |")
    kinds = (*students, "vgg16")
    contact_sheet([[(kind, result[kind]["file"]) for kind in kinds] for result in results], asked.out / "sheet.jpg")


def compared(content: Path, style: Path, size: int, students: dict[str, Path], out: Path) -> dict[str, Any]:
    """All paintings of a pair, with their losses."""
    name = f"{content.stem}-{style.stem}-{size}"
    seen_content, seen_style = (in_size(own, size, out) for own in (content, style))

    def painting(kind: str, *options: str) -> dict[str, Any]:
        file = out / f"{name}-{kind}.png"
        return painted(content, style, seen_style, size, file, *options)

    result: dict[str, Any] = {"name": name, "start": losses(content, seen_style, seen_content)}
    result["vgg16"] = painting("vgg16", "--network", "vgg16")
    for student, file in students.items():
        result[student] = painting(student, "--network", "lite", "--weights", str(file))
    return result


def row(name: str, file: Path, results: Sequence[dict[str, Any]], pair: tuple[Path, ...], size: int) -> str:
    command = [IMPASTO, "bench", *map(str, pair), "--network", "lite", "--weights", str(file)]
    command += ["--sizes", str(size), "--repeats", "9", "--no-paint", "--json"]
    measured = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- our own command
    float32, bfloat16 = json.loads(measured.stdout)
    return (
        f"| {name} | {file.stat().st_size / 1e6:.1f} MB | {float32['flops'] / 1e9:.0f} | {float32['best_s']:.3f} s "
        f"| {bfloat16['best_s']:.3f} s | "
        + " | ".join(f"{pair_of(r[name])}, {share(r, r[name]['style']):.0%}" for r in results)
        + " |"
    )


def pair_of(painting: dict[str, Any]) -> str:
    return f"{painting['style']:.0f} + {painting['content']:.0f}"


if __name__ == "__main__":
    main()
