"""Ctrl-C: once for the best picture so far, twice to leave at once."""

import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from command.calling import Argument, Impasto, process, python
from command.pictures import pixels_of
from impasto_daemon.commands.interruption import Interruption
from impasto_engine.files.picture_file import read_recipe

Options = Sequence[Argument]

ENDLESS = ("--evaluations", 100_000)


def test_the_first_ctrl_c_keeps_the_best_picture_so_far(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    with process("stylize", content, style, "-o", out, *quickly, *ENDLESS) as painting:
        assert painting.stderr is not None
        while not painting.stderr.readline().startswith("Evaluation 1 of 100000"):
            assert painting.poll() is None
        painting.send_signal(signal.SIGINT)
        stdout, stderr = painting.communicate()
    record = read_recipe(out)
    assert (painting.returncode, stdout) == (0, f"{out}\n")
    assert record["stopped"]
    assert f"Stopped at evaluation {record['evaluations']} of 100000" in stderr

    again = tmp_path / "again.png"
    assert impasto("stylize", "--replay", out, "-o", again).code == 0
    assert np.array_equal(pixels_of(again), pixels_of(out))
    assert read_recipe(again)["evaluations"] == record["evaluations"]


def test_the_second_ctrl_c_leaves_at_once_even_in_the_middle_of_an_evaluation():
    code = """
import threading
from impasto_daemon.commands.interruption import Interruption
with Interruption(lambda: print("first", flush=True), lambda: print("second", flush=True)):
    print("painting", flush=True)
    threading.Event().wait()
"""
    with python(code) as painting:
        assert painting.stdout is not None
        for words in ("painting\n", "first\n"):
            assert painting.stdout.readline() == words
            painting.send_signal(signal.SIGINT)
        stdout, _ = painting.communicate()
    assert (painting.returncode, stdout) == (130, "second\n")


@pytest.fixture
def heeding_ctrl_c() -> Iterator[None]:
    """Ctrl-C as Python begins with, even where the tests run in the background, whose processes ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_outside_a_painting_is_what_it_always_was():
    def nothing() -> None:
        raise AssertionError

    before = signal.getsignal(signal.SIGINT)
    with Interruption(nothing, nothing) as interruption:
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
    assert not interruption.requested
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_there_is_a_bar_which_ctrl_c_takes_away(content: Path, style: Path, out: Path, quickly: Options):
    import os
    import pty

    ours, theirs = pty.openpty()
    with process("stylize", content, style, "-o", out, *quickly, *ENDLESS, stderr=theirs) as painting:
        os.close(theirs)
        shown = b""
        while b"/100000" not in shown or b" left" not in shown:
            shown += os.read(ours, 65536)
        painting.send_signal(signal.SIGINT)
        while b"Stopped at evaluation" not in shown:
            shown += os.read(ours, 65536)
        stdout, _ = painting.communicate()
    os.close(ours)
    assert (painting.returncode, stdout) == (0, f"{out}\n")
    for words in (b"scale 1/1", b"loss ", b"Stopping after this evaluation", b"\x1b[?25h"):
        assert words in shown
