"""Fetching published weights into Keras's own folder, where Keras finds them and downloads nothing.

Keras's downloader begins anew after every interruption; this one goes on where the last left off, over as many runs as
it takes, and gives the file its name only when its checksum is right.
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from impasto_engine.errors import NetworkError
from impasto_engine.networks.published import Published
from impasto_engine.networks.soundness import md5_of

__all__ = ["Progress", "fetch_weights"]

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many are here."""

TIMEOUT_S = 30.0
"""Seconds without a byte after which a connection counts as lost."""

ATTEMPTS = 5
"""Connections in a row that may break without having brought anything."""

_READ_BYTES = 64 * 1024


def fetch_weights(name: str, published: Published, folder: Path, progress: Progress = lambda *_: None) -> Path:
    """Downloads a network's weights, or what is missing of them.

    Args:
        name: The network.
        published: Its weights.
        folder: Where they go: `keras_folder()`.
        progress: Is told how far it is.

    Returns:
        The file.

    Raises:
        NetworkError: They cannot be had now, or what came is not what was published.
    """
    file = folder / published.file_name
    if file.is_file() and file.stat().st_size == published.size_bytes and md5_of(file) == published.md5:
        return file
    part = file.with_name(f"{file.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(name, published, part, progress)
        if md5_of(part) != published.md5:
            part.unlink()
            raise NetworkError(
                f"What came from {published.url!r} has not the checksum of {name}'s weights and was deleted; "
                "try again, and if it fails again, ask who runs your network."
            )
        part.replace(file)
    except urllib.error.HTTPError as error:
        raise NetworkError(
            f"{published.url!r} cannot be had ({error.code} {error.reason}); get the file on another machine, and "
            "give it with 'impasto weights add'."
        ) from error
    except OSError as error:
        raise NetworkError(
            f"{name}'s weights cannot be kept in {str(folder)!r} ({error.strerror or error}); free some space there, "
            "or name another folder in KERAS_HOME."
        ) from error
    return file


def _download(name: str, published: Published, part: Path, progress: Progress) -> None:
    fruitless = 0
    while True:
        before_bytes = _size_bytes(part)
        if before_bytes >= published.size_bytes:
            return
        try:
            _receive(published, part, before_bytes, progress)
        except urllib.error.HTTPError as error:
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            part.unlink()
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            fruitless = 0 if _size_bytes(part) > before_bytes else fruitless + 1
            if fruitless == ATTEMPTS:
                raise NetworkError(
                    f"{name}'s weights cannot be fetched ({getattr(error, 'reason', error)}); connect to the internet "
                    f"and try again: it goes on from {_size_bytes(part):,} of {published.size_bytes:,} bytes. Without "
                    "internet, give the file with 'impasto weights add'."
                ) from error


def _receive(published: Published, part: Path, have_bytes: int, progress: Progress) -> None:
    """Adds to the part what one connection brings."""
    headers = {"Range": f"bytes={have_bytes}-"} if have_bytes else {}
    request = urllib.request.Request(published.url, headers=headers)  # noqa: S310 -- from the table
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
        goes_on = answer.status == http.client.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as out:
            here_bytes = have_bytes if goes_on else 0
            progress(here_bytes, published.size_bytes)
            while here_bytes < published.size_bytes and (block := answer.read1(_READ_BYTES)):
                out.write(block)
                here_bytes += len(block)
                progress(here_bytes, published.size_bytes)
    if here_bytes < published.size_bytes:
        raise ConnectionError("the connection broke off")


def _size_bytes(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
