"""The file of `lite` in the package: whether it is as it was packed. Nothing slow may be imported here."""

import hashlib
from pathlib import Path

from impasto_engine.errors import NetworkError

__all__ = ["SHA256", "checked_content", "content_of", "remedy"]

SHA256 = "63cf8200a1855f6b76a28f08284ed9fdec1a8eb06361726394a2b28af7b628aa"
"""Of the file in the package."""


def checked_content(file: Path) -> bytes:
    """The content of the file in the package.

    Raises:
        NetworkError: It cannot be read, or is not as it was packed.
    """
    content = content_of(file, own=True)
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise NetworkError(f"The weights {str(file)!r} that came with Impasto are damaged; {remedy(True)}")
    return content


def content_of(file: Path, *, own: bool) -> bytes:
    """The content of a file, our own or another.

    Raises:
        NetworkError: It cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise NetworkError(f"The weights {str(file)!r} cannot be read ({error.strerror}); {remedy(own)}") from error


def remedy(own: bool) -> str:
    """What to do about a file that is no good."""
    return "install Impasto anew." if own else "give another with --weights, or leave it out."
