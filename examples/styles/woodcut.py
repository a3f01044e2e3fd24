"""Woodcut: a black key block over two flat inks; a sun, a windy sky and hills cut in flowing lines.

The lines are grown, not drawn: noise is filtered again and again along the direction the gouge takes until it falls
into even ridges that part and join as a carver's do. How much of each ridge prints is the tone.
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
    resize,
    smoothstep,
    to_linear,
)
from numpy.typing import NDArray
from scipy import fft, ndimage

BLOCK_SIDE = 640
FINE_PITCH_PX, BROAD_PITCH_PX = 6.2, 8.8
PAPER, KEY_INK = hex_colours("f1e6cb", "17120f")
BARE, RED, BLUE = 0, 1, 2
INKS = {RED: hex_colours("d9512c")[0], BLUE: hex_colours("2b7384")[0]}
SUN_RADIUS = 0.085
SKY_BANDS = np.array((BARE, BARE, RED, BARE, BLUE, BLUE, BARE, RED, BLUE, BARE, BLUE, BLUE))
HILLS = (BLUE, BARE, RED, BLUE, BARE, RED, BLUE, RED)
BROAD_HILLS = (2, 4, 6, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What is drawn on the block before cutting; fields `(BLOCK_SIDE, BLOCK_SIDE)`.

    Attributes:
        angle: Direction of the gouge, radians, float32.
        tone: Share of black, [0, 1], float32.
        ink: Which ink lies under the black, intp.
        edge: Distance from the nearest outline, in picture widths, float32.
        broad: 1 where the broad gouge is used, 0 where the fine one is, float32.
    """

    angle: FloatArray
    tone: FloatArray
    ink: NDArray[np.intp]
    edge: FloatArray
    broad: FloatArray


def draw_sky(rng: np.random.Generator) -> Drawing:
    """Draw a low sun and the bands of light and wind round it."""
    side = BLOCK_SIDE
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    sun_x, sun_y = rng.uniform(0.25, 0.75), rng.uniform(0.16, 0.22)
    r = np.hypot(x - sun_x, y - sun_y)
    wind = 0.05 * noise(rng, side, 3.5, octaves=2) * smoothstep(0.08, 0.3, r)
    stream = np.hypot(0.8 * (x - sun_x), 1.1 * (y - sun_y)) + wind
    down, right = np.gradient(stream)
    phase = stream / 0.062 + 0.25 * noise(rng, side, 5, octaves=2)
    band = np.clip(phase, 0, len(SKY_BANDS) - 1).astype(np.intp)
    sun = r < SUN_RADIUS
    return Drawing(
        angle=np.arctan2(-right, down),
        tone=np.where(sun, 0.1, 0.06 + 0.9 * smoothstep(0.1, 1.05, phase - band)),
        ink=np.where(sun, RED, SKY_BANDS[band]),
        edge=np.abs(r - SUN_RADIUS),
        broad=np.zeros_like(r),
    )


def draw_hill(rng: np.random.Generator, behind: Drawing, number: int, level: float) -> Drawing:
    """Draw one hill in front of what is there, its crest about `level` picture heights down."""
    side = BLOCK_SIDE
    swell = noise(rng, side, 2.2 + 0.25 * number, octaves=2)[0] * (0.035 + 0.004 * number)
    crest = (level + swell).astype(np.float32)
    slope = np.arctan(np.gradient(crest) * side)
    depth = np.arange(side, dtype=np.float32)[:, None] / side - crest
    fall = depth / (0.14 + 0.03 * number)
    roll = noise(rng, side, 4, octaves=2)
    if number % 2:
        lie = np.pi / 2 - slope * (0.9 - 0.8 * np.clip(fall, 0, 1)) + 0.45 * roll
    else:
        lie = slope * np.exp(-np.maximum(fall, 0)) + 0.45 * roll * np.clip(fall, 0, 1)
    shade = 0.08 + 0.86 * smoothstep(0.02, 0.85, fall + 0.2 * roll)
    below = depth > 0
    return Drawing(
        angle=np.where(below, lie, behind.angle),
        tone=np.where(below, shade, behind.tone),
        ink=np.where(below, HILLS[number], behind.ink),
        edge=np.where(below, depth, np.minimum(behind.edge, -depth)),
        broad=np.where(below, float(number in BROAD_HILLS), behind.broad).astype(np.float32),
    )


