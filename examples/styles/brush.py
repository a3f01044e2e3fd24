"""A soft brush full of ink on absorbent paper.

A stroke follows a path with a width that swells and thins as the brush is pressed and lifted. While the brush is wet
the ink pools and bleeds at the rim; as it empties the hairs part and leave streaks of bare paper, "flying white". One
side of the brush may be loaded more than the other.
"""

from dataclasses import dataclass

import numpy as np
from ground import FloatArray, noise, smoothstep
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import interpolate, ndimage, spatial
from washes import Sheet

HAIR_ROWS, HAIR_COLUMNS = 512, 4096
STEP_PX = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BrushStroke:
    """One stroke; lengths in design pixels.

    Attributes:
        path: Points that the middle of the brush goes through, `(n, 2)` as x and y; two or more.
        widths: Of the brush, at equal distances along the path.
        ink: Absorbance of the ink, `(3,)` float32.
        strength: How much ink.
        dry: Dryness of the brush at the first touch and at the last: 0 when full, 1 when the hairs barely mark.
        side: How much more ink one side of the brush carries, [-1, 1].
        bleed_px: How far the ink runs into the paper.
    """

    path: NDArray[np.float64]
    widths: tuple[float, ...]
    ink: FloatArray
    strength: float = 1.0
    dry: tuple[float, float] = (0.0, 0.0)
    side: float = 0.0
    bleed_px: float = 0.0


class Brush:
    """A brush over a sheet of paper."""

    def __init__(self, rng: np.random.Generator, sheet: Sheet) -> None:
        self._sheet, self._rng = sheet, rng
        hairs = rng.standard_normal((HAIR_ROWS, HAIR_COLUMNS)).astype(np.float32)
        fine = ndimage.gaussian_filter(hairs, (1.2, 60), mode="wrap")
        tufts = ndimage.gaussian_filter(hairs, (5, 150), mode="wrap")
        self._hairs = fine / fine.std() + 0.8 * tufts / tufts.std()
        self._run = noise(rng, sheet.side, 55, octaves=4)

    def draw(self, stroke: BrushStroke) -> None:
        """Draw one stroke on the sheet."""
        hairs = self._rng.integers((HAIR_ROWS, HAIR_COLUMNS))
        path, normals, travelled = follow(stroke.path)
        pressed = np.linspace(0, travelled[-1], len(stroke.widths))
        halves = 0.5 * np.interp(travelled, pressed, stroke.widths)
        rows, columns = self._near(path, halves + stroke.bleed_px + 2)
        if rows.size == 0:
            return
        places = np.column_stack((columns, rows)) / self._sheet.scale
        away, nearest = spatial.cKDTree(path).query(places)
        half = halves[nearest].astype(np.float32)
        v = ((places - path[nearest]) * normals[nearest]).sum(axis=1).astype(np.float32) / np.maximum(half, 0.5)
        run, tooth = self._run[rows, columns], self._sheet.tooth[rows, columns]
        hair_row = (v * np.float32(max(stroke.widths)) + hairs[0]).astype(np.intp) % HAIR_ROWS
        hair = self._hairs[hair_row, (2 * travelled[nearest] + hairs[1]).astype(np.intp) % HAIR_COLUMNS]
        past = ((places - path[nearest]) * normals[nearest][:, ::-1] * (1, -1)).sum(axis=1).astype(np.float32)
        depth = np.minimum(half - away.astype(np.float32), 1.5 + 1.2 * hair - np.abs(past)) + 0.5 * run

        dryness = np.interp(travelled, (0, travelled[-1]), stroke.dry)[nearest].astype(np.float32)
        held = 2.8 - 4.2 * dryness * (1 + 0.3 * v * v) + 0.75 * hair + 0.5 * tooth
        cover = np.clip(0.5 + 1.4 * held, 0, 1)
        if stroke.bleed_px:
            inside = smoothstep(-stroke.bleed_px, 0.6 * stroke.bleed_px, depth + 0.45 * stroke.bleed_px * run)
            pool = 0.85 + 0.16 * run
        else:
            inside = np.clip(depth * np.float32(0.8 * self._sheet.scale), 0, 1)
            pool = 0.85 + 0.1 * run + 0.5 * np.exp(-np.maximum(depth, 0) / 1.4) * (1 - dryness).clip(0)
        settled = 1 - 0.1 * np.tanh(tooth)
        loaded = 1 + np.float32(stroke.side) * np.clip(v, -1, 1)
        density = np.float32(stroke.strength) * inside * cover * pool.clip(0.05) * loaded * settled
        self._sheet.absorbed[rows, columns] += density[:, None] * stroke.ink

    def _near(self, path: NDArray[np.float64], reach: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the canvas rows and columns of all pixels within `reach` of the path."""
        scale, side = self._sheet.scale, self._sheet.side
        low = np.clip(np.floor((path - reach[:, None]).min(axis=0) * scale), 0, side).astype(int)
        high = np.clip(np.ceil((path + reach[:, None]).max(axis=0) * scale), 0, side).astype(int)
        if (low >= high).any():
            return np.empty(0, np.intp), np.empty(0, np.intp)
        mask = Image.new("1", tuple(high - low))
        draw = ImageDraw.Draw(mask)
        for (x, y), radius in zip(path * scale - low, reach * scale, strict=True):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
        rows, columns = np.nonzero(np.asarray(mask))
        return rows + low[1], columns + low[0]


def follow(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lay a smooth curve through points; give places on it, its normals there and the distances travelled."""
    chords = np.concatenate(([0], np.hypot(*np.diff(points, axis=0).T).cumsum()))
    curve = interpolate.make_interp_spline(chords, points, k=min(3, len(points) - 1))
    travelled = np.linspace(0, chords[-1], max(int(chords[-1] / STEP_PX), 2))
    tangents = curve(travelled, 1)
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    return curve(travelled), tangents[:, ::-1] * (-1, 1), travelled
