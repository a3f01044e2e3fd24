"""Which way to the daemon this Python can go: pyzmq in the process, or a bridge.

The installer puts pyzmq and msgpack for GIMP's own Python into `vendored`. Where they do not load, a bridge needs no
pyzmq, and msgpack is borrowed from the product's environment: its pure Python part runs in any Python.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from impasto_gimp.installation import MEND_IT, Installation
from impasto_protocol.clean_environment import clean_environment
from impasto_protocol.transport import Transport

__all__ = ["TRANSPORT_VARIABLE", "LibraryError", "chosen_dial", "own_environment"]

TRANSPORT_VARIABLE = "IMPASTO_TRANSPORT"
"""The environment variable that says `zmq` or `bridge`, for who doubts the choice."""

ASK_PYTHON_S = 20.0
"""Seconds for which the product's Python is waited for: it only has to start."""

_TELL_MSGPACK = """
import json, msgpack, pathlib
folder = pathlib.Path(msgpack.__file__).parent
print(json.dumps({file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.py")}))
"""
"""Has the product's Python tell the sources of its msgpack: its files may lie where the editor sees nothing."""


class LibraryError(Exception):
    """No way to the daemon can be gone; the text tells why, and the remedy."""


def chosen_dial(
    installation: Installation, path: Path, environ: Mapping[str, str]
) -> tuple[str, Callable[[], Transport]]:
    """The way to the daemon: its name, `zmq` or `bridge`, and what makes one.

    Args:
        installation: Where libraries are.
        path: The daemon's connection file.
        environ: The editor's environment.

    Raises:
        LibraryError: Neither can be had.
    """
    wanted = environ.get(TRANSPORT_VARIABLE, "")
    if installation.vendored.is_dir() and str(installation.vendored) not in sys.path:
        sys.path.append(str(installation.vendored))
    if wanted != "bridge" and _loads("msgpack") and _loads("zmq"):
        from impasto_protocol.transport import dial

        return "zmq", lambda: dial(path)
    if wanted == "zmq":
        raise LibraryError(f"{TRANSPORT_VARIABLE} is 'zmq', and pyzmq does not load; unset it, or {MEND_IT}.")
    python = installation.python
    if python is None or installation.trouble is not None:
        raise LibraryError(installation.trouble or f"Impasto's Python is unknown; {MEND_IT}.")
    environment = own_environment(environ)
    if not _loads("msgpack"):
        _borrow_msgpack(python, environment)
    from impasto_protocol.bridge_transport import BridgeTransport

    return "bridge", lambda: BridgeTransport(python, path, environment)


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for what the plug-in starts: without the editor's own libraries."""
    return clean_environment(environ)


def _loads(name: str) -> bool:
    """Whether a library can be imported; a broken one leaves no half of itself behind."""
    try:
        importlib.import_module(name)
    except Exception:  # whatever a library for another Python or system does when it is loaded
        for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[loaded]
        return False
    return True


def _borrow_msgpack(python: str, environment: Mapping[str, str]) -> None:
    try:
        ran = subprocess.run(  # noqa: S603 -- our own program
            [python, "-c", _TELL_MSGPACK],
            capture_output=True,
            check=True,
            timeout=ASK_PYTHON_S,
            env=dict(environment),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        told = json.loads(ran.stdout)
        sys.meta_path.append(_Borrowed({"msgpack" if n == "__init__" else f"msgpack.{n}": t for n, t in told.items()}))
        importlib.import_module("msgpack")
    except (OSError, subprocess.SubprocessError, ValueError, ImportError) as error:
        raise LibraryError(f"The Python at {python!r} does not work ({_reason(error)}); {MEND_IT}.") from error


class _Borrowed(MetaPathFinder, Loader):
    """Imports modules from their sources.

    Args:
        sources: By the modules' names.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder`."""
        if fullname not in self._sources:
            return None
        return ModuleSpec(fullname, self, is_package="." not in fullname)

    def exec_module(self, module: ModuleType) -> None:
        """See `Loader`."""
        code = compile(self._sources[module.__name__], f"<borrowed {module.__name__}>", "exec")
        exec(code, module.__dict__)  # noqa: S102 -- the product's own library


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode("utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with {error.returncode}"
    return str(error)
