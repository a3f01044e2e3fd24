"""Whole files, in and out: a file that is read is read entirely, and a file that is written is never half there.

No picture is understood here. All that the file system can refuse becomes one sentence with a remedy.
"""

import errno
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from impasto_engine.errors import PictureError
from impasto_engine.limits import MAX_PICTURE_FILE_BYTES

__all__ = ["check_replaceable", "read_whole_file", "replace_file"]

_NO_PERMISSION = "permission is missing; choose another folder or change the permissions"
_DISK_FULL = "the disk is full; free some space or choose another disk"

_READ_TROUBLES: Mapping[int | None, str] = MappingProxyType(
    {
        errno.ENOENT: "there is no such file; check its name and folder",
        errno.ENOTDIR: "there is no such file; check its name and folder",
        errno.EISDIR: "it is a folder; choose a picture file in it",
        errno.EACCES: "permission is missing; change the file's permissions or copy it elsewhere",
        errno.EPERM: "permission is missing; change the file's permissions or copy it elsewhere",
        errno.ENAMETOOLONG: "its name is too long; rename it",
        errno.ELOOP: "the link leads round in a circle; choose the picture file itself",
    }
)

_WRITE_TROUBLES: Mapping[int | None, str] = MappingProxyType(
    {
        errno.ENOENT: "the folder does not exist; create it or choose another",
        errno.ENOTDIR: "the folder does not exist; create it or choose another",
        errno.EISDIR: "it is a folder; add a file name to it",
        errno.EACCES: _NO_PERMISSION,
        errno.EPERM: _NO_PERMISSION,
        errno.EROFS: "the disk is read-only; choose another disk",
        errno.ENOSPC: _DISK_FULL,
        errno.EDQUOT: _DISK_FULL,
        errno.EFBIG: "the file is larger than the disk allows; choose another disk",
        errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
        errno.ELOOP: "the link leads round in a circle; choose another name",
    }
)


def read_whole_file(path: Path) -> bytes:
    """Read a file.

    Args:
        path: Where it is.

    Returns:
        Its bytes, at least one.

    Raises:
        PictureError: It is missing, empty, absurdly long, not a file, or may not be read.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise _cannot("read", path, "it is a device and not a file; choose a picture file")
        if status.st_size > MAX_PICTURE_FILE_BYTES:
            raise _cannot(
                "read", path, f"it has {status.st_size:,} bytes, more than any picture; choose a picture file"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _cannot("read", path, _reason(error, _READ_TROUBLES)) from error
    if not data:
        raise _cannot("read", path, "the file is empty; copy or download it again")
    return data


def replace_file(path: Path, data: bytes, *, sync: Callable[[int], None] = os.fsync) -> None:
    """Write a file, or leave everything as it was: a new file takes the old one's place in a single step.

    A link is followed. The new file has the permissions of the one it replaces, or else those of any new file.

    Args:
        path: Where the file shall be.
        data: What it shall hold.
        sync: Brings what was written to the file descriptor given onto the disk.

    Raises:
        PictureError: It cannot be written; nothing has changed.
    """
    try:
        target = Path(os.path.realpath(path))
        temporary = _beside(target)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                sync(file.fileno())
            mode = _mode(target)
            if mode is not None:
                temporary.chmod(stat.S_IMODE(mode))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _cannot("write", path, _reason(error, _WRITE_TROUBLES)) from error


def check_replaceable(path: Path) -> None:
    """Try whether `replace_file` would be let, and leave nothing behind.

    Args:
        path: Where a file shall be.

    Raises:
        PictureError: The folder is missing or closed to us, or the path is taken by something not to be replaced.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if mode is not None and not stat.S_ISREG(mode):
            raise _cannot("write", path, "it is a device and not a file; choose another name")
        if mode is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "is read-only")
        temporary = _beside(target)
        try:
            with temporary.open("xb"):
                pass
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _cannot("write", path, _reason(error, _WRITE_TROUBLES)) from error


def _mode(path: Path) -> int | None:
    """What a path is and who may do what with it; None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _beside(target: Path) -> Path:
    """A name in the same folder, and so on the same disk, that nothing else has."""
    return target.with_name(f".impasto-{secrets.token_hex(8)}.tmp")


def _reason(error: OSError | ValueError, troubles: Mapping[int | None, str]) -> str:
    if not isinstance(error, OSError):
        return "its name has a character that names cannot have; choose another name"
    return troubles.get(error.errno, f"the system says {error.strerror!r}; choose another folder")


def _cannot(act: str, path: Path, reason: str) -> PictureError:
    return PictureError(f"Cannot {act} {str(path)!r}: {reason}.")
