"""What the plug-in remembers of a painting while the daemon has it, so that it can be taken up when GIMP has died.

The daemon knows pixels and settings, but nothing of images. Where the painting belongs, its mask and its recipe lie
beside the connection file, where commands keep what they leave, and for the user's eyes only. No gi.
"""

import base64
import json
import time
import zlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from impasto_gimp.recipe import Recipe, own_part, read_recipe
from impasto_protocol.connection import connection_path, write_private
from impasto_protocol.errors import ProtocolError

__all__ = ["LeftPainting"]

FORGOTTEN_S = 24 * 3600.0
"""Seconds after which a note is removed whose painting the daemon does not list: it may have been another daemon's."""

FEW = 1
"""How hard zlib tries: masks are smooth, and the user is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftPainting:
    """See the module.

    Attributes:
        name: The layer's.
        recipe: What the layer shall remember.
        offsets: Of the layer in the image, from the left and from the top.
        size: Of the layer, in pixels.
        mask: Its mask, as `pictures.mask_of` gives it.
        has_alpha: Whether it has transparency.
        image_size: Of the image, in pixels.
        image_uri: The image's file; empty if it was never saved.
        is_grey: Whether the image is grey.
        precision: The image's, as GIMP's own number.
    """

    name: str
    recipe: Recipe
    offsets: tuple[int, int]
    size: tuple[int, int]
    mask: bytes | None = field(default=None, repr=False)
    has_alpha: bool
    image_size: tuple[int, int]
    image_uri: str
    is_grey: bool
    precision: int

    def keep(self, job: str) -> None:
        """Writes it down; without it, a painting can still be taken up, but not to its place."""
        told = {
            "gimp": own_part(self.recipe),
            "name": self.name,
            "offsets": self.offsets,
            "size": self.size,
            "mask": None if self.mask is None else base64.b64encode(zlib.compress(self.mask, FEW)).decode("ascii"),
            "has_alpha": self.has_alpha,
            "image_size": self.image_size,
            "image_uri": self.image_uri,
            "is_grey": self.is_grey,
            "precision": self.precision,
        }
        with suppress(ProtocolError):
            write_private(json.dumps(told), _place(job))

    @classmethod
    def of(cls, job: str) -> "LeftPainting | None":
        """What is remembered of a job; None of those that another program ordered."""
        try:
            text = _place(job).read_text(encoding="ascii")
            told, recipe = json.loads(text), read_recipe(text)
            if recipe is None:
                return None
            (left, top), (width, height), (image_width, image_height) = (
                told[key] for key in ("offsets", "size", "image_size")
            )
            mask = None if told["mask"] is None else zlib.decompress(base64.b64decode(told["mask"]))
            if mask is not None and len(mask) not in (width * height, 4 * width * height):
                return None
            return cls(
                name=str(told["name"]),
                recipe=recipe,
                offsets=(int(left), int(top)),
                size=(int(width), int(height)),
                mask=mask,
                has_alpha=bool(told["has_alpha"]),
                image_size=(int(image_width), int(image_height)),
                image_uri=str(told["image_uri"]),
                is_grey=bool(told["is_grey"]),
                precision=int(told["precision"]),
            )
        except (OSError, ValueError, KeyError, TypeError, zlib.error):
            return None

    @staticmethod
    def forget(job: str) -> None:
        """Removes what is remembered of a job."""
        with suppress(OSError):
            _place(job).unlink(missing_ok=True)

    @staticmethod
    def forget_all_but(jobs: Collection[str]) -> None:
        """Removes what is remembered of jobs that have been gone for long."""
        for place in _place("").parent.glob("*.json"):
            with suppress(OSError):
                if place.stem not in jobs and time.time() - place.stat().st_mtime > FORGOTTEN_S:
                    place.unlink()


def _place(job: str) -> Path:
    return connection_path().with_name("left") / f"{job}.json"
