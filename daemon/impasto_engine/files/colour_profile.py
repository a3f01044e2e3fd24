"""Colour profiles: from a file's own colours to sRGB for painting, and back for writing.

LittleCMS does the work through imagecodecs, in float: its faster 16-bit path interpolates in a table and was seen to
be wrong by 0.07 in dark colours. Relative colorimetric with black point compensation, as image editors do.
A profile that is broken or belongs to other colours is ignored, and the numbers are taken as sRGB.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from impasto_engine.files.picture_samples import as_unit_floats
from impasto_engine.types import Pixels

__all__ = ["from_srgb", "to_srgb"]

_SPACES: Mapping[int, tuple[bytes, str]] = MappingProxyType(
    {1: (b"GRAY", "gray"), 3: (b"RGB ", "rgb"), 4: (b"CMYK", "cmyk")}
)
"""By number of samples: the profile's signature of that space (ICC.1:2022, table 19), and imagecodecs' name."""

_DEVICE_CLASSES = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})
"""Profiles that describe colours, and not links between devices or effects (ICC.1:2022, table 18)."""

_SRGB_TOLERANCE = 1 / 512
"""Two profiles are the same for us where they never differ by more than half a step of 8 bits."""

_BAND_PIXELS = 1 << 18
"""Pixels that one thread converts at a time."""


def to_srgb(samples: NDArray[Any], profile: bytes | None) -> tuple[Pixels, bytes | None]:
    """Convert a file's samples to sRGB.

    Args:
        samples: `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` CMYK (0 is no ink), uint8, uint16, or float32
            in [0, 1].
        profile: The ICC profile that says which colours they are, or None for sRGB.

    Returns:
        `(H, W, 3)` float32, sRGB, [0, 1]; and the profile, or None where there was none worth keeping.
    """
    if profile is not None:
        if samples.shape[2] == 1 and _space(profile) == b"RGB ":
            samples = np.repeat(samples, 3, axis=2)
        converted = _convert(samples, profile, backwards=False)
        if converted is not None:
            return converted, profile
    return _as_srgb(samples), None


def from_srgb(pixels: Pixels, profile: bytes | None) -> Pixels | None:
    """Convert sRGB to the colours of an RGB profile.

    Args:
        pixels: `(H, W, 3)` float32, sRGB, [0, 1].
        profile: An ICC profile, or None.

    Returns:
        `(H, W, 3)` float32, [0, 1], in the profile's colours; None where the profile is none, is not for RGB or
        cannot be written to, so that the pixels are best kept as sRGB.
    """
    return None if profile is None else _convert(pixels, profile, backwards=True)


def _convert(samples: NDArray[Any], profile: bytes, *, backwards: bool) -> Pixels | None:
    """Convert to sRGB, or `backwards` from it; None where LittleCMS cannot."""
    signature, name = _SPACES[samples.shape[2]]
    if _space(profile) != signature:
        return None
    if name == "cmyk" and samples.dtype.kind == "f":
        samples = np.rint(samples * 65535.0).astype(np.uint16)
    try:
        if name == "rgb" and _is_srgb(profile):
            return as_unit_floats(samples)
        return _transform(samples, profile, name, backwards=backwards)
    except (imagecodecs.CmsError, ValueError):
        return None


def _space(profile: bytes) -> bytes | None:
    """The colour space a profile is for, by its header; None where it is no profile of a device's colours."""
    is_profile = len(profile) >= 128 and profile[36:40] == b"acsp" and profile[12:16] in _DEVICE_CLASSES
    return profile[16:20] if is_profile else None


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile is sRGB under whatever name: most are, and need no conversion."""
    steps = np.linspace(0.0, 1.0, 9, dtype=np.float32)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(27, 27, 3)
    return bool(np.abs(_transform(colours, profile, "rgb", backwards=False) - colours).max() < _SRGB_TOLERANCE)


def _transform(samples: NDArray[Any], profile: bytes, name: str, *, backwards: bool) -> Pixels:
    srgb = imagecodecs.cms_profile("srgb")
    one, other = (srgb, profile) if backwards else (profile, srgb)
    flat = samples.reshape(-1, samples.shape[2])
    result = np.empty((len(flat), 3), np.float32)

    def convert_band(start: int) -> None:
        band = flat[start : start + _BAND_PIXELS]
        converted = imagecodecs.cms_transform(
            band.reshape(1, -1) if name == "gray" else band[np.newaxis],
            one,
            other,
            colorspace=name,
            outcolorspace="rgb",
            planar=None if name == "gray" else False,
            outplanar=False,
            outdtype=np.float32,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION,
        )
        result[start : start + _BAND_PIXELS] = as_unit_floats(converted[0])

    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
        list(threads.map(convert_band, range(0, len(flat), _BAND_PIXELS)))
    return result.reshape(*samples.shape[:2], 3)


def _as_srgb(samples: NDArray[Any]) -> Pixels:
    """Take samples for sRGB; inks for what is left of the light, (1 - ink)(1 - black)."""
    floats = as_unit_floats(samples)
    if samples.shape[2] == 4:
        return (1.0 - floats[..., :3]) * (1.0 - floats[..., 3:])
    return np.repeat(floats, 3, axis=2) if samples.shape[2] == 1 else floats
