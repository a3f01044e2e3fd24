"""Keeping what the user made of a file of ours, or put in the place of one, when it is replaced or removed."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from impasto_installer.manifest import VENDORED, Manifest

__all__ = ["YOURS", "set_folders_aside", "set_the_users_aside"]

YOURS = ".yours"
"""What is put behind the name of such a file."""


def set_the_users_aside(
    folder: Path, manifest: Manifest | None, content: Mapping[str, bytes] | None = None
) -> tuple[str, ...]:
    """Gives another name to what is the user's and in the way.

    Libraries are nobody's work, and an empty file holds none.

    Args:
        folder: The plug-in folder.
        manifest: What we wrote into it; None if nothing.
        content: What it shall hold; None for nothing.

    Returns:
        The new names, as paths in the folder.

    Raises:
        OSError: One cannot be renamed.
    """
    shall = content or {}
    aside = []
    for path in sorted({*shall, *(manifest.files if manifest is not None else ())}):
        file = folder / path
        is_a_work = file.is_symlink() or (file.is_file() and file.stat().st_size > 0)
        if (
            not is_a_work
            or path.startswith(f"{VENDORED}/")
            or (path in shall and not file.is_symlink() and file.read_bytes() == shall[path])
        ):
            continue
        if manifest is None or not manifest.is_as_written(folder, path):
            aside.append(_renamed(file).relative_to(folder).as_posix())
    return tuple(aside)


def set_folders_aside(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Gives another name to folders that stand where files are to be written: what is in them is the user's.

    Args:
        folder: The plug-in folder, without what an earlier version left there.
        paths: Of the files, in the folder.

    Returns:
        The new names, as paths in the folder.

    Raises:
        OSError: One cannot be renamed.
    """
    in_the_way = (folder / path for path in paths if (folder / path).is_dir() and not (folder / path).is_symlink())
    return tuple(_renamed(each).relative_to(folder).as_posix() for each in in_the_way)


def _renamed(path: Path) -> Path:
    names = (f"{path.name}{YOURS}{number}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return path.rename(path.with_name(next(name for name in names if not os.path.lexists(path.with_name(name)))))
