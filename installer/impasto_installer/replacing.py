"""Putting a new plug-in folder in the place of the old one, in one step that can be taken back.

The new folder is made beside, out of GIMP's sight, and then changes places with the old one. A run that is killed
between the two leaves the old one where the next run finds it.
"""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto_installer.errors import PluginFolderError
from impasto_installer.manifest import read_manifest
from impasto_installer.plugin_folder import lay_out, prune

__all__ = ["recover", "replaced"]

_BESIDE = ".impasto-"
"""What the folders begin with in which a new plug-in is made: above the folder of plug-ins, which GIMP reads."""


@contextmanager
def replaced(
    folder: Path, content: Mapping[str, bytes], *, version: str, renew: bool = False
) -> Iterator[bool]:
    """Makes a plug-in folder hold this content, unless the block fails: then everything is as it was.

    Args:
        folder: The plug-in folder.
        content: What it shall hold, see `plugin_folder.content_of`.
        version: Of Impasto.
        renew: See `plugin_folder.lay_out`.

    Yields:
        Whether anything had to be changed.

    Raises:
        PluginFolderError: It cannot be written, or holds what is not Impasto's.
    """
    try:
        recover(folder)
        _refuse_what_is_not_ours(folder)
        made = _make_folders_above(folder)
        beside = folder.parent.parent / f"{_BESIDE}{secrets.token_hex(4)}"
        beside.mkdir()
        new, old, failed = beside / "new", beside / "old", beside / "failed"
        try:
            if folder.exists():
                shutil.copytree(folder, new, symlinks=True)
            changed = lay_out(new, content, version=version, folders_made=made, renew=renew)
            if not changed:
                yield False
                return
            _exchange(folder, new, old)
            try:
                yield True
            except BaseException:
                folder.rename(failed)
                if old.exists():
                    old.rename(folder)
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            if not folder.exists():
                _unmake(folder, made)
    except OSError as error:
        raise PluginFolderError(
            f"Cannot write {str(error.filename or folder)!r}: {error.strerror}; close GIMP, make the folder writable, "
            "and try again."
        ) from error


def _exchange(folder: Path, new: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise


def recover(folder: Path) -> bool:
    """Takes up what a run left that was killed; whether the plug-in folder came back by that."""
    has_come_back = False
    for beside in folder.parent.parent.glob(f"{_BESIDE}????????"):
        old = beside / "old"
        if old.is_dir() and not folder.exists():
            old.rename(folder)
            has_come_back = True
        shutil.rmtree(beside, ignore_errors=True)
    return has_come_back


def _refuse_what_is_not_ours(folder: Path) -> None:
    if folder.is_symlink():
        raise PluginFolderError(f"{str(folder)!r} is a link, which Impasto did not make; remove it, and try again.")
    if folder.exists() and read_manifest(folder) is None and any(folder.iterdir()):
        raise PluginFolderError(
            f"{str(folder)!r} holds files that Impasto did not put there; move the folder away, and try again."
        )


def _make_folders_above(folder: Path) -> tuple[str, ...]:
    """Makes the folders that are missing above the plug-in folder; which they are, seen from it."""
    missing = [path for path in (folder.parent.parent, folder.parent) if not path.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    return tuple("../.." if path == folder.parent.parent else ".." for path in missing)


def _unmake(folder: Path, made: tuple[str, ...]) -> None:
    with suppress(OSError):
        if made:
            prune(folder.parent, up_to=folder.parents[len(made)])
