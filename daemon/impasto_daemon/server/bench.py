"""A bench: one painter, the job it is at, and how what it tells becomes the states of that job."""

from collections.abc import Callable
from typing import Protocol

from impasto_daemon.server.jobs import Job
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.painter import Assignment, Painted, Painter
from impasto_protocol.errors import RefusalError
from impasto_protocol.failures import Failure
from impasto_protocol.fields import Data
from impasto_protocol.messages import Preview, Progress
from impasto_protocol.pixels import PixelFormat
from impasto_protocol.states import JobState

__all__ = ["Bench", "Overseer"]


class Overseer(Protocol):
    """Who looks after benches."""

    def free(self) -> None:
        """A painter has become ready, or a job could be given to another."""

    def unfit(self, why: RefusalError) -> None:
        """A painter cannot be made ready."""

    def interrupted(self, job: Job) -> None:
        """The painter of a job has died."""

    def laid_down(self, job: Job) -> None:
        """The painter of a job does not go on, because the daemon stops."""


class Bench:
    """See the module. It is the painter's patron.

    Args:
        painter: Who works at it.
        ledger: All jobs.
        overseer: Who looks after it.
        show: Shows a session where one of its paintings stands.

    Attributes:
        job: What is being painted; None for nothing.
        newest_preview: Of that.
    """

    def __init__(
        self, painter: Painter, ledger: Ledger, overseer: Overseer, show: Callable[[Job, Progress | Preview], None]
    ) -> None:
        self.painter = painter
        self.job: Job | None = None
        self.newest_preview: Preview | None = None
        self._ledger = ledger
        self._overseer = overseer
        self._show = show

    @property
    def is_free(self) -> bool:
        """Whether a job can be painted here."""
        return self.job is None and self.painter.is_ready

    def paint(self, job: Job, assignment: Assignment) -> None:
        """Begins a painting."""
        self.job, self.newest_preview = job, None
        self._ledger.enter(job, JobState.STARTING)
        self.painter.paint(assignment)
        if assignment.is_cancelled:
            self._ledger.enter(job, JobState.CANCELLING)

    def clear(self) -> None:
        """Puts the job at hand, laid down or not, back into the journal as one to go on with."""
        job, self.job = self.job, None
        if job is not None and not job.is_over:
            self._overseer.laid_down(job)

    def ready(self) -> None:
        """See `Patron`."""
        self._overseer.free()

    def unfit(self, why: RefusalError) -> None:
        """See `Patron`."""
        self._overseer.unfit(why)

    def began(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.STARTING:
            self._ledger.begin(job)

    def progressed(self, number: int, progress: Progress) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self._show(job, progress)

    def showed(self, number: int, evaluation: int, form: PixelFormat, data: Data) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self.newest_preview = Preview(job=job.name, evaluation=evaluation, format=form, data=data)
            self._show(job, self.newest_preview)

    def paused(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.RUNNING:
            self._ledger.enter(job, JobState.PAUSED)

    def unpaused(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.PAUSED:
            self._ledger.enter(job, JobState.RUNNING)

    def finished(self, number: int, painted: Painted) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is None:
            return
        if job.state is JobState.CANCELLING and not job.keep_picture:
            painted.file.unlink(missing_ok=True)
            self._over(job, JobState.CANCELLED)
            return
        self.job = None
        try:
            self._ledger.finish(job, painted)
        except RefusalError as error:
            self._ledger.enter(job, JobState.FAILED, Failure.of(error))
        self._overseer.free()

    def discarded(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self._over(job, JobState.CANCELLED)

    def laid_down(self, number: int) -> None:
        """See `Patron`."""
        if self._at_hand(number) is not None:
            self.clear()

    def failed(self, number: int, why: RefusalError) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.CANCELLING and not job.keep_picture:
            self._over(job, JobState.CANCELLED)
        elif job is not None:
            self._over(job, JobState.FAILED, Failure.of(why))

    def lost(self) -> None:
        """See `Patron`."""
        job, self.job = self.job, None
        if job is not None:
            self._overseer.interrupted(job)
            self._overseer.free()

    def _at_hand(self, number: int) -> Job | None:
        """The job at hand, unless the painter speaks of one before it."""
        return self.job if self.job is not None and self.job.number == number else None

    def _over(self, job: Job, state: JobState, failure: Failure | None = None) -> None:
        self.job = None
        self._ledger.enter(job, state, failure)
        self._overseer.free()
