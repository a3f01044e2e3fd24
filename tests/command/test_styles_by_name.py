"""`impasto styles`, and the names it lists in place of a style image."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command.calling import Argument, Impasto
from command.pictures import pixels_of
from impasto_daemon.commands.record import sha256_of
from impasto_engine import built_in_style, built_in_styles
from impasto_engine.files.picture_file import read_picture, read_recipe, write_picture

Options = Sequence[Argument]

SWIRL = {"built_in": "swirl", "sha256": sha256_of(built_in_style("swirl").file)}


@pytest.fixture
def painted(content: Path, out: Path, impasto: Impasto, quickly: Options) -> Path:
    """A painting in a built-in style."""
    assert impasto("stylize", content, "swirl", "-o", out, *quickly).code == 0
    return out


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder we are in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_another_style_stored(picture: Path, changed: Path, style: dict[str, Any]) -> Path:
    record = read_recipe(picture)
    record["styles"][0]["file"] = style
    write_picture(changed, read_picture(picture).pixels, recipe=record)
    return changed


def test_the_styles_are_listed_with_what_they_look_like(impasto: Impasto):
    table = impasto("styles")
    assert (table.code, table.stderr) == (0, "")
    for style in built_in_styles():
        assert f"{style.name} " in table.stdout
        assert style.description in table.stdout


def test_as_json_the_styles_have_a_name_a_description_and_a_file(impasto: Impasto):
    listed = impasto("styles", "--json").json
    assert [each["name"] for each in listed] == [style.name for style in built_in_styles()]
    assert all(list(each) == ["name", "description", "file"] for each in listed)
    assert all(Path(each["file"]).is_file() for each in listed)


def test_a_name_paints_as_the_file_of_that_style_does(
    painted: Path, content: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    from_file = tmp_path / "from_file.png"
    assert impasto("stylize", content, built_in_style("swirl").file, "-o", from_file, *quickly).code == 0
    assert np.array_equal(pixels_of(painted), pixels_of(from_file))


def test_names_and_files_mix(content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options):
    outcome = impasto("stylize", content, "ink", style, "-o", out, *quickly, "--style-weights", "1,2")
    assert outcome.code == 0
    first, second = read_recipe(out)["styles"]
    assert (first["file"]["built_in"], first["weight"]) == ("ink", 1.0)
    assert (second["file"]["path"], second["weight"]) == (str(style), 2.0)


def test_a_file_wins_over_a_style_of_its_name(
    here: Path, content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    shutil.copy(style, here / "swirl")
    assert impasto("stylize", content, "swirl", "-o", out, *quickly).code == 0
    assert read_recipe(out)["styles"][0]["file"]["absolute"] == str(here / "swirl")


def test_a_folder_does_not_hide_a_style_of_its_name(
    here: Path, content: Path, out: Path, impasto: Impasto, quickly: Options
):
    (here / "swirl").mkdir()
    assert impasto("stylize", content, "swirl", "-o", out, *quickly).code == 0
    assert read_recipe(out)["styles"][0]["file"] == SWIRL


@pytest.mark.parametrize(
    "arguments",
    [
        ["stylize", "content.png", "swril", "-o", "out.png"],
        ["evaluate", "content.png", "swril", "content.png"],
        ["reconstruct", "style", "swril", "--layer", "block1_conv1", "-o", "out.png"],
        ["bench", "content.png", "swril"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_word_that_is_no_file_and_no_name_is_refused_with_the_names_there_are(
    arguments: Options, here: Path, content: Path, impasto: Impasto
):
    outcome = impasto(*arguments)
    assert outcome.code == 2
    assert outcome.stderr == (
        "impasto: There is no picture 'swril' and no built-in style of that name; the styles are "
        "swirl, woodcut, watercolour, mosaic, pointillism, ink: give a file or one of these.\n"
    )
    assert not (here / "out.png").exists()


@pytest.mark.parametrize("word", ["swirl.jpg", "./swirl", "styles/swirl", "Swirl.png"])
def test_a_word_with_a_folder_or_an_ending_is_a_file_and_never_a_name(
    word: str, here: Path, content: Path, out: Path, impasto: Impasto, quickly: Options
):
    outcome = impasto("stylize", content, word, "-o", out, *quickly)
    assert outcome.code == 2
    assert str(Path(word)) in outcome.stderr
    assert "no such file" in outcome.stderr


def test_a_loss_in_a_built_in_style_is_that_in_its_file(content: Path, impasto: Impasto, shallow: Options):
    by_name, by_file = (
        impasto("evaluate", content, style, content, *shallow, "--json").json
        for style in ("mosaic", built_in_style("mosaic").file)
    )
    assert by_name == by_file


def test_a_built_in_style_can_be_reconstructed(out: Path, impasto: Impasto, weights: Path):
    options = ("--network", "vgg16", "--weights", weights, "--size", 32, "--evaluations", 2, "--precision", "float32")
    assert impasto("reconstruct", "style", "swirl", "--layer", "block1_conv1", "-o", out, *options).code == 0
    assert read_recipe(out)["content"] == SWIRL


def test_a_built_in_style_can_be_measured(content: Path, impasto: Impasto, weights: Path):
    options = ("--network", "vgg16", "--weights", weights, "--sizes", 32, "--precisions", "float32", "--no-paint")
    assert impasto("bench", content, "ink", *options, "--repeats", 1, "--json").code == 0


def test_the_name_is_stored_and_not_where_the_picture_lies_on_this_machine(painted: Path):
    record = read_recipe(painted)
    assert record["styles"] == [{"file": SWIRL, "weight": 1.0, "region": None}]
    assert str(built_in_style("swirl").file.parent) not in json.dumps(record)


def test_a_painting_in_a_built_in_style_is_replayed(painted: Path, tmp_path: Path, impasto: Impasto):
    again = tmp_path / "again.png"
    outcome = impasto("stylize", "--replay", painted, "-o", again)
    assert outcome.code == 0
    assert "may differ" not in outcome.stderr
    assert np.array_equal(pixels_of(again), pixels_of(painted))
    assert read_recipe(again)["styles"] == read_recipe(painted)["styles"]


def test_a_replay_takes_a_name_in_place_of_the_stored_style(
    painted: Path, content: Path, tmp_path: Path, impasto: Impasto
):
    again = tmp_path / "again.png"
    assert impasto("stylize", content, "woodcut", "--replay", painted, "-o", again).code == 0
    assert read_recipe(again)["styles"][0]["file"]["built_in"] == "woodcut"


def test_a_built_in_style_that_was_painted_anew_since_is_replayed_with_a_word_of_warning(
    painted: Path, tmp_path: Path, impasto: Impasto
):
    older = with_another_style_stored(painted, tmp_path / "older.png", {**SWIRL, "sha256": "0" * 64})
    outcome = impasto("stylize", "--replay", older, "-o", tmp_path / "again.png")
    assert outcome.code == 0
    assert outcome.stderr.startswith(f"The built-in style 'swirl' is not as it was when {str(older)!r} was painted")


def test_a_built_in_style_that_is_no_longer_there_is_named(painted: Path, tmp_path: Path, impasto: Impasto):
    newer = with_another_style_stored(painted, tmp_path / "newer.png", {**SWIRL, "built_in": "fresco"})
    outcome = impasto("stylize", "--replay", newer, "-o", tmp_path / "again.png")
    assert outcome.code == 2
    assert len(outcome.stderr.splitlines()) == 1
    for words in (str(newer), "the built-in style 'fresco'", "give the style images anew"):
        assert words in outcome.stderr
