"""Names for the arrays that travel through the engine."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.float32]
"""A picture: `(H, W, 3)` or `(H, W, 4)` float32, sRGB-encoded, [0, 1], straight alpha."""

Mask: TypeAlias = NDArray[np.float32]
"""A soft mask over a picture: `(H, W)` float32 in [0, 1]."""

Tensor: TypeAlias = Any
"""An array of whichever backend Keras runs on."""

Tree: TypeAlias = Any
"""Nested dicts, lists and tuples with tensors at the leaves."""
