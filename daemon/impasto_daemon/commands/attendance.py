"""Staying with one job of the daemon until its picture is here, through breaks of the connection and Ctrl-C."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from impasto_daemon.commands.display import Display
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.interruption import Interruption
from impasto_daemon.commands.starting import ANSWER_S, running, start_daemon, with_log_id
from impasto_daemon.commands.wording import counted

if TYPE_CHECKING:
    from impasto_engine import Painting, Progress
    from impasto_protocol import Client, Result
    from impasto_protocol import messages as m
    from impasto_protocol.events import Event

__all__ = ["Attendance", "engine_progress", "painting_of"]

LOOK_S = 0.1
"""Seconds between looks at whether Ctrl-C was pressed."""


class Attendance:
    """See the module.

    Args:
        client: Has a session with the daemon.
        display: What the user sees.
        interruption: Ctrl-C.

    Attributes:
        on_progress: Called with each progress that arrives; under load some do not.
        on_preview: Called with the last progress, whose `preview` gives the preview that has just arrived.
    """

    def __init__(self, client: "Client", display: Display, interruption: Interruption) -> None:
        self.on_progress: list[Callable[[Progress], None]] = []
        self.on_preview: list[Callable[[Progress], None]] = []
        self._client = client
        self._display = display
        self._interruption = interruption
        self._progress: m.Progress | None = None
        self._is_stopping = False
        self._is_away = False

    def painted(self, job: str) -> "tuple[Painting, Result] | None":
        """Waits for a job's picture.

        Returns:
            It; None if the job was cancelled before there was one.

        Raises:
            Refused: It failed, or the daemon no longer knows it.
        """
        from impasto_protocol import Answered, Fetched, JobLost, JobState, Result, State

        for event in self._events(job):
            match event:
                case State(state=JobState.QUEUED):
                    self._tell_queue(job)
                case State(state=JobState.INTERRUPTED):
                    self._display.say("The painting was interrupted; it is taken up again.")
                case State(state=JobState.CANCELLED):
                    return None
                case State(state=JobState.FAILED, failure=failure) if failure is not None:
                    raise Refused(with_log_id(failure.exception()))
                case Result():
                    self._client.fetch(job)
                case Answered(request="FETCH", refusal=refusal) if refusal is not None:
                    raise Refused(with_log_id(refusal))
                case Fetched(result=result, pixels=pixels):
                    return painting_of(result, pixels), result
                case JobLost():
                    raise Refused(f"The daemon no longer knows the job {job}; paint it again.")
        raise AssertionError("events have no end")

    def acknowledge(self, job: str) -> None:
        """Has the daemon forget the job, which is over."""
        from impasto_protocol import Answered

        self._client.acknowledge(job)
        for event in self._client.events(ANSWER_S):
            if isinstance(event, Answered) and event.request == "ACK":
                return

    def _events(self, job: str) -> "Iterator[Event]":
        """What happens to the job, after what everyone else has to know of it."""
        from impasto_protocol import Disconnected, Preview, Progress, Reconnected

        while True:
            for event in self._client.events(LOOK_S):
                match event:
                    case Progress():
                        self._progress = event
                        seen = engine_progress(event)
                        self._display.told(seen)
                        for watch in self.on_progress:
                            watch(seen)
                    case Preview():
                        self._shown(event)
                    case Disconnected(error=error):
                        self._is_away = True
                        self._display.say(str(error))
                    case Reconnected():
                        self._is_away = False
                        self._display.say("The daemon is back.")
                    case _ if getattr(event, "job", job) == job:
                        yield event
            if self._interruption.requested and not self._is_stopping:
                self._is_stopping = True
                self._client.cancel(job, keep_picture=True)
            if self._is_away and running() is None:
                with suppress(Refused):
                    start_daemon()

    def _shown(self, preview: "m.Preview") -> None:
        from dataclasses import replace

        from impasto_daemon.worker.pictures import pixels_in

        if self._progress is None:
            return
        pixels = pixels_in(preview.format, preview.data)
        seen = replace(engine_progress(self._progress), evaluation=preview.evaluation, preview=lambda: pixels)
        for watch in self.on_preview:
            watch(seen)

    def _tell_queue(self, job: str) -> None:
        """As far as the daemon tells: one that has just stopped says QUEUED too, and then nothing for a while."""
        from impasto_protocol.errors import ProtocolError

        entry = None
        with suppress(ProtocolError):
            entry = next((one for one in self._client.jobs(timeout_s=ANSWER_S) if one.job == job), None)
        if entry is not None and entry.ahead:
            self._display.say(f"Waiting; {counted(entry.ahead, 'job')} before this one.")


def engine_progress(progress: "m.Progress") -> "Progress":
    """Progress as the engine tells it, without a picture."""
    from impasto_engine.progress import Losses, Progress

    def not_here() -> Any:
        raise NotImplementedError("previews of a daemon come by themselves, and checkpoints are its own")

    return Progress(
        evaluation=progress.evaluation,
        evaluations=progress.evaluations,
        scale=progress.scale,
        scales=progress.scales,
        height=progress.height,
        width=progress.width,
        network="",
        losses=Losses(layers=progress.losses),
        best_loss=float("inf") if progress.best_loss is None else progress.best_loss,
        seconds=progress.elapsed_s,
        remaining_s=progress.remaining_s,
        rollbacks=progress.rollbacks,
        preview=not_here,
        checkpoint=not_here,
    )


def painting_of(result: "Result", pixels: memoryview) -> "Painting":
    """A result as the engine gives it."""
    from impasto_daemon.worker.pictures import pixels_in
    from impasto_engine.progress import Losses, Painting

    return Painting(
        pixels=pixels_in(result.picture.format, pixels),
        losses=Losses(layers=result.losses),
        evaluations=result.evaluations,
        seconds=result.duration_s,
        stopped=result.stopped,
        rollbacks=result.rollbacks,
        precision=result.precision,
    )
