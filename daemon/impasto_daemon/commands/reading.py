"""Reading the pictures that an order names."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.commands.order import Order

if TYPE_CHECKING:
    from impasto_engine.files.picture_file import PictureFile
    from impasto_engine.types import Mask, Pixels

__all__ = ["ReadPictures", "ReadStyle", "read_pictures"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadStyle:
    """A style image with what it is to do, as in the engine's `Style`."""

    pixels: "Pixels"
    weight: float
    region: "Mask | None"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadPictures:
    """All pictures of an order.

    Attributes:
        content: The content image.
        styles: The styles.
        start: The picture to start from, if one is named.
    """

    content: "PictureFile"
    styles: tuple[ReadStyle, ...]
    start: "Pixels | None"


def read_pictures(order: Order) -> ReadPictures:
    """Reads all pictures of an order.

    Raises:
        PictureError: One cannot be read.
    """
    from impasto_engine.files.picture_file import read_picture

    return ReadPictures(
        content=read_picture(order.content),
        styles=tuple(
            ReadStyle(
                pixels=read_picture(style.image.path).pixels,
                weight=style.weight,
                region=None if style.region is None else _region(style.region),
            )
            for style in order.styles
        ),
        start=None if order.start is None else read_picture(order.start).pixels,
    )


def _region(path: Path) -> "Mask":
    """A region: where a picture is white and not transparent.

    Raises:
        PictureError: The picture cannot be read.
    """
    from impasto_engine.colour import luminance
    from impasto_engine.files.picture_file import read_picture

    pixels = read_picture(path).pixels
    brightness = luminance(pixels[..., :3])[..., 0]
    return brightness if pixels.shape[2] == 3 else brightness * pixels[..., 3]
