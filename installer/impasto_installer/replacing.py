"""Putting a new plug-in folder in the place of the old one, in one step that can be taken back.

The new folder is made beside, out of GIMP's sight, and then changes places with the old one, which lies there as `old`
until the new one has proved good. Wherever a run ends, and whatever fails: as long as there is an `old`, it is the last
that was good, nothing deletes it, and the next run puts it back.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from impasto_installer.errors import InstallerError, PluginFolderError
from impasto_installer.manifest import MANIFEST_FILE, read_manifest
from impasto_installer.plugin_folder import MAIN_FILE, LaidOut, lay_out, prune

__all__ = ["recover", "replaced"]

_BESIDE = ".impasto-"
"""What the folders begin with in which a new plug-in is made, before the number of the process that makes it: above the
folder of plug-ins, which GIMP reads."""


@contextmanager
def replaced(folder: Path, content: Mapping[str, bytes], *, version: str, renew: bool = False) -> Iterator[LaidOut]:
    """Makes a plug-in folder hold this content, unless the block fails: then everything is as it was.

    Args:
        folder: The plug-in folder.
        content: What it shall hold, see `plugin_folder.content_of`.
        version: Of Impasto.
        renew: See `plugin_folder.lay_out`.

    Yields:
        What had to be changed.

    Raises:
        PluginFolderError: It cannot be written, holds what is not Impasto's, or cannot be put back.
    """
    try:
        recover(folder)
        _refuse_what_is_not_ours(folder)
        made = _make_folders_above(folder)
        beside = folder.parent.parent / f"{_BESIDE}{os.getpid()}"
        beside.mkdir()
        new, old = beside / "new", beside / "old"
        try:
            if folder.exists():
                shutil.copytree(folder, new, symlinks=True)
            laid = lay_out(new, content, version=version, folders_made=made, renew=renew)
            if not laid.changed:
                yield laid
                return
            _exchange(folder, new, old)
            try:
                yield laid
            except BaseException as error:
                _put_back(folder, old, error)
                raise
            if old.exists():
                old.rename(beside / "spent")
        finally:
            if not old.exists():
                shutil.rmtree(beside, ignore_errors=True)
            if not folder.exists():
                _unmake(folder, made)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _exchange(folder: Path, new: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException as error:
        _put_back(folder, old, error)
        raise


def _put_back(folder: Path, old: Path, reason: BaseException | None = None) -> None:
    """Takes the new folder away, and puts the old one back, if there was one."""
    failed = old.with_name("failed")
    try:
        if folder.exists():
            shutil.rmtree(failed, ignore_errors=True)
            folder.rename(failed)
        if old.exists():
            old.rename(folder)
    except OSError as error:
        if not old.exists():
            raise
        why = f"{reason} " if isinstance(reason, InstallerError) else ""
        raise PluginFolderError(
            f"{why}The plug-in of before could not be put back ({error.strerror}), and lies whole in {str(old)!r}; "
            f"close GIMP and run 'impasto install', which puts it back, or move it to {str(folder)!r} yourself."
        ) from error


def recover(folder: Path) -> bool:
    """Takes up what a run left that was killed or could not finish; whether the old plug-in came back by that.

    Raises:
        PluginFolderError: It does not come back, or another run is at work.
    """
    try:
        return _recovered(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _recovered(folder: Path) -> bool:
    ours = (path for path in folder.parent.parent.glob(f"{_BESIDE}*") if path.name.removeprefix(_BESIDE).isdecimal())
    left = sorted(ours, key=lambda path: path.stat().st_mtime, reverse=True)
    for beside in left:
        process = _process_at_work_in(beside)
        if process is not None:
            raise PluginFolderError(
                f"Another 'impasto install' (process {process}) is at work in {str(folder.parent)!r}; wait until it "
                "has ended, and try again."
            )
    has_come_back = False
    for beside in left:
        old = beside / "old"
        if old.is_dir() and not has_come_back:
            if folder.exists() and read_manifest(folder) is None:
                continue  # the user's own by now
            has_come_back = True
            if folder.exists():
                _bring_along(folder, old)
            _put_back(folder, old)
        shutil.rmtree(beside, ignore_errors=True)
    return has_come_back


def _unwritable(folder: Path, error: OSError) -> PluginFolderError:
    return PluginFolderError(
        f"Cannot write {str(error.filename or folder)!r}: {error.strerror}; close GIMP, make the folder writable, "
        "and try again."
    )


def _bring_along(folder: Path, old: Path) -> None:
    """Copies what others have put into a plug-in folder meanwhile."""
    manifest = read_manifest(folder)
    ours = {MANIFEST_FILE, *(manifest.files if manifest is not None else ())}
    for file in folder.rglob("*"):
        path = file.relative_to(folder)
        if file.is_file() and path.as_posix() not in ours and file.suffix != ".pyc" and not (old / path).exists():
            (old / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, old / path, follow_symlinks=False)


def _process_at_work_in(beside: Path) -> int | None:
    """The process that made such a folder, if it is still the one that has its number."""
    number = beside.name.removeprefix(_BESIDE)
    try:
        process = psutil.Process(int(number))
        return process.pid if process.create_time() <= beside.stat().st_mtime else None
    except psutil.Error:
        return None


def _refuse_what_is_not_ours(folder: Path) -> None:
    if folder.is_symlink():
        raise PluginFolderError(f"{str(folder)!r} is a link, which Impasto did not make; remove it, and try again.")
    if read_manifest(folder) is None and (folder / MAIN_FILE).exists():
        raise PluginFolderError(
            f"{str(folder)!r} holds a plug-in that Impasto did not put there; move the folder away, and try again."
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
