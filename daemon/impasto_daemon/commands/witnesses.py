"""Who watches a painting besides the display: the trace of its losses, and the pictures on the way.

None of them may cost the painting: one that fails is reported once and then left out.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.record import losses_record

if TYPE_CHECKING:
    from impasto_engine import Progress

__all__ = ["PREVIEW_EVERY", "Previews", "Spared", "Trace"]

PREVIEW_EVERY = 10
"""Evaluations from one preview to the next unless told otherwise: thirty pictures of a painting as it is by default."""


class Trace:
    """A JSON object for each evaluation, each on its line and in the file at once.

    ```
    {"evaluation": 12, "scale": 1, "seconds": 3.2, "loss": 71.9, "content": 20.1, "style": 51.2, "tv": 0.6}
    ```
    """

    def __init__(self, file: Path) -> None:
        try:
            self._file = file.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise Refused(f"The trace cannot go to {str(file)!r}: {error.strerror}; give another file.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written was said when it could not
            self._file.close()

    def __call__(self, progress: "Progress") -> None:
        """Writes the line of an evaluation."""
        losses = losses_record(progress.losses)
        line = {
            "evaluation": progress.evaluation,
            "scale": progress.scale,
            "seconds": round(progress.seconds, 4),
            "loss": losses["loss"],
            **losses["terms"],
        }
        self._file.write(f"{json.dumps(line)}\n")


class Previews:
    """Numbered pictures in a folder; the numbers go on after those that are already there."""

    def __init__(self, folder: Path, every: int, at_leisure: Lock) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"The previews cannot go to {str(folder)!r}: {error.strerror}; give another.") from error
        self._folder = folder
        self._every = every
        self._at_leisure = at_leisure
        self._number = max((int(file.stem) for file in folder.glob("*.png") if file.stem.isdecimal()), default=0)
        self._shown_at = 0

    def __call__(self, progress: "Progress") -> None:
        """Writes a picture, if it is time for one."""
        from impasto_engine.files.picture_file import write_picture

        if progress.evaluation - self._shown_at < self._every:
            return
        self._shown_at = progress.evaluation
        self._number += 1
        with self._at_leisure:
            write_picture(self._folder / f"{self._number:04d}.png", progress.preview())


class Spared:
    """A witness whose failure is a warning, and its last call."""

    def __init__(self, name: str, witness: Callable[["Progress"], None], warn: Callable[[str], None]) -> None:
        self._name = name
        self._witness: Callable[[Progress], None] | None = witness
        self._warn = warn

    def __call__(self, progress: "Progress") -> None:
        """Calls the witness, as long as it has not failed."""
        from impasto_engine import EngineError

        if self._witness is None:
            return
        try:
            self._witness(progress)
        except (OSError, EngineError) as error:
            self._witness = None
            self._warn(f"Painting goes on, but without {self._name} from evaluation {progress.evaluation} on: {error}")
