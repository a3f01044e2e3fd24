"""Thick oil paint: strokes of a bristle brush on a toned canvas, and the light that falls on them.

A stroke is a bent band. Its bristles run along it; they leave furrows, carry two colours that never quite mix, pick
up some of the wet paint beneath and run dry towards the end.
"""

from dataclasses import dataclass

import numpy as np
from ground import SUPERSAMPLE, FloatArray, canvas_scale, noise, rank, relief, smoothstep, to_linear
from scipy import ndimage

SHEET_ROWS, SHEET_COLUMNS = 1024, 512
FILLING = 0.55  # the share of the relief beneath that fresh paint levels out


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One touch of the brush; lengths in canvas pixels.

    Attributes:
        x: Across, of the middle.
        y: Down, of the middle.
        angle: Direction of the brush, radians.
        bend: Curvature, radians a canvas pixel.
        length: From first touch to last.
        width: Of the brush.
        thickness: Height of the paint, design pixels.
        colours: The two colours on the brush, `(2, 3)` float32, sRGB, [0, 1].
        wetness: Share of the paint beneath that is picked up, [0, 1].
        bristles: Row and column of the bristle sheet under the middle of the stroke.
    """

    x: float
    y: float
    angle: float
    bend: float
    length: float
    width: float
    thickness: float
    colours: FloatArray
    wetness: float
    bristles: tuple[int, int]


def bristle_sheets(rng: np.random.Generator, scale: float) -> FloatArray:
    """Make two sheets of bristle marks, [0, 1]: rows lie across the stroke, columns along it; both wrap round."""
    sheets = rng.standard_normal((2, SHEET_ROWS, SHEET_COLUMNS)).astype(np.float32)
    fine = ndimage.gaussian_filter(sheets, (0, 0.6 * scale, 20 * scale), mode="wrap")
    coarse = ndimage.gaussian_filter(sheets, (0, 2.0 * scale, 30 * scale), mode="wrap")
    mixed = fine / fine.std() + 0.6 * coarse / coarse.std()
    return np.stack([rank(sheet) for sheet in mixed])


class Canvas:
    """A canvas with wet paint on it.

    Attributes:
        side: Width and height, canvas pixels.
        scale: Canvas pixels in a design pixel.
        colour: `(side, side, 3)` float32, sRGB, [0, 1].
        height: `(side, side)` float32, canvas pixels.
    """

    def __init__(self, rng: np.random.Generator, size: int, tone: FloatArray) -> None:
        self.side, self.scale = size * SUPERSAMPLE, canvas_scale(size)
        self._sheets = bristle_sheets(rng, self.scale)
        weave = noise(rng, self.side, 230, octaves=1)
        self.height = 0.12 * np.float32(self.scale) * weave
        self.colour = tone * (1 + 0.05 * noise(rng, self.side, 12)[..., None])

    def lay(self, stroke: Stroke) -> None:
        """Drag one stroke over what is there."""
        found = self._under(stroke)
        if found is None:
            return
        at, along, across = found
        u = along / np.float32(stroke.length)
        v = across / np.float32(0.5 * stroke.width)
        row = (across + stroke.bristles[0]).astype(np.intp) % SHEET_ROWS
        column = (along + stroke.bristles[1]).astype(np.intp) % SHEET_COLUMNS
        bristle, streak = self._sheets[0, row, column], self._sheets[1, row, column]
        hair = self._sheets[0, row, stroke.bristles[1]]
        dryness = smoothstep(0.0, 0.5, u)

        taper = 1 - 0.45 * np.clip(np.abs(u) * 2 - 0.45, 0, 1) ** 2
        rim = (taper - np.abs(v) - 0.22 * bristle) * np.float32(0.5 * stroke.width / self.scale)
        begin = along + np.float32(0.5 * stroke.length) - (0.45 * v * v + 0.25 * hair) * np.float32(stroke.width)
        end = np.float32(0.5 * stroke.length) * (1 - 0.5 * hair - 0.12 * v * v) - along
        soft = np.float32(1 / (1.2 * self.scale))
        held = np.clip((bristle - 0.8 * dryness + 0.06) * 7, 0, 1)
        cover = np.clip(rim, 0, 1) * np.clip(begin * soft, 0, 1) * np.clip(end * soft, 0, 1) * held

        ridge = np.exp(-(((np.abs(v) / taper - 0.72) / 0.2) ** 2))
        heap = np.exp(-(((u + 0.36) / 0.1) ** 2))
        body = (0.15 + 0.85 * bristle + 0.4 * ridge + 0.4 * heap) * (1 - 0.5 * dryness)
        heights = self.height.reshape(-1)
        heights[at] += cover * (np.float32(stroke.thickness * self.scale) * body - FILLING * heights[at])

        second = np.clip(0.5 + 1.6 * (streak - 0.5) + 0.8 * (bristle - 0.5), 0, 1)[:, None]
        paint = stroke.colours[0] * (1 - second) + stroke.colours[1] * second
        colours = self.colour.reshape(-1, 3)
        beneath = colours[at]
        pickup = (stroke.wetness * (0.4 + 1.2 * streak))[:, None]
        paint = (paint * (1 - pickup) + beneath * pickup) * (0.86 + 0.22 * bristle)[:, None]
        colours[at] = beneath + cover[:, None] * (paint - beneath)

    def _under(self, stroke: Stroke) -> tuple[np.ndarray, FloatArray, FloatArray] | None:
        """Find the pixels under a stroke: flat indices and how far each lies along and across it, or None."""
        reach = stroke.length / 2 + stroke.width
        left, right = max(int(stroke.x - reach), 0), min(int(stroke.x + reach) + 1, self.side)
        top, bottom = max(int(stroke.y - reach), 0), min(int(stroke.y + reach) + 1, self.side)
        if left >= right or top >= bottom:
            return None
        dx = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(stroke.x)
        dy = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(stroke.y)
        cos, sin = np.float32(np.cos(stroke.angle)), np.float32(np.sin(stroke.angle))
        along = dx * cos + dy * sin
        across = dy * cos - dx * sin - np.float32(0.5 * stroke.bend) * along * along
        inside = np.flatnonzero((np.abs(along) < 0.5 * stroke.length) & (np.abs(across) < 0.6 * stroke.width))
        along, across = along.reshape(-1)[inside], across.reshape(-1)[inside]
        rows, columns = np.divmod(inside, right - left)
        across = across / np.sqrt(1 + np.float32(stroke.bend) ** 2 * along * along)
        return (rows + top) * self.side + columns + left, along, across

    def lit(self) -> FloatArray:
        """Light the paint from the upper left; give linear light, `(side, side, 3)` float32."""
        height = ndimage.gaussian_filter(self.height, 0.35 * self.scale)
        lambert, gloss = relief(height, slope=1.25, light=(-0.55, -0.7, 0.75))
        hollow = (height - ndimage.gaussian_filter(height, 3.5 * self.scale)) / np.float32(self.scale)
        shade = (0.38 + 0.62 * lambert) * (1 + 0.22 * np.clip(hollow, -1.2, 1.2))
        colour = to_linear(np.clip(self.colour, 0, 1))
        return colour * shade[..., None] + (0.07 + 0.16 * colour) * (gloss**24)[..., None]
