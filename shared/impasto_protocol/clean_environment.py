"""The environment for a process of our own Python, started from inside an editor.

An AppImage, a Flatpak or a Snap points the loader, Python and GTK at libraries of its own. A Python from elsewhere that
inherits this loads the wrong ones and dies before its first line. What its user has set, such as where CUDA lies, has
to reach it all the same. Standard library only: it runs in the editor's Python.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePath

__all__ = ["clean_environment"]

_NEVER = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
"""They say where the libraries of one Python are, and are wrong for every other."""

_NOT_FROM_A_BUNDLE = (
    "LD_PRELOAD",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONNOUSERSITE",
    "PYTHONPLATLIBDIR",
    "PYTHONDONTWRITEBYTECODE",
    "GI_TYPELIB_PATH",
    "GIO_EXTRA_MODULES",
    "GTK_PATH",
    "GTK_MODULES",
)
"""A bundle sets them for itself, with values that need not tell where they come from."""

_BUNDLES: Mapping[str, str | None] = {"APPDIR": None, "SNAP": None, "FLATPAK_ID": "/app"}
"""The variable by which each kind of bundle is known, and where it lies, if the variable does not say so."""

_SHARED_PREFIXES = {"/", "/usr", "/usr/local", "/opt", "/opt/homebrew", "/opt/local"}
"""Prefixes of a Python that the whole machine uses: not everything in them is the editor's."""


def clean_environment(inherited: Mapping[str, str], *, editor_prefix: str = sys.prefix) -> dict[str, str]:
    """What of an editor's environment its user meant for all programs.

    From lists of paths, those inside the editor's bundle are taken, and a list that is empty then goes. So do empty
    entries, which a bundle leaves behind itself where the user had no list, and which mean the current folder.

    Args:
        inherited: The editor's environment.
        editor_prefix: `sys.prefix` of the editor's Python, which may lie inside a bundle that no variable names.
    """
    is_bundled = any(inherited.get(variable) for variable in _BUNDLES)
    roots = [*_roots(inherited, editor_prefix)]
    cleaned = {}
    for name, value in inherited.items():
        if name in _NEVER or (is_bundled and name in _NOT_FROM_A_BUNDLE):
            continue
        paths = value.split(os.pathsep)
        kept = [path for path in paths if not any(_lies_in(path, root) for root in roots)]
        if kept == paths:
            cleaned[name] = value
        elif any(kept):
            cleaned[name] = os.pathsep.join(filter(None, kept))
    return cleaned


def _roots(inherited: Mapping[str, str], editor_prefix: str) -> Iterator[PurePath]:
    for variable, place in _BUNDLES.items():
        named = inherited.get(variable)
        if named:
            yield PurePath(place or named)
    if PurePath(editor_prefix).as_posix() not in _SHARED_PREFIXES:
        yield PurePath(editor_prefix)


def _lies_in(path: str, root: PurePath) -> bool:
    return PurePath(path).is_relative_to(root)
