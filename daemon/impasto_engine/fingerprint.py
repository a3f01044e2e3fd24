"""Fingerprints: equal for what is equal, and for nothing else."""

import hashlib
from collections.abc import Mapping, Sequence
from enum import Enum

import keras
import numpy as np

from impasto_engine.types import Tree

__all__ = ["fingerprint"]


def fingerprint(of: Tree) -> str:
    """The SHA-256 of arrays, tensors, numbers, texts and None, in mappings and sequences, as 64 hexadecimal digits.

    The order of a mapping does not count; types, shapes and the order of a sequence do.
    """
    digest = hashlib.sha256()
    _add(digest, of)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", part: Tree) -> None:
    if isinstance(part, Mapping):
        digest.update(f"mapping {len(part)};".encode())
        for key in sorted(part):
            _add(digest, key)
            _add(digest, part[key])
    elif isinstance(part, Sequence) and not isinstance(part, str):
        digest.update(f"sequence {len(part)};".encode())
        for each in part:
            _add(digest, each)
    elif part is None or (isinstance(part, str | int | float) and not isinstance(part, Enum | np.generic)):
        text = repr(part)
        digest.update(f"{type(part).__name__} {len(text)};{text}".encode())
    elif isinstance(part, Enum):
        _add(digest, part.value)
    else:
        array = np.ascontiguousarray(part if isinstance(part, np.ndarray) else keras.ops.convert_to_numpy(part))
        digest.update(f"array {array.dtype} {array.shape};".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
