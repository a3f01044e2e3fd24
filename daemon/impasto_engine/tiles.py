"""Cutting a picture into tiles that can be looked at one by one.

Each tile *owns* a rectangle of the picture; together they own all of it, and no pixel twice. What is looked at is the
tile's *crop*: its own pixels and around them a *halo* as wide as the network sees, so that features at the tile's own
positions are those of the whole picture. Crops begin on the grid of the network's pooling.
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Span", "Tile", "tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A tile in one direction, in pixels of the picture; ends are exclusive.

    Attributes:
        start: Where the crop begins.
        stop: Where it ends.
        first: Where the tile's own pixels begin.
        last: Where they end.
        is_last: Whether they reach the end of the picture.
    """

    start: int
    stop: int
    first: int
    last: int
    is_last: bool

    @property
    def crop(self) -> slice:
        """The crop within the picture."""
        return slice(self.start, self.stop)

    def positions(self, stride: int, count: int) -> slice:
        """The crop's positions within those of the whole picture, for features that are `stride` pixels apart.

        Args:
            stride: Pixels from one position to the next; the crop begins on a multiple of it.
            count: Positions that the crop has.
        """
        return slice(self.start // stride, self.start // stride + count)

    def owned(self, stride: int, count: int) -> slice:
        """The tile's own positions within those of the crop; arguments as of `positions`."""
        first = (self.first - self.start) // stride
        return slice(first, count if self.is_last else (self.last - self.start) // stride)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile: its rows and its columns."""

    rows: Span
    columns: Span


def tiles(height: int, width: int, crop: int, *, halo: int, grid: int) -> Iterator[Tile]:
    """The tiles of a picture, from the top left.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        crop: Rows and columns of a crop; a multiple of `grid`, more than twice `halo`.
        halo: Pixels around the tile's own that a crop takes in; a multiple of `grid`.
        grid: Pixels from which on pooling repeats itself.
    """
    columns = tuple(_spans(width, crop, halo, grid))
    for rows in _spans(height, crop, halo, grid):
        for across in columns:
            yield Tile(rows=rows, columns=across)


def _spans(length: int, crop: int, halo: int, grid: int) -> Iterator[Span]:
    """All but the last crop have the same length, so that a compiled function serves many tiles."""
    first = 0
    while True:
        start = max(first - halo, 0)
        if start + crop >= length:
            start = max(-(-(length - crop) // grid) * grid, 0)
            yield Span(start=start, stop=length, first=first, last=length, is_last=True)
            return
        last = start + crop - halo
        yield Span(start=start, stop=start + crop, first=first, last=last, is_last=False)
        first = last
