"""Mosaic: hand-cut glass set in rows that run round suns and eyes, in dark mortar.

The tiles are a Voronoi diagram under a square metric turned along the rows, relaxed until the tiles are even.
Every tile has its own glass, its own tilt and its own way of catching the light.

Source of the turned metric: Hausner, "Simulating Decorative Mosaics", SIGGRAPH 2001.
"""

from dataclasses import dataclass

import numpy as np
from ground import (
    DESIGN_SIZE_PX,
    SUPERSAMPLE,
    FloatArray,
    canvas_scale,
    finish,
    hex_colours,
    noise,
    relief,
    smoothstep,
    to_linear,
)
from numpy.typing import NDArray
from scipy import ndimage, spatial

COARSE_SIDE = 384
TILE_PX = 11.5
MARGIN_PX = 14.0
NEIGHBOURS = 10
GAP_PX = 1.5

MORTAR = hex_colours("40362f")[0]
GLASS = {
    "ink": hex_colours("10142e", "161d40", "0d1026"),
    "lapis": hex_colours("1b3a9c", "2450b8", "173083", "2f62c9"),
    "sea": hex_colours("117f8f", "1a9aa3", "0c6676", "3bb3b0"),
    "sky": hex_colours("7cc4d8", "9ed6dd", "5fb0d0"),
    "leaf": hex_colours("2b7a3d", "4c9a3a", "1f5f3c", "7fb23f"),
    "gold": hex_colours("d99a1c", "efb92f", "c07d12", "f6d25a"),
    "flame": hex_colours("d8421f", "e8602a", "bd2d1c", "f07f35"),
    "wine": hex_colours("7c1730", "9a2440", "5c1029"),
    "bone": hex_colours("f3ead2", "e6d9b8", "fbf5e6"),
}
SUNS = (
    ("flame", "gold", "gold", "bone", "wine", "flame", "gold", "ink"),
    ("gold", "flame", "wine", "gold", "bone", "lapis", "sky", "ink"),
    ("bone", "sky", "lapis", "ink", "gold", "sea", "sea", "bone"),
    ("ink", "gold", "leaf", "leaf", "bone", "flame", "wine", "gold"),
)
RIVERS = ("lapis", "lapis", "sea", "sky", "bone", "lapis", "ink", "sea", "leaf", "gold", "ink", "lapis", "sea", "flame")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cartoon:
    """The drawing under the tiles, fields `(COARSE_SIDE, COARSE_SIDE)`.

    Attributes:
        angle: Direction of the rows, radians, float32.
        glass: Index into the names of `GLASS`, intp.
    """

    angle: FloatArray
    glass: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """The cut tiles, one entry each; lengths in design pixels."""

    x: FloatArray
    y: FloatArray
    angle: FloatArray
    stretch: FloatArray
    grow: FloatArray


def draw(rng: np.random.Generator) -> Cartoon:
    """Draw suns of several sizes and the bands that flow between them."""
    side = COARSE_SIDE
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    suns: list[tuple[float, float, float]] = []
    for radius in (0.2, 0.16, 0.14, 0.12, 0.1, 0.085, 0.07, 0.06, 0.05):
        for _ in range(80):
            at_x, at_y = rng.uniform(0, 1, 2)
            if all(np.hypot(at_x - sx, at_y - sy) > 1.05 * (radius + sr) + 0.03 for sx, sy, sr in suns):
                suns.append((at_x, at_y, radius))
                break
    warp = 0.012 * noise(rng, side, 4, octaves=2)
    away = np.stack([np.hypot(x - sx, y - sy) - sr + warp for sx, sy, sr in suns])
    nearest = away.argmin(axis=0)
    distance = -0.03 * np.log(np.exp(-away / 0.03).sum(axis=0))
    distance = distance + smoothstep(0, 0.08, distance) * 0.03 * noise(rng, side, 3, octaves=2)
    down, right = np.gradient(ndimage.gaussian_filter(distance, 2))

    names = list(GLASS)
    river = np.array([names.index(name) for name in RIVERS])
    band = (np.maximum(distance, 0) / 0.017).astype(np.intp) + (3 * noise(rng, side, 2, octaves=1)).astype(np.intp)
    glass = river[band % len(river)]
    for number, (_, _, radius) in enumerate(suns):
        rings = np.array([names.index(name) for name in SUNS[number % len(SUNS)]])
        depth = -away[number] / max(radius, 0.09) * len(rings)
        inside = (nearest == number) & (depth > 0)
        ring = (len(rings) - 1 - np.clip(depth, 0, len(rings) - 1)).astype(np.intp)
        glass = np.where(inside, rings[ring], glass)
    return Cartoon(angle=np.arctan2(-right, down).astype(np.float32), glass=glass)


