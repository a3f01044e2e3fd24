"""Small networks in the shape of VGG and small pictures, all from seeds."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from impasto_engine import load_network
from impasto_engine.networks.vgg import Vgg

Kernels = dict[str, tuple[np.ndarray, np.ndarray]]
MakePicture = Callable[..., np.ndarray]


def random_kernels(blocks: tuple[int, ...], channels: tuple[int, ...], seed: int) -> Kernels:
    random = np.random.default_rng(seed)
    kernels: Kernels = {}
    into = 3
    for block, (count, out) in enumerate(zip(blocks, channels, strict=True), 1):
        for number in range(1, count + 1):
            kernel = random.normal(0.0, np.sqrt(2.0 / (9 * into)), (3, 3, into, out))
            kernels[f"block{block}_conv{number}"] = (
                kernel.astype(np.float32),
                random.normal(0.0, 0.5, out).astype(np.float32),
            )
            into = out
    return kernels


@pytest.fixture(scope="session")
def kernels() -> Kernels:
    """Random kernels for all layers of VGG16, with few channels."""
    return random_kernels((2, 2, 3, 3, 3), (4, 6, 8, 8, 8), seed=1)


@pytest.fixture(scope="session")
def network(kernels: Kernels) -> Vgg:
    """A network with those kernels."""
    return Vgg("random", kernels, "random")


class ShallowVgg(Vgg):
    """Two blocks: enough to paint with in no time."""

    content_taps = ("block2_conv1",)
    style_taps = ("block1_conv1", "block2_conv1")


@pytest.fixture(scope="session")
def shallow_kernels() -> Kernels:
    """Random kernels in two blocks."""
    return random_kernels((1, 1), (8, 12), seed=2)


@pytest.fixture(scope="session")
def shallow_network(shallow_kernels: Kernels) -> Vgg:
    """A network with those kernels, whose taps are chosen to fit."""
    return ShallowVgg("shallow", shallow_kernels, "random")


@pytest.fixture(scope="session")
def damaged_network() -> Vgg:
    """The same network after a bad download: one number is none."""
    kernels = random_kernels((1, 1), (8, 12), seed=2)
    kernels["block1_conv1"][0][1, 1, 0, 0] = np.nan
    return ShallowVgg("damaged", kernels, "random")


@pytest.fixture(scope="session")
def vgg16() -> Vgg:
    """The real VGG16, where its weights are on this machine."""
    folder = os.environ.get("IMPASTO_WEIGHTS_DIR")
    if not folder:
        pytest.skip("The real VGG16 is needed: set IMPASTO_WEIGHTS_DIR to the folder that holds its weights.")
    file = next(iter(sorted(Path(folder).glob("vgg16*notop*.h5"))), None)
    if file is None:
        pytest.skip(f"IMPASTO_WEIGHTS_DIR names {folder!r}, which holds no weights of VGG16.")
    loaded = load_network("vgg16", file)
    assert isinstance(loaded, Vgg)
    return loaded


@pytest.fixture(scope="session")
def noisy() -> MakePicture:
    """`noisy(height, width, seed)`: uniform noise `(height, width, 3)` float32 in [0, 1]."""
    return lambda height, width, seed=0: np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


@pytest.fixture(scope="session")
def smooth() -> MakePicture:
    """`smooth(height, width, seed)`: a few waves of colour, the same at every size, float32 in [0.1, 0.9]."""
    return smooth_picture


def smooth_picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0.5:height, 0.5:width] / np.array([height, width]).reshape(2, 1, 1)
    waves = [
        amplitude * np.sin(2.0 * np.pi * (fy * y + fx * x + phase))
        for fy, fx, amplitude, phase in random.uniform((-2, -2, 0.2, 0), (2, 2, 1.0, 1), (12, 4))
    ]
    colours = np.stack([sum(waves[c::3]) for c in range(3)], axis=-1)
    return (0.5 + 0.4 * colours / np.abs(colours).max()).astype(np.float32)
