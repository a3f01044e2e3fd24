"""What is asked of GIMP and pip, answered from what lies on the disk, as the real ones would."""

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from impasto_installer.editors.running import NOT_RUN, Said
from impasto_installer.plugin_folder import PLUGIN_NAME, Sources

BROKEN = "raise ImportError('wrong ELF class')\n"
"""A library that does not load."""


def written(file: Path, content: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def small_sources(root: Path) -> Sources:
    """Packages of a few lines each."""
    written(root / "impasto_gimp" / "__init__.py")
    written(root / "impasto_gimp" / "impasto.py", "#!/usr/bin/env python3\nprint('main')\n")
    written(root / "impasto_gimp" / "dialog.py", "title = 'one'\n")
    written(root / "impasto_gimp" / "__pycache__" / "dialog.cpython-313.pyc", "stale")
    written(root / "impasto_protocol" / "messages" / "__init__.py", "x = 1\n")
    written(root / "styles" / "__init__.py")
    written(root / "styles" / "ink.jpg", "a picture")
    written(root / "styles" / "styles.json", "[]")
    return Sources(plugin=root / "impasto_gimp", protocol=root / "impasto_protocol", styles=root / "styles")


class FakeGimp:
    """Runs GIMP and pip.

    Attributes:
        python: The Python that GIMP starts, if it is the first `python3` in `PATH`.
        libc: The C library that this Python was built for.
        wheel: What pip finds as pyzmq; None for nothing.
        refusal: What the plug-in says when it is called, instead of answering.
        bridge: What keeps GIMP from starting a program from outside.
        is_blind: Registers no plug-in.
        calls_its_folder: What it calls its user's folder; another than `user_folder` in a Flatpak.
        complaint: What it prints at every start.
        calls: What was called.
    """

    def __init__(self, user_folder: Path, python: Path) -> None:
        self.user_folder = user_folder
        self.python = python
        self.libc = ("glibc", "2.41")
        self.wheel: str | None = "__version__ = '27'\n"
        self.refusal: str | None = None
        self.bridge: str | None = None
        self.is_blind = False
        self.calls_its_folder = user_folder
        self.complaint = ""
        self._registered_at_s: int | None = None
        self.calls: list[list[str]] = []

    def __call__(self, call: Sequence[str], environment: Mapping[str, str], *, timeout_s: float) -> Said:
        self.calls.append(list(call))
        if "pip" in call:
            return self._pip(call)
        if "--batch-interpreter=python-fu-eval" in call:
            return self._gimp(call[-1], environment)
        return Said(code=NOT_RUN, errors=f"{call[0]}: No such file or directory.")

    @property
    def plugin(self) -> Path:
        return self.user_folder / "plug-ins" / PLUGIN_NAME

    def keeps_an_old_registration(self) -> None:
        """Does not know the procedure, until the plug-in's main file has another time."""
        self._registered_at_s = int((self.plugin / "impasto.py").stat().st_mtime)

    def _pip(self, call: Sequence[str]) -> Said:
        if self.wheel is None:
            return Said(code=1, errors="WARNING: retrying\nERROR: No matching distribution found for pyzmq>=26.0\n")
        target = Path(call[call.index("--target") + 1])
        written(target / "zmq" / "__init__.py", self.wheel)
        written(target / "msgpack" / "__init__.py")
        return Said(code=0)

    def _gimp(self, batch: str, environment: Mapping[str, str]) -> Said:
        first = shutil.which("python3", path=environment["PATH"])
        if first != str(self.python):
            return Said(code=0, errors="The procedure 'python-fu-eval' is not a valid batch interpreter.\n")
        script = zlib.decompress(base64.b64decode(re.findall(r"'([^']*)'", batch)[0])).decode()
        asked = re.search(r"answer\('([^']*)'", script)
        assert asked is not None
        answer = json.dumps(self._answer(asked[1]))
        return Said(code=0, out=f"Welcome\nIMPASTO-ANSWER {answer}\n", errors=self.complaint)

    def _answer(self, plugin_folder: str) -> dict[str, Any]:
        folder = Path(plugin_folder) if plugin_folder else self.plugin
        main = folder / "impasto.py"
        is_seen = main.is_file() and os.access(main, os.X_OK) and folder == self.plugin and not self.is_blind
        is_seen = is_seen and int(main.stat().st_mtime) != self._registered_at_s
        library = folder / "vendored" / "zmq" / "__init__.py"
        vendored = "No module named 'zmq'" if not library.is_file() else None
        return {
            "gimp": "3.0.4",
            "user_folder": str(self.calls_its_folder),
            "user_folder_number": [self.user_folder.stat().st_dev, self.user_folder.stat().st_ino],
            "plugins_folder": str(self.calls_its_folder / "plug-ins"),
            "python": [3, 13, 5],
            "python_program": str(self.python),
            "machine": "x86_64",
            "libc": list(self.libc),
            "procedures": ["plug-in-impasto-stylize"] if is_seen else [],
            "refusal": self.refusal if is_seen else None,
            "vendored": "wrong ELF class" if vendored is None and library.read_text() == BROKEN else vendored,
            "bridge": self.bridge,
        }
