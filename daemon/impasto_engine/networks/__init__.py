"""Feature networks by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from impasto_engine.errors import NetworkError
from impasto_engine.networks import weights as weight_files
from impasto_engine.networks.network import Network
from impasto_engine.networks.published import PUBLISHED

__all__ = ["AUTO", "NAMES", "RECOMMENDED", "Availability", "available", "load_network"]

NAMES = ("vgg16", "vgg19", "lite", "resnet50", "inception_v3", "xception")
"""Every network, the best first; the last three are for experiments."""

AUTO = "auto"
"""The first of the recommended networks whose weights are on this machine; `lite`'s always are."""

RECOMMENDED = ("vgg16", "vgg19", weight_files.LITE)
"""Those that are not for experiments, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Whether a network could be loaded at once.

    Attributes:
        name: The network.
        file: Its weights on this machine; None where they would be downloaded first.
        size_bytes: Of that file, or of the download.
        experimental: Not recommended for painting.
    """

    name: str
    file: Path | None
    size_bytes: int
    experimental: bool


def available() -> tuple[Availability, ...]:
    """What is known of every network without loading one.

    Raises:
        NetworkError: The environment names a weights folder that does not exist.
    """
    found = {name: weight_files.find(name) for name in NAMES}
    return tuple(
        Availability(
            name=name,
            file=file,
            size_bytes=PUBLISHED[name].size_bytes if file is None else file.stat().st_size,
            experimental=name not in RECOMMENDED,
        )
        for name, file in found.items()
    )


def load_network(name: str = AUTO, weights: Path | None = None) -> Network:
    """A feature network with its weights in memory.

    Args:
        name: One of `NAMES`, or `auto`.
        weights: A file to take its weights from; None to look for them as `networks.weights` says.

    Raises:
        NetworkError: The name is unknown, or the weights cannot be had.
    """
    if name == AUTO:
        name = next(each for each in RECOMMENDED if weights is not None or weight_files.find(each) is not None)
    if name not in NAMES:
        raise NetworkError(f"There is no network {name!r}; choose one of {', '.join((AUTO, *NAMES))}.")
    if name == weight_files.LITE:
        from impasto_engine.networks.lite import load_lite

        return load_lite(weights)
    from impasto_engine.networks import applications, vgg

    loader: Callable[[str, Path | None], Network] = (
        applications.load_vgg if name in vgg.BLOCKS else applications.load_application
    )
    return loader(name, weights)
