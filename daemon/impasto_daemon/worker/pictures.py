"""Between pictures as they travel and pictures as the engine has them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_engine.resample import fit, resize
from impasto_engine.types import Mask, Pixels
from impasto_protocol.fields import Data
from impasto_protocol.limits import WINDOW_BYTES
from impasto_protocol.pixels import Blob, PixelFormat, SampleType

__all__ = ["mask_of", "pixels_in", "pixels_of", "preview_of", "samples_of"]

GREY, GREY_AND_ALPHA = 1, 2

_LITTLE_ENDIAN: Mapping[SampleType, np.dtype[Any]] = {
    SampleType.UINT8: np.dtype("u1"),
    SampleType.UINT16: np.dtype("<u2"),
    SampleType.FLOAT16: np.dtype("<f2"),
    SampleType.FLOAT32: np.dtype("<f4"),
}

_WHITE = {SampleType.UINT8: 255, SampleType.UINT16: 65535}
"""The largest value of each integer type."""


def pixels_of(blob: Blob, file: Path) -> Pixels:
    """A picture.

    Returns:
        `(H, W, 3)`, or with alpha `(H, W, 4)`; float32, sRGB, [0, 1] where the sender kept to it.
    """
    return _coloured(_samples_in(blob, file))


def pixels_in(form: PixelFormat, data: Data) -> Pixels:
    """A picture that has arrived, as `pixels_of` gives it."""
    return _coloured(_scaled(np.frombuffer(data, dtype=_LITTLE_ENDIAN[form.samples]), form))


def _coloured(samples: NDArray[np.float32]) -> Pixels:
    if samples.shape[-1] == GREY:
        return np.repeat(samples, 3, axis=-1)
    if samples.shape[-1] == GREY_AND_ALPHA:
        return samples[..., [0, 0, 0, 1]]
    return samples


def mask_of(blob: Blob, file: Path) -> Mask:
    """A region.

    Returns:
        `(H, W)` float32: the first channel.
    """
    return _samples_in(blob, file)[..., 0]


def samples_of(pixels: Pixels, samples: SampleType) -> tuple[PixelFormat, memoryview]:
    """A picture as it travels.

    Args:
        pixels: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1].
        samples: The type of its samples.
    """
    height, width, channels = pixels.shape
    scaled = np.clip(pixels, 0.0, 1.0)
    if samples in _WHITE:
        scaled = np.rint(scaled * np.float32(_WHITE[samples]))
    converted = scaled.astype(_LITTLE_ENDIAN[samples])
    form = PixelFormat(width=width, height=height, channels=channels, samples=samples)
    return form, np.ascontiguousarray(converted).reshape(-1).data.cast("B")


def preview_of(pixels: Pixels, longer_side: int) -> tuple[PixelFormat, memoryview]:
    """A picture in 8 bits, shrunk to a longer side and to what one message holds."""
    height, width, channels = pixels.shape
    fitting = math.isqrt(WINDOW_BYTES * max(height, width) // (channels * min(height, width)))
    longest = min(longer_side, fitting)
    if max(height, width) > longest:
        height, width = fit(height, width, longest)
        while height * width * channels > WINDOW_BYTES:  # a side is rounded up, or has come to its least
            longest -= 1
            height, width = fit(pixels.shape[0], pixels.shape[1], longest)
        pixels = resize(pixels, height, width)
    return samples_of(pixels, SampleType.UINT8)


def _samples_in(blob: Blob, file: Path) -> NDArray[np.float32]:
    return _scaled(np.fromfile(file, dtype=_LITTLE_ENDIAN[blob.format.samples]), blob.format)


def _scaled(samples: NDArray[Any], form: PixelFormat) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = samples.reshape(form.height, form.width, form.channels).astype(np.float32)
    if form.samples in _WHITE:
        scaled /= np.float32(_WHITE[form.samples])
    return scaled
