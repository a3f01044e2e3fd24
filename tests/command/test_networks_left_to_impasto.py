"""Which networks paint where nobody names one: `lite`, polished with a larger network where its weights are there."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from command.calling import Argument, Impasto
from command.pictures import pixels_of
from impasto_engine.files.picture_file import read_recipe
from impasto_engine.networks.weights import LITE_FILE, WEIGHTS_DIR_VARIABLE

Options = Sequence[Argument]

SMALL: Options = ("--size", 32, "--evaluations", 3, "--precision", "float32")


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without weights, whose every download would fail."""
    monkeypatch.delenv(WEIGHTS_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture
def with_weights(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    """A machine with weights of VGG16."""
    monkeypatch.setenv(WEIGHTS_DIR_VARIABLE, str(weights.parent))


@pytest.mark.usefixtures("without_weights")
def test_without_weights_lite_paints_alone_and_it_is_said_in_one_line(
    content: Path, out: Path, impasto: Impasto
) -> None:
    outcome = impasto("stylize", content, "swirl", "-o", out, *SMALL)
    assert outcome.code == 0
    said = [line for line in outcome.stderr.splitlines() if "no weights of vgg16" in line]
    assert len(said) == 1
    assert "lite" in said[0]
    record = read_recipe(out)
    assert (record["network"]["name"], record["polish"], record["evaluations"]) == ("lite", None, 3)
    assert record["network"]["weights"]["absolute"] == str(LITE_FILE)


@pytest.mark.usefixtures("with_weights")
def test_with_weights_lite_paints_and_vgg16_polishes(content: Path, out: Path, impasto: Impasto, weights: Path) -> None:
    outcome = impasto("stylize", content, "swirl", "-o", out, *SMALL, "--polish-evaluations", 2)
    assert outcome.code == 0
    assert "no weights" not in outcome.stderr
    assert "with lite and then vgg16 (float32, " in outcome.stderr
    assert "5 evaluations" in outcome.stderr
    record = read_recipe(out)
    assert (record["network"]["name"], record["polish"]["name"]) == ("lite", "vgg16")
    assert record["polish"]["weights"]["absolute"] == str(weights)
    assert record["evaluations"] == 5


@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize(
    ("options", "network", "polish"),
    [
        (["--polish", "none"], "vgg16", None),
        (["--network", "lite"], "lite", None),
        (["--network", "lite", "--polish", "vgg16", "--polish-evaluations", 1], "lite", "vgg16"),
        (["--network", "vgg16"], "vgg16", None),
        (["--recipe", "gatys"], "vgg16", None),
        (["--content-layer", "block5_conv2"], "vgg16", None),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_is_said_is_done(
    options: Options, network: str, polish: str | None, content: Path, out: Path, impasto: Impasto
) -> None:
    assert impasto("stylize", content, "swirl", "-o", out, *SMALL, *options).code == 0
    record = read_recipe(out)
    assert record["network"]["name"] == network
    assert (record["polish"] or {"name": None})["name"] == polish


@pytest.mark.usefixtures("with_weights")
def test_a_polished_painting_can_be_painted_again(content: Path, out: Path, tmp_path: Path, impasto: Impasto) -> None:
    assert impasto("stylize", content, "swirl", "-o", out, *SMALL, "--polish-evaluations", 2).code == 0
    again = tmp_path / "again.png"
    outcome = impasto("stylize", "--replay", out, "-o", again)
    assert outcome.code == 0
    np.testing.assert_array_equal(pixels_of(again), pixels_of(out))
    alone = tmp_path / "alone.png"
    assert impasto("stylize", "--replay", out, "-o", alone, "--polish", "none").code == 0
    assert read_recipe(alone)["polish"] is None
    assert read_recipe(alone)["network"]["name"] == "lite"


@pytest.mark.usefixtures("without_weights")
def test_the_other_commands_take_lite_too(content: Path, out: Path, impasto: Impasto) -> None:
    judged = impasto("evaluate", content, "swirl", content, "--json")
    assert judged.code == 0
    assert "style/block5_conv1" in judged.json["layers"]
    assert impasto("reconstruct", "content", content, "--layer", "block2_conv1", "-o", out, *SMALL).code == 0
    assert read_recipe(out)["network"]["name"] == "lite"


@pytest.mark.parametrize("word", ["vgg17", "lite2"])
def test_an_unknown_polisher_is_refused(word: str, content: Path, out: Path, impasto: Impasto) -> None:
    outcome = impasto("stylize", content, "swirl", "-o", out, *SMALL, "--polish", word)
    assert outcome.code != 0
    assert repr(word) in outcome.stderr
    assert not out.exists()
