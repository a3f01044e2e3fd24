"""Whether a weights file is whole, found out without loading the network.

A file that Keras published is known by its checksum. Of any other only its inner structure can be checked, which a
download that broke off does not survive.
"""

import hashlib
from enum import StrEnum
from pathlib import Path

from impasto_engine.errors import NetworkError
from impasto_engine.networks.lite_file import checked_content
from impasto_engine.networks.published import PUBLISHED, keras_folder
from impasto_engine.networks.weights import LITE

__all__ = ["Provenance", "md5_of", "provenance_of"]

_READ_BYTES = 1024 * 1024


class Provenance(StrEnum):
    """What is known of a file that is whole."""

    PUBLISHED = "as published"
    OWN = "readable; not the published file"


def provenance_of(name: str, file: Path) -> Provenance:
    """What is known of the file that holds a network's weights.

    Args:
        name: The network.
        file: The file.

    Raises:
        NetworkError: It is damaged, cut off, or cannot be read.
    """
    if name == LITE:
        checked_content(file)
        return Provenance.PUBLISHED
    published = PUBLISHED[name]
    try:
        size_bytes = file.stat().st_size
        if size_bytes == published.size_bytes and md5_of(file) == published.md5:
            return Provenance.PUBLISHED
    except OSError as error:
        raise NetworkError(
            f"The weights {str(file)!r} cannot be read ({error.strerror}); make them readable."
        ) from error
    how = f"with 'impasto weights remove {name}'" if file.parent == keras_folder() else "by hand"
    remedy = f"delete it {how}, then fetch it again with 'impasto weights fetch {name}'"
    if file.name == published.file_name:
        what = (
            f"is cut off at {size_bytes:,} of {published.size_bytes:,} bytes"
            if size_bytes < published.size_bytes
            else "has not the checksum of what was published"
        )
        raise NetworkError(f"The weights {str(file)!r} are damaged: the file {what}; {remedy}.")
    reason = _broken_structure(file)
    if reason is not None:
        raise NetworkError(f"The weights {str(file)!r} are damaged ({reason}); {remedy}.")
    return Provenance.OWN


def md5_of(file: Path) -> str:
    """The MD5 sum of a file; no protection against anything but accidents."""
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _broken_structure(file: Path) -> str | None:
    import h5py

    datasets = []
    try:
        with h5py.File(file) as content:
            content.visititems(
                lambda _, item: datasets.append(item[()].size) if isinstance(item, h5py.Dataset) else None
            )
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        return str(error).splitlines()[0][:200]
    return None if any(datasets) else "it holds no numbers"
