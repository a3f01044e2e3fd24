"""Ink: a plum tree in flower before a vermilion sun, in black ink and indigo on old paper.

Wet washes and wide dry sweeps of a flat brush come first, and the sun; then bamboo far away and the tree, with a brush
that runs dry as it goes; then bamboo nearby, and the blossoms, in the one warm colour of the picture.
"""

import numpy as np
from brush import Brush, BrushStroke, follow
from ground import DESIGN_SIZE_PX, finish, noise
from numpy.typing import NDArray
from washes import Mark, Sheet, absorbance

PAPER_TONE = absorbance("f0e1c0")[0]
BLACK, GREY, INDIGO = absorbance("1b1a1f", "6d6f78", "41618f")
VERMILION, CORAL, CRIMSON = absorbance("e0361f", "f0705a", "b01c2c")
WIND = -0.42  # the direction of the sweeps, radians
# Where the trunk goes, then its branches, as x and y in design pixels; and how thick each is at the foot.
BRANCHES = (
    (((60, 820), (150, 660), (110, 540), (230, 430), (270, 300), (390, 250)), 84),
    (((235, 430), (360, 440), (450, 370), (590, 390), (680, 320), (790, 330)), 34),
    (((120, 560), (60, 440), (90, 330), (40, 220)), 30),
    (((270, 310), (250, 190), (310, 100), (290, -20)), 20),
    (((390, 250), (480, 220), (530, 130), (640, 90)), 13),
    (((140, 660), (260, 640), (350, 560), (480, 550)), 16),
)
# Where stalks of bamboo hang into the picture.
STALKS = (
    ((800, 470), (690, 500), (600, 560), (540, 640)),
    ((810, 560), (730, 590), (670, 650), (640, 720)),
    ((560, 800), (470, 720), (400, 680), (340, 670)),
    ((-20, 60), (70, 50), (150, 80), (200, 130)),
    ((610, -20), (680, 30), (740, 50), (800, 40)),
)
FLOWERS = 70

Point = NDArray[np.float64]


def _towards(angle: float) -> Point:
    return np.array((np.cos(angle), np.sin(angle)))


def prepare(sheet: Sheet, rng: np.random.Generator) -> None:
    """Tone the paper, with clouds and fibres in it."""
    fibres = noise(rng, sheet.side, 300, octaves=1, stretch=0.12) + noise(rng, sheet.side, 300, octaves=1, stretch=8)
    stained = 1 + 0.2 * noise(rng, sheet.side, 4) + 0.12 * fibres
    sheet.absorbed += (stained.clip(0.2)[..., None] * PAPER_TONE).astype(np.float32)


def paint_weather(sheet: Sheet, brush: Brush, rng: np.random.Generator) -> None:
    """Lay the wet sky, and sweep a wide flat brush through it with the wind."""
    for number in range(30):
        reach = rng.uniform(120, 280)
        wash = Mark(
            x=rng.uniform(-120, 700),
            y=rng.uniform(-20, 790),
            angle=WIND + rng.normal(0, 0.3),
            length=reach,
            width=reach * rng.uniform(0.3, 0.6),
            pigments=np.stack((INDIGO, GREY) if number % 2 else (GREY, INDIGO)),
            strength=rng.uniform(0.15, 0.5),
            rough=6,
        )
        sheet.wash(wash, soft_px=float(rng.choice((0, 14, 26))))
    ahead, aside = _towards(WIND), _towards(WIND + np.pi / 2)
    for lane in np.tile(np.arange(-470, 480, 72), 2):
        length, bow = rng.uniform(300, 640), rng.normal(0, 40)
        middle = 0.5 * DESIGN_SIZE_PX + (lane + rng.normal(0, 20)) * aside + rng.uniform(-340, 340) * ahead
        start = middle - 0.5 * length * ahead
        width = rng.uniform(26, 84)
        brush.draw(
            BrushStroke(
                path=np.array((start, start + 0.5 * length * ahead + bow * aside, start + length * ahead)),
                widths=(0.8 * width, width, width, 0.9 * width),
                ink=(INDIGO, GREY, GREY)[rng.integers(3)],
                strength=rng.uniform(0.25, 0.8),
                dry=(rng.uniform(0.35, 0.6), rng.uniform(0.75, 1.0)),
                side=rng.uniform(-0.6, 0.6),
            )
        )


