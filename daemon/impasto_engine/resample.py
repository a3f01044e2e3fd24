"""Resizing of pictures and masks, and filling in what is transparent."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from impasto_engine.types import Mask, Pixels

__all__ = ["fill_transparent", "fit", "resize", "resize_mask"]


def fit(height: int, width: int, longer_side: int) -> tuple[int, int]:
    """The height and width, at least one pixel each, that a picture has when its longer side is `longer_side`."""
    scale = longer_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(picture: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A picture in another size.

    Bicubic where it grows, Lanczos with antialiasing where it shrinks; both may overshoot the range a little.

    Args:
        picture: `(H, W, C)` float32, any range.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        `(height, width, C)` float32.
    """
    if picture.shape[:2] == (height, width):
        return picture
    grows = height * width > picture.shape[0] * picture.shape[1]
    method = Image.Resampling.BICUBIC if grows else Image.Resampling.LANCZOS
    resized = np.empty((height, width, picture.shape[2]), np.float32)
    for channel in range(picture.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(picture[..., channel]))
        resized[..., channel] = np.asarray(plane.resize((width, height), method))
    return resized


def resize_mask(mask: Mask, height: int, width: int) -> Mask:
    """A mask in another size, without overshoot: each value is the mean of what it covers."""
    if mask.shape == (height, width):
        return mask
    grows = height * width > mask.size
    method = Image.Resampling.BILINEAR if grows else Image.Resampling.BOX
    resized = Image.fromarray(np.ascontiguousarray(mask)).resize((width, height), method)
    clipped: Mask = np.clip(np.asarray(resized), 0.0, 1.0)
    return clipped


def fill_transparent(pixels: Pixels) -> tuple[NDArray[np.float32], Mask | None]:
    """The colours of a picture with its transparent pixels filled from the nearest opaque ones, and its alpha.

    What lies under transparency is arbitrary, and a convolution would see it; the nearest colour does no harm.

    Args:
        pixels: `(H, W, 3)` or `(H, W, 4)` float32, [0, 1].

    Returns:
        `(H, W, 3)` float32, and the alpha `(H, W)`, or None where every pixel is opaque.
    """
    colours = pixels[..., :3]
    if pixels.shape[2] == 3 or bool(np.all(pixels[..., 3] >= 1.0)):
        return colours, None
    alpha = pixels[..., 3]
    seen = alpha > 0.0
    if not seen.any():
        return colours, alpha
    rows, columns = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
    return colours[rows, columns], alpha
