"""Checkpoints on disk: one file for each job that is not over and was being painted.

The painting process writes them; here it is decided which are kept.
"""

import logging
from collections.abc import Collection
from pathlib import Path

from impasto_protocol.connection import make_private_folder

__all__ = ["Checkpoints"]

_log = logging.getLogger(__name__)


class Checkpoints:
    """See the module.

    Args:
        folder: Where they lie; nobody else may write there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_private_folder(folder)

    def path(self, number: int) -> Path:
        """The file of a job's checkpoint, whether there is one or not."""
        return self._folder / f"{number}.npz"

    def has(self, number: int) -> bool:
        """Whether a job has one."""
        return self.path(number).exists()

    def is_since(self, number: int, moment: float) -> bool:
        """Whether a job got a checkpoint after a moment, in seconds of `time.time`."""
        try:
            return self.path(number).stat().st_mtime > moment
        except OSError:
            return False

    def drop(self, number: int) -> None:
        """Removes a job's checkpoint, and what is left of one that was being written."""
        for path in (self.path(number), *self._folder.glob(f".{number}.npz.*")):
            _remove(path)

    def drop_all_but(self, numbers: Collection[int]) -> None:
        """Removes everything but these jobs' checkpoints."""
        kept = {self.path(number) for number in numbers}
        for path in self._folder.iterdir():
            if path not in kept:
                _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.error("The checkpoint %s stays on disk: %s", path, error)
