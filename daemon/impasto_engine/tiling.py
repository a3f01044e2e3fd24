"""The loss and gradient of a picture that is too large to be looked at at once, tile by tile, and exactly.

Statistics are sums over positions. So a first pass over the tiles adds up the sums of the whole picture, and a second
one gives each tile the sums of all and takes the gradient through what the tile itself has added to them; where crops
overlap, gradients add up (B. Galerne et al., "Scaling Painting Style Transfer", 2022). Both passes hold the features
of one crop only. The result is that of the whole picture, but for the rounding of sums.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.networks.network import Extractor, TapShape
from impasto_engine.objective import Objective, weight_of_pairs
from impasto_engine.statistics import weighted_sums
from impasto_engine.tiles import Tile, tiles
from impasto_engine.types import Mask, Tensor, Tree

__all__ = ["TiledGradient", "features_in_tiles", "sums_in_tiles"]

Colours = NDArray[np.float32]
Sums = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


class TiledGradient:
    """See the module; a `backend.GradientFunction` whose arguments are those of the whole picture, as NumPy arrays.

    Args:
        objective: What is computed.
        crop: Pixels of a crop's sides.
    """

    def __init__(self, objective: Objective, crop: int) -> None:
        self._objective = objective
        self._crop = crop
        self._gradient = backend.current().compile_gradient(objective)
        self._sums = backend.current().compile_forward(objective.sums)

    def __call__(self, picture: Colours, arguments: Tree) -> tuple[NDArray[np.float32], Colours]:
        """The terms `(T,)` and the gradient of their sum `(1, H, W, 3)`."""
        height, width = picture.shape[1:3]
        extractor, styles = self._objective.extractor, slice(len(self._objective.content_taps), -1)
        cut = _Cut(extractor, height, width, self._crop, arguments)
        sums = _added(self._sums(cut.pixels(picture, tile), cut.arguments(tile)) for tile in cut.tiles)
        gradient = np.zeros_like(picture)
        terms = np.zeros(len(self._objective.term_names), np.float64)
        for tile in cut.tiles:
            own_terms, own_gradient = self._gradient(cut.pixels(picture, tile), cut.arguments(tile, sums))
            terms += own_terms
            terms[styles] = own_terms[styles]
            gradient[:, tile.rows.crop, tile.columns.crop] += own_gradient
        return terms.astype(np.float32), gradient


def features_in_tiles(
    extractor: Extractor, picture: Colours, taps: Sequence[str], crop: int
) -> dict[str, NDArray[Any]]:
    """The features of a picture, `(1, h, w, c)` for each tap.

    Args:
        extractor: The network.
        picture: `(H, W, 3)` float32, 0-255.
        taps: Where.
        crop: Pixels of a crop's sides.
    """

    def seen(crop: Tensor, parameters: Tree) -> Tree:
        features = extractor(crop, parameters)
        return {tap: features[tap] for tap in taps}

    look = backend.current().compile_forward(seen)
    height, width = picture.shape[:2]
    cut = _Cut(extractor, height, width, crop, {})
    whole: dict[str, NDArray[Any]] = {}
    for tile in cut.tiles:
        for tap, features in look(cut.pixels(picture[None], tile), extractor.parameters).items():
            values = ops.convert_to_numpy(features)
            if tap not in whole:
                shape = cut.shapes[tap]
                whole[tap] = np.empty((1, shape.height, shape.width, shape.channels), values.dtype)
            inside, own = cut.positions(tap, tile), cut.owned(tap, tile)
            whole[tap][:, inside[0], inside[1]][:, own[0], own[1]] = values[:, own[0], own[1]]
    return whole


def sums_in_tiles(
    extractor: Extractor, picture: Colours, guides: Mapping[str, Mask], taps: Sequence[str], crop: int
) -> Sums:
    """The weighted sums of a picture's features at each tap; see `statistics.weighted_sums`.

    Args:
        extractor: The network.
        picture: `(H, W, 3)` float32, 0-255.
        guides: For each tap, how much its positions count; they sum to one. One that has no guide counts equally.
        taps: Where.
        crop: Pixels of a crop's sides.
    """

    def summed(crop: Tensor, arguments: Tree) -> Tree:
        features = extractor(crop, arguments["parameters"])
        group = arguments["styles"][0]
        return [{tap: weighted_sums(features[tap], group["guides"][tap]) for tap in taps}]

    look = backend.current().compile_forward(summed)
    height, width = picture.shape[:2]
    groups = [{"guides": dict(guides), "styles": []}]
    cut = _Cut(extractor, height, width, crop, {"parameters": extractor.parameters, "content": {}, "styles": groups})
    return _added(look(cut.pixels(picture[None], tile), cut.arguments(tile)) for tile in cut.tiles)[0]


class _Cut:
    """A picture cut into tiles, with the arguments of an objective for each.

    Args:
        extractor: The network.
        height: Rows of the picture.
        width: Columns of the picture.
        crop: Pixels of a crop's sides.
        arguments: Those of the whole picture.
    """

    def __init__(self, extractor: Extractor, height: int, width: int, crop: int, arguments: Tree) -> None:
        assert extractor.geometry is not None  # noqa: S101 -- who calls has asked
        self.geometry = extractor.geometry
        self.tiles = tuple(tiles(height, width, crop, halo=self.geometry.halo, grid=self.geometry.grid))
        self.shapes = extractor.shapes(height, width)
        self._extractor = extractor
        self._arguments = arguments
        visible = arguments.get("visible")
        self._pairs = (
            (3.0 * max(height - 1, 1) * width, 3.0 * height * max(width - 1, 1))
            if visible is None
            else weight_of_pairs(visible, 3)
        )

    def pixels(self, picture: Colours, tile: Tile) -> Colours:
        """The crop of a picture `(1, H, W, 3)`."""
        return np.ascontiguousarray(picture[:, tile.rows.crop, tile.columns.crop])

    def positions(self, tap: str, tile: Tile) -> tuple[slice, slice]:
        """The crop's rows and columns of positions within those of the picture."""
        own, stride = self._own_shape(tap, tile), self.geometry.strides[tap]
        return tile.rows.positions(stride, own.height), tile.columns.positions(stride, own.width)

    def owned(self, tap: str, tile: Tile) -> tuple[slice, slice]:
        """The tile's own rows and columns of positions within those of the crop."""
        own, stride = self._own_shape(tap, tile), self.geometry.strides[tap]
        return tile.rows.owned(stride, own.height), tile.columns.owned(stride, own.width)

    def arguments(self, tile: Tile, sums: Tree = ()) -> Tree:
        """Those for the crop; with the sums of the whole picture, where the gradient is wanted."""
        whole = self._arguments
        cropped = whole | {
            "content": {tap: self._content(tap, target, tile) for tap, target in whole["content"].items()},
            "styles": [
                group | {"guides": {tap: self._guide(tap, group["guides"].get(tap), tile) for tap in self.shapes}}
                for group in whole["styles"]
            ],
            "part": {
                "sums": sums,
                "owned": self._owned_pixels(tile),
                "pairs": tuple(np.float32(pairs) for pairs in self._pairs),
            },
        }
        if "visible" in whole:
            cropped["visible"] = whole["visible"][tile.rows.crop, tile.columns.crop]
        return cropped

    def _own_shape(self, tap: str, tile: Tile) -> TapShape:
        rows, columns = tile.rows, tile.columns
        return self._extractor.shapes(rows.stop - rows.start, columns.stop - columns.start)[tap]

    def _content(self, tap: str, target: Tree, tile: Tile) -> Tree:
        inside, own = self.positions(tap, tile), self.owned(tap, tile)
        features = target["features"][:, inside[0], inside[1]]
        counts = np.zeros(features.shape[1:3], np.float32)
        counts[own] = 1.0 if "visible" not in target else target["visible"][inside][own]
        return target | {"features": features, "visible": counts}

    def _guide(self, tap: str, guide: Mask | None, tile: Tile) -> Mask:
        shape, own = self._own_shape(tap, tile), self.owned(tap, tile)
        counts = np.zeros((shape.height, shape.width), np.float32)
        whole = self.shapes[tap]
        counts[own] = 1.0 / (whole.height * whole.width) if guide is None else guide[self.positions(tap, tile)][own]
        return counts

    def _owned_pixels(self, tile: Tile) -> Mask:
        rows, columns = tile.rows, tile.columns
        owned = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        owned[rows.owned(1, owned.shape[0]), columns.owned(1, owned.shape[1])] = 1.0
        return owned


def _added(parts: Iterator[Tree]) -> list[Sums]:
    """The sums of all tiles, as float32; added up in float64."""
    whole: list[dict[str, list[NDArray[np.float64]]]] = []
    for part in parts:
        values = [
            {tap: [ops.convert_to_numpy(each).astype(np.float64) for each in sums] for tap, sums in group.items()}
            for group in part
        ]
        if not whole:
            whole = values
            continue
        for group, more in zip(whole, values, strict=True):
            for tap, sums in more.items():
                group[tap] = [total + each for total, each in zip(group[tap], sums, strict=True)]
    return [
        {tap: (first.astype(np.float32), second.astype(np.float32)) for tap, (first, second) in group.items()}
        for group in whole
    ]