def _pick(field: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Read a coarse field at design-pixel positions."""
    per_px = field.shape[0] / DESIGN_SIZE_PX
    row = np.clip(y * per_px, 0, field.shape[0] - 1).astype(np.intp)
    return field[row, np.clip(x * per_px, 0, field.shape[1] - 1).astype(np.intp)]


def _reach(tiles: Tiles, which: NDArray[np.intp], x: FloatArray, y: FloatArray) -> FloatArray:
    """Measure from `(x, y)` to the tiles `which` in their own turned square metric, design pixels."""
    dx, dy = x - tiles.x[which], y - tiles.y[which]
    cos, sin = np.cos(tiles.angle)[which], np.sin(tiles.angle)[which]
    along = (dx * cos + dy * sin) / tiles.stretch[which]
    across = (dy * cos - dx * sin) * tiles.stretch[which]
    along, across = (along * along) ** 2, (across * across) ** 2
    return np.sqrt(np.sqrt(np.sqrt(along * along + across * across))) * tiles.grow[which]


def cut_tiles(rng: np.random.Generator, cartoon: Cartoon, *, rounds: int = 22) -> tuple[Tiles, NDArray[np.intp]]:
    """Cut and relax the tiles; give them and, for each coarse pixel, the `NEIGHBOURS` tiles nearest to it."""
    low, high = -MARGIN_PX, DESIGN_SIZE_PX + MARGIN_PX
    count = int(((high - low) / TILE_PX) ** 2)
    x, y = rng.uniform(low, high, (2, count)).astype(np.float32)
    turn = rng.normal(0, 0.07, count).astype(np.float32)
    stretch = np.exp(rng.normal(0.06, 0.07, count)).astype(np.float32)
    grow = np.exp(rng.normal(0, 0.05, count)).astype(np.float32)
    ticks = np.arange(low, high, DESIGN_SIZE_PX / COARSE_SIDE, dtype=np.float32)
    grid_y, grid_x = (axis.ravel() for axis in np.meshgrid(ticks, ticks, indexing="ij"))
    seams = ndimage.maximum_filter(cartoon.glass, 3) != ndimage.minimum_filter(cartoon.glass, 3)
    weight = 1 - 0.96 * _pick(seams, grid_x, grid_y)
    for _ in range(rounds):
        tiles = Tiles(x=x, y=y, angle=_pick(cartoon.angle, x, y) + turn, stretch=stretch, grow=grow)
        near = _nearest(tiles, grid_x, grid_y, 6)
        reach = np.stack([_reach(tiles, near[:, k], grid_x, grid_y) for k in range(near.shape[1])])
        owner = near[np.arange(grid_x.size), reach.argmin(axis=0)]
        share = np.bincount(owner, weight, count) + 1e-6
        x = np.where(share > 1, np.bincount(owner, weight * grid_x, count) / share, x).astype(np.float32)
        y = np.where(share > 1, np.bincount(owner, weight * grid_y, count) / share, y).astype(np.float32)
    tiles = Tiles(x=x, y=y, angle=_pick(cartoon.angle, x, y) + turn, stretch=stretch, grow=grow)
    centres = (np.arange(COARSE_SIDE, dtype=np.float32) + 0.5) * DESIGN_SIZE_PX / COARSE_SIDE
    grid_y, grid_x = (axis.ravel() for axis in np.meshgrid(centres, centres, indexing="ij"))
    return tiles, _nearest(tiles, grid_x, grid_y, NEIGHBOURS).reshape(COARSE_SIDE, COARSE_SIDE, NEIGHBOURS)


def _nearest(tiles: Tiles, x: FloatArray, y: FloatArray, count: int) -> NDArray[np.intp]:
    tree = spatial.cKDTree(np.column_stack((tiles.x, tiles.y)))
    return tree.query(np.column_stack((x, y)), k=count)[1]


def find_owners(
    tiles: Tiles, near: NDArray[np.intp], place: FloatArray
) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Find for every canvas pixel its tile, its distance from the tile's middle and how much farther the next one is.

    Args:
        tiles: The tiles.
        near: The tiles near each coarse pixel, from `cut_tiles`.
        place: Where the canvas columns, and rows, lie; design pixels.
    """
    cell = np.minimum(place * COARSE_SIDE / DESIGN_SIZE_PX, COARSE_SIDE - 1).astype(np.intp)
    x, y = place[None, :], place[:, None]
    first = np.full((place.size, place.size), np.inf, np.float32)
    second = first.copy()
    owner = np.zeros(first.shape, np.intp)
    for k in range(NEIGHBOURS):
        which = near[:, :, k][cell[:, None], cell[None, :]]
        reach = _reach(tiles, which, x, y)
        closer = reach < first
        second = np.where(closer, first, np.minimum(second, reach))
        owner = np.where(closer, which, owner)
        first = np.minimum(first, reach)
    return owner, first, second - first


def melt_glass(rng: np.random.Generator, kinds: NDArray[np.intp]) -> FloatArray:
    """Give every tile a colour of its own, `(n, 3)` float32, sRGB; a few tiles strayed in from elsewhere."""
    count = kinds.size
    kinds = np.where(rng.uniform(size=count) < 0.035, rng.permutation(kinds), kinds)
    pots = list(GLASS.values())
    melt = np.stack([pots[kind][rng.integers(len(pots[kind]))] for kind in kinds])
    melt = melt * np.exp(rng.normal(0, 0.1, (count, 1))) + rng.normal(0, 0.025, (count, 3))
    return np.clip(melt, 0.01, 1).astype(np.float32)


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Set the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    side, scale = size * SUPERSAMPLE, canvas_scale(size)
    cartoon = draw(rng)
    tiles, near = cut_tiles(rng, cartoon)
    place = (np.arange(side, dtype=np.float32) + 0.5) / np.float32(scale)
    owner, reach, lead = find_owners(tiles, near, place)
    melt = melt_glass(rng, _pick(cartoon.glass, tiles.x, tiles.y))
    tilt_x, tilt_y = rng.normal(0, 0.14, (2, tiles.x.size)).astype(np.float32)
    chip = noise(rng, side, 180, octaves=2)
    streak = noise(rng, side, 120, octaves=3)
    sand = noise(rng, side, 330, octaves=1)

    border = np.minimum((lead - GAP_PX) / 2 - 0.22 * chip, 0.62 * TILE_PX - reach - 0.3 * chip)
    solid = np.clip(0.5 + border * np.float32(scale), 0, 1)
    bevel = 1 - np.clip(1 - border / 1.8, 0, 1) ** 2
    lean = tilt_x[owner] * (place[None, :] - tiles.x[owner]) + tilt_y[owner] * (place[:, None] - tiles.y[owner])
    face = 2 * bevel + lean + 0.1 * streak - 0.012 * reach**2
    height = np.where(border > 0, face, 0.35 * chip - 0.4) * np.float32(scale)
    lambert, gloss = relief(ndimage.gaussian_filter(height, 0.4 * scale), slope=0.5, light=(-0.6, -0.7, 0.85))

    glass = to_linear(melt)[owner] * (1 + 0.14 * streak)[..., None]
    mortar = to_linear(MORTAR) * (1 + 0.28 * sand)[..., None]
    colour = np.clip(mortar + solid[..., None] * (glass - mortar), 0, 1)
    shine = 0.5 * solid * gloss**30 * smoothstep(0.985, 1.0, gloss)
    return finish(colour * (0.25 + 0.75 * lambert)[..., None] + shine[..., None])
