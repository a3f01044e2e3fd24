"""The pictures that the student learns from, and what the optimiser makes of pictures.

A network that only ever sees photographs is blind to what an optimiser does to them on the way to a painting, and the
optimiser finds every blind spot. So the crops are recoloured, blended, mixed in frequency (the coarse parts of one
picture under the fine parts of another, as in a picture that is half painted) and made noisy; and every crop comes
with a neighbour, a short step away, for the student to learn what changes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

__all__ = ["Colours", "crops", "crops_with_neighbours", "read_pool"]

Colours = NDArray[np.float32]

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}

LONGEST_SIDE = 640
"""Pixels to which larger pictures are reduced when they are read, so that a large collection fits into memory."""


def read_pool(folders: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """All pictures in some folders and the folders in them, `(H, W, 3)` uint8, sRGB, in the order of their names.

    Raises:
        SystemExit: There is none.
    """
    pool = []
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        with Image.open(path) as picture:
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture = picture.convert("RGB")
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            pool.append(np.asarray(picture))
    if not pool:
        raise SystemExit(f"There is no picture in {', '.join(map(str, folders))}; name a folder with some.")
    return pool


def crops_with_neighbours(
    pool: Sequence[NDArray[np.uint8]], rng: np.random.Generator, *, count: int, side: int
) -> Colours:
    """A batch: `count` crops, and below them the neighbour of each; `(2 count, side, side, 3)` float32, sRGB, 0-255."""
    crops = [_changed(_crop(pool, rng, side), pool, rng) for _ in range(count)]
    return np.stack([*crops, *(_neighbour(crop, pool, rng) for crop in crops)])


def crops(pool: Sequence[NDArray[np.uint8]], rng: np.random.Generator, *, count: int, side: int) -> Colours:
    """Crops as they are, some of them recoloured; `(count, side, side, 3)` float32, sRGB, 0-255."""
    taken = (_crop(pool, rng, side) for _ in range(count))
    return np.stack([np.clip(_recoloured(crop, rng), 0, 255) if rng.random() < 0.3 else crop for crop in taken])


def _crop(pool: Sequence[NDArray[np.uint8]], rng: np.random.Generator, side: int) -> Colours:
    """A crop of any picture, at between two fifths and twice its size, perhaps mirrored."""
    picture = pool[rng.integers(len(pool))]
    height, width = picture.shape[:2]
    own = min(height, width, side / np.exp(rng.uniform(np.log(0.4), np.log(2.0))))
    left, top = rng.uniform(0, width - own), rng.uniform(0, height - own)
    crop = Image.fromarray(picture).resize(
        (side, side), Image.Resampling.BICUBIC, box=(left, top, left + own, top + own), reducing_gap=2.0
    )
    pixels = np.asarray(crop, np.float32)
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else pixels


def _changed(crop: Colours, pool: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> Colours:
    """What the optimiser meets: four crops in five are changed in one way or several."""
    side = crop.shape[0]
    if rng.random() < 0.35:
        crop = _recoloured(crop, rng)
    if rng.random() < 0.2:
        share = rng.uniform(0.2, 0.8)
        crop = share * crop + (1 - share) * _crop(pool, rng, side)
    if rng.random() < 0.25:
        crop = _mixed(crop, _crop(pool, rng, side), rng)
    if rng.random() < 0.4:
        crop = crop + _noise(rng, side, np.exp(rng.uniform(np.log(2.0), np.log(60.0))))
    if rng.random() < 0.03:
        crop = rng.uniform(0.0, 255.0, crop.shape)
    return np.clip(crop, 0.0, 255.0).astype(np.float32)


def _neighbour(crop: Colours, pool: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> Colours:
    """The crop after a short step: noise of some frequency, towards another picture, or another's fine parts."""
    side = crop.shape[0]
    kind = rng.random()
    if kind < 0.5:
        step = _noise(rng, side, np.exp(rng.uniform(np.log(3.0), np.log(30.0))))
    elif kind < 0.75:
        step = rng.uniform(0.08, 0.4) * (_crop(pool, rng, side) - crop)
    else:
        step = _mixed(crop, _crop(pool, rng, side), rng) - crop
    return np.clip(crop + step, 0.0, 255.0).astype(np.float32)


def _recoloured(crop: Colours, rng: np.random.Generator) -> Colours:
    """Channels mixed a little into each other, gains, contrast and brightness."""
    matrix = np.eye(3) * rng.uniform(0.6, 1.4, 3) + rng.normal(0.0, 0.2, (3, 3))
    middle = crop.mean(axis=(0, 1))
    recoloured: Colours = (crop - middle) @ matrix.astype(np.float32) + middle
    return recoloured + rng.normal(0.0, 25.0, 3).astype(np.float32)


def _mixed(coarse: Colours, fine: Colours, rng: np.random.Generator) -> Colours:
    """The coarse parts of one picture and the fine parts of another."""
    sigma = np.exp(rng.uniform(np.log(1.0), np.log(8.0)))
    blur = (sigma, sigma, 0.0)
    mixed: Colours = ndimage.gaussian_filter(coarse, blur) + fine - ndimage.gaussian_filter(fine, blur)
    return mixed


def _noise(rng: np.random.Generator, side: int, amplitude: float) -> Colours:
    """Noise of that root mean square in grey levels, white or smooth, coloured or grey."""
    noise = rng.standard_normal((side, side, 3), np.float32)
    if rng.random() < 0.5:
        sigma = rng.uniform(0.4, 4.0)
        noise = ndimage.gaussian_filter(noise, (sigma, sigma, 0.0))
    if rng.random() < 0.2:
        noise = np.broadcast_to(noise[..., :1], noise.shape)
    scaled: Colours = noise * np.float32(amplitude / noise.std())
    return scaled
