"""Watercolour: a meadow in bright transparent washes.

The flowers come first and are reserved, as a painter leaves the white of the paper; ground and leaves go round them.
"""

from dataclasses import dataclass, replace

import numpy as np
from ground import DESIGN_SIZE_PX, FloatArray, finish, noise
from numpy.typing import NDArray
from washes import Mark, Sheet, absorbance

SKY = absorbance("fbd98a", "f3ea7a", "b9e29a", "86d8d8", "92bdf0", "bba6ee", "f5a9cf", "fbb6a0")
BLOSSOM = (
    absorbance("e4326e", "f2704a", "f7a6b8"),
    absorbance("f6a512", "f26a2e", "fbd64a"),
    absorbance("7d3fb0", "c23f9a", "5a66d8"),
    absorbance("2a62cc", "23a6cf", "7a5fd0"),
    absorbance("e63c2c", "f58b1f", "d42a5c"),
)
FOLIAGE = absorbance("6da626", "1f8f5e", "12899a", "b3b81c", "2e6f3a", "234a7a")
DARKS = absorbance("1d2c5e", "174a40", "4a1f52", "1c4f6b")
DEEPS = absorbance("e08a2c", "a8b424", "3f9c48", "0f9296", "2467bd", "5a48b0", "b03c94", "de5548")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One layer of large washes round the flowers.

    Attributes:
        count: How many.
        pigments: To choose from, in the order of their hues.
        strength: How much pigment.
        soft_px: Width of the rim, design pixels: 0 on dry paper, more on wet.
        keep_off: How far it is kept off the flowers, [0, 1].
    """

    count: int
    pigments: FloatArray
    strength: float
    soft_px: float
    keep_off: float


GROUNDS = (
    Ground(count=50, pigments=SKY, strength=0.6, soft_px=22, keep_off=0.8),
    Ground(count=40, pigments=SKY, strength=0.6, soft_px=0, keep_off=0.9),
    Ground(count=20, pigments=DEEPS, strength=0.62, soft_px=26, keep_off=0.97),
    Ground(count=20, pigments=DEEPS, strength=0.62, soft_px=0, keep_off=0.97),
)


def _pair(rng: np.random.Generator, pigments: FloatArray) -> FloatArray:
    return pigments[rng.choice(len(pigments), 2, replace=False)]


def _spread(rng: np.random.Generator, count: int, apart: float) -> NDArray[np.float64]:
    """Scatter up to `count` points over the picture and a little beyond, `apart` design pixels or more."""
    points: list[NDArray[np.float64]] = []
    for _ in range(count * 30):
        point = rng.uniform(-20, DESIGN_SIZE_PX + 20, 2)
        if all(np.hypot(*(point - other)) >= apart for other in points):
            points.append(point)
        if len(points) == count:
            break
    return np.array(points)


def drop(x: float, y: float, size: float, pigments: FloatArray, strength: float) -> Mark:
    """Shape one round drop."""
    return Mark(
        x=x - size / 2,
        y=y,
        angle=0,
        length=size,
        width=size,
        pigments=pigments,
        strength=strength,
        point=0.5,
        rough=0.25,
    )


def paint_flower(sheet: Sheet, rng: np.random.Generator, x: float, y: float, radius: float) -> None:
    """Paint petals round a centre, each a wash of its own, with darker touches from the heart outwards."""
    family = BLOSSOM[rng.integers(len(BLOSSOM))]
    petals = int(rng.integers(5, 9))
    turn = rng.uniform(0, 2 * np.pi)
    sheet.wash(drop(x, y, 0.45 * radius, _pair(rng, BLOSSOM[1]), 0.35), reserve=True)
    for petal in range(petals):
        angle = turn + 2 * np.pi * petal / petals + rng.normal(0, 0.12)
        length = radius * rng.uniform(0.8, 1.1)
        wash = Mark(
            x=x + 0.12 * radius * np.cos(angle),
            y=y + 0.12 * radius * np.sin(angle),
            angle=angle,
            length=length,
            width=length * rng.uniform(0.62, 0.9) * 5.5 / petals,
            fullness=1.35,
            bend=rng.normal(0, 0.12),
            pigments=_pair(rng, family),
            strength=rng.uniform(0.35, 0.85),
        )
        sheet.wash(wash, keep_off=0.75, reserve=True)
        for _ in range(2):
            touch = replace(
                wash,
                angle=angle + rng.normal(0, 0.16),
                length=length * rng.uniform(0.35, 0.75),
                width=length * rng.uniform(0.07, 0.16),
                strength=rng.uniform(0.5, 0.9),
                rough=0.5,
            )
            sheet.wash(touch)
    for _ in range(int(rng.integers(9, 16))):
        dot_x, dot_y = np.array((x, y)) + rng.normal(0, 0.13 * radius, 2)
        sheet.wash(drop(dot_x, dot_y, rng.uniform(2, 5), _pair(rng, DARKS), rng.uniform(0.7, 1.2)))


def paint_ground(sheet: Sheet, rng: np.random.Generator) -> None:
    """Fill the paper round the flowers: pale washes, then deep ones, in hues that drift across the picture."""
    climate = noise(rng, 64, 2, octaves=1)
    climate = (climate - climate.min()) / np.ptp(climate)
    for ground in GROUNDS:
        for x, y in _spread(rng, ground.count, 600 / np.sqrt(ground.count)):
            row, column = (int(np.clip(place / DESIGN_SIZE_PX, 0, 0.99) * 64) for place in (y, x))
            hue = int(1.2 + 4.3 * climate[row, column] + rng.normal(0, 0.5))
            reach = rng.uniform(90, 210)
            wash = Mark(
                x=x,
                y=y,
                angle=rng.uniform(0, 2 * np.pi),
                length=reach,
                width=reach * rng.uniform(0.45, 0.9),
                pigments=ground.pigments[[hue % len(ground.pigments), (hue + 1) % len(ground.pigments)]],
                strength=ground.strength * rng.uniform(0.6, 1.3),
                rough=6,
            )
            sheet.wash(wash, keep_off=ground.keep_off, soft_px=ground.soft_px)


def paint_leaves(sheet: Sheet, rng: np.random.Generator) -> None:
    """Put leaves and grasses between the flowers."""
    for x, y in _spread(rng, 330, 30):
        length = rng.uniform(28, 110)
        leaf = Mark(
            x=x,
            y=y,
            angle=-np.pi / 2 + rng.normal(0, 0.9),
            length=length,
            width=length * rng.uniform(0.16, 0.36),
            fullness=rng.uniform(0.8, 1.2),
            bend=rng.normal(0, 0.22),
            pigments=_pair(rng, FOLIAGE),
            strength=rng.uniform(0.35, 1.4),
        )
        sheet.wash(leaf, keep_off=0.97)
    for x, y in rng.uniform(0, 800, (100, 2)):
        blade = Mark(
            x=x,
            y=y,
            angle=-np.pi / 2 + rng.normal(0, 0.35),
            length=rng.uniform(40, 130),
            width=rng.uniform(2, 4.5),
            fullness=0.75,
            bend=rng.normal(0, 0.3),
            pigments=_pair(rng, DARKS),
            strength=rng.uniform(0.4, 1),
            rough=0.4,
        )
        sheet.wash(blade, keep_off=0.97)


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Paint the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    sheet = Sheet(rng, size)
    for x, y in _spread(rng, 20, 125):
        paint_flower(sheet, rng, x, y, rng.uniform(48, 92))
    for x, y in _spread(rng, 26, 90):
        paint_flower(sheet, rng, x, y, rng.uniform(16, 34))
    paint_ground(sheet, rng)
    paint_leaves(sheet, rng)
    for x, y in rng.uniform(0, DESIGN_SIZE_PX, (260, 2)):
        family = BLOSSOM[rng.integers(len(BLOSSOM))]
        sheet.wash(drop(x, y, rng.uniform(1.5, 4) ** 1.4, _pair(rng, family), rng.uniform(0.3, 0.9)))
    return finish(sheet.dried())