def paint_sun(sheet: Sheet, rng: np.random.Generator) -> None:
    """Two washes of vermilion, nearly round, the second a little smaller."""
    radius = rng.uniform(95, 120)
    x, y = rng.uniform(480, 600), rng.uniform(170, 260)
    for strength, inner in ((0.75, 1.0), (0.35, 0.9)):
        disc = Mark(
            x=x - inner * radius,
            y=y,
            angle=0,
            length=2 * inner * radius,
            width=2 * inner * radius,
            pigments=np.stack((VERMILION, CORAL)),
            strength=strength,
            point=0.5,
            rough=2,
        )
        sheet.wash(disc)


def _bent(rng: np.random.Generator, start: Point, angle: float, length: float, kink: float) -> Point:
    """Bend a branch, `(n, 2)`: it keeps its heading but turns this way and that."""
    count = max(int(length / 60), 2)
    way = rng.choice((-1, 1))
    turns = [way * (-1) ** step * abs(rng.normal(kink, 0.3 * kink)) for step in range(count)]
    steps = [length / count * _towards(angle + turn) for turn in turns]
    return np.concatenate(([start], start + np.cumsum(steps, axis=0)))


def grow(brush: Brush, rng: np.random.Generator, path: Point, width: float) -> list[Point]:
    """Draw a branch, or the trunk, and its twigs; give the places where flowers open."""
    length = float(np.hypot(*np.diff(path, axis=0).T).sum())
    old = width > 14
    swelling = rng.uniform(0.8, 1.2, 9)
    brush.draw(
        BrushStroke(
            path=path,
            widths=tuple(np.linspace(width, 0.3 * width if old else 1.5, 9) * swelling),
            ink=BLACK,
            strength=0.8,
            dry=(0.24, 0.62) if old else (0.05, 0.55),
            side=rng.choice((-0.6, 0.6)) if old else 0.0,
        )
    )
    if old:
        roughen(brush, rng, path, width, int(length / 14))
    flowers: list[Point] = []
    for number in range(int(length / (60 if old else 42))):
        part = rng.uniform(0.2, 1.0) * (len(path) - 1.001)
        foot = path[int(part)] + (path[int(part) + 1] - path[int(part)]) * (part % 1)
        heading = np.arctan2(*(path[int(part) + 1] - path[int(part)])[::-1])
        reach = rng.uniform(60, 170) if old else rng.uniform(30, 90)
        twig = _bent(rng, foot, heading + (-1) ** number * rng.uniform(0.4, 1.0), reach, 0.14)
        brush.draw(BrushStroke(path=twig, widths=(rng.uniform(3, 6), 3, 1.2), ink=BLACK, dry=(0.0, 0.4)))
        flowers += [point + rng.normal(0, 5, 2) for point in twig[1:]]
    return flowers


def roughen(brush: Brush, rng: np.random.Generator, path: Point, width: float, count: int) -> None:
    """Put the dark scars of the bark, short presses of the brush, on an old branch."""
    for part in rng.uniform(0, len(path) - 1.001, count):
        ahead = path[int(part) + 1] - path[int(part)]
        heading = np.arctan2(ahead[1], ahead[0]) + rng.normal(0, 0.5)
        foot = path[int(part)] + ahead * (part % 1) + rng.normal(0, 0.17 * width * (1.1 - part / len(path)), 2)
        scar = np.array((foot, foot + rng.uniform(8, 30) * _towards(heading)))
        brush.draw(BrushStroke(path=scar, widths=(2, rng.uniform(4, 10), 2), ink=BLACK, dry=(0.1, 0.7)))


