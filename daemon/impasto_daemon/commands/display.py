"""What a person sees while it paints: a bar on a terminal, plain lines elsewhere, or nothing. All of it on stderr."""

import sys
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from impasto_daemon.commands.wording import losses_in_words, sides, time_left

if TYPE_CHECKING:
    from impasto_engine import Progress

__all__ = ["Bar", "Display", "Lines", "display_for"]


class Display:
    """Shows nothing but warnings; enter it for the time of painting. Every method may be called from any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Leaves the terminal in order."""

    def say(self, sentence: str) -> None:
        """Shows a sentence."""

    def warn(self, sentence: str) -> None:
        """Shows a sentence that must be heard even where all else is quiet."""
        _print(f"impasto: {sentence}")

    def told(self, progress: "Progress") -> None:
        """Shows where the painting stands."""

    def stopping(self) -> None:
        """Shows that the wish to stop was heard."""
        self.say("Stopping after this evaluation; press Ctrl-C again to leave without a picture.")


class Lines(Display):
    """A line at the first evaluation, then whenever a tenth of the evaluations or ten seconds have passed."""

    SECONDS = 10.0
    FRACTION = 0.1

    def __init__(self) -> None:
        self._evaluation = 0
        self._seconds = 0.0

    def say(self, sentence: str) -> None:
        """See `Display.say`."""
        _print(sentence)

    def told(self, progress: "Progress") -> None:
        """See `Display.told`."""
        waited = progress.seconds - self._seconds >= self.SECONDS
        advanced = progress.evaluation - self._evaluation >= self.FRACTION * progress.evaluations
        if not (waited or advanced or self._evaluation == 0):
            return
        self._evaluation, self._seconds = progress.evaluation, progress.seconds
        self.say(
            f"Evaluation {progress.evaluation} of {progress.evaluations}, "
            f"scale {progress.scale} of {progress.scales} ({sides(progress.height, progress.width)}): "
            f"{losses_in_words(progress.losses)}, {time_left(progress.remaining_s)}"
        )


class Bar(Display):
    """A bar with the losses and the time left."""

    WIDE = 110
    """Columns of a terminal that has room for the three terms of the loss."""

    LEFT = len("59 min 59 s left")
    """Columns of the time left, so that the bar does not change its length."""

    _STOPPING = "stopping"

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=self._console,
            transient=True,
            expand=True,
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("preparing", total=None, losses="", left="")
        self._stopping = False

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """See `Display.__exit__`."""
        self._bar.stop()

    def say(self, sentence: str) -> None:
        """See `Display.say`."""
        self._console.print(sentence)

    def warn(self, sentence: str) -> None:
        """See `Display.warn`."""
        self.say(f"impasto: {sentence}")

    def told(self, progress: "Progress") -> None:
        """See `Display.told`."""
        wide = self._console.width >= self.WIDE
        self._bar.update(
            self._task,
            description=f"scale {progress.scale}/{progress.scales}, {sides(progress.height, progress.width)}",
            completed=progress.evaluation,
            total=progress.evaluations,
            losses=losses_in_words(progress.losses) if wide else f"loss {progress.losses.loss:.4g}",
            left=(self._STOPPING if self._stopping else time_left(progress.remaining_s)).rjust(self.LEFT),
        )

    def stopping(self) -> None:
        """See `Display.stopping`."""
        self._stopping = True
        self._bar.update(self._task, left=self._STOPPING.rjust(self.LEFT))
        super().stopping()


def _print(line: str) -> None:
    """Prints a line, if anyone is there to read it: a closed pipe must not cost the painting."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def display_for(*, quiet: bool) -> Display:
    """The display that suits stderr."""
    if quiet:
        return Display()
    return Bar() if sys.stderr.isatty() else Lines()
