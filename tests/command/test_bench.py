"""`impasto bench`, on noise and on pictures, at a size that takes seconds."""

from collections.abc import Sequence
from pathlib import Path

from command.calling import Argument, Impasto


def test_each_size_and_precision_is_measured(impasto: Impasto, weights: Path):
    outcome = impasto(
        "bench", "--network", "vgg16", "--weights", weights, "--sizes", "48,64", "--precisions", "float32",
        "--repeats", 2, "--no-paint", "--json",
    )  # fmt: skip
    assert outcome.code == 0
    small, large = outcome.json
    assert (small["width"], large["width"]) == (48, 64)
    assert 0 < small["best_s"] <= small["median_s"]
    assert large["flops"] > 1.5 * small["flops"]
    assert large["evaluation_peak_bytes"] > 2e8
    assert "painting_s" not in small


def test_a_picture_can_be_painted_for_the_time_to_a_loss(impasto: Impasto, weights: Path, content: Path, style: Path):
    options: Sequence[Argument] = ("--weights", weights, "--network", "vgg16", "--repeats", 1, "--evaluations", 6)
    outcome = impasto("bench", content, style, *options, "--sizes", 24, "--precisions", "float32")
    assert outcome.code == 0
    assert "s to loss" in outcome.stdout
    assert "float32" in outcome.stdout


def test_sizes_that_are_no_numbers_are_refused(impasto: Impasto):
    outcome = impasto("bench", "--sizes", "small,large")
    assert outcome.code == 2
    assert "'small,large'" in outcome.stderr


def test_a_case_that_fails_is_reported_in_a_sentence(impasto: Impasto, tmp_path: Path):
    outcome = impasto("bench", "--weights", tmp_path / "absent.h5", "--sizes", 32, "--precisions", "float32")
    assert outcome.code == 2
    assert "absent.h5" in outcome.stderr
    assert "Traceback" not in outcome.stderr
