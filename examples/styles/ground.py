"""What every style here is painted on: seeded noise, flow fields, relief light and the way out to pixels.

A style paints on a canvas `SUPERSAMPLE` times larger than the picture and hands it to `finish`. Lengths in
the style files are in picture pixels at 768 px; `canvas_scale` turns them into canvas pixels, so that a style
paints the same picture at every size.

Nothing here reads files, the clock or the global random state: the generator is an argument.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

FloatArray: TypeAlias = NDArray[np.float32]

SUPERSAMPLE = 2
DESIGN_SIZE_PX = 768
UPWARDS = np.array((0.0, 0.0, 1.0))


def canvas_scale(size: int) -> float:
    """Give the canvas pixels in one design pixel, for a picture `size` pixels wide and high."""
    return SUPERSAMPLE * size / DESIGN_SIZE_PX


def hex_colours(*codes: str) -> FloatArray:
    """Read colours such as `"1d3f8f"` into an `(n, 3)` float32 array, sRGB, [0, 1]."""
    return np.array([list(bytes.fromhex(code)) for code in codes], np.float32) / 255


def smoothstep(low: float, high: float, x: FloatArray) -> FloatArray:
    """Rise smoothly from 0 where `x` is `low` to 1 where it is `high` (falls if `low > high`)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def resize(field: FloatArray, side: int) -> FloatArray:
    """Resample an `(h, w)` float32 field bicubically to `(side, side)`."""
    return np.asarray(Image.fromarray(field).resize((side, side), Image.Resampling.BICUBIC))


def noise(rng: np.random.Generator, side: int, cells: float, *, octaves: int = 3, stretch: float = 1) -> FloatArray:
    """Draw fractal noise, `(side, side)` float32, mean 0 and standard deviation 1.

    Args:
        rng: Where the random numbers come from; the draws do not depend on `side`.
        side: Width and height of the field, pixels.
        cells: Features across the picture in the coarsest octave.
        octaves: Each further octave has twice the features at half the strength.
        stretch: Features are this many times longer downwards than across.
    """
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        across = cells * 2**octave
        down = across / stretch
        lattice = rng.standard_normal((int(down) + 5, int(across) + 5)).astype(np.float32)
        box = (1.5, 1.5, 1.5 + across, 1.5 + down)
        layer = Image.fromarray(lattice).resize((side, side), Image.Resampling.BICUBIC, box=box)
        total += np.asarray(layer) * np.float32(0.5**octave)
    return (total - total.mean()) / total.std()


def rank(field: FloatArray) -> FloatArray:
    """Replace every value by its rank among all of them, [0, 1], so that tones are spread evenly."""
    order = np.argsort(field, axis=None, kind="stable")
    ranks = np.empty(field.size, np.float32)
    ranks[order] = np.linspace(0, 1, field.size, dtype=np.float32)
    return ranks.reshape(field.shape)


def along_flow(field: FloatArray, u: FloatArray, v: FloatArray, *, length_px: float, steps: int = 24) -> FloatArray:
    """Smear a field along the flow `(u, v)` by line integral convolution, both ways from every pixel.

    Source: Cabral and Leedom, "Imaging Vector Fields Using Line Integral Convolution", SIGGRAPH 1993.
    """
    side = field.shape[0]
    y0, x0 = np.mgrid[0:side, 0:side].astype(np.float32)
    total = field.copy()
    stride = np.float32(length_px / (2 * steps))
    for way in (-stride, stride):
        x, y = x0.copy(), y0.copy()
        for _ in range(steps):
            row = np.clip(np.rint(y), 0, side - 1).astype(np.intp)
            column = np.clip(np.rint(x), 0, side - 1).astype(np.intp)
            x += way * u[row, column]
            y += way * v[row, column]
            total += ndimage.map_coordinates(field, (y, x), order=1, mode="reflect")
    return total / (2 * steps + 1)


def relief(height: FloatArray, *, slope: float, light: tuple[float, float, float]) -> tuple[FloatArray, FloatArray]:
    """Light a relief: Lambert's cosine (1 on the flat) and Blinn's half-vector cosine, both `(H, W)` float32.

    Args:
        height: `(H, W)` float32, any unit.
        slope: Steepness of one unit of height a canvas pixel.
        light: Direction to the light, x rightwards, y downwards, z to the viewer; any length.
    """
    down, right = np.gradient(height)
    normal_z = 1 / np.sqrt(1 + slope**2 * (right**2 + down**2))
    normal_x, normal_y = -slope * right * normal_z, -slope * down * normal_z
    towards = np.array(light) / np.linalg.norm(light)
    half = (towards + UPWARDS) / np.linalg.norm(towards + UPWARDS)
    lambert = normal_x * towards[0] + normal_y * towards[1] + normal_z * towards[2]
    gloss = normal_x * half[0] + normal_y * half[1] + normal_z * half[2]
    return (np.clip(lambert, 0, None) / towards[2]).astype(np.float32), np.clip(gloss, 0, 1).astype(np.float32)


def to_linear(srgb: FloatArray) -> FloatArray:
    """Undo the sRGB transfer curve (IEC 61966-2-1), [0, 1] to [0, 1]."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: FloatArray) -> FloatArray:
    """Apply the sRGB transfer curve (IEC 61966-2-1), [0, 1] to [0, 1]."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def finish(linear: FloatArray) -> NDArray[np.uint8]:
    """Average the linear-light canvas down by `SUPERSAMPLE` and give it as `(size, size, 3)` uint8, sRGB."""
    side = linear.shape[0] // SUPERSAMPLE
    blocks = np.clip(linear, 0, 1).reshape(side, SUPERSAMPLE, side, SUPERSAMPLE, 3)
    return np.rint(to_srgb(blocks.mean(axis=(1, 3))) * 255).astype(np.uint8)
