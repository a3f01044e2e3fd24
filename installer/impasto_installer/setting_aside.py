"""Keeping what the user made of a file of ours, or put in the place of one, when it is replaced or removed."""

import os
from collections.abc import Mapping
from pathlib import Path

from impasto_installer.manifest import VENDORED, Manifest

__all__ = ["YOURS", "set_the_users_aside"]

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
            names = (f"{file.name}{YOURS}{number}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
            free = next(name for name in names if not os.path.lexists(file.with_name(name)))
            aside.append(file.rename(file.with_name(free)).relative_to(folder).as_posix())
    return tuple(aside)
