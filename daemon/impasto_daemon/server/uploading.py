"""A picture on its way into the store: written as it arrives, and hashed where it must be proven at once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["Upload"]


@dataclass(slots=True, kw_only=True)
class Upload:
    """See the module.

    Attributes:
        size_bytes: Of the whole picture.
        user: Who sends it.
        path: Where it is written to.
        file: The same, open.
        received_bytes: How much is there.
        hash: Of that; None for a picture that is not hashed as it arrives.
    """

    size_bytes: int
    user: str
    path: Path
    file: BinaryIO
    received_bytes: int = 0
    hash: "hashlib._Hash | None" = None

    def append(self, data: memoryview) -> None:
        """Writes some bytes, and hashes them if they must be proven.

        Raises:
            OSError: The disk does not take all of them.
        """
        unwritten = data
        while unwritten.nbytes:  # a disk that is nearly full takes a part, and refuses only the rest
            unwritten = unwritten[self.file.write(unwritten) :]
        if self.hash is not None:
            self.hash.update(data)
        self.received_bytes += data.nbytes

    def begin_anew(self) -> None:
        """Forgets what was written; what follows is hashed.

        Raises:
            OSError: The disk does not let it.
        """
        self.file.seek(0)
        self.file.truncate()
        self.received_bytes = 0
        self.hash = hashlib.sha256()
