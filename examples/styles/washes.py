"""Transparent washes on rough paper.

Pigments absorb light, so washes multiply. Each wash dries as a real one does: pigment drifts to its rim, settles in
the hollows of the paper, runs from one colour into another, and is pushed aside where a late drop blooms.
"""

from dataclasses import dataclass

import numpy as np
from ground import SUPERSAMPLE, FloatArray, canvas_scale, hex_colours, noise, relief, smoothstep, to_linear

PAPER = to_linear(hex_colours("fbf8f0")[0])
DARKEST = 4.0  # the absorbance that no pile of washes exceeds
BLOOM_SHARE = 0.45
BLOOM_WIDTH_PX = 22


def absorbance(*codes: str) -> FloatArray:
    """Give what one full wash of each pigment absorbs, `(n, 3)` float32, natural logarithm, from sRGB codes."""
    return -np.log(np.maximum(to_linear(hex_colours(*codes)), 0.012)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One leaf-shaped wash; lengths in design pixels.

    Attributes:
        x: Across, of the foot.
        y: Down, of the foot.
        angle: Direction from foot to tip, radians.
        length: Foot to tip.
        width: At the widest.
        pigments: Absorbance at the foot and at the tip, `(2, 3)` float32.
        strength: How much pigment.
        fullness: Where it is widest: 1 in the middle, less nearer the foot, more nearer the tip.
        point: How pointed its ends are: 0.8 for a leaf, 0.5 for a round drop.
        bend: Sideways drift at the tip, in lengths.
        rough: How ragged the rim is.
    """

    x: float
    y: float
    angle: float
    length: float
    width: float
    pigments: FloatArray
    strength: float
    fullness: float = 1.0
    point: float = 0.8
    bend: float = 0.0
    rough: float = 1.0


class Sheet:
    """A sheet of paper and what it has taken up, all float32.

    Attributes:
        absorbed: `(side, side, 3)`, absorbance of the washes laid so far.
        reserved: `(side, side)`, [0, 1], where later washes are to keep off.
        tooth: `(side, side)`, the relief of the paper, standard deviations.
    """

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.side, self.scale = size * SUPERSAMPLE, canvas_scale(size)
        self.absorbed = np.zeros((self.side, self.side, 3), np.float32)
        self.reserved = np.zeros((self.side, self.side), np.float32)
        self.tooth = noise(rng, self.side, 220, octaves=2)
        self._flow = noise(rng, self.side, 26, octaves=3)
        self._fringe = noise(rng, self.side, 70, octaves=4)
        self._rng = rng

    def wash(self, mark: Mark, *, keep_off: float = 0.0, reserve: bool = False, soft_px: float = 0.0) -> None:
        """Lay one wash.

        Args:
            mark: Its shape and pigments.
            keep_off: How far it is kept off the reserved places, [0, 1].
            reserve: Whether later washes are to keep off this one.
            soft_px: Width of the rim, design pixels: 0 on dry paper, more on wet.
        """
        chance = self._rng.uniform(size=4)
        cos, sin = np.float32(np.cos(mark.angle)), np.float32(np.sin(mark.angle))
        window = self._window(mark, 6 * mark.rough + 1.5 * soft_px)
        flow, fringe, tooth = self._flow[window], self._fringe[window], self.tooth[window]
        if flow.size == 0:
            return
        rows, columns = window
        dx = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] / np.float32(self.scale) - mark.x
        dy = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] / np.float32(self.scale) - mark.y
        u = (dx * cos + dy * sin) / np.float32(mark.length)
        across = dy * cos - dx * sin - np.float32(mark.bend * mark.length) * u * u
        belly = np.clip(np.sin(np.pi * np.clip(u, 0, 1) ** np.float32(mark.fullness)), 0, 1) ** np.float32(mark.point)
        ends = np.minimum(u, 1 - u) * np.float32(mark.length)
        depth = np.minimum(belly * np.float32(0.5 * mark.width) - np.abs(across), ends * 1.2 + 1)
        depth = depth + np.float32(mark.rough) * (1.1 * fringe + 1.6 * flow)

        pooled = 0.55 + (0.5 if chance[0] < 0.5 else -0.5) * (u - 0.5) + 0.16 * flow
        if soft_px:
            inside = smoothstep(-soft_px, soft_px, depth + 0.35 * soft_px * flow)
        else:
            inside = np.clip(depth * np.float32(0.8 * self.scale), 0, 1)
            rim = 0.95 * np.exp(-np.maximum(depth, 0) / 1.5) + 0.3 * np.exp(-np.maximum(depth, 0) / 6)
            pooled = pooled + rim * (0.8 + 0.35 * fringe)
            if mark.width > BLOOM_WIDTH_PX and chance[1] < BLOOM_SHARE:
                inside = inside * _bloom(dx, dy, mark, fringe, chance[2:])
        settled = 1 - 0.2 * np.tanh(tooth) - 0.05 * fringe
        room = 1 - np.float32(keep_off) * self.reserved[window]
        density = np.float32(mark.strength) * inside * np.clip(pooled, 0.06, 2.5) * settled * room
        mixed = smoothstep(0.15, 0.9, u + 0.3 * flow)[..., None]
        self.absorbed[window] += density[..., None] * (mark.pigments[0] * (1 - mixed) + mark.pigments[1] * mixed)
        if reserve:
            self.reserved[window] = np.maximum(self.reserved[window], np.clip(depth * self.scale, 0, 1))

    def _window(self, mark: Mark, margin_px: float) -> tuple[slice, slice]:
        """Find the canvas rows and columns that a mark and its margin may touch."""
        cos, sin = np.cos(mark.angle), np.sin(mark.angle)
        sideways = 0.5 * mark.width + abs(mark.bend) * mark.length
        spans = []
        for foot, ahead, aside in ((mark.y, sin, cos), (mark.x, cos, sin)):
            middle = foot + 0.5 * mark.length * ahead
            reach = 0.5 * mark.length * abs(ahead) + sideways * abs(aside) + margin_px
            low, high = (int(np.clip(edge * self.scale, 0, self.side)) for edge in (middle - reach, middle + reach))
            spans.append(slice(low, high))
        return spans[0], spans[1]

    def dried(self) -> FloatArray:
        """Give the light the dry sheet throws back, linear, `(side, side, 3)` float32."""
        lambert, _ = relief(self.tooth, slope=0.18 / self.scale, light=(-0.6, -0.6, 0.7))
        absorbed = DARKEST * np.tanh(self.absorbed / DARKEST)
        return PAPER * (0.75 + 0.25 * lambert)[..., None] * np.exp(-absorbed)


def _bloom(dx: FloatArray, dy: FloatArray, mark: Mark, fringe: FloatArray, chance: FloatArray) -> FloatArray:
    """Push pigment outwards from where a late drop of water fell; two chances say where and how large."""
    place = (0.3 + 0.6 * chance[0]) * mark.length
    radius = np.float32(mark.width * (0.15 + 0.23 * chance[1]))
    x, y = np.float32(place * np.cos(mark.angle)), np.float32(place * np.sin(mark.angle))
    out = np.hypot(dx - x, dy - y) - radius * (1 + 0.28 * fringe)
    return 1 - 0.55 * smoothstep(1.0, -0.5 * radius, out) + 0.7 * np.exp(-((out / 1.5) ** 2))
