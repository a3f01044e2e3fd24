"""The versions of what paints: ours, Keras's and the backend's. For where Keras is imported already."""

import sys
from importlib import metadata

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Of `impasto`, of `keras`, and of the backend under its own name."""
    import keras

    backend = keras.backend.backend()
    return {
        "impasto": metadata.version("impasto"),
        "keras": keras.__version__,
        backend: str(getattr(sys.modules.get(backend), "__version__", "unknown")),
    }