def grow_lines(rng: np.random.Generator, angle: FloatArray, *, pitch_px: float, rounds: int = 6) -> FloatArray:
    """Grow even ridges along `angle`; give their height, [-1, 1], by repeated oriented Gabor filtering.

    Source: Cappelli, Maio and Maltoni, "Synthetic Fingerprint-Image Generation", ICPR 2000.
    """
    side, turns = angle.shape[0], 24
    bins = np.rint(angle / np.pi * turns).astype(np.intp) % turns
    offset = (fft.fftfreq(side) * side).astype(np.float32)
    dy, dx = offset[:, None], offset[None, :]
    spectra = []
    for turn in range(turns):
        cos, sin = np.cos(np.pi * turn / turns), np.sin(np.pi * turn / turns)
        along, across = dx * cos + dy * sin, dy * cos - dx * sin
        envelope = np.exp(-0.5 * ((along / pitch_px) ** 2 + (across / (0.55 * pitch_px)) ** 2))
        spectra.append(fft.fft2(envelope * np.exp(2j * np.pi * across / pitch_px)).astype(np.complex64))
    height = rng.standard_normal((side, side)).astype(np.float32)
    for _ in range(rounds):
        seen = fft.fft2(height)
        answer = np.zeros((side, side), np.complex64)
        for turn in range(turns):
            here = bins == turn
            answer[here] = fft.ifft2(seen * spectra[turn])[here]
        height = answer.real / (np.abs(answer) + 1e-6)
    return height


def wood_grain(rng: np.random.Generator, side: int) -> FloatArray:
    """Draw the grain of the plank, `(side, side)` float32, 1 on the lines of late wood and 0 between them."""
    across = np.linspace(0, 1, side, dtype=np.float32)[None, :]
    rings = 34 * across + 1.7 * noise(rng, side, 2.2, octaves=1, stretch=2.5) + 0.2 * noise(rng, side, 16, stretch=8)
    pores = noise(rng, side, 330, octaves=1, stretch=30)
    return np.clip(np.exp(-(((rings % 1 - 0.5) / 0.06) ** 2)) + 0.5 * smoothstep(1.2, 2.2, pores), 0, 1)


def paint(size: int, seed: int) -> NDArray[np.uint8]:
    """Print the picture, `(size, size, 3)` uint8, sRGB."""
    rng = np.random.default_rng(seed)
    side, scale = size * SUPERSAMPLE, np.float32(canvas_scale(size))
    drawing = draw_sky(rng)
    for number, level in enumerate(np.linspace(0.36, 1.02, len(HILLS)) + rng.normal(0, 0.012, len(HILLS))):
        drawing = draw_hill(rng, drawing, number, level)

    pitches = (FINE_PITCH_PX, BROAD_PITCH_PX)
    fine, broad = (
        resize(grow_lines(rng, drawing.angle, pitch_px=pitch * BLOCK_SIDE / DESIGN_SIZE_PX), side) for pitch in pitches
    )
    lines = np.where(resize(drawing.broad, side) > 0.5, broad, fine)
    tone = resize(ndimage.gaussian_filter(drawing.tone.astype(np.float32), 1.2), side)
    tone = tone + 0.07 * noise(rng, side, 40) + 0.05 * noise(rng, side, 160, octaves=2)
    edge = resize(drawing.edge.astype(np.float32), side) * DESIGN_SIZE_PX
    grain, tack = wood_grain(rng, side), noise(rng, side, 380, octaves=1)
    wobble = 0.6 * noise(rng, side, 60, octaves=2)

    crisp = 1.15 * scale
    black = np.clip(0.5 + (lines - np.cos(np.pi * np.clip(tone, 0.03, 0.97))) * crisp, 0, 1)
    black *= 1 - np.clip(0.5 + (4.6 + wobble - edge) * scale, 0, 1)
    black = np.maximum(black, np.clip(0.5 + (2.3 + wobble - edge) * scale, 0, 1))
    starved = smoothstep(2.8, 4.4, tack + 0.8 * noise(rng, side, 9))
    black *= 1 - 0.3 * grain * smoothstep(-0.5, 1.5, noise(rng, side, 5)) - 0.7 * starved

    cleared = np.clip(0.5 - (lines + 0.8 + 2 * (tone - 0.16)) * crisp, 0, 1)
    fibre = 0.012 * (noise(rng, side, 300, octaves=1) + noise(rng, side, 20))
    print_ = to_linear(PAPER * (1 + fibre)[..., None])
    slip = round(1.6 * float(scale))
    for ink, colour in INKS.items():
        plate = resize(ndimage.gaussian_filter((drawing.ink == ink).astype(np.float32), 0.8), side)
        plate = ndimage.shift(plate, (slip * (ink - BLUE), slip), order=0, mode="nearest")
        film = 0.96 - 0.16 * grain + 0.05 * noise(rng, side, 30) + 0.05 * noise(rng, side, 400, octaves=1)
        cover = np.clip(0.5 + (plate - 0.5 + 0.06 * wobble) * 3 * scale, 0, 1) * (1 - cleared) * np.clip(film, 0, 1)
        print_ *= 1 - cover[..., None] * (1 - to_linear(colour))
    return finish(print_ + black[..., None] * (to_linear(KEY_INK) - print_))
