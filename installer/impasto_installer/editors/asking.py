"""Asking a GIMP about itself, by running it once without its windows.

What GIMP prints and returns proves nothing: it ends with 0 whatever happened, and says much that does not matter. What
counts is the one line that `inside_gimp` prints.
"""

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from impasto_installer.editors.finding import Editor, users_folders
from impasto_installer.editors.machine import System
from impasto_installer.editors.running import Run
from impasto_installer.errors import EditorError

__all__ = ["STYLIZE", "Answer", "ask", "python_in_the_way"]

TIMEOUT_S = 300.0
"""Seconds for GIMP to answer: its first start takes 15 on a busy machine, and a slow disk several times that."""

MARK = "IMPASTO-ANSWER "

STYLIZE = "plug-in-impasto-stylize"
"""The procedure that has to be there: what the menu entry calls."""

_COMPLAINT = re.compile(r"^[\w.]*(?:Error|Exception)\b.*$", re.MULTILINE)
"""The last line of a traceback."""

INTERPRETER = "python-fu-eval"

_DESKTOP_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where a desktop looks for programs, whatever a shell has added for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GIMP said.

    Attributes:
        gimp: Its version: `3.0.4`.
        user_folder: Where it keeps what is the user's.
        plugins_folder: Where it looks for the user's own plug-ins.
        hidden: The folder that GIMP takes for its user's, where its sandbox shows it another in that place: it sees
            nothing that is in it.
        python: The version of its Python.
        python_program: That Python.
        machine: The processor, as `platform.machine` calls it.
        libc: The C library's name and version; empty where that cannot be told.
        procedures: Impasto's procedures that it knows.
        refusal: What went wrong when the plug-in was called; None if nothing did, or it is not registered.
        vendored: What went wrong when what is vendored was imported; None if nothing did.
        bridge: What went wrong when Impasto's own Python was called; None if nothing did.
        complaint: What a Python that GIMP started said last before it ended with an error; None if none did.
        shadowed_by: The `python3` that keeps GIMP from starting its own when `PATH` is that of this shell.
    """

    gimp: str
    user_folder: Path
    plugins_folder: Path
    hidden: Path | None
    python: tuple[int, int, int]
    python_program: str
    machine: str
    libc: tuple[str, str]
    procedures: tuple[str, ...]
    refusal: str | None
    vendored: str | None
    bridge: str | None
    complaint: str | None = None
    shadowed_by: Path | None = None

    @property
    def known_folders(self) -> tuple[Path, ...]:
        """Folders of users of which it is known whose they are."""
        return (self.user_folder,) if self.hidden is None else (self.user_folder, self.hidden)


def ask(editor: Editor, run: Run, *, plugin_folder: Path | None = None, own_bin: Path | None = None) -> Answer:
    """Runs GIMP once and returns what it answers.

    Args:
        editor: Which GIMP.
        run: How a program is run.
        plugin_folder: Where the plug-in is; None for where this GIMP looks for it first.
        own_bin: A folder that GIMP shall not find programs in: that of our own environment, whose `python3` is not
            the user's when GIMP is started from the desktop.

    Raises:
        EditorError: It does not start, or its Python does not.
    """
    environment = _environment(editor, own_bin)
    said, text = "", None
    for shadowed, attempt in ((False, environment), (True, {**environment, "PATH": _DESKTOP_PATH})):
        if shadowed and (editor.machine.system is not System.LINUX or editor.packaging.call):
            break
        said, text = _answered(editor, attempt, run, plugin_folder)
        if text is not None:
            in_the_way = shutil.which("python3", path=environment.get("PATH", "")) if shadowed else None
            return _built(editor, text, said, None if in_the_way is None else Path(in_the_way))
    raise EditorError(_silence(editor, said))


def python_in_the_way(editor: Editor, own_bin: Path | None = None) -> Path | None:
    """The `python3` that GIMP would start from this shell."""
    found = shutil.which("python3", path=_environment(editor, own_bin).get("PATH", ""))
    return None if found is None else Path(found)


def _environment(editor: Editor, own_bin: Path | None) -> dict[str, str]:
    variables = dict(editor.machine.environment)
    paths = variables.get("PATH", "").split(os.pathsep)
    variables["PATH"] = os.pathsep.join(path for path in paths if own_bin is None or Path(path) != own_bin)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        variables.pop(name, None)
    return variables


def _answered(
    editor: Editor, environment: Mapping[str, str], run: Run, plugin_folder: Path | None
) -> tuple[str, str | None]:
    """What GIMP said on the way, and the line that counts."""
    folder = "" if plugin_folder is None else str(plugin_folder)
    source = Path(__file__).with_name("inside_gimp.py").read_text(encoding="utf-8")
    program = f"{source}\nprint('\\n' + {MARK!r} + json.dumps(answer({folder!r}, {STYLIZE!r})), flush=True)\n"
    packed = base64.b64encode(zlib.compress(program.encode())).decode()
    wrapped = f"import base64, zlib; exec(zlib.decompress(base64.b64decode({packed!r})), {{}})"
    arguments = ["-i", "--quit", f"--batch-interpreter={INTERPRETER}", "-b", wrapped]
    said = run([*editor.call, *arguments], environment, timeout_s=TIMEOUT_S)
    for line in said.out.splitlines():
        if line.startswith(MARK):
            return said.errors, line.removeprefix(MARK)
    return f"{said.errors}\n{said.out}", None


def _built(editor: Editor, text: str, said: str, shadowed_by: Path | None) -> Answer:
    try:
        told = json.loads(text)
        major, minor, micro = (int(number) for number in told["python"])
        name, version = told["libc"]
        there = Path(told["user_folder"])
        here = _here(editor, there, tuple(told["user_folder_number"]))
        return Answer(
            gimp=str(told["gimp"]),
            user_folder=here,
            plugins_folder=here / Path(told["plugins_folder"]).relative_to(there),
            hidden=there if there != here and there.is_dir() else None,
            python=(major, minor, micro),
            python_program=str(told["python_program"]),
            machine=str(told["machine"]),
            libc=(str(name), str(version)),
            procedures=tuple(told["procedures"]),
            refusal=told["refusal"],
            vendored=told["vendored"],
            bridge=told["bridge"],
            complaint=(_COMPLAINT.findall(said) or [None])[-1],
            shadowed_by=shadowed_by,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EditorError(
            f"{editor.name} answered something that makes no sense ({error}); please report it."
        ) from error


def _here(editor: Editor, there: Path, number: tuple[int, ...]) -> Path:
    """The user's folder of a GIMP, as it is called outside of its sandbox.

    Flathub's GIMP calls it `~/.var/app/org.gimp.GIMP/config/GIMP/3.0`, and is shown `~/.config/GIMP/3.0` there.

    Args:
        editor: Which GIMP.
        there: What GIMP calls it.
        number: The device and the inode that GIMP knows it by.

    Raises:
        EditorError: It is none of the folders of its users.
    """
    if not editor.packaging.is_sandbox:
        return there
    for folder in (there, *users_folders(editor.packaging, editor.machine)):
        with suppress(OSError):
            known = folder.stat()
            if (known.st_dev, known.st_ino) == number:
                return folder
    raise EditorError(
        f"{editor.name} keeps its settings inside its sandbox, in {str(there)!r}, where nothing can be put from here; "
        "let it see ~/.config/GIMP, as it does unless it is told otherwise."
    )


def _silence(editor: Editor, said: str) -> str:
    if f"'{INTERPRETER}'" in said:
        return (
            f"The Python of {editor.name} does not start: install its Python plug-ins (on Debian: python3-gi and "
            "gir1.2-gimp-3.0), or see that no other python3 comes first in PATH."
        )
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return f"{editor.name} does not answer ({lines[-1] if lines else 'it said nothing'}); start it once by hand."
