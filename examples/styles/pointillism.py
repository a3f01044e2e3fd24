"""Pointillism: a pine over a bay at sunset, in dabs of pure colour beside its complement.

Nothing is mixed: every material has a row of pure colours from its shadow to its light, a dab takes one near the tone
of its place, and now and then the opposite colour, which makes the others glow. Dabs are small where the scene is far
away and lie as the thing they paint does: round the sun, along the water, up the trunk.
"""

from dataclasses import dataclass, replace

import numpy as np
from dabs import Dab, DabCanvas, Material, mix
from ground import FloatArray, finish, hex_colours, noise, smoothstep
from numpy.typing import NDArray

FIELD_SIDE = 384
PRIMING = hex_colours("e6d3ae")[0]
HORIZON = 0.5
SUN_RADIUS = 0.062


SKY, SUN, HILLS, SEA, GLITTER, SAIL, PINE, TRUNK, BANK = range(9)
MATERIALS = {
    SKY: Material(
        colours=hex_colours(
            "1f4fb4", "2f6cca", "4d8ed8", "79b2e2", "a3b6e6", "c99fdc", "ee8fb4", "f98f70", "fca63f", "fdc648", "fee58a"
        ),
        sparks=hex_colours("f9ac62", "f58fa6", "8fd0d0", "fbdc8c"),
        chance=0.12,
        spread=0.95,
    ),
    SUN: Material(
        colours=hex_colours("fdd35a", "fee98c", "fff4bd", "fffbe6", "fffdf4"),
        sparks=hex_colours("f9b06a", "fbd0d4"),
        chance=0.08,
        spread=0.8,
    ),
    HILLS: Material(
        colours=hex_colours("33408f", "4b57a8", "6a6fbd", "8f84c6", "b990c0", "e09a9c", "f5ac74"),
        sparks=hex_colours("f08642", "3fa3ad", "f6c65a"),
        chance=0.17,
        spread=0.9,
    ),
    SEA: Material(
        colours=hex_colours("14306f", "1a4a92", "2068b0", "2b8abf", "43aac2", "78c6c8", "aeddd0", "e8efc8"),
        sparks=hex_colours("f0823c", "7c4fa6", "f4b04e", "d95b6c"),
        chance=0.12,
        spread=1.0,
    ),
    GLITTER: Material(
        colours=hex_colours("c2507a", "e8693c", "f58f38", "fbb445", "fdd66a", "fff0b0"),
        sparks=hex_colours("2a6fb8", "4f8fd0", "6a4fa8"),
        chance=0.2,
        spread=0.9,
    ),
    SAIL: Material(
        colours=hex_colours("4f2a78", "8f2f66", "c93f43", "e9622f", "f8913a", "fdc064", "ffe6a8"),
        sparks=hex_colours("3f8fd0", "7fd0c8"),
        chance=0.08,
        spread=0.6,
    ),
    PINE: Material(
        colours=hex_colours("10204e", "14395f", "17575a", "237a4c", "4f9d3e", "8eb83a", "cfcf46", "f7e070"),
        sparks=hex_colours("cf3f34", "e9803a", "6d3d92", "2d6cc0"),
        chance=0.14,
        spread=0.95,
    ),
    TRUNK: Material(
        colours=hex_colours("23174a", "4a2a66", "7d3a63", "b8523f", "e4853f", "fac466"),
        sparks=hex_colours("2f7fb0", "3f9a6a"),
        chance=0.13,
        spread=0.7,
    ),
    BANK: Material(
        colours=hex_colours("1d3476", "215a7a", "2a7f62", "57a043", "9cc03e", "d8d14a", "fbe778", "fff5bd"),
        sparks=hex_colours("e23b34", "f0678c", "8a4bb2", "f08a34"),
        chance=0.17,
        spread=1.05,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the painter looks at: fields `(FIELD_SIDE, FIELD_SIDE)`.

    Attributes:
        material: Key into `MATERIALS`, intp.
        tone: Shadow to light, [0, 1], float32.
        angle: Direction of the dabs, radians, float32.
        stretch: Length of a dab over its width, float32.
        width: Of a dab, design pixels, float32.
    """

    material: NDArray[np.intp]
    tone: FloatArray
    angle: FloatArray
    stretch: FloatArray
    width: FloatArray

    def covered(
        self, where: NDArray[np.bool_], material: int, tone: FloatArray, angle: FloatArray, stretch: float, width: float
    ) -> "Scene":
        """Put something in front of the scene, where `where` is true, of one material, stretch and width."""
        return Scene(
            material=np.where(where, material, self.material),
            tone=np.where(where, np.clip(tone, 0, 1), self.tone).astype(np.float32),
            angle=np.where(where, angle, self.angle).astype(np.float32),
            stretch=np.where(where, stretch, self.stretch).astype(np.float32),
            width=np.where(where, width, self.width).astype(np.float32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One going-over of the whole picture.

    Attributes:
        tries: Places where a dab may be set.
        width: Of the dabs, over that of the scene.
        crowding: Dabs of this pass that may lie on one another.
        thickness: Height of the paint, design pixels.
        division: How far colours stray and how often sparks fall, over the material's own.
    """

    tries: int
    width: float
    crowding: float
    thickness: float
    division: float


PASSES = (
    Pass(tries=9000, width=2.1, crowding=0.9, thickness=0.5, division=0.5),
    Pass(tries=50000, width=1.35, crowding=0.25, thickness=1.0, division=0.9),
    Pass(tries=30000, width=1.1, crowding=0.05, thickness=1.2, division=1.1),
)


def imagine(rng: np.random.Generator) -> Scene:
    """Compose the scene from the sky forwards."""
    side = FIELD_SIDE
    y, x = (axis.astype(np.float32) / side for axis in np.mgrid[0:side, 0:side])
    sun = (float(rng.uniform(0.6, 0.72)), HORIZON - float(rng.uniform(0.13, 0.17)))
    scene = _sky(rng, x, y, sun)
    scene = _sea(rng, scene, x, y, sun)
    for depth, mast in ((0.012, 0.5), (0.03, 0.93), (0.105, 0.8)):
        scene = _boat(scene, x, y, depth, mast + float(rng.uniform(-0.05, 0.05)))
    scene = _bank(rng, scene, x, y)
    return _pine(rng, scene, x, y)


def _sky(rng: np.random.Generator, x: FloatArray, y: FloatArray, sun: tuple[float, float]) -> Scene:
    """A sun in rings of light, with clouds drawn out along them."""
    r = np.hypot(x - sun[0], y - sun[1])
    round_sun = np.arctan2(y - sun[1], x - sun[0]) + np.pi / 2
    clouds = noise(rng, FIELD_SIDE, 5, octaves=3, stretch=0.4)
    rings = 0.06 * np.cos(r / 0.021 + 1.2 * noise(rng, FIELD_SIDE, 3, octaves=1))
    tone = 1.0 - 1.12 * r**0.62 + rings + 0.09 * clouds
    empty = np.zeros_like(r)
    scene = Scene(material=empty.astype(np.intp), tone=empty, angle=empty, stretch=empty, width=empty)
    scene = scene.covered(r >= 0, SKY, tone, round_sun, 1.35, 0)
    scene = replace(scene, width=(6.4 + 7 * np.abs(y - HORIZON)).astype(np.float32))
    return scene.covered(r < SUN_RADIUS, SUN, 1.1 - 0.6 * (r / SUN_RADIUS) ** 3, round_sun, 1.2, 6.5)


def _sea(rng: np.random.Generator, scene: Scene, x: FloatArray, y: FloatArray, sun: tuple[float, float]) -> Scene:
    """Far hills, and water that carries the sun towards us."""
    ridge = HORIZON - 0.035 - 0.022 * noise(rng, FIELD_SIDE, 4, octaves=3)[0] - 0.05 * (0.45 - x).clip(0)
    level = np.zeros_like(x)
    scene = scene.covered(
        y > ridge, HILLS, 0.25 + 8 * (y - ridge) + 0.5 * np.exp(-(((x - sun[0]) / 0.1) ** 2)), level, 1.1, 6
    )
    depth = (y - HORIZON).clip(0)
    swell = np.sin(np.log(depth + 0.03) * 19 + 1.6 * noise(rng, FIELD_SIDE, 5, octaves=2, stretch=0.3))
    ripples = noise(rng, FIELD_SIDE, 14, octaves=2, stretch=0.25)
    water = y > HORIZON
    scene = scene.covered(water, SEA, 0.72 - 0.9 * depth + 0.14 * swell + 0.06 * ripples, 0.1 * ripples, 1.7, 0)
    scene = replace(scene, width=np.where(water, 6 + 13 * depth, scene.width).astype(np.float32))
    path = np.abs(x - sun[0]) / (0.05 + 0.35 * depth) + 0.35 * swell + 0.25 * ripples
    lit = water & (path < 0.75)
    return replace(
        scene,
        material=np.where(lit, GLITTER, scene.material),
        tone=np.where(lit, np.clip(1 - 0.8 * path - 0.5 * depth, 0, 1), scene.tone).astype(np.float32),
    )


def _boat(scene: Scene, x: FloatArray, y: FloatArray, depth: float, mast: float) -> Scene:
    """One sailing boat and its reflection."""
    foot, height = HORIZON + depth, 0.1 + 1.3 * depth
    up, off = (foot - y) / height, (x - mast) / height
    for mirrored, dim in ((False, 0.0), (True, 0.2)):
        rise = -up if mirrored else up
        wave = 0.04 * np.sin(rise * 40) if mirrored else 0.0
        main = (rise > 0.1) & (off + wave > 0.02) & (off + wave < 0.5 * (1.02 - rise))
        jib = (rise > 0.12) & (off + wave < -0.02) & (off + wave > -0.34 * (0.9 - rise))
        scene = scene.covered(main, SAIL, 0.62 + 0.3 * rise - dim, np.full_like(x, 1.4), 1.3, 4.6)
        scene = scene.covered(jib, SAIL, 0.3 + 0.15 * rise - dim, np.full_like(x, 1.7), 1.3, 4.6)
        hull = (rise > -0.01) & (rise < 0.09) & (np.abs(off + wave) < 0.27 + 1.6 * rise)
        scene = scene.covered(hull, TRUNK, 0.1 + rise, np.zeros_like(x), 1.6, 4.6)
    return scene


def _bank(rng: np.random.Generator, scene: Scene, x: FloatArray, y: FloatArray) -> Scene:
    """The flowering bank we stand on, sunlit in bands."""
    crest = 0.7 + 0.22 * smoothstep(0.0, 0.85, x) + 0.012 * noise(rng, FIELD_SIDE, 5, octaves=2)[0]
    depth = y - crest
    bands = noise(rng, FIELD_SIDE, 5, octaves=2, stretch=0.5)
    tone = 0.66 - 1.2 * depth + 0.22 * bands + 0.25 * np.exp(-depth.clip(0) / 0.015)
    blades = -1.2 + 0.5 * noise(rng, FIELD_SIDE, 6, octaves=2)
    scene = scene.covered(depth > 0, BANK, tone, blades, 1.5, 0)
    return replace(scene, width=np.where(depth > 0, 9 + 16 * depth, scene.width).astype(np.float32))


def _pine(rng: np.random.Generator, scene: Scene, x: FloatArray, y: FloatArray) -> Scene:
    """An old pine on the left: a leaning trunk, and clumps of needles lit from the sun's side."""
    root, lean = rng.uniform(0.12, 0.2), rng.uniform(0.02, 0.08)
    climb = (0.85 - y) / 0.6
    middle = root + lean * climb + 0.03 * np.sin(4.5 * climb)
    half = 0.026 - 0.011 * climb
    trunk = (np.abs(x - middle) < half) & (climb > 0) & (climb < 1.05)
    scene = scene.covered(trunk, TRUNK, 0.45 + 0.45 * (x - middle) / half, np.full_like(x, -1.45), 1.7, 7)
    crown_x, crown_y = root + lean + 0.07, 0.22
    clumps = []
    for _ in range(26):
        turn, out = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform())
        clumps.append(
            (crown_y + 0.17 * out * np.sin(turn), crown_x + 0.36 * out * np.cos(turn), rng.uniform(0.05, 0.095))
        )
    ragged = 0.16 * noise(rng, FIELD_SIDE, 16, octaves=2)
    for clump_y, clump_x, radius in sorted(clumps):
        dx, dy = (x - clump_x) / (1.5 * radius), (y - clump_y) / (0.72 * radius)
        inside = np.hypot(dx, dy) + ragged < 1
        tone = 0.36 + 0.3 * dx - 0.3 * dy + 0.25 * ragged
        scene = scene.covered(inside, PINE, tone, np.arctan2(dy, dx) + np.pi / 2, 1.3, 7.8)
    return scene


def paint_pass(canvas: DabCanvas, going: Pass, scene: Scene, rng: np.random.Generator) -> None:
    """Go over the picture once, setting dabs where this pass has not yet laid paint."""
    laid = np.zeros((FIELD_SIDE, FIELD_SIDE), np.float32)
    cell = FIELD_SIDE / canvas.side
    for _ in range(going.tries):
        x, y = rng.uniform(-0.01, 1.01, 2)
        row, column = (int(np.clip(place * FIELD_SIDE, 0, FIELD_SIDE - 1)) for place in (y, x))
        if laid[row, column] > going.crowding:
            continue
        width = float(scene.width[row, column]) * going.width * rng.uniform(0.85, 1.15) * canvas.scale
        stretch = 1 + (float(scene.stretch[row, column]) - 1) * rng.uniform(0.5, 1.3)
        dab = Dab(
            x=x * canvas.side,
            y=y * canvas.side,
            angle=float(scene.angle[row, column]) + rng.normal(0, 0.16),
            length=width * stretch,
            width=width,
            thickness=going.thickness,
            colour=mix(
                rng, MATERIALS[int(scene.material[row, column])], float(scene.tone[row, column]), going.division
            ),
        )
        canvas.touch(dab)
        reach = 0.42 * width * np.sqrt(stretch) * cell
        top, left = (max(round(place * FIELD_SIDE - reach), 0) for place in (y, x))
        across = max(round(2 * reach), 1)
        laid[top : top + across, left : left + across] += 1


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Paint the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    scene = imagine(rng)
    canvas = DabCanvas(rng, size, PRIMING)
    for going in PASSES:
        paint_pass(canvas, going, scene, rng)
    return finish(canvas.lit())
