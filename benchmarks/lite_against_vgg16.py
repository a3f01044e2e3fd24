"""How near `lite` comes to VGG16, in VGG16's own eyes, and in what time.

    python benchmarks/lite_against_vgg16.py OUT_DIR CONTENT:STYLE... [--size 512]

Paints every pair with the `impasto` command, each time in a process of its own that is timed from its start to the
finished file: with VGG16 alone, with `lite` alone at three strengths, and with `lite` polished by VGG16; and with VGG16
alone in as many evaluations as take the time of the polished painting. `impasto evaluate --network vgg16` judges all of
them, beside the style image in the size in which it was seen.

*Share* is the part of VGG16's own reduction of the style loss that `lite` reaches, in logarithms,
`ln(D₀ / D_lite) / ln(D₀ / D_vgg16)` with D₀ the style loss of the photograph. *At equal content* is the same where the
curve of `lite` over its strengths, extended in a straight line if need be, has the content loss of VGG16's painting.

Writes OUT_DIR/results.json and OUT_DIR/sheet.jpg, and prints a table. Paintings that are there already are kept.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

STRENGTHS = (0.5, 0.35, 0.2)
IMPASTO = str(Path(sys.executable).with_name("impasto"))
CELL_WIDTH, CAPTION, GAP = 400, 22, 6


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare lite with VGG16.")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("pairs", nargs="+", metavar="CONTENT:STYLE")
    parser.add_argument("--size", type=int, default=512)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print("style + content loss, seconds from start to file")
    print(
        "| pair | photograph | VGG16 | s | lite | s | share | same content | polished | s | share | VGG16 as long | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    results = []
    for pair in asked.pairs:
        content, style = (Path(part) for part in pair.split(":"))
        results.append(compared(content, style, asked.size, asked.out))
        (asked.out / "results.json").write_text(json.dumps(results, indent=1))
        print(row(results[-1]), flush=True)
    sheet(results, asked.out / "sheet.jpg")


def compared(content: Path, style: Path, size: int, out: Path) -> dict[str, Any]:
    """All paintings of a pair, with their losses and times."""
    name = f"{content.stem}-{style.stem}-{size}"
    seen_content, seen_style = (in_size(own, size, out) for own in (content, style))

    def painting(kind: str, *options: str) -> dict[str, Any]:
        return painted(content, style, seen_style, size, out / f"{name}-{kind}.png", *options)

    result = {
        "name": name,
        "start": losses(content, seen_style, seen_content),
        "vgg16": painting("vgg16", "--network", "vgg16"),
        "lite": [painting(f"lite-{s}", "--network", "lite", "--strength", str(s)) for s in STRENGTHS],
        "polished": painting("polished", "--network", "lite", "--polish", "vgg16"),
    }
    evaluations = round(300 * (result["polished"]["seconds"] - 5.0) / (result["vgg16"]["seconds"] - 5.0))
    result["vgg16 as long"] = painting(
        "vgg16-as-long", "--network", "vgg16", "--evaluations", str(max(evaluations, 3))
    ) | {"evaluations": evaluations}
    return result


def painted(content: Path, style: Path, seen_style: Path, size: int, file: Path, *options: str) -> dict[str, Any]:
    """A painting by a process of its own, with its seconds and with its losses in VGG16's eyes."""
    record = file.with_suffix(".json")
    if not record.exists():
        command = [IMPASTO, "stylize", str(content), str(style), "-o", str(file), "--size", str(size), *options]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- our own command
        seconds = time.monotonic() - began
        record.write_text(json.dumps({"seconds": seconds, **losses(content, seen_style, file)}))
    return {"file": str(file), **json.loads(record.read_text())}


def in_size(own: Path, size: int, out: Path) -> Path:
    """The picture as a painting of this size sees it."""
    seen = out / f"{own.stem}-{size}.png"
    with Image.open(own) as picture:
        scale = size / max(picture.size)
        small = (round(picture.width * scale), round(picture.height * scale))
        picture.convert("RGB").resize(small, Image.Resampling.LANCZOS).save(seen)
    return seen


def losses(content: Path, style: Path, picture: Path) -> dict[str, float]:
    """Content and style loss of a picture as VGG16 sees it."""
    command = [IMPASTO, "evaluate", str(content), str(style), str(picture), "--network", "vgg16", "--json"]
    judged = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- our own command
    found = json.loads(judged.stdout)
    return {"loss": found["loss"], **found["terms"]}


def share(result: dict[str, Any], style_loss: float) -> float:
    """The part of VGG16's own reduction of the style loss, in logarithms."""
    start = result["start"]["style"]
    return math.log(start / style_loss) / math.log(start / result["vgg16"]["style"])


def share_at_equal_content(result: dict[str, Any]) -> float:
    """Where log style loss over log content loss, fitted through the three strengths, meets VGG16's content loss."""
    x, y = (np.log([each[term] for each in result["lite"]]) for term in ("content", "style"))
    slope, offset = np.polyfit(x, y, 1)
    return share(result, math.exp(slope * math.log(result["vgg16"]["content"]) + offset))


def row(r: dict[str, Any]) -> str:
    lite, vgg16, polished, as_long = r["lite"][0], r["vgg16"], r["polished"], r["vgg16 as long"]

    def pair(of: dict[str, Any]) -> str:
        return f"{of['style']:.0f} + {of['content']:.0f}"

    return (
        f"| {r['name']} | {pair(r['start'])} | {pair(vgg16)} | {vgg16['seconds']:.0f} | {pair(lite)} "
        f"| {lite['seconds']:.0f} | {share(r, lite['style']):.0%} | {share_at_equal_content(r):.0%} "
        f"| {pair(polished)} | {polished['seconds']:.0f} | {share(r, polished['style']):.0%} "
        f"| {pair(as_long)} | {as_long['seconds']:.0f} |"
    )


def sheet(results: Sequence[dict[str, Any]], file: Path) -> None:
    """`lite`, polished, and VGG16 side by side, a row for each pair."""
    kinds = (
        ("lite", lambda r: r["lite"][0]),
        ("lite, polished", lambda r: r["polished"]),
        ("vgg16", lambda r: r["vgg16"]),
    )
    contact_sheet(
        [
            [(f"{caption}, {of(result)['seconds']:.0f} s", of(result)["file"]) for caption, of in kinds]
            for result in results
        ],
        file,
    )


def contact_sheet(rows: Sequence[Sequence[tuple[str, str]]], file: Path) -> None:
    """Pictures, as captions and files, side by side in rows."""
    font = ImageFont.load_default(14)
    made = []
    for row in rows:
        cells = []
        for caption, picture_file in row:
            with Image.open(picture_file) as picture:
                small = picture.convert("RGB").resize(
                    (CELL_WIDTH, round(picture.height * CELL_WIDTH / picture.width)), Image.Resampling.LANCZOS
                )
            cell = Image.new("RGB", (CELL_WIDTH + GAP, small.height + CAPTION + GAP), "white")
            cell.paste(small, (0, CAPTION))
            ImageDraw.Draw(cell).text((2, 2), caption, "black", font)
            cells.append(cell)
        strip = Image.new("RGB", (sum(cell.width for cell in cells), cells[0].height), "white")
        for n, cell in enumerate(cells):
            strip.paste(cell, (n * cells[0].width, 0))
        made.append(strip)
    whole = Image.new("RGB", (made[0].width, sum(strip.height for strip in made)), "white")
    top = 0
    for strip in made:
        whole.paste(strip, (0, top))
        top += strip.height
    whole.save(file, quality=88)


if __name__ == "__main__":
    main()
