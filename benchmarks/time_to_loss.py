"""Seconds to a loss: the product, against SciPy at one scale and against the published script.

    python benchmarks/time_to_loss.py OUT_DIR CONTENT STYLE [--size 512] [--limit SECONDS]

Every way of painting is judged by the same loss: that of the recipe `impasto` through VGG16 in float32, of the picture
that it would give if it were stopped then, brought to one size. Judging is not part of the time; loading VGG16 is not
either, since all have to. Writes the picture of each way at each of the moments of `MOMENTS_S`, and prints a table.

- `default`: what a user with VGG16 gets: `lite` first, and VGG16 to polish.
- `vgg16`: the recipe `impasto` with VGG16 alone.
- `one scale`: the same loss at full size from the beginning, by SciPy's L-BFGS.
- `article`: the recipe of the Keras example of 2016 in float32, as published, with its own loss.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto_engine import (
    Painting,
    Progress,
    Settings,
    Style,
    evaluate,
    load_network,
    paint,
    read_picture,
    write_picture,
)
from impasto_engine.resample import fit, resize

Pixels = NDArray[np.float32]

MOMENTS_S = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180)
"""After so many seconds each way is looked at."""


MANY = 2000
"""Evaluations of those that are stopped at the last moment."""

Way = Callable[[Callable[[Progress], None], Callable[[], bool]], Painting]


class Look(NamedTuple):
    """A picture after some seconds."""

    seconds: float
    picture: Pixels


class Looking:
    """Keeps the picture of a painting at each of the moments, and stops it at the last; its own time does not count."""

    def __init__(self, limit_s: float) -> None:
        self.moments = [moment for moment in MOMENTS_S if moment <= limit_s]
        self.looks: list[Look] = []
        self._began = time.monotonic()
        self._spent_looking = 0.0

    def seconds(self) -> float:
        """Seconds painted."""
        return time.monotonic() - self._began - self._spent_looking

    def told(self, progress: Progress) -> None:
        """For `on_progress`."""
        seconds = self.seconds()
        if len(self.looks) < len(self.moments) and seconds >= self.moments[len(self.looks)]:
            picture = progress.preview()
            while len(self.looks) < len(self.moments) and seconds >= self.moments[len(self.looks)]:
                self.looks.append(Look(seconds, picture))
            self._spent_looking += self.seconds() - seconds

    def over(self) -> bool:
        """For `should_stop`."""
        return len(self.looks) == len(self.moments)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--limit", type=float, default=MOMENTS_S[-1])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    content, style = (read_picture(path).pixels[..., :3] for path in (arguments.content, arguments.style))
    judged_style = resize(style, *fit(*style.shape[:2], arguments.size))
    styles = [Style(pixels=style)]
    height, width = fit(*content.shape[:2], arguments.size)
    vgg16, lite = load_network("vgg16"), load_network("lite")

    def loss(picture: Pixels) -> float:
        return evaluate(content, [Style(pixels=judged_style)], resize(picture, height, width), vgg16).loss

    size = Settings(size=arguments.size)
    # One evaluation leaves no room for a coarser scale; the others are those of a polisher, which has full size only.
    one_scale = replace(size, evaluations=1, polish_evaluations=MANY, optimizer="scipy")
    article = Settings(recipe="article", precision="float32", evaluations=MANY)
    ways: dict[str, Way] = {
        "default": lambda told, over: paint(
            content, styles, lite, size, polisher=vgg16, on_progress=told, should_stop=over
        ),
        "vgg16": lambda told, over: paint(content, styles, vgg16, size, on_progress=told, should_stop=over),
        "one scale": lambda told, over: paint(
            content, styles, vgg16, one_scale, polisher=vgg16, on_progress=told, should_stop=over
        ),
        "article": lambda told, over: paint(content, styles, vgg16, article, on_progress=told, should_stop=over),
    }
    print(f"photograph: {loss(resize(content, height, width)):.0f}\n")
    courses = {}
    for name, way in ways.items():
        looking = Looking(arguments.limit)
        painting = way(looking.told, looking.over)
        end = Look(looking.seconds(), painting.pixels)
        # Who has finished keeps the finished picture.
        looks = looking.looks + [end] * (len(looking.moments) - len(looking.looks))
        courses[name] = [(moment, loss(look.picture)) for moment, look in zip(looking.moments, looks, strict=True)]
        for moment, look in zip(looking.moments, looks, strict=True):
            write_picture(arguments.out / f"{name.replace(' ', '-')}-{moment}s.png", look.picture)
        print(f"{name}: {end.seconds:.1f} s, {loss(end.picture):.1f}", flush=True)
    print(f"\n| s | {' | '.join(ways)} |\n|---:|{'---:|' * len(ways)}")
    for place, moment in enumerate(Looking(arguments.limit).moments):
        cells = " | ".join(f"{courses[name][place][1]:.0f}" for name in ways)
        print(f"| {moment} | {cells} |")


if __name__ == "__main__":
    main()
