"""What cannot be done is refused in one sentence, with exit code 2, and nothing is written."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from command.calling import Argument, Impasto
from command.pictures import save, waves

Options = Sequence[Argument]


@pytest.fixture
def folder(tmp_path: Path, content: Path, style: Path) -> Path:
    """A folder with a content image, a style image and a few things that are neither."""
    (tmp_path / "truncated.png").write_bytes(content.read_bytes()[:200])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "not_weights.h5").write_text("not weights")
    save(tmp_path / "black.png", 0.0 * waves(30, 40, seed=1))
    assert style.exists()
    return tmp_path


def files(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


STYLIZE = ["stylize", "content.png", "style.png", "-o", "out.png"]

COMMANDS = ("stylize", "reconstruct", "evaluate", "daemon", "paint")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stylize"], ["no output", "-o"]),
        ([*STYLIZE, "--memory-budget", "much"], ["'much'", "2GB"]),
        ([*STYLIZE, "--memory-budget", "0GB"], ["'0GB'", "2GB"]),
        ([*STYLIZE, "--memory-budget", "much", "--daemon"], ["'much'", "2GB"]),
        (["daemon", "start", "--memory-budget", "much"], ["'much'", "2GB"]),
        (["stylize", "-o", "out.png"], ["no content image", "--replay"]),
        (["stylize", "content.png", "-o", "out.png"], ["no style image"]),
        (["stylize", "content.png", "style.png"], ["no output", "--estimate"]),
        (["stylize", "missing.png", "style.png", "-o", "out.png"], ["missing.png", "no such file"]),
        (["stylize", "content.png", "missing.png", "-o", "out.png"], ["missing.png", "no such file"]),
        (["stylize", "content.png", "truncated.png", "-o", "out.png"], ["truncated.png"]),
        (["stylize", "text.png", "style.png", "-o", "out.png"], ["text.png"]),
        (["stylize", "empty.jpg", "style.png", "-o", "out.png"], ["empty.jpg", "empty"]),
        (["stylize", "folder.png", "style.png", "-o", "out.png"], ["folder.png", "folder"]),
        (["stylize", "content.png", "style.png", "-o", "out"], ["out", "ending"]),
        (["stylize", "content.png", "style.png", "-o", "out.gif"], [".gif", ".png"]),
        (["stylize", "content.png", "style.png", "-o", "nowhere/out.png"], ["nowhere", "folder does not exist"]),
        (["stylize", "content.png", "style.png", "-o", "folder.png"], ["folder.png", "it is a folder"]),
        (["stylize", "content.png", "style.png", "-o", "content.png"], ["content.png", "one of the pictures"]),
        (["stylize", "content.png", "style.png", "-o", "./style.png"], ["style.png", "one of the pictures"]),
        ([*STYLIZE, "--size", "0"], ["size", "0"]),
        ([*STYLIZE, "--size", "-4"], ["size", "-4"]),
        ([*STYLIZE, "--size", "huge"], ["size", "'huge'", "original"]),
        ([*STYLIZE, "--evaluations", "0"], ["evaluations", "0"]),
        ([*STYLIZE, "--evaluations", "many"], ["--evaluations", "integer", "--help"]),
        ([*STYLIZE, "--recipe", "monet"], ["'monet'", "gatys"]),
        ([*STYLIZE, "--strength", "2"], ["strength", "2"]),
        ([*STYLIZE, "--strength", "nan"], ["strength", "nan"]),
        ([*STYLIZE, "--strength", "0.3", "--content-weight", "3"], ["strength", "content weight"]),
        ([*STYLIZE, "--tv-weight", "-1"], ["tv weight", "-1"]),
        ([*STYLIZE, "--style-weight", "inf"], ["style weight", "inf"]),
        ([*STYLIZE, "--style-weights", "1,2"], ["--style-weights", "2", "1 styles"]),
        ([*STYLIZE, "--style-weights", "heavy"], ["--style-weights", "heavy"]),
        ([*STYLIZE, "--style-weights", "0"], ["weight", "0"]),
        ([*STYLIZE, "--style-scale", "0"], ["style scale", "0"]),
        ([*STYLIZE, "--color", "blue"], ["color", "'blue'", "luminance"]),
        ([*STYLIZE, "--init", "missing.png"], ["missing.png", "no such file"]),
        ([*STYLIZE, "--pooling", "minimum"], ["pooling", "'minimum'", "average"]),
        ([*STYLIZE, "--optimizer", "luck"], ["optimizer", "'luck'", "scipy"]),
        ([*STYLIZE, "--precision", "float8"], ["precision", "'float8'", "bfloat16"]),
        ([*STYLIZE, "--seed", "-1"], ["seed", "-1"]),
        ([*STYLIZE, "--region", "missing.png"], ["missing.png", "no such file"]),
        ([*STYLIZE, "--region", "black.png"], ["region", "black everywhere"]),
        ([*STYLIZE, "--region", "black.png", "--region", "none"], ["--region", "2 times", "1 styles"]),
        ([*STYLIZE, "--network", "resnet2"], ["'resnet2'", "vgg16"]),
        ([*STYLIZE, "--weights", "missing.h5"], ["missing.h5"]),
        ([*STYLIZE, "--weights", "not_weights.h5"], ["not_weights.h5"]),
        ([*STYLIZE, "--content-layer", "block9"], ["'block9'", "block4_conv2"]),
        ([*STYLIZE, "--style-layer", "block9"], ["'block9'", "block4_conv2"]),
        ([*STYLIZE, "--previews", "text.png"], ["text.png", "not a folder"]),
        ([*STYLIZE, "--previews", "text.png/deeper"], ["text.png", "not a folder"]),
        ([*STYLIZE, "--preview-every", "0"], ["--preview-every", "1"]),
        ([*STYLIZE, "--trace", "nowhere/trace.jsonl"], ["nowhere", "folder does not exist"]),
        ([*STYLIZE, "--trace", "folder.png"], ["folder.png", "it is a folder"]),
        ([*STYLIZE, "--replay", "missing.png"], ["missing.png", "no such file"]),
        ([*STYLIZE, "--sise", "3"], ["--sise", "--size", "stylize --help"]),
        (["reconstruct", "content", "content.png", "--layer", "block1_conv1"], ["no output", "-o"]),
        (["reconstruct", "mood", "content.png", "--layer", "block1_conv1", "-o", "out.png"], ["mood", "--help"]),
        (["reconstruct", "content", "content.png", "-o", "out.png"], ["--layer"]),
        (["reconstruct", "content", "content.png", "--layer", "block9", "-o", "out.png"], ["'block9'"]),
        (["reconstruct", "style", "content.png", "--layer", "block9", "-o", "out.png"], ["'block9'"]),
        (["reconstruct", "style", "missing.png", "--layer", "block1_conv1", "-o", "out.png"], ["missing.png"]),
        (["evaluate", "content.png", "style.png"], ["PICTURE"]),
        (["evaluate", "content.png", "style.png", "missing.png"], ["missing.png", "no such file"]),
        (["evaluate", "content.png", "style.png", "style.png", "--recipe", "monet"], ["'monet'"]),
        (["paint"], ["'paint'", "--help"]),
    ],
    ids=lambda value: (
        " ".join(value) if value and value[0] in ("stylize", "reconstruct", "evaluate", "daemon", "paint") else ""
    ),
)
def test_it_is_refused(
    arguments: list[str],
    words: list[str],
    folder: Path,
    impasto: Impasto,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(folder)
    before = files(folder)
    usual = [] if arguments[0] in ("paint", "daemon") or "--weights" in arguments else ["--weights", str(weights)]
    usual += [] if arguments[0] in ("paint", "daemon") or "--network" in arguments else ["--network", "vgg16"]
    outcome = impasto(*arguments, *usual)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert len(outcome.stderr.splitlines()) == 1, outcome.stderr
    assert outcome.stderr.startswith("impasto: ")
    for word in words:
        assert word in outcome.stderr
    assert files(folder) == before


def test_weights_of_another_network_are_refused(content: Path, style: Path, out: Path, impasto: Impasto, weights: Path):
    outcome = impasto("stylize", content, style, "-o", out, "--network", "vgg19", "--weights", weights)
    assert outcome.code == 2
    assert str(weights) in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_weights_folder_that_does_not_exist_is_refused(impasto: Impasto, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMPASTO_WEIGHTS_DIR", "/nowhere")
    outcome = impasto("networks")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "IMPASTO_WEIGHTS_DIR" in outcome.stderr
