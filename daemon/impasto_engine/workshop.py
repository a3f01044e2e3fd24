"""The workshop: what one painting leaves behind for the next, so that it need not be made anew.

Compiled functions and the statistics of style images. The engine keeps neither by itself: whoever paints more than one
picture makes a workshop and passes it to each.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from impasto_engine.limits import MAX_COMPILED_FUNCTIONS, MAX_STATISTICS_BYTES
from impasto_engine.types import Tree

__all__ = ["Statistics", "Workshop"]

Statistics: TypeAlias = Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""For each tap the mean and the second moment of a style image's features."""

MadeT = TypeVar("MadeT")
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Workshop:
    """See the module; of one thread.

    Args:
        functions: How many compiled functions are kept.
        statistics_bytes: How many bytes of statistics.
    """

    def __init__(
        self, *, functions: int = MAX_COMPILED_FUNCTIONS, statistics_bytes: int = MAX_STATISTICS_BYTES
    ) -> None:
        self._functions: _Shelf[Callable[..., Any]] = _Shelf(functions, lambda _: 1)
        self._statistics: _Shelf[Statistics] = _Shelf(statistics_bytes, _size_bytes)

    def function(
        self, kind: Hashable, shape: tuple[int, ...], arguments: Tree, make: Callable[[], FunctionT]
    ) -> FunctionT:
        """A compiled function of a picture, such as the gradient of a loss; see `Backend`.

        Args:
            kind: Equal for functions that compute the same.
            shape: Of the pictures that it will be called with.
            arguments: Some of the form that it will be called with.
            make: Makes it.
        """
        return cast("FunctionT", self._functions.get((kind, shape, _form(arguments)), make))

    def statistics(self, kind: Hashable, make: Callable[[], Statistics]) -> Statistics:
        """The statistics of a style image.

        Args:
            kind: Equal for the same image, seen in the same way.
            make: Computes them.
        """
        return self._statistics.get(kind, make)


class _Shelf(Generic[MadeT]):
    """Keeps what was made, as long as there is room: what was unused the longest goes first."""

    def __init__(self, room: int, size: Callable[[MadeT], int]) -> None:
        self._room = room
        self._size = size
        self._kept: OrderedDict[Hashable, MadeT] = OrderedDict()
        self._used = 0

    def get(self, key: Hashable, make: Callable[[], MadeT]) -> MadeT:
        """What is kept under that key; made if there is none."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        self._kept[key] = made
        self._used += self._size(made)
        while self._used > self._room and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._used -= self._size(gone)
        return made


def _form(tree: Tree) -> Hashable:
    """The structure of arguments, with the shape and type of each array."""
    if isinstance(tree, Mapping):
        return tuple((key, _form(tree[key])) for key in sorted(tree))
    if isinstance(tree, list | tuple):
        return tuple(_form(each) for each in tree)
    return tuple(tree.shape), str(tree.dtype)


def _size_bytes(statistics: Statistics) -> int:
    return sum(mean.nbytes + second.nbytes for mean, second in statistics.values())
