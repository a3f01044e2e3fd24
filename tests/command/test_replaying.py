"""`impasto stylize --replay`: the same picture again, or one sentence why not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from command.calling import Argument, Impasto
from command.pictures import pixels_of, save, waves
from impasto_engine.files.picture_file import read_picture, read_recipe, write_picture

Options = Sequence[Argument]


@pytest.fixture
def painted(
    content: Path, style: Path, other_style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
) -> Path:
    """A painting with as much stored in it as can be."""
    mask = np.zeros((24, 32, 3))
    mask[:, :16] = 1.0
    region, start = save(tmp_path / "mask.png", mask), save(tmp_path / "start.png", waves(24, 32, seed=9))
    options = ("--style-weights", "1,3", "--region", region, "--init", start, "--strength", 0.7, "--color", "match")
    assert impasto("stylize", content, style, other_style, "-o", out, *quickly, *options).code == 0
    return out


def test_the_same_picture_comes_out(painted: Path, tmp_path: Path, impasto: Impasto):
    again = tmp_path / "again.png"
    outcome = impasto("stylize", "--replay", painted, "-o", again)
    assert outcome.code == 0
    assert np.array_equal(pixels_of(again), pixels_of(painted))
    first, second = read_recipe(painted), read_recipe(again)
    for record in (first, second):
        del record["seconds"], record["settings"]["precision"]
    assert first == second


def test_noise_is_the_same_noise(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    assert impasto("stylize", content, style, "-o", out, *quickly, "--init", "noise", "--seed", 5).code == 0
    assert impasto("stylize", "--replay", out, "-o", tmp_path / "again.png").code == 0
    assert np.array_equal(pixels_of(tmp_path / "again.png"), pixels_of(out))


def test_a_picture_may_be_replayed_onto_itself(painted: Path, impasto: Impasto):
    before = pixels_of(painted)
    assert impasto("stylize", "--replay", painted, "-o", painted).code == 0
    assert np.array_equal(pixels_of(painted), before)


def test_what_is_given_takes_precedence(painted: Path, tmp_path: Path, impasto: Impasto):
    again = tmp_path / "again.png"
    given = ("--size", 24, "--content-weight", 3, "--init", "noise", "--style-weights", "2,2", "--region", "none")
    assert impasto("stylize", "--replay", painted, "-o", again, *given, "--evaluations", 2).code == 0
    record = read_recipe(again)
    assert pixels_of(again).shape == (18, 24, 3)
    assert record["settings"]["content_weight"] == 3.0
    assert "strength" not in record["settings"]
    assert record["settings"]["color"] == "match"
    assert record["start"] is None
    assert [(each["weight"], each["region"]) for each in record["styles"]] == [(2.0, None), (2.0, None)]
    assert record["evaluations"] == 2


def test_other_pictures_may_be_given(painted: Path, tmp_path: Path, impasto: Impasto):
    pictures = [save(tmp_path / f"new{seed}.png", waves(20, 30, seed=seed)) for seed in (11, 12, 13)]
    again = tmp_path / "again.png"
    assert impasto("stylize", *pictures, "--replay", painted, "-o", again).code == 0
    record = read_recipe(again)
    assert record["content"]["path"] == str(pictures[0])
    assert [each["file"]["path"] for each in record["styles"]] == [str(path) for path in pictures[1:]]
    assert [each["weight"] for each in record["styles"]] == [1.0, 3.0]


def test_pictures_that_moved_along_with_the_painting_are_found(painted: Path, tmp_path: Path, impasto: Impasto):
    album = tmp_path / "album"
    album.mkdir()
    before = pixels_of(painted)
    for name in ("content.png", "style.png", "other.png", "mask.png", "start.png", "out.png"):
        (tmp_path / name).rename(album / name)
    assert impasto("stylize", "--replay", album / "out.png", "-o", album / "again.png").code == 0
    assert np.array_equal(pixels_of(album / "again.png"), before)


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("content.png", "content image", "CONTENT"),
        ("other.png", "style image", "style images anew"),
        ("mask.png", "region", "--region"),
        ("start.png", "picture to start from", "--init"),
    ],
)
@pytest.mark.parametrize("fate", ["gone", "changed"])
def test_a_stored_file_that_moved_or_changed_is_named(
    name: str, what: str, remedy: str, fate: str, painted: Path, tmp_path: Path, impasto: Impasto
):
    if fate == "gone":
        (tmp_path / name).unlink()
    else:
        save(tmp_path / name, waves(24, 32, seed=20))
    outcome = impasto("stylize", "--replay", painted, "-o", tmp_path / "again.png")
    assert outcome.code == 2
    assert len(outcome.stderr.splitlines()) == 1
    for word in (f"The {what} ", str(tmp_path / name), remedy, "no longer" if fate == "gone" else "has changed"):
        assert word in outcome.stderr
    assert not (tmp_path / "again.png").exists()


@pytest.mark.parametrize("is_same", [True, False])
def test_that_something_else_polishes_now_is_said(
    is_same: bool, content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
) -> None:
    assert impasto("stylize", content, style, "-o", out, *quickly, "--polish", "lite").code == 0
    record = read_recipe(out)
    assert record["polish"]["name"] == "lite"
    if not is_same:
        record["polish"]["weights"]["sha256"] = "0" * 64
        write_picture(out, read_picture(out).pixels, recipe=record)
    outcome = impasto("stylize", "--replay", out, "-o", tmp_path / "again.png")
    assert outcome.code == 0
    note = f"The weights of lite are not those that polished {str(out)!r}, and the new picture may differ."
    assert (note in outcome.stderr) is not is_same


@pytest.mark.parametrize("painter", ["this machine", "a daemon"])
def test_where_the_weights_are_gone_others_are_taken_and_that_is_said(
    painter: str,
    content: Path,
    style: Path,
    out: Path,
    tmp_path: Path,
    impasto: Impasto,
    quickly: Options,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    borrowed = tmp_path / "borrowed.weights.h5"
    borrowed.write_bytes(weights.read_bytes())
    assert impasto("stylize", content, style, "-o", out, *quickly, "--weights", borrowed).code == 0
    borrowed.unlink()
    note = f"The weights file {str(borrowed)!r} is not there as it was"
    if painter == "a daemon":  # which tells no places
        record = read_recipe(out)
        del record["network"]["weights"]["path"], record["network"]["weights"]["absolute"]
        write_picture(out, read_picture(out).pixels, recipe=record)
        note = f"The weights of vgg16 are not those with which the daemon painted {str(out)!r}"
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / weights.name
    monkeypatch.setenv("IMPASTO_WEIGHTS_DIR", str(own.parent))
    own.write_bytes(weights.read_bytes() + b"of another training")
    again = tmp_path / "again.png"
    outcome = impasto("stylize", "--replay", out, "-o", again)
    assert outcome.code == 0
    assert outcome.stderr.startswith(note)
    assert note not in impasto("stylize", "--replay", out, "-o", again, "--weights", weights).stderr
    own.write_bytes(weights.read_bytes())  # the same again, in another place
    outcome = impasto("stylize", "--replay", out, "-o", again)
    assert (outcome.code, "may differ" in outcome.stderr) == (0, False)
    assert np.array_equal(pixels_of(again), pixels_of(out))


def test_a_painting_by_another_version_is_replayed_with_a_word_of_warning(
    painted: Path, tmp_path: Path, impasto: Impasto
):
    older, again = tmp_path / "older.png", tmp_path / "again.png"
    write_picture(older, read_picture(painted).pixels, recipe={**read_recipe(painted), "impasto": "0.0.1"})
    outcome = impasto("stylize", "--replay", older, "-o", again)
    assert outcome.code == 0
    assert "was painted by Impasto 0.0.1" in outcome.stderr.splitlines()[0]
    assert np.array_equal(pixels_of(again), pixels_of(painted))


def test_another_number_of_styles_is_refused(painted: Path, content: Path, style: Path, out: Path, impasto: Impasto):
    outcome = impasto("stylize", content, style, "--replay", painted, "-o", out)
    assert outcome.code == 2
    assert "painted with 2 styles, and 1 are given" in outcome.stderr


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"command": "reconstruct style"}, "only stylize can be replayed"),
        ({"command": "stylize", "settings": 3}, "cannot be understood"),
        ({"command": "stylize", "impasto": "0.0.1"}, "cannot be understood"),
        ({}, "only stylize can be replayed"),
    ],
)
def test_a_record_of_another_kind_is_refused(
    record: dict[str, object], reason: str, content: Path, tmp_path: Path, impasto: Impasto
):
    strange = tmp_path / "strange.png"
    write_picture(strange, read_picture(content).pixels, recipe=record)
    outcome = impasto("stylize", "--replay", strange, "-o", tmp_path / "again.png", "--quiet")
    assert outcome.code == 2
    assert reason in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_picture_without_a_record_is_refused(content: Path, out: Path, impasto: Impasto):
    outcome = impasto("stylize", "--replay", content, "-o", out)
    assert outcome.code == 2
    assert "no recipe in it" in outcome.stderr
