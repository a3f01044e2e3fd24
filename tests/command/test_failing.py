"""What happens when something unexpected does: the work is kept, and the details are in a file."""

import os
from pathlib import Path
from threading import Lock

import numpy as np
import pytest

from command.calling import called_in_a_process
from command.pictures import waves
from impasto_daemon.commands.failures import Refused, exit_code_of
from impasto_daemon.commands.quiet_start import stderr_held_back
from impasto_daemon.commands.result import write_result
from impasto_daemon.commands.witnesses import Previews, Spared
from impasto_engine import Losses, Painting, PaintingError, Progress
from impasto_engine.files.picture_file import read_picture, read_recipe


@pytest.fixture
def painting() -> Painting:
    return Painting(
        pixels=waves(6, 8, seed=1).astype(np.float32),
        losses=Losses(layers={"tv": 1.0}),
        evaluations=1,
        seconds=1.0,
        stopped=False,
        rollbacks=0,
        precision="float32",
    )


def progress(evaluation: int) -> Progress:
    return Progress(
        evaluation=evaluation,
        evaluations=9,
        scale=1,
        scales=1,
        height=6,
        width=8,
        network="shallow",
        losses=Losses(layers={"tv": 1.0}),
        best_loss=1.0,
        seconds=1.0,
        remaining_s=1.0,
        rollbacks=0,
        preview=lambda: waves(6, 8, seed=1).astype(np.float32),
        checkpoint=lambda: pytest.fail("no checkpoint is wanted"),
    )


def test_a_painting_that_cannot_be_written_is_saved_elsewhere(painting: Painting, content: Path, tmp_path: Path):
    with pytest.raises(Refused, match="not lost, it was saved as") as refusal:
        write_result(tmp_path / "vanished" / "out.png", painting, read_picture(content), {"command": "stylize"})
    saved = Path(str(refusal.value).split("'")[-2])
    assert read_recipe(saved) == {"command": "stylize"}
    assert np.abs(read_picture(saved).pixels - painting.pixels).max() < 1 / 255
    assert not (tmp_path / "vanished").exists()


def test_a_painting_whose_record_cannot_be_stored_is_saved_without(painting: Painting, content: Path, tmp_path: Path):
    with pytest.raises(Refused, match="saved as") as refusal:
        write_result(tmp_path / "out.png", painting, read_picture(content), {"command": "x" * 100_000})
    assert Path(str(refusal.value).split("'")[-2]).exists()


def test_previews_that_cannot_be_written_are_given_up_with_one_warning(tmp_path: Path):
    folder = tmp_path / "previews"
    warnings: list[str] = []
    witness = Spared("previews", Previews(folder, 2, Lock()), warnings.append)
    witness(progress(1))
    witness(progress(2))
    folder.rename(tmp_path / "elsewhere")
    for evaluation in (3, 4, 5, 6, 7):
        witness(progress(evaluation))
    assert len(warnings) == 1
    assert warnings[0].startswith("Painting goes on, but without previews from evaluation 4 on: ")
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == ["0001.png"]


def test_an_unexpected_failure_is_one_sentence_and_a_log(logs: Path, capfd: pytest.CaptureFixture[str]):
    def command() -> int:
        raise ZeroDivisionError("by the palette")

    assert exit_code_of(command) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "ZeroDivisionError: by the palette" in captured.err
    log = Path(captured.err.split("'")[-2])
    assert log.is_relative_to(logs)
    assert "Traceback" in log.read_text()
    assert "ZeroDivisionError: by the palette" in log.read_text()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PaintingError("It went\nwrong."), 2, "impasto: It went wrong.\n"),
        (Refused("No."), 2, "impasto: No.\n"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_is_raised_decides_the_exit_code(
    error: BaseException, code: int, words: str, capfd: pytest.CaptureFixture[str]
):
    def command() -> int:
        raise error

    assert exit_code_of(command) == code
    assert words in capfd.readouterr().err


def test_chatter_during_the_start_is_not_shown(capfd: pytest.CaptureFixture[str]):
    with stderr_held_back():
        os.write(2, b"oneDNN custom operations are on\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_failure_during_the_start_is_shown_with_all_that_was_said(capfd: pytest.CaptureFixture[str]):
    @stderr_held_back()
    def start() -> None:
        os.write(2, b"a library is missing\n")
        raise ImportError

    with pytest.raises(ImportError):
        start()
    assert capfd.readouterr().err == "a library is missing\n"


def test_a_backend_that_does_not_start_is_reported(content: Path, style: Path):
    outcome = called_in_a_process("evaluate", content, style, content, environment={"KERAS_BACKEND": "abacus"})
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "abacus" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_tensorflow_starts_without_a_word(content: Path, style: Path, weights: Path):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}  # what the command itself sets where nothing is set
    outcome = called_in_a_process(
        "evaluate", content, style, content, "--weights", weights, "--json", environment=quiet
    )
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.json["loss"] > 0
