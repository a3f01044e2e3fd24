"""`impasto reconstruct`, `evaluate` and `networks`."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from command.calling import Argument, Impasto
from command.pictures import pixels_of, save, waves
from impasto_engine.files.picture_file import read_recipe
from impasto_engine.networks import NAMES

Options = Sequence[Argument]


@pytest.mark.parametrize(
    ("what", "layers"),
    [("content", {"content/block2_conv1", "tv"}), ("style", {"style/block1_conv1", "style/block2_conv1", "tv"})],
)
def test_a_reconstruction_is_painted_from_noise(
    what: str, layers: set[str], content: Path, out: Path, tmp_path: Path, impasto: Impasto, weights: Path
):
    trace = tmp_path / "trace.jsonl"
    options = ["--network", "vgg16", "--weights", weights, "--size", 32, "--evaluations", 4, "--seed", 3]
    options += ["--precision", "float32", "--pooling", "average", "--trace", trace]
    options += ["--previews", tmp_path / "previews", "--preview-every", 2]
    outcome = impasto("reconstruct", what, content, "--layer", "block2_conv1", "-o", out, *options)
    assert (outcome.code, outcome.stdout) == (0, f"{out}\n")
    assert pixels_of(out).shape == (24, 32, 3)
    record = read_recipe(out)
    assert (record["command"], record["layer"]) == (f"reconstruct {what}", "block2_conv1")
    assert record["settings"]["pooling"] == "average"
    assert layers - {"tv"} <= set(record["losses"]["layers"]) <= layers
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert len(list((tmp_path / "previews").iterdir())) == 2


def test_the_loss_of_a_picture_is_that_of_its_terms_and_of_its_layers(
    content: Path, style: Path, tmp_path: Path, impasto: Impasto, weights: Path
):
    picture = save(tmp_path / "picture.png", waves(26, 34, seed=4))
    options = ("--recipe", "impasto", "--network", "vgg16", "--weights", weights, "--json")
    outcome = impasto("evaluate", content, style, picture, *options)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert list(outcome.json) == ["loss", "terms", "layers"]
    assert list(outcome.json["terms"]) == ["content", "style", "tv"]
    assert sum(outcome.json["terms"].values()) == pytest.approx(outcome.json["loss"])
    assert sum(outcome.json["layers"].values()) == pytest.approx(outcome.json["loss"])
    assert set(outcome.json["layers"]) >= {"content/block4_conv2", "style/block1_conv1", "style/block5_conv1", "tv"}


@pytest.mark.parametrize(
    "option",
    [
        ["--recipe", "article"],
        ["--style-weight", 3],
        ["--content-weight", 3],
        ["--tv-weight", 3],
        ["--strength", 0.9],
        ["--color", "luminance"],
        ["--pooling", "average"],
    ],
    ids=lambda option: option[0],
)
def test_a_loss_depends_on(
    option: Options, content: Path, style: Path, tmp_path: Path, impasto: Impasto, shallow: Options
):
    picture = save(tmp_path / "picture.png", waves(26, 34, seed=4))
    usual = impasto("evaluate", content, style, picture, *shallow, "--json").json["loss"]
    assert impasto("evaluate", content, style, picture, *shallow, *option, "--json").json["loss"] != usual


def test_a_picture_is_its_own_best_content(content: Path, style: Path, impasto: Impasto, shallow: Options):
    assert impasto("evaluate", content, style, content, *shallow, "--json").json["terms"]["content"] < 1e-6


def test_without_json_there_is_a_table(content: Path, style: Path, impasto: Impasto, shallow: Options):
    outcome = impasto("evaluate", content, style, content, *shallow)
    assert (outcome.code, outcome.stderr) == (0, "")
    for word in ("content", "style", "tv", "block2_conv1", "loss"):
        assert word in outcome.stdout


def test_a_painting_and_evaluate_agree(
    content: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options, shallow: Options
):
    style_as_painted = save(tmp_path / "small.png", waves(32, 32, seed=2))
    assert impasto("stylize", content, style_as_painted, "-o", out, *quickly).code == 0
    stored = read_recipe(out)["losses"]["loss"]
    judged = impasto("evaluate", content, style_as_painted, out, *shallow, "--json").json["loss"]
    assert judged == pytest.approx(stored, rel=0.05)


def test_the_networks_are_listed(impasto: Impasto, monkeypatch: pytest.MonkeyPatch, weights: Path):
    monkeypatch.setenv("IMPASTO_WEIGHTS_DIR", str(weights.parent))
    listed = impasto("networks", "--json").json
    assert [each["name"] for each in listed] == list(NAMES)
    assert listed[0] == {
        "name": "vgg16",
        "file": str(weights),
        "size_bytes": weights.stat().st_size,
        "experimental": False,
    }
    table = impasto("networks")
    assert (table.code, table.stderr) == (0, "")
    for word in (*NAMES, str(weights), "59 MB", "for experiments"):
        assert word in table.stdout
