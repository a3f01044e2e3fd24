"""Paint the style pictures: `python examples/styles/paint_styles.py OUT_DIR [--size 768] [--only NAME]`.

The same size and seed always give the same picture. With `daemon/impasto_engine/styles` for OUT_DIR it paints anew what
is shipped. Needs numpy, scipy and Pillow, nothing of Impasto.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ink
import mosaic
import numpy as np
import pointillism
import swirl
import watercolour
import woodcut
from ground import DESIGN_SIZE_PX
from numpy.typing import NDArray
from PIL import Image

JPEG = {"quality": 82, "optimize": True, "progressive": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One style.

    Attributes:
        paint: Paints the picture of a size in pixels and a seed, `(size, size, 3)` uint8, sRGB.
        seed: The seed of the picture that is shipped.
    """

    paint: Callable[[int, int], NDArray[np.uint8]]
    seed: int


STYLES = {
    "swirl": Style(paint=swirl.paint, seed=4),
    "woodcut": Style(paint=woodcut.paint, seed=2),
    "watercolour": Style(paint=watercolour.paint, seed=7),
    "mosaic": Style(paint=mosaic.paint, seed=3),
    "pointillism": Style(paint=pointillism.paint, seed=1),
    "ink": Style(paint=ink.paint, seed=3),
}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and paint what it asks for."""
    parser = argparse.ArgumentParser(description="Paint the style pictures.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR", help="folder for the pictures, NAME.jpg each")
    parser.add_argument("--size", type=int, default=DESIGN_SIZE_PX, help="width and height, pixels (%(default)s)")
    parser.add_argument("--seed", type=int, help="another picture in the same style")
    parser.add_argument("--only", choices=STYLES, help="paint this style alone")
    asked = parser.parse_args(arguments)
    asked.out_dir.mkdir(parents=True, exist_ok=True)
    for name in [asked.only] if asked.only else STYLES:
        style = STYLES[name]
        begun = time.perf_counter()
        picture = style.paint(asked.size, style.seed if asked.seed is None else asked.seed)
        path = asked.out_dir / f"{name}.jpg"
        Image.fromarray(picture).save(path, **JPEG)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
