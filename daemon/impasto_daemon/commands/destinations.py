"""Where a painting goes, and what is said about it on the way."""

import os
from dataclasses import dataclass
from pathlib import Path

from impasto_daemon.commands.failures import Refused

__all__ = ["Destinations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Where a painting goes.

    Attributes:
        output: The finished picture; None where only an estimate is wanted.
        previews: The folder for numbered pictures while it paints.
        preview_every: Evaluations from one preview to the next.
        trace: The file for the losses.
        quiet: Print nothing but errors.
    """

    output: Path | None
    previews: Path | None = None
    preview_every: int = 1
    trace: Path | None = None
    quiet: bool = False

    def check(self) -> None:
        """Makes sure, before anything slow begins, that everything can be written; changes nothing.

        Raises:
            EngineError: The output cannot be written.
            Refused: One of the others cannot.
        """
        from impasto_engine.files.picture_file import check_writable

        if self.output is not None:
            check_writable(self.output)
        if self.previews is not None:
            _check_folder(self.previews)
        if self.trace is not None:
            _check_file(self.trace)


def _check_folder(folder: Path) -> None:
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise Refused(f"The previews cannot go to {str(folder)!r}: {str(existing)!r} is not a folder; give another.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Refused(f"The previews cannot go to {str(folder)!r}: {str(existing)!r} is closed to us; give another.")


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise Refused(f"The trace cannot go to {str(file)!r}: it is a folder; add a file name.")
    if not file.parent.is_dir():
        raise Refused(f"The trace cannot go to {str(file)!r}: its folder does not exist; create it or give another.")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise Refused(f"The trace cannot go to {str(file)!r}: permission is missing; give another file.")
