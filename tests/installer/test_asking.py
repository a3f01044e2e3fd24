"""Asking a GIMP: in which environment it is run, and what is made of what it says; and running programs at all."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from impasto_installer.editors.asking import ask
from impasto_installer.editors.finding import Editor
from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.packaging import PACKAGINGS
from impasto_installer.editors.running import NOT_RUN, Said, run_program
from impasto_installer.errors import EditorError
from installer.fake_gimp import FakeGimp


class Recorded:
    """Says what it is told to, and takes down in which environments it was called."""

    def __init__(self, *said: Said) -> None:
        self.said = list(said)
        self.environments: list[dict[str, str]] = []

    def __call__(self, call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        self.environments.append(dict(environment))
        return self.said.pop(0)


SILENT = Said(code=0, errors="The procedure 'python-fu-eval' is not a valid batch interpreter.\n")


def test_gimp_is_not_run_in_our_own_environment(editor: Editor, gimp: FakeGimp, tmp_path: Path) -> None:
    own_bin = tmp_path / "venv" / "bin"
    variables = {
        **editor.machine.environment,
        "PATH": os.pathsep.join([str(own_bin), editor.machine.environment["PATH"]]),
        "PYTHONPATH": "/mine",
        "PYTHONHOME": "/mine",
        "VIRTUAL_ENV": "/mine",
        "LANG": "C.UTF-8",
    }
    machine = Machine(system=System.LINUX, home=editor.machine.home, environment=variables)
    recorded = Recorded(SILENT, SILENT)
    with pytest.raises(EditorError):
        ask(Editor(packaging=editor.packaging, program=editor.program, machine=machine), recorded, own_bin=own_bin)
    assert recorded.environments[0] == {**editor.machine.environment, "LANG": "C.UTF-8"}


def test_a_gimp_whose_python_is_silent_is_asked_again_with_the_path_of_a_desktop(editor: Editor) -> None:
    recorded = Recorded(SILENT, SILENT)
    with pytest.raises(EditorError, match=r"The Python of .* does not start: install its Python plug-ins"):
        ask(editor, recorded)
    assert [environment["PATH"] for environment in recorded.environments] == [
        editor.machine.environment["PATH"],
        "/usr/local/bin:/usr/bin:/bin",
    ]


def test_a_sandbox_has_a_path_of_its_own_and_is_asked_once(editor: Editor) -> None:
    flatpak = next(packaging for packaging in PACKAGINGS if packaging.name == "Flatpak")
    recorded = Recorded(Said(code=1, errors="error: app/org.gimp.GIMP not installed\n"))
    with pytest.raises(EditorError, match=r"does not answer \(error: app/org\.gimp\.GIMP not installed\)"):
        ask(Editor(packaging=flatpak, program=editor.program, machine=editor.machine), recorded)


@pytest.mark.parametrize("answer", ["", "{", "[]", "{}", '{"python": [3], "libc": []}'])
def test_an_answer_that_makes_no_sense_is_refused(answer: str, editor: Editor) -> None:
    with pytest.raises(EditorError, match="answered something that makes no sense"):
        ask(editor, Recorded(Said(code=0, out=f"\nIMPASTO-ANSWER {answer}\n")))


def test_what_gimp_says_beside_its_answer_does_not_matter(editor: Editor, gimp: FakeGimp) -> None:
    assert ask(editor, gimp).gimp == "3.0.4"


def test_a_program_is_run_to_its_end_with_its_words_and_its_code() -> None:
    code = "import os, sys; print(os.environ['WORD']); print('oh', file=sys.stderr); sys.exit(3)"
    said = run_program([sys.executable, "-c", code], {**os.environ, "WORD": "yes"}, timeout_s=60.0)
    assert said.code == 3
    assert said.out.strip() == "yes"
    assert "oh" in said.errors


def test_a_program_that_does_not_end_is_killed() -> None:
    said = run_program([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, timeout_s=0.2)
    assert (said.code, said.errors) == (NOT_RUN, f"{sys.executable} did not end within 0.2 s.")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = run_program([str(tmp_path / "absent")], os.environ, timeout_s=1.0)
    assert (said.code, said.errors) == (NOT_RUN, f"{tmp_path / 'absent'}: No such file or directory.")
