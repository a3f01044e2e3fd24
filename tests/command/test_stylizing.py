"""`impasto stylize`: what is said, and what each option does to the picture."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from command.calling import Argument, Impasto
from command.pictures import pixels_of, save, waves
from impasto_daemon.commands import run
from impasto_daemon.commands.commission import check_memory
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.options import bytes_of
from impasto_daemon.commands.wording import sides
from impasto_engine import Estimate
from impasto_engine.files.picture_file import read_recipe

Options = Sequence[Argument]


def test_the_only_word_on_stdout_is_where_the_picture_is(
    content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    outcome = impasto("stylize", content, style, "-o", out, *quickly)
    assert (outcome.code, outcome.stdout) == (0, f"{out}\n")
    assert pixels_of(out).shape == (24, 32, 3)


def test_it_says_first_what_will_happen_then_how_it_goes_then_what_has_happened(
    content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    first, *between, last = impasto("stylize", content, style, "-o", out, *quickly).stderr.splitlines()
    for word in (sides(24, 32), "vgg16", "float32", "4 evaluations", "about", "memory"):
        assert word in first
    assert between[0].startswith(f"Evaluation 1 of 4, scale 1 of 1 ({sides(24, 32)}): loss ")
    assert between[-1].startswith("Evaluation 4 of 4")
    assert last.startswith("Painted with 4 evaluations in ")


def test_a_memory_budget_is_kept_to_or_it_says_that_it_cannot_be(
    content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    too_little = impasto("stylize", content, style, "-o", out, *quickly, "--memory-budget", "1MB")
    assert too_little.code == 0
    assert "more than the budget of 1 MB" in too_little.stderr
    enough = impasto("stylize", content, style, "-o", out, *quickly, "--memory-budget", "20 GiB")
    assert "budget" not in enough.stderr


def test_what_the_machine_cannot_hold_is_refused_before_it_is_begun():
    estimate = Estimate(height=9000, width=12000, evaluations=150, seconds=9e3, memory_bytes=27_000_000_000)
    said: list[str] = []
    display = SimpleNamespace(say=said.append)
    with pytest.raises(Refused, match=r"27(\.0)? GB .* machine has 24(\.0)? GB; choose"):
        check_memory(estimate, None, display, machine_bytes=24_000_000_000)
    check_memory(estimate, 20_000_000_000, display, machine_bytes=32_000_000_000)
    assert "more than the budget of 20" in said[0]


@pytest.mark.parametrize(
    ("written", "size_bytes"), [("2GB", 2e9), ("1.5 GB", 1.5e9), ("800mb", 8e8), ("1GiB", 2**30), ("512 MiB", 2**29)]
)
def test_amounts_of_memory_are_read_as_people_write_them(written: str, size_bytes: float):
    assert bytes_of(written) == size_bytes


def test_quiet_is_silent(content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options):
    outcome = impasto("stylize", content, style, "-o", out, "--quiet", *quickly)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "")
    assert out.exists()


def test_an_estimate_is_printed_and_nothing_is_painted(content: Path, style: Path, impasto: Impasto, quickly: Options):
    outcome = impasto("stylize", content, style, "--estimate", *quickly)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(f"{sides(24, 32)} with vgg16 (float32, ")
    assert " of memory" in outcome.stdout


@pytest.mark.parametrize(
    ("given", "setting", "value"),
    [
        (["--recipe", "gatys"], "recipe", "gatys"),
        (["--strength", 1], "strength", 1.0),
        (["--content-weight", 1], "content_weight", 1.0),
        (["--style-weight", 1], "style_weight", 1.0),
        (["--tv-weight", 50], "tv_weight", 50.0),
        (["--style-scale", 0.4], "style_scale", 0.4),
        (["--color", "luminance"], "color", "luminance"),
        (["--color", "match"], "color", "match"),
        (["--init", "noise"], "init", "noise"),
        (["--init", "style"], "init", "style"),
        (["--pooling", "average"], "pooling", "average"),
        (["--precision", "bfloat16"], "precision", "bfloat16"),
        (["--evaluations", 2], "evaluations", 2),
        (["--size", 24], "size", 24),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_an_option_is_stored_and_makes_another_picture(
    given: Options,
    setting: str,
    value: object,
    content: Path,
    style: Path,
    out: Path,
    quickly: Options,
    plain: np.ndarray,
):
    assert run([*map(str, ("stylize", content, style, "-o", out, "-q", *quickly, *given))]) == 0
    assert read_recipe(out)["settings"][setting] == value
    painted = pixels_of(out)
    assert painted.shape != plain.shape or not np.array_equal(painted, plain)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> np.ndarray:
    """The painting without any option but those of `quickly`."""
    folder = tmp_path_factory.mktemp("plain")
    content = save(folder / "content.png", waves(30, 40, seed=1))
    style = save(folder / "style.png", waves(36, 36, seed=2))
    options = ["--network", "vgg16", "--weights", weights, "--size", 32, "--evaluations", 4, "--precision", "float32"]
    options += ["--content-layer", "block2_conv1", "--style-layer", "block1_conv1", "--style-layer", "block2_conv1"]
    assert run([*map(str, ("stylize", content, style, "-o", folder / "out.png", "-q", *options))]) == 0
    return pixels_of(folder / "out.png")


def test_the_layers_are_those_chosen(content: Path, style: Path, out: Path, impasto: Impasto, weights: Path):
    layers = ["--content-layer", "block1_conv2", "--style-layer", "block1_conv1", "--style-layer", "block2_conv2"]
    small = ["--network", "vgg16", "--weights", weights, "--size", 16, "--evaluations", 1]
    assert impasto("stylize", content, style, "-o", out, *small, *layers).code == 0
    assert set(read_recipe(out)["losses"]["layers"]) == {
        "content/block1_conv2",
        "style/block1_conv1",
        "style/block2_conv2",
        "tv",
    }


def test_the_original_size_is_the_contents(content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options):
    assert impasto("stylize", content, style, "-o", out, *quickly, "--size", "original").code == 0
    assert pixels_of(out).shape == (30, 40, 3)


def test_the_seed_decides_the_noise(content: Path, style: Path, tmp_path: Path, impasto: Impasto, quickly: Options):
    def painted(name: str, seed: int) -> np.ndarray:
        options = ("--init", "noise", "--seed", seed, "--evaluations", 1)
        assert impasto("stylize", content, style, "-o", tmp_path / name, *quickly, *options).code == 0
        return pixels_of(tmp_path / name)

    one, same, other = painted("one.png", 1), painted("same.png", 1), painted("other.png", 2)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_painting_starts_from_the_picture_given(
    content: Path, style: Path, tmp_path: Path, out: Path, impasto: Impasto, quickly: Options
):
    black = save(tmp_path / "black.png", np.zeros((24, 32, 3)))
    assert impasto("stylize", content, style, "-o", out, *quickly, "--init", black, "--evaluations", 1).code == 0
    assert not pixels_of(out).any()


def test_a_style_counts_as_much_as_its_weight(
    content: Path, style: Path, other_style: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    def painted(name: str, *options: Argument) -> np.ndarray:
        out = tmp_path / name
        assert impasto("stylize", content, *options[:2], "-o", out, *quickly, *options[2:]).code == 0
        return pixels_of(out).astype(float)

    first = painted("first.png", style, other_style, "--style-weights", "1,0.000001")
    second = painted("second.png", style, other_style, "--style-weights", "0.000001, 1")
    alone = painted("alone.png", style, style)
    assert np.abs(first - alone).mean() < 1.0
    assert np.abs(second - alone).mean() > 3.0
    styles = read_recipe(tmp_path / "first.png")["styles"]
    assert [each["weight"] for each in styles] == [1.0, 0.000001]


def test_the_kth_region_is_the_place_of_the_kth_style(
    content: Path, style: Path, other_style: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    left = np.zeros((24, 32, 3))
    left[:, :16] = 1.0
    mask, inverse = save(tmp_path / "left.png", left), save(tmp_path / "right.png", 1.0 - left)

    def painted(name: str, *regions: Argument) -> np.ndarray:
        options = [word for region in regions for word in ("--region", region)]
        out = tmp_path / name
        assert impasto("stylize", content, style, other_style, "-o", out, *quickly, *options).code == 0
        stored = [each["region"] and each["region"]["path"] for each in read_recipe(out)["styles"]]
        wanted = [None if region in ("none", "-") else str(region) for region in regions]
        assert stored == wanted + [None] * (2 - len(wanted))
        return pixels_of(out)

    parted, swapped = painted("parted.png", mask, inverse), painted("swapped.png", inverse, mask)
    second_only, none, first_only = painted("2.png", "none", mask), painted("0.png", "-"), painted("1.png", mask)
    pictures = [parted, swapped, second_only, none, first_only]
    for index, picture in enumerate(pictures):
        assert not any(np.array_equal(picture, other) for other in pictures[index + 1 :])


def test_a_region_may_be_painted_white_on_a_transparent_ground(
    content: Path, style: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    opaque = np.zeros((24, 32, 3))
    opaque[:, :16] = 1.0
    transparent = np.ones((24, 32, 4))
    transparent[:, 16:, 3] = 0.0
    pictures = []
    for name, mask in (("opaque", opaque), ("transparent", transparent)):
        region, out = save(tmp_path / f"{name}.png", mask), tmp_path / f"{name}-out.png"
        assert impasto("stylize", content, style, "-o", out, *quickly, "--region", region).code == 0
        pictures.append(pixels_of(out))
    assert np.array_equal(*pictures)


def test_previews_are_numbered_and_come_every_so_many_evaluations(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    folder = tmp_path / "a" / "b"
    options = ("--previews", folder, "--preview-every", 2, "--evaluations", 6)
    assert impasto("stylize", content, style, "-o", out, *quickly, *options).code == 0
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["0001.png", "0002.png", "0003.png"]
    assert np.array_equal(pixels_of(folder / "0003.png"), pixels_of(out))


def test_previews_go_on_after_those_already_there(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    folder = tmp_path / "previews"
    folder.mkdir()
    older = save(folder / "0041.png", waves(8, 8, seed=1)).read_bytes()
    save(folder / "sketch.png", waves(8, 8, seed=1))
    options = ("--previews", folder, "--preview-every", 4)
    assert impasto("stylize", content, style, "-o", out, *quickly, *options).code == 0
    assert sorted(file.name for file in folder.iterdir()) == ["0041.png", "0042.png", "sketch.png"]
    assert (folder / "0041.png").read_bytes() == older


def test_the_trace_has_a_line_an_evaluation(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    trace = tmp_path / "trace.jsonl"
    assert impasto("stylize", content, style, "-o", out, *quickly, "--trace", trace).code == 0
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [line["evaluation"] for line in lines] == [1, 2, 3, 4]
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0.0
    for line in lines:
        assert set(line) == {"evaluation", "scale", "seconds", "loss", "content", "style", "tv"}
        assert line["loss"] == pytest.approx(line["content"] + line["style"] + line["tv"])
        assert line["scale"] == 1


def test_a_trace_that_cannot_be_written_does_not_cost_the_painting(
    content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("This system has no /dev/full.")
    outcome = impasto("stylize", content, style, "-o", out, "--quiet", *quickly, "--trace", full)
    assert outcome.code == 0
    assert outcome.stderr.startswith("impasto: Painting goes on, but without a trace from evaluation 1 on: ")
    assert len(outcome.stderr.splitlines()) == 1
    assert out.exists()


def test_the_record_tells_how_the_picture_was_made(
    content: Path, style: Path, out: Path, impasto: Impasto, quickly: Options, weights: Path
):
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    record = read_recipe(out)
    assert record["command"] == "stylize"
    assert record["backend"].startswith(("tensorflow 2", "jax", "torch"))
    assert record["network"]["name"] == "vgg16"
    assert record["network"]["weights"]["path"] == str(weights)
    assert record["content"]["absolute"] == str(content.absolute())
    assert len(record["content"]["sha256"]) == 64
    assert record["styles"][0]["file"]["path"] == str(style)
    assert (record["evaluations"], record["stopped"], record["precision"]) == (4, False, "float32")
    assert sum(record["losses"]["terms"].values()) == pytest.approx(record["losses"]["loss"])
