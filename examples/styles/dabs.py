"""Round dabs of thick paint: the touch of a small brush set down once and lifted.

A dab pushes the paint outwards into a rim and keeps the marks of the bristles; what lies beneath shows between dabs and
hardly mixes with them. Nothing is mixed on the palette either: a dab has one of the pure colours of what it paints.
"""

from dataclasses import dataclass

import numpy as np
from ground import FloatArray, noise
from oil import Canvas

ROUNDNESS = 2.6  # the exponent of the dab's outline: 2 for an ellipse, more for a squarer one
FILLING = 0.7  # the share of the relief beneath that a dab levels out


@dataclass(frozen=True, slots=True, kw_only=True)
class Dab:
    """One touch of the brush; lengths in canvas pixels.

    Attributes:
        x: Across, of the middle.
        y: Down, of the middle.
        angle: Direction of its longer side, radians.
        length: Of its longer side.
        width: Of its shorter side.
        thickness: Height of the paint, design pixels.
        colour: `(3,)` float32, sRGB, [0, 1].
    """

    x: float
    y: float
    angle: float
    length: float
    width: float
    thickness: float
    colour: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a part of the scene is painted with.

    Attributes:
        colours: From shadow to light, `(n, 3)` float32, sRGB.
        sparks: The opposite colours, `(m, 3)` float32, sRGB.
        chance: Of a spark, [0, 1].
        spread: How far a dab strays from the tone of its place, in colours.
    """

    colours: FloatArray
    sparks: FloatArray
    chance: float
    spread: float


class DabCanvas(Canvas):
    """A canvas that takes dabs as well as strokes."""

    def __init__(self, rng: np.random.Generator, size: int, tone: FloatArray) -> None:
        super().__init__(rng, size, tone)
        self._fringe = noise(rng, self.side, 110, octaves=2)
        self._marks = noise(rng, self.side, 330, octaves=1)

    def touch(self, dab: Dab) -> None:
        """Set one dab down on what is there."""
        reach = 0.62 * max(dab.length, dab.width) + 1
        rows, columns = (
            slice(max(int(middle - reach), 0), min(int(middle + reach) + 2, self.side)) for middle in (dab.y, dab.x)
        )
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        dx = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(dab.x)
        dy = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(dab.y)
        cos, sin = np.float32(np.cos(dab.angle)), np.float32(np.sin(dab.angle))
        along = np.abs(dx * cos + dy * sin) / np.float32(0.5 * dab.length)
        across = np.abs(dy * cos - dx * sin) / np.float32(0.5 * dab.width)
        out = (along**ROUNDNESS + across**ROUNDNESS) ** np.float32(1 / ROUNDNESS)
        out = out * (1 + 0.09 * self._fringe[rows, columns])
        cover = np.clip((1 - out) * np.float32(0.5 * dab.width), 0, 1)
        marks = self._marks[rows, columns]
        body = 0.75 + 0.3 * np.exp(-(((out - 0.7) / 0.22) ** 2)) + 0.16 * marks
        height = self.height[rows, columns]
        height += cover * (np.float32(dab.thickness * self.scale) * body - FILLING * height)
        colour = self.colour[rows, columns]
        paint = dab.colour * (0.97 + 0.05 * marks)[..., None]
        colour += (0.96 * cover)[..., None] * (paint - colour)


def mix(rng: np.random.Generator, material: Material, tone: float, division: float) -> FloatArray:
    """Take one pure colour for a dab, `(3,)` float32, sRGB.

    Args:
        rng: Where the random numbers come from.
        material: What is painted.
        tone: Shadow to light, [0, 1].
        division: How far colours stray and how often sparks fall, over the material's own.
    """
    if rng.uniform() < material.chance * division:
        colour = material.sparks[rng.integers(len(material.sparks))]
    else:
        step = tone * (len(material.colours) - 1) + rng.normal(0, material.spread * division)
        colour = material.colours[int(np.clip(np.rint(step), 0, len(material.colours) - 1))]
    return np.clip(colour + rng.normal(0, 0.015, 3), 0, 1).astype(np.float32)
