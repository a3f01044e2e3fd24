"""Who is painted when: brings jobs to the painter one by one, and turns what it tells into the states of jobs."""

import logging
from collections.abc import Callable

from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checkpoints import Checkpoints
from impasto_daemon.server.checks import check_adjustment, check_not_over, check_state
from impasto_daemon.server.fair_queue import FairQueue
from impasto_daemon.server.jobs import Job
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.painter import Assignment, Painted, Painter
from impasto_protocol.errors import MissingBlobError, RefusalError, WorkerLostError
from impasto_protocol.failures import Failure
from impasto_protocol.fields import Data
from impasto_protocol.messages import Preview, Progress
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import PixelFormat
from impasto_protocol.states import JobState

__all__ = ["Foreman"]

_log = logging.getLogger(__name__)

PAINTABLE = (JobState.RUNNING, JobState.PAUSED)


class Foreman:
    """See the module. It is the painter's patron.

    Args:
        ledger: All jobs.
        blobs: Their pictures.
        checkpoints: How far they have come.
        painter: Who paints them.
        show: Shows a session where one of its paintings stands.
    """

    def __init__(
        self,
        ledger: Ledger,
        blobs: BlobStore,
        checkpoints: Checkpoints,
        painter: Painter,
        show: Callable[[Job, Progress | Preview], None],
    ) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._checkpoints = checkpoints
        self._painter = painter
        self._show = show
        self._queue = FairQueue()
        self._is_closing = False
        self._current: Job | None = None
        self._newest_preview: Preview | None = None

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    @property
    def painting(self) -> int:
        """Jobs that are being painted."""
        return int(self._current is not None)

    def newest_preview(self, job: Job) -> Preview | None:
        """The newest preview of a job that is being painted."""
        return self._newest_preview if job is self._current else None

    def ahead(self, job: Job) -> int:
        """How many jobs are before one that may be waiting."""
        if job.state is not JobState.QUEUED:
            return 0
        return self._queue.ahead(job.session, job.number) + self.painting

    def enqueue(self, job: Job) -> None:
        """Puts a job that was accepted into the queue."""
        self._queue.put(job.session, job.number)

    def restore(self, jobs: list[Job]) -> None:
        """Takes up the jobs of a daemon that has ended: what was being painted goes on from its checkpoint."""
        for job in jobs:
            if job.state is JobState.CANCELLING:
                self._ledger.enter(job, JobState.CANCELLED)
            elif self._ledger.lacks_pictures(job):
                self._fail_restored(job)
            elif job.state is JobState.QUEUED:
                self._queue.put(job.session, job.number)
            else:
                self._interrupted(job)

    def assign(self) -> None:
        """Gives the painter the next job, if both are there."""
        if self._is_closing or self._current is not None or not self._painter.is_ready:
            return
        number = self._queue.take()
        if number is None:
            return
        job = self._current = self._ledger[number]
        self._newest_preview = None
        self._ledger.enter(job, JobState.STARTING)
        self._painter.paint(
            Assignment(
                number=number,
                job=job.name,
                order=job.order,
                pictures={blob.digest: self._blobs.path(blob.digest) for blob in job.order.blobs()},
                result=self._blobs.new_file(),
                checkpoint=self._checkpoints.path(number),
                adjustment=job.adjustment,
            )
        )

    def pause(self, job: Job) -> None:
        """Stops painting a job for now.

        Raises:
            WrongStateError: It is not being painted.
        """
        check_state(job, "PAUSE", JobState.RUNNING)
        self._painter.pause()

    def unpause(self, job: Job) -> None:
        """Goes on painting a job.

        Raises:
            WrongStateError: It is not paused.
        """
        check_state(job, "UNPAUSE", JobState.PAUSED)
        self._painter.unpause()

    def adjust(self, job: Job, adjustment: Adjustment) -> None:
        """Changes the weights with which a job is painted.

        Raises:
            WrongStateError: It is not being painted.
            InvalidOrderError: The weights contradict each other or the order.
            StorageError: They cannot be written down.
        """
        check_state(job, "ADJUST", *PAINTABLE)
        check_adjustment(job, adjustment)
        self._ledger.adjust(job, adjustment)
        self._painter.adjust(adjustment)

    def cancel(self, job: Job, *, keep_picture: bool) -> None:
        """Stops a job for good.

        Raises:
            WrongStateError: It is over.
        """
        check_not_over(job)
        if job.state is JobState.QUEUED:
            self._queue.remove(job.session, job.number)
            self._ledger.enter(job, JobState.CANCELLED)
            return
        job.keep_picture = keep_picture
        if job.state is not JobState.CANCELLING:
            self._ledger.enter(job, JobState.CANCELLING)
        self._painter.stop(keep_picture=keep_picture)

    def lay_down(self) -> None:
        """Begins nothing more, and asks the painter to lay down what it is at, because the daemon stops."""
        self._is_closing = True
        if self._current is not None:
            self._painter.lay_down()

    def close(self) -> None:
        """Puts the job at hand, laid down or not, back into the journal as one to go on with."""
        job, self._current = self._current, None
        if job is not None and not job.is_over:
            if job.state is JobState.CANCELLING:
                self._ledger.enter(job, JobState.CANCELLED)
            else:
                self._ledger.enter(job, JobState.INTERRUPTED)
                self._ledger.enter(job, JobState.QUEUED)

    def ready(self) -> None:
        """See `Patron`."""
        self.assign()

    def unfit(self, why: RefusalError) -> None:
        """See `Patron`. Nobody is left waiting for what will not come."""
        while (number := self._queue.take()) is not None:
            self._ledger.enter(self._ledger[number], JobState.FAILED, Failure.of(why))

    def began(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.STARTING:
            self._ledger.enter(job, JobState.RUNNING)

    def progressed(self, number: int, progress: Progress) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self._show(job, progress)

    def showed(self, number: int, evaluation: int, form: PixelFormat, data: Data) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self._newest_preview = Preview(job=job.name, evaluation=evaluation, format=form, data=data)
            self._show(job, self._newest_preview)

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
        self._current = None
        try:
            self._ledger.finish(job, painted)
        except RefusalError as error:
            if job.state is JobState.CANCELLING:
                self._ledger.enter(job, JobState.CANCELLED)
            else:
                self._ledger.enter(job, JobState.FAILED, Failure.of(error))
        self.assign()

    def discarded(self, number: int) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None:
            self._over(job, JobState.CANCELLED)

    def laid_down(self, number: int) -> None:
        """See `Patron`."""
        if self._at_hand(number) is not None:
            self.close()

    def failed(self, number: int, why: RefusalError) -> None:
        """See `Patron`."""
        job = self._at_hand(number)
        if job is not None and job.state is JobState.CANCELLING:
            self._over(job, JobState.CANCELLED)
        elif job is not None:
            self._over(job, JobState.FAILED, Failure.of(why))

    def lost(self) -> None:
        """See `Patron`."""
        job, self._current = self._current, None
        if job is None:
            return
        if job.state is JobState.CANCELLING:
            self._ledger.enter(job, JobState.CANCELLED)
        else:
            self._interrupted(job)

    def _at_hand(self, number: int) -> Job | None:
        """The job at hand, unless the painter speaks of one before it."""
        return self._current if self._current is not None and self._current.number == number else None

    def _over(self, job: Job, state: JobState, failure: Failure | None = None) -> None:
        self._current = None
        self._ledger.enter(job, state, failure)
        self.assign()

    def _interrupted(self, job: Job) -> None:
        """Queues a job over which a process died, or fails it the second time without getting further in between."""
        if self._checkpoints.is_since(job.number, job.changed_at):
            job.interruptions = 0
        if job.state is not JobState.INTERRUPTED:
            self._ledger.enter(job, JobState.INTERRUPTED)
        if job.interruptions > 0:
            why = WorkerLostError(
                f"The painting process died or hung while it painted the job {job.name}, twice at the same place; "
                "paint it smaller, or see the daemon's log."
            )
            self._ledger.enter(job, JobState.FAILED, Failure.of(why))
            return
        job.interruptions += 1
        self._ledger.enter(job, JobState.QUEUED)
        self._queue.put_back(job.session, job.number)

    def _fail_restored(self, job: Job) -> None:
        why = MissingBlobError(f"A picture of the job {job.name} is gone from the daemon's disk; submit it again.")
        if job.state not in (JobState.QUEUED, JobState.INTERRUPTED):
            self._ledger.enter(job, JobState.INTERRUPTED)
        self._ledger.enter(job, JobState.FAILED, Failure.of(why))
