"""Who is painted when: brings jobs to the painters one by one, and passes on what is asked of them."""

import logging
from collections import Counter
from collections.abc import Callable

from impasto_daemon.server.bench import Bench
from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checkpoints import Checkpoints
from impasto_daemon.server.checks import check_adjustment, check_not_over, check_state
from impasto_daemon.server.fair_queue import FairQueue
from impasto_daemon.server.jobs import Job
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.painter import Answer, Assignment, Painter
from impasto_protocol.errors import MissingBlobError, RefusalError, WorkerLostError
from impasto_protocol.failures import Failure
from impasto_protocol.messages import Estimate, Preview, Progress
from impasto_protocol.orders import Adjustment
from impasto_protocol.states import JobState

__all__ = ["Foreman", "Hire"]

_log = logging.getLogger(__name__)

PAINTABLE = (JobState.RUNNING, JobState.PAUSED)

Hire = Callable[[int], Painter]
"""A painter for another device, by its place among all; the first has 0."""


class Foreman:
    """See the module.

    Args:
        ledger: All jobs.
        blobs: Their pictures.
        checkpoints: How far they have come.
        painter: The first painter.
        hire: Gives others, where the first one reports more than one device; None for no others.
        show: Shows a session where one of its paintings stands.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        blobs: BlobStore,
        checkpoints: Checkpoints,
        painter: Painter,
        hire: Hire | None,
        show: Callable[[Job, Progress | Preview], None],
    ) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._checkpoints = checkpoints
        self._hire = hire
        self._show = show
        self._queue = FairQueue()
        self._benches = [Bench(painter, ledger, self, show)]
        self._is_closing = False

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    @property
    def painting(self) -> int:
        """Jobs that are being painted."""
        return sum(bench.job is not None for bench in self._benches)

    @property
    def device(self) -> str:
        """What the painters compute on, or that it is not known yet."""
        devices = Counter(bench.painter.device for bench in self._benches)
        return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in devices.items())

    @property
    def networks(self) -> tuple[str, ...]:
        """The feature networks that can be ordered; none as long as no painter is ready."""
        return next((bench.painter.networks for bench in self._benches if bench.painter.is_ready), ())

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory of all painters' processes."""
        return sum(bench.painter.memory_bytes for bench in self._benches)

    def start(self) -> None:
        """Has the painters made ready."""
        self._benches[0].painter.start(self._benches[0])

    def tend(self) -> None:
        """Looks after what has become due; called several times a second."""
        for bench in self._benches:
            bench.painter.tend()

    def dismiss(self) -> None:
        """Ends the painters."""
        for bench in self._benches:
            bench.painter.close()

    def newest_preview(self, job: Job) -> Preview | None:
        """The newest preview of a job that is being painted."""
        bench = self._bench_of(job)
        return None if bench is None else bench.newest_preview

    def ahead(self, job: Job) -> int:
        """How many jobs are before one that may be waiting."""
        if job.state is not JobState.QUEUED:
            return 0
        return self._queue.ahead(job.session, job.number) + self.painting

    def estimate(self, question: Estimate, answer: Answer) -> None:
        """Says what a painting would cost; asks a painter that has nothing to do, if there is one."""
        benches = sorted(self._benches, key=lambda bench: (not bench.painter.is_ready, bench.job is not None))
        benches[0].painter.estimate(question, answer)

    def enqueue(self, job: Job) -> None:
        """Puts a job that was accepted into the queue."""
        self._queue.put(job.session, job.number)

    def restore(self, jobs: list[Job]) -> None:
        """Takes up the jobs of a daemon that has ended: what was being painted goes on from its checkpoint."""
        for job in jobs:
            if job.state is not JobState.QUEUED and not self._ledger.interrupt(job):
                continue
            if self._ledger.lacks_pictures(job):
                self._ledger.enter(job, JobState.FAILED, Failure.of(_gone(job)))
            elif job.state is JobState.QUEUED and job.keep_picture:
                self._queue.put_back(job.session, job.number)
            elif job.state is JobState.QUEUED:
                self._queue.put(job.session, job.number)
            else:
                self.interrupted(job)

    def assign(self) -> None:
        """Gives each painter that is free the next job, as long as there are both."""
        for bench in self._benches:
            if self._is_closing or not bench.is_free:
                continue
            number = self._queue.take()
            if number is None:
                return
            job = self._ledger[number]
            assignment = Assignment(
                number=number,
                job=job.name,
                order=job.order,
                pictures={blob.digest: self._blobs.path(blob.digest) for blob in job.order.blobs()},
                result=self._blobs.new_file(),
                checkpoint=self._checkpoints.path(number),
                adjustment=job.adjustment,
                is_cancelled=job.keep_picture,
            )
            bench.paint(job, assignment)

    def pause(self, job: Job) -> None:
        """Stops painting a job for now.

        Raises:
            WrongStateError: It is not being painted.
        """
        check_state(job, "PAUSE", JobState.RUNNING)
        self._painter_of(job).pause()

    def unpause(self, job: Job) -> None:
        """Goes on painting a job.

        Raises:
            WrongStateError: It is not paused.
        """
        check_state(job, "UNPAUSE", JobState.PAUSED)
        self._painter_of(job).unpause()

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
        self._painter_of(job).adjust(adjustment)

    def cancel(self, job: Job, *, keep_picture: bool) -> None:
        """Stops a job for good. One that waits to go on, and whose picture is wanted, comes next, for that alone.

        Raises:
            WrongStateError: It is over.
        """
        check_not_over(job)
        if job.state is JobState.QUEUED:
            self._queue.remove(job.session, job.number)
            if keep_picture and self._checkpoints.has(job.number):
                self._ledger.want_picture(job, wanted=True)
                self._queue.put_back(job.session, job.number)
            else:
                self._ledger.enter(job, JobState.CANCELLED)
            return
        if job.state is JobState.CANCELLING:
            self._ledger.want_picture(job, wanted=keep_picture)
        else:
            job.keep_picture = keep_picture
            self._ledger.enter(job, JobState.CANCELLING)
        self._painter_of(job).stop(keep_picture=keep_picture)

    def lay_down(self) -> None:
        """Begins nothing more, and asks the painters to lay down what they are at, because the daemon stops."""
        self._is_closing = True
        for bench in self._benches:
            if bench.job is not None:
                bench.painter.lay_down()

    def clear(self) -> None:
        """Puts the jobs at hand, laid down or not, back into the journal as some to go on with."""
        for bench in self._benches:
            bench.clear()

    def free(self) -> None:
        """See `Overseer`. The first painter that is ready knows how many devices there are."""
        devices = max(bench.painter.devices for bench in self._benches)
        while self._hire is not None and len(self._benches) < devices:
            bench = Bench(self._hire(len(self._benches)), self._ledger, self, self._show)
            self._benches.append(bench)
            bench.painter.start(bench)
        self.assign()

    def unfit(self, why: RefusalError) -> None:
        """See `Overseer`. Nobody is left waiting for what will not come."""
        if any(bench.painter.is_ready for bench in self._benches):
            return
        while (number := self._queue.take()) is not None:
            self._ledger.enter(self._ledger[number], JobState.FAILED, Failure.of(why))

    def interrupted(self, job: Job) -> None:
        """See `Overseer`. The job is queued, or fails the second time without having come further in between."""
        if not self._ledger.interrupt(job):
            return
        if job.interruptions > 0:
            why = WorkerLostError(
                f"The daemon or its painting process died or hung while it painted the job {job.name}, twice at the "
                "same place; paint it smaller, or see the daemon's log."
            )
            self._ledger.enter(job, JobState.FAILED, Failure.of(why))
            return
        job.interruptions += 1
        self._ledger.enter(job, JobState.QUEUED)
        self._queue.put_back(job.session, job.number)

    def laid_down(self, job: Job) -> None:
        """See `Overseer`."""
        if self._ledger.interrupt(job):
            self._ledger.enter(job, JobState.QUEUED)
            self._queue.put_back(job.session, job.number)

    def _bench_of(self, job: Job) -> Bench | None:
        return next((bench for bench in self._benches if bench.job is job), None)

    def _painter_of(self, job: Job) -> Painter:
        bench = self._bench_of(job)
        assert bench is not None  # noqa: S101 -- its state says that it is being painted
        return bench.painter


def _gone(job: Job) -> RefusalError:
    return MissingBlobError(f"A picture of the job {job.name} is gone from the daemon's disk; submit it again.")
