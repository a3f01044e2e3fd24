"""Feature networks by name."""

from collections.abc import Callable
from pathlib import Path

from impasto_engine.errors import NetworkError
from impasto_engine.networks.network import Edges, Extractor, Network, Pooling, Precision, TapShape

__all__ = ["NAMES", "Edges", "Extractor", "Network", "Pooling", "Precision", "TapShape", "load_network"]

NAMES = ("vgg16", "vgg19", "resnet50", "inception_v3", "xception")
"""Every network, the recommended one first; the last three are for experiments."""


def load_network(name: str = "vgg16", weights: Path | None = None) -> Network:
    """A feature network with its weights in memory.

    Args:
        name: One of `NAMES`.
        weights: A file to take its weights from; None to look for them as `networks.weights` says.

    Raises:
        NetworkError: The name is unknown, or the weights cannot be had.
    """
    loaders = _loaders()
    if name not in loaders:
        raise NetworkError(f"There is no network {name!r}; choose one of {', '.join(loaders)}.")
    return loaders[name](name, weights)


def _loaders() -> dict[str, Callable[[str, Path | None], Network]]:
    from impasto_engine.networks import applications

    return {name: applications.load_vgg if name.startswith("vgg") else applications.load_application for name in NAMES}
