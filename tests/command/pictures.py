"""Small pictures, and files of them."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def waves(height: int, width: int, seed: int, channels: int = 3) -> np.ndarray:
    """A few waves of colour, `(height, width, channels)` in [0, 1]."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    speeds, phases = random.uniform(4, 12, (channels, 2)), random.uniform(0, 2 * np.pi, channels)
    return np.stack([0.5 + 0.4 * np.sin(a * y + b * x + p) for (a, b), p in zip(speeds, phases, strict=True)], axis=-1)


def save(path: Path, pixels: np.ndarray, **how: Any) -> Path:
    """Saves pixels in [0, 1] with Pillow, in 8 bits."""
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path, **how)
    return path


def pixels_of(path: Path) -> np.ndarray:
    """The samples of a picture as Pillow sees them."""
    with Image.open(path) as picture:
        return np.asarray(picture)
