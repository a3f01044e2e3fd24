"""Some bytes of a file, without a copy where the system allows."""

import mmap
import sys
from contextlib import suppress
from typing import BinaryIO

from impasto_protocol.fields import Data

__all__ = ["part_of"]

MADV_POPULATE_READ = 22
"""Reads what is mapped, or fails (Linux 5.14, madvise(2)); Python 3.11 has no name for it."""


def part_of(file: BinaryIO, offset_bytes: int, length_bytes: int) -> Data:
    """Some bytes of a file; a view of it where the system allows, because new memory costs more than reading into it.

    Files here are only ever removed, never shortened or written again. A view is given only of what has been read from
    the disk: a disk that fails later would end the process.

    Raises:
        OSError: The disk does not give them.
    """
    if sys.platform == "linux":
        before = offset_bytes % mmap.ALLOCATIONGRANULARITY
        with suppress(OSError, ValueError):  # an older system, or a disk or file that reading tells the truth about
            view = mmap.mmap(
                file.fileno(), before + length_bytes, access=mmap.ACCESS_READ, offset=offset_bytes - before
            )
            view.madvise(MADV_POPULATE_READ)
            return memoryview(view)[before:]
    file.seek(offset_bytes)
    return file.read(length_bytes)