def paint_blossom(sheet: Sheet, brush: Brush, rng: np.random.Generator, at: Point, radius: float) -> None:
    """Five round petals, wet in wet, and fine dark stamens."""
    turn, squash = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.1)
    for petal in range(5):
        angle = turn + 2 * np.pi * petal / 5 + rng.normal(0, 0.12)
        length = radius * rng.uniform(0.85, 1.15)
        wash = Mark(
            x=float(at[0]),
            y=float(at[1]),
            angle=angle,
            length=length,
            width=squash * length,
            fullness=1.3,
            point=0.5,
            pigments=np.stack((CRIMSON, VERMILION) if rng.uniform() < 0.5 else (VERMILION, CORAL)),
            strength=rng.uniform(0.6, 1.1),
            rough=0.5,
        )
        sheet.wash(wash)
    for _ in range(8):
        angle = rng.uniform(0, 2 * np.pi)
        stamen = np.array((at, at + 0.62 * radius * _towards(angle)))
        brush.draw(BrushStroke(path=stamen, widths=(0.8, 0.9, 2.2), ink=BLACK))


def paint_leaves(brush: Brush, rng: np.random.Generator, at: Point, strength: float, bleed_px: float) -> None:
    """A tuft of bamboo leaves that hang in the wind, each one press of the brush."""
    for _ in range(int(rng.integers(4, 7))):
        angle, length = rng.normal(0.9, 0.45), rng.uniform(60, 140)
        width = length * rng.uniform(0.11, 0.17)
        bend = rng.normal(0, 0.12) * length * _towards(angle + np.pi / 2)
        path = np.array((at, at + 0.5 * length * _towards(angle) + bend, at + length * _towards(angle)))
        brush.draw(
            BrushStroke(
                path=path,
                widths=(1.5, 0.75 * width, width, 0.8 * width, 0.4 * width, 0.8),
                ink=BLACK,
                strength=strength * rng.uniform(0.7, 1.1),
                dry=(0.0, rng.uniform(0.3, 0.6)),
                side=rng.uniform(-0.4, 0.4),
                bleed_px=bleed_px,
            )
        )


def splash(sheet: Sheet, rng: np.random.Generator) -> None:
    """Shake the brush."""
    for x, y in rng.uniform(0, DESIGN_SIZE_PX, (220, 2)):
        size = rng.uniform(1.2, 2.6) ** 1.9
        pigment = (BLACK, BLACK, BLACK, VERMILION)[rng.integers(4)]
        sheet.wash(
            Mark(
                x=x,
                y=y,
                angle=WIND,
                length=size * rng.uniform(1, 1.6),
                width=size,
                pigments=np.stack((pigment, pigment)),
                strength=rng.uniform(0.4, 1),
                point=0.5,
                rough=0.3,
            )
        )


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Paint the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    sheet = Sheet(rng, size)
    brush = Brush(rng, sheet)
    prepare(sheet, rng)
    paint_weather(sheet, brush, rng)
    paint_sun(sheet, rng)
    for x, y in rng.uniform(0, DESIGN_SIZE_PX, (14, 2)):
        paint_leaves(brush, rng, np.array((x, y)), 0.22, 5.0)
    flowers: list[Point] = []
    wood = np.empty((0, 2))
    for branch, width in BRANCHES:
        path = np.array(branch, float) + rng.normal(0, 14, (len(branch), 2))
        if wood.size:
            path[0] = wood[np.hypot(*(wood - path[0]).T).argmin()]
        wood = np.concatenate((wood, follow(path)[0]))
        flowers += grow(brush, rng, path, width)
    for stalk in STALKS:
        path = np.array(stalk, float) + rng.normal(0, 12, (len(stalk), 2))
        brush.draw(BrushStroke(path=path, widths=(5, 4, 3, 2), ink=BLACK, dry=(0.1, 0.4)))
        for at in path[1:]:
            paint_leaves(brush, rng, at, 0.9, 0.0)
    rng.shuffle(flowers)
    for at in flowers[:FLOWERS]:
        paint_blossom(sheet, brush, rng, at, rng.uniform(9, 24))
    splash(sheet, rng)
    return finish(sheet.dried())
