"""Swirl: night currents and warm lights, thick oil paint laid along a field of eddies.

Large thin strokes block the picture in, smaller and thicker ones follow, the last are the lights. Some places are
left broad, others are worked over finely.
"""

from dataclasses import dataclass

import numpy as np
from ground import FloatArray, along_flow, finish, hex_colours, noise, rank, smoothstep
from numpy.typing import NDArray
from oil import Canvas, Stroke

FIELD_SIDE = 256
UMBER = hex_colours("a9793f")[0]
NIGHT = hex_colours(
    "060d26", "0a1640", "10235c", "142f73", "1a3f94", "2153ab", "2f6cbd", "4488c9", "69a8d3", "9cc9da", "d3e4d6"
)
FIRE = hex_colours("5b2a12", "8f4a14", "bd6f14", "d99119", "ecb22b", "f4cc4e", "f8e08a", "fbf1c4")
SPICE = hex_colours("123b46", "1f6a6b", "3f948a", "86b79a", "3a2a63", "6b3f6e", "9c4a3a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One going-over of the whole picture with one size of brush.

    Attributes:
        length: Shortest and longest stroke, design pixels.
        width: Narrowest and widest stroke, design pixels.
        thickness: Height of the paint, design pixels.
        tries: Places where a stroke may start.
        crowding: Layers of this pass that may lie on one another.
        tone_jitter: Spread of the tone about the scene's.
        wetness: Share of the paint beneath that is picked up.
        skips: How much of the picture, the least detailed, is left alone.
    """

    length: tuple[float, float]
    width: tuple[float, float]
    thickness: float
    tries: int
    crowding: float
    tone_jitter: float
    wetness: float
    skips: float = 0.0


PASSES = (
    Pass(length=(80, 140), width=(18, 28), thickness=0.7, tries=1500, crowding=1, tone_jitter=0.08, wetness=0.1),
    Pass(length=(36, 90), width=(8, 15), thickness=1.1, tries=8000, crowding=0.7, tone_jitter=0.13, wetness=0.25),
    Pass(
        length=(20, 62), width=(5, 9), thickness=1.4, tries=16000, crowding=0.5, tone_jitter=0.15, wetness=0.2,
        skips=0.35,
    ),
    Pass(
        length=(12, 40), width=(3, 5.5), thickness=1.9, tries=6000, crowding=0.1, tone_jitter=0.24, wetness=0.12,
        skips=0.5,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the painter looks at: fields `(FIELD_SIDE, FIELD_SIDE)` float32.

    Attributes:
        angle: Direction of the flow, radians.
        bend: Curvature of the flow lines, radians a picture width.
        tone: Dark to light, [0, 1].
        warmth: Chance of a warm colour, [0, 1].
        spice: Chance of an odd colour, [0, 1].
        detail: How finely this place is worked over, from 0 up.
    """

    angle: FloatArray
    bend: FloatArray
    tone: FloatArray
    warmth: FloatArray
    spice: FloatArray
    detail: FloatArray


def scatter_eddies(rng: np.random.Generator) -> NDArray[np.float64]:
    """Place eddies that keep their distance, as rows of x, y, radius (picture widths), spin and warmth."""
    eddies: list[tuple[float, float, float, float, float]] = []
    for radius in (0.24, 0.19, 0.15, 0.13, 0.11, 0.09, 0.08, 0.07, 0.06):
        for _ in range(60):
            x, y = rng.uniform(0.02, 0.98, 2)
            if all(np.hypot(x - ex, y - ey) > 0.95 * (radius + er) for ex, ey, er, _, _ in eddies):
                spin = -eddies[-1][3] if eddies else 1.0
                eddies.append((x, y, radius, spin, rng.uniform(0.2, 1)))
                break
    return np.array(eddies)


def imagine(rng: np.random.Generator) -> Scene:
    """Compose the scene: eddies in a stream, tones drawn out along it, warm hearts and warm currents."""
    side = FIELD_SIDE
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    eddies = scatter_eddies(rng)
    heading = rng.uniform(-0.6, 0.6)
    stream = 0.35 * (np.cos(heading) * y - np.sin(heading) * x) + 0.028 * noise(rng, side, 3, octaves=2)
    twist, hearts, rings = np.zeros((3, side, side))
    for eddy_x, eddy_y, radius, spin, warmth in eddies:
        r = np.hypot(x - eddy_x, y - eddy_y) / radius
        stream += spin * radius * 0.9 * np.exp(-0.5 * (r / 0.8) ** 2)
        twist += spin * 0.45 * np.exp(-(r**2))
        hearts += warmth * np.exp(-((r / 0.62) ** 2))
        rings += np.exp(-((r / 0.9) ** 2)) * np.cos(5.5 * r)
    down, right = np.gradient(stream)
    angle = np.arctan2(-right, down) + twist
    u, v = np.cos(angle), np.sin(angle)
    u_down, u_right = np.gradient(u)
    v_down, v_right = np.gradient(v)
    bend = u * (u * v_right + v * v_down) - v * (u * u_right + v * u_down)
    streaks = along_flow(noise(rng, side, 24, octaves=4), u, v, length_px=80)
    currents = along_flow(noise(rng, side, 9, octaves=3), u, v, length_px=120)
    oddities = along_flow(noise(rng, side, 12, octaves=2), u, v, length_px=60)
    broad = noise(rng, side, 3, octaves=2)
    detail = rank(along_flow(noise(rng, side, 14, octaves=3), u, v, length_px=40)) + 0.35 * hearts
    tone = rank(1.1 * streaks / streaks.std() + 0.5 * broad + 0.9 * rings + 0.8 * hearts) ** 1.2
    warmth = 0.85 * smoothstep(0.82, 0.9, rank(currents)) + np.clip(1.25 * hearts * (0.75 + 0.5 * rings), 0, 1)
    spice = 0.04 + 0.45 * smoothstep(0.85, 0.95, rank(oddities))
    fields = (angle, bend * side, tone, np.clip(warmth, 0, 0.96), spice, detail)
    names = ("angle", "bend", "tone", "warmth", "spice", "detail")
    return Scene(**{name: field.astype(np.float32) for name, field in zip(names, fields, strict=True)})


def mix_colours(rng: np.random.Generator, tone: float, warmth: float, spice: float) -> FloatArray:
    """Pick the two colours on the brush, `(2, 3)` float32: near neighbours on one of the three palettes."""
    draw = rng.uniform()
    if draw < warmth:
        palette, place = FIRE, 0.12 + 0.88 * tone + rng.normal(0, 0.08)
    elif draw < warmth + spice * (1 - warmth):
        palette, place = SPICE, rng.uniform()
    else:
        palette, place = NIGHT, tone
    steps = np.clip(place + rng.normal(0, 0.09, 2), 0, 1) * (len(palette) - 1)
    below = np.minimum(steps.astype(int), len(palette) - 2)
    part = (steps - below)[:, None]
    colours = palette[below] * (1 - part) + palette[below + 1] * part
    return np.clip(colours + rng.normal(0, 0.018, (2, 3)), 0, 1).astype(np.float32)


def paint_pass(canvas: Canvas, going: Pass, scene: Scene, rng: np.random.Generator) -> None:
    """Go over the picture once, putting strokes where this pass has not yet laid paint."""
    laid = np.zeros((FIELD_SIDE, FIELD_SIDE), np.float32)
    for _ in range(going.tries):
        x, y = rng.uniform(-0.01, 1.01, 2)
        row, column = (int(np.clip(place * FIELD_SIDE, 0, FIELD_SIDE - 1)) for place in (y, x))
        if laid[row, column] > going.crowding or scene.detail[row, column] < going.skips * rng.uniform(0.7, 1.3):
            continue
        length = (going.length[0] + rng.uniform() ** 1.4 * (going.length[1] - going.length[0])) * canvas.scale
        width = rng.uniform(*going.width) * canvas.scale
        tone = float(np.clip(scene.tone[row, column] + rng.normal(0, going.tone_jitter), 0, 1))
        stroke = Stroke(
            x=x * canvas.side,
            y=y * canvas.side,
            angle=float(scene.angle[row, column]) + rng.normal(0, 0.13),
            bend=float(np.clip(scene.bend[row, column] / canvas.side, -1.3 / length, 1.3 / length)),
            length=length,
            width=width,
            thickness=going.thickness * (0.7 + 0.6 * tone),
            colours=mix_colours(rng, tone, float(scene.warmth[row, column]), float(scene.spice[row, column])),
            wetness=going.wetness,
            bristles=(int(rng.integers(1024)), int(rng.integers(512))),
        )
        canvas.lay(stroke)
        note(laid, stroke, FIELD_SIDE / canvas.side)


def note(laid: FloatArray, stroke: Stroke, shrink: float) -> None:
    """Note on the coarse map of this pass that a stroke lies here."""
    length, width = stroke.length * shrink, stroke.width * shrink
    along = np.arange(-0.42 * length, 0.43 * length, 0.7)[:, None]
    across = np.arange(-0.4 * width, 0.41 * width, 0.7)
    cos, sin = np.cos(stroke.angle), np.sin(stroke.angle)
    columns = np.clip(stroke.x * shrink + cos * along - sin * across, 0, FIELD_SIDE - 1).astype(int)
    rows = np.clip(stroke.y * shrink + sin * along + cos * across, 0, FIELD_SIDE - 1).astype(int)
    laid.reshape(-1)[np.unique(rows * FIELD_SIDE + columns)] += 0.6


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Paint the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    scene = imagine(rng)
    canvas = Canvas(rng, size, UMBER)
    for going in PASSES:
        paint_pass(canvas, going, scene, rng)
    return finish(canvas.lit())
