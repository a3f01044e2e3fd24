"""From a caller's pictures to what is painted from: checked, opaque, recoloured, and in the size of a scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impasto_engine.colour import Color, luminance, match_colours, match_luminance, with_colours_of
from impasto_engine.errors import PictureError
from impasto_engine.resample import fill_transparent, fit, resize, resize_mask
from impasto_engine.settings import Style
from impasto_engine.style_targets import Source
from impasto_engine.types import Mask, Pixels

__all__ = ["Materials", "prepare"]

Colours = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Materials:
    """The pictures that a painting is made from, in their own sizes.

    Attributes:
        content: `(H, W, 3)` float32, sRGB, [0, 1], with its own colours.
        guide: The same as the network is to see it.
        alpha: `(H, W)` of the content; None where all pixels are opaque.
        styles: The style images as the network is to see them, `(H, W, 3)` in [0, 1], each with its alpha.
        weights: What each style counts.
        regions: Where each style is painted; None for everywhere.
        color: Whose colours the picture will wear.
    """

    content: Colours
    guide: Colours
    alpha: Mask | None
    styles: tuple[tuple[Colours, Mask | None], ...]
    weights: tuple[float, ...]
    regions: tuple[Mask | None, ...]
    color: Color

    def content_at(self, height: int, width: int) -> tuple[Colours, Mask | None]:
        """What the network is to see of the content in that size, 0-255, and its alpha."""
        alpha = None if self.alpha is None else resize_mask(self.alpha, height, width)
        return _to_255(resize(self.guide, height, width)), alpha

    def sources_at(self, height: int, width: int, style_scale: float, *, as_content: bool) -> tuple[Source, ...]:
        """The style images that go with a picture of that size.

        Args:
            height: Rows of the picture.
            width: Columns of the picture.
            style_scale: The style's longer side relative to the picture's.
            as_content: Give the style the picture's very height and width.
        """
        regions = {id(region): resize_mask(region, height, width) for region in self.regions if region is not None}
        longer_side = max(1, round(max(height, width) * style_scale))
        sources = []
        for (colours, alpha), weight, region in zip(self.styles, self.weights, self.regions, strict=True):
            size = (height, width) if as_content else fit(colours.shape[0], colours.shape[1], longer_side)
            sources.append(
                Source(
                    colours=_to_255(resize(colours, *size)),
                    alpha=None if alpha is None else resize_mask(alpha, *size),
                    weight=weight,
                    region=None if region is None else regions[id(region)],
                )
            )
        return tuple(sources)

    def sources_as_they_are(self, height: int, width: int) -> tuple[Source, ...]:
        """The style images in their own sizes, with their regions in the size of the picture."""
        return tuple(
            Source(
                colours=_to_255(colours),
                alpha=alpha,
                weight=weight,
                region=None if region is None else resize_mask(region, height, width),
            )
            for (colours, alpha), weight, region in zip(self.styles, self.weights, self.regions, strict=True)
        )

    def style_covering(self, height: int, width: int) -> Colours:
        """The first style image enlarged to cover that size and cropped to its middle, 0-255."""
        colours = self.styles[0][0]
        scale = max(height / colours.shape[0], width / colours.shape[1])
        tall, wide = (
            max(least, round(side * scale)) for least, side in zip((height, width), colours.shape, strict=False)
        )
        top, left = (tall - height) // 2, (wide - width) // 2
        return _to_255(resize(colours, tall, wide)[top : top + height, left : left + width])

    def finished(self, picture: Colours) -> Pixels:
        """A painted picture as the caller gets it.

        Args:
            picture: `(H, W, 3)` float32, 0-255, not clipped.

        Returns:
            `(H, W, 3)`, or `(H, W, 4)` where the content has alpha; float32, sRGB, [0, 1].
        """
        height, width = picture.shape[:2]
        colours = picture / np.float32(255.0)
        np.clip(colours, 0.0, 1.0, out=colours)
        if self.color is Color.LUMINANCE:
            with_colours_of(_within_range(resize(self.content, height, width)), colours, out=colours)
        if self.alpha is None:
            return colours
        return np.concatenate([colours, resize_mask(self.alpha, height, width)[..., None]], axis=-1)


def prepare(content: Pixels, styles: Sequence[Style], color: Color) -> Materials:
    """Checks the pictures, fills what is transparent and applies the colour mode.

    Raises:
        PictureError: A picture has an impossible shape or holds numbers that are not finite.
    """
    colours, alpha = _checked("content image", content)
    sources = [_checked("style image", style.pixels) for style in styles]
    guide = colours
    if color is Color.LUMINANCE:
        guide = luminance(colours)
        sources = [(match_luminance(style, colours, a, alpha), a) for style, a in sources]
    elif color is Color.MATCH:
        sources = [(match_colours(style, colours, a, alpha), a) for style, a in sources]
    return Materials(
        content=colours,
        guide=guide,
        alpha=alpha,
        styles=tuple(sources),
        weights=tuple(style.weight for style in styles),
        regions=tuple(style.region for style in styles),
        color=color,
    )


def _checked(what: str, pixels: Pixels) -> tuple[Colours, Mask | None]:
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or 0 in pixels.shape:
        raise PictureError(f"The {what} has the shape {pixels.shape}; give (height, width, 3 or 4).")
    if not bool(np.isfinite(pixels).all()):
        raise PictureError(f"The {what} holds a number that is not finite; open it in an editor and save it again.")
    if pixels.shape[2] == 4 and not bool(pixels[..., 3].any()):
        raise PictureError(f"The {what} is transparent everywhere, so there is nothing to see; give one that is not.")
    colours, alpha = fill_transparent(pixels.astype(np.float32, copy=False))
    return _within_range(colours), alpha


def _within_range(colours: Colours) -> Colours:
    """Clipped to [0, 1]; the very same where they are there already, for a copy would be as large as the picture."""
    if colours.min() >= 0.0 and colours.max() <= 1.0:
        return colours
    return np.clip(colours, 0.0, 1.0)


def _to_255(colours: Colours) -> Colours:
    scaled: Colours = np.clip(colours, 0.0, 1.0)
    scaled *= np.float32(255.0)
    return scaled
