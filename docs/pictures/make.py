"""Makes the contact sheets of the documents, with the product itself, from pictures it may ship.

    python docs/pictures/make.py [SHEET...]

Photographs: scikit-image's `chelsea` (Stefan van der Walt, CC0), `coffee` (Rachel Michetti, CC0) and `rocket` (SpaceX,
CC0). Styles: those that come with Impasto. Needs the VGG16 weights, but for the sheet of the styles. A painting takes
half a minute on two cores, and is kept under `out/sheets`, so that a sheet that was interrupted goes on where it
stopped.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from impasto_engine import (
    Settings,
    Style,
    built_in_style,
    built_in_styles,
    load_network,
    paint,
    read_picture,
    reconstruct_content,
    reconstruct_style,
)
from impasto_engine.networks.network import Network

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "out" / "sheets"
STYLES = ("swirl", "woodcut", "watercolour", "mosaic")
PHOTOGRAPHS = ("chelsea", "coffee", "rocket")
BLOCKS = range(1, 6)
CELL_HEIGHT, GAP, CAPTION = 240, 6, 22

Pixels = NDArray[np.float32]
Cell = tuple[str, Callable[[], Pixels]]


@cache
def network() -> Network:
    """VGG16, loaded when the first painting asks for it."""
    return load_network("vgg16")


@cache
def lite() -> Network:
    """The network that comes with the package."""
    return load_network("lite")


def photograph(name: str) -> Pixels:
    """One of scikit-image's, `(H, W, 3)` in [0, 1]."""
    return np.asarray(getattr(data, name)(), np.float32) / 255.0


def style(name: str) -> Pixels:
    """One of our own, `(H, W, 3)` in [0, 1]."""
    return read_picture(built_in_style(name).file).pixels


def painted(
    photo: str, name: str, paints: Callable[[], Network] | None = None, *, polished: bool = False, **choices: object
) -> Callable[[], Pixels]:
    """A painting at 512 pixels, made when called: with VGG16, or with the network that `paints` gives."""
    settings = Settings.from_dict({"size": 512, **choices})
    return lambda: (
        paint(
            photograph(photo),
            [Style(pixels=style(name))],
            (paints or network)(),
            settings,
            polisher=network() if polished else None,
        ).pixels
    )


def styles() -> list[list[Cell]]:
    """Every style that comes with Impasto, in two rows."""
    cells: list[Cell] = [(each.name, lambda name=each.name: style(name)) for each in built_in_styles()]  # type: ignore[misc]
    return [cells[:3], cells[3:]]


def gallery() -> list[list[Cell]]:
    """Every photograph in every style."""
    first: list[Cell] = [("", lambda: np.ones((24, 36, 3), np.float32))]
    first += [(name, lambda name=name: style(name)) for name in STYLES]  # type: ignore[misc]
    rows = [first]
    for photo in PHOTOGRAPHS:
        own: list[Cell] = [(photo, lambda photo=photo: photograph(photo))]  # type: ignore[misc]
        rows.append([*own, *((f"{photo} in {name}", painted(photo, name)) for name in STYLES)])
    return rows


def choices() -> list[list[Cell]]:
    """What the settings do."""
    return [
        [(f"strength {value}", painted("chelsea", "swirl", strength=value)) for value in (0.2, 0.5, 0.8)],
        [(f"color {value}", painted("chelsea", "mosaic", color=value)) for value in ("style", "match", "luminance")],
        [
            ("init noise", painted("chelsea", "swirl", init="noise")),
            ("style scale 2", painted("chelsea", "swirl", style_scale=2.0)),
            ("pooling average", painted("chelsea", "swirl", pooling="average")),
        ],
    ]


def networks() -> list[list[Cell]]:
    """The same with `lite`, with `lite` polished by VGG16, and with VGG16 alone."""
    return [
        [
            (f"{photo} in {name}: lite", painted(photo, name, lite)),
            (f"{photo}: lite, polished", painted(photo, name, lite, polished=True)),
            (f"{photo}: vgg16", painted(photo, name)),
        ]
        for photo, name in (("chelsea", "swirl"), ("rocket", "pointillism"), ("coffee", "ink"))
    ]


def figure_1() -> list[list[Cell]]:
    """Reconstructions from noise, block by block, as in the paper's figure 1."""
    settings = Settings(size=256, evaluations=200)
    styles: list[Cell] = []
    contents: list[Cell] = []
    for block in BLOCKS:
        layer = f"block{block}_conv1"
        styles.append(
            (f"style to {layer}", lambda a=layer: reconstruct_style(style("swirl"), a, network(), settings).pixels)
        )  # type: ignore[misc]
        contents.append(
            (
                f"content of {layer}",
                lambda a=layer: reconstruct_content(photograph("chelsea"), a, network(), settings).pixels,
            )
        )  # type: ignore[misc]
    return [styles, contents]


def sheet(title: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Writes one contact sheet as JPEG."""
    font = ImageFont.load_default(14)
    strips = []
    for row in rows:
        images = [picture(title, caption, make) for caption, make in row]
        strip = Image.new("RGB", (sum(i.width + GAP for i in images) + GAP, CELL_HEIGHT + CAPTION), "white")
        left = GAP
        for image, (caption, _) in zip(images, row, strict=True):
            strip.paste(image, (left, CAPTION))
            ImageDraw.Draw(strip).text((left, 3), caption, "black", font)
            left += image.width + GAP
        strips.append(strip)
    whole = Image.new("RGB", (max(s.width for s in strips), sum(s.height for s in strips) + GAP), "white")
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    whole.save(HERE / f"{title}.jpg", quality=88)
    print(HERE / f"{title}.jpg")


def picture(title: str, caption: str, make: Callable[[], Pixels]) -> Image.Image:
    """A cell's picture at the height of a row, made once and then kept."""
    file = KEPT / f"{title} {caption or 'blank'}.png"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(make()[..., :3] * 255.0).astype(np.uint8)).save(file)
        print(file.name, flush=True)
    image = Image.open(file)
    return image.resize((round(image.width * CELL_HEIGHT / image.height), CELL_HEIGHT), Image.Resampling.LANCZOS)


SHEETS = {"styles": styles, "gallery": gallery, "networks": networks, "choices": choices, "figure-1": figure_1}

if __name__ == "__main__":
    for name in sys.argv[1:] or SHEETS:
        sheet(name, SHEETS[name]())
