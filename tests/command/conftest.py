"""The command, small pictures, and a network in the shape of VGG16 with random weights."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from command.calling import Argument, Impasto, Outcome
from command.pictures import save, waves
from impasto_daemon.commands import run


@pytest.fixture(autouse=True, scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the logs of failures out of the user's folder."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


@pytest.fixture
def impasto(capfd: pytest.CaptureFixture[str]) -> Impasto:
    """Runs the command in this process."""

    def call(*arguments: Argument) -> Outcome:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code=code, stdout=captured.out, stderr=captured.err)

    return call


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with random weights for VGG16."""
    import keras

    file = tmp_path_factory.mktemp("weights") / "vgg16_random_notop.weights.h5"
    keras.utils.set_random_seed(1)
    keras.applications.VGG16(include_top=False, weights=None).save_weights(file)
    return file


@pytest.fixture
def shallow(weights: Path) -> Sequence[Argument]:
    """Options for a network that is quickly compiled."""
    return (
        *("--network", "vgg16", "--weights", weights),
        *("--content-layer", "block2_conv1", "--style-layer", "block1_conv1", "--style-layer", "block2_conv1"),
    )


@pytest.fixture
def quickly(shallow: Sequence[Argument]) -> Sequence[Argument]:
    """Options with which a painting takes a second."""
    return (*shallow, "--size", 32, "--evaluations", 4, "--precision", "float32")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A photograph, 40 × 30."""
    return save(tmp_path / "content.png", waves(30, 40, seed=1))


@pytest.fixture
def style(tmp_path: Path) -> Path:
    """A painting, 36 × 36."""
    return save(tmp_path / "style.png", waves(36, 36, seed=2))


@pytest.fixture
def other_style(tmp_path: Path) -> Path:
    """Another painting, 36 × 24."""
    return save(tmp_path / "other.png", 1.0 - waves(24, 36, seed=3) ** 2)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the painting goes."""
    return tmp_path / "out.png"
