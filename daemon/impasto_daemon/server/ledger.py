"""All jobs, in memory, in the journal and with their pictures: what is told of a job is first written down here."""

import logging
import time
from collections.abc import Callable, Iterator

from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checkpoints import Checkpoints
from impasto_daemon.server.jobs import Job
from impasto_daemon.server.journal import Journal
from impasto_daemon.server.limits import MAX_JOBS, MAX_JOBS_PER_SESSION, MAX_KEPT_JOBS, RESULT_KEPT_S, RESULTS_BYTES
from impasto_daemon.server.logbook import noted
from impasto_daemon.server.painter import Painted
from impasto_daemon.server.sessions import Session
from impasto_protocol.errors import (
    BusyError,
    ConflictError,
    DigestMismatchError,
    InvalidOrderError,
    MissingBlobError,
    ResultExpiredError,
    StorageError,
    WrongStateError,
)
from impasto_protocol.failures import Failure
from impasto_protocol.messages import Chunk, Result, State
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.states import JobState, check_transition

__all__ = ["Ledger"]

DAMAGED = (DigestMismatchError.code, MissingBlobError.code)
"""Failures over a picture, named by their field, that is not what the store takes it for."""

_log = logging.getLogger(__name__)


class Ledger:
    """See the module.

    Args:
        journal: Where jobs are written down.
        blobs: Where their pictures are.
        checkpoints: Where it is written down how far they have come.
        announce: Tells a job's session what happened to it.
    """

    def __init__(
        self,
        journal: Journal,
        blobs: BlobStore,
        checkpoints: Checkpoints,
        announce: Callable[[Job, State | Result], None],
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._checkpoints = checkpoints
        self._announce = announce
        self._jobs: dict[int, Job] = {}
        self._by_name: dict[tuple[str, str], Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def __getitem__(self, number: int) -> Job:
        return self._jobs[number]

    def of(self, session: str) -> list[Job]:
        """The jobs of a session, in the order of acceptance."""
        return [job for job in self._jobs.values() if job.session == session]

    def followed_by(self, session: str) -> list[Job]:
        """The jobs of other sessions that a session follows, in the order of acceptance."""
        return [job for job in self._jobs.values() if session in job.followers]

    def unfollow(self, session: str) -> None:
        """A session follows nothing any more."""
        for job in self.followed_by(session):
            job.followers.discard(session)

    def called(self, name: str) -> list[Job]:
        """The jobs of that name, of whichever session."""
        return [job for job in self._jobs.values() if job.name == name]

    def find(self, session: str, name: str) -> Job | None:
        """A session's job of that name, if there is one."""
        return self._by_name.get((session, name))

    def accept(self, session: Session, name: str, order: Order) -> tuple[Job, bool]:
        """Writes down a job, whose first event is not announced yet.

        Returns:
            The job, and whether it is new.

        Raises:
            ConflictError: There is another of that name.
            BusyError: There are too many.
            MissingBlobError: A picture is not there.
            InvalidOrderError: A picture has not the size that the order says.
            StorageError: It cannot be written down.
        """
        known = self.find(session.id, name)
        if known is not None:
            if known.order != order:
                raise ConflictError(f"The job {name} is another one; choose another id.", field="job")
            return known, False
        self._check_numbers(session.id)
        self._check_pictures(session.user, order)
        number, first = self._journal.accept(session.id, session.token, name, order, user=session.user)
        job = Job(number=number, session=session.id, name=name, order=order, events=[first], changed_at=time.time())
        self._keep(job)
        for blob in order.blobs():
            self._blobs.hold(blob.digest)
        return job, True

    def enter(self, job: Job, state: JobState, failure: Failure | None = None) -> None:
        """Puts a job into a state, and says so.

        Raises:
            IllegalTransitionError: That state cannot follow.
        """
        check_transition(job.state, state)
        if failure is not None:
            failure = noted(failure, f"job {job.name}")
        self._happen(job, [State(job=job.name, seq=len(job.events) + 1, state=state, failure=failure)])
        if failure is not None and failure.code in DAMAGED:
            for name, blob in job.order.named_blobs():
                if name == failure.field:
                    self._blobs.drop_damaged(blob.digest, if_gone=failure.code == MissingBlobError.code)

    def want_picture(self, job: Job, *, wanted: bool) -> None:
        """Writes down whether the picture so far is wanted of a job that is cancelled."""
        if job.keep_picture is not wanted:
            job.keep_picture = wanted
            self._happen(job, [])

    def interrupt(self, job: Job) -> bool:
        """A job is painted no more, although it is not over.

        Returns:
            Whether it goes on: not if it was being cancelled, unless its picture is wanted and a checkpoint has it.
        """
        if job.state is JobState.CANCELLING and not (job.keep_picture and self._checkpoints.has(job.number)):
            self.enter(job, JobState.CANCELLED)
            return False
        if job.state is not JobState.INTERRUPTED:
            self.enter(job, JobState.INTERRUPTED)
        return True

    def begin(self, job: Job) -> None:
        """A job is being painted, which begins with hashing its pictures."""
        for blob in job.order.blobs():
            try:
                self._blobs.prove(blob.digest)
            except StorageError as error:
                _log.error("That the picture %s is sound is not on disk: %s", blob.digest.hex()[:12], error)
        self.enter(job, JobState.RUNNING)

    def adjust(self, job: Job, adjustment: Adjustment) -> None:
        """Changes the weights with which a job is to be painted.

        Raises:
            StorageError: It cannot be written down.
        """
        together = job.adjustment.then(adjustment)
        self._journal.adjust(job.number, job.name, together)
        job.adjustment = together

    def finish(self, job: Job, painted: Painted) -> None:
        """Ends a job with a picture.

        Raises:
            StorageError: The picture is not there.
        """
        check_transition(job.state, JobState.SUCCEEDED)
        self._blobs.adopt(painted.file, painted.picture.digest)
        job.has_result = True
        result = Result(
            job=job.name,
            seq=len(job.events) + 1,
            picture=painted.picture,
            crc32=painted.crc32,
            losses=dict(painted.losses),
            evaluations=painted.evaluations,
            duration_s=painted.duration_s,
            stopped=painted.stopped,
            rollbacks=painted.rollbacks,
            network=painted.network,
            precision=painted.precision,
            polisher=painted.polisher,
            versions=dict(painted.versions) or None,
            network_digest=painted.network_digest,
            polisher_digest=painted.polisher_digest,
        )
        self._happen(job, [result, State(job=job.name, seq=len(job.events) + 2, state=JobState.SUCCEEDED)])

    def part_of_result(self, job: Job, offset_bytes: int, length_bytes: int) -> Chunk:
        """Some bytes of a job's result.

        Raises:
            WrongStateError: It has none yet, or has none at all.
            ResultExpiredError: It is not kept any more.
            MalformedMessageError: It is not as long.
        """
        if job.result is None:
            raise WrongStateError(f"The job {job.name} is {job.state} and has no result; wait for RESULT.")
        if not job.has_result:
            raise ResultExpiredError(
                f"The result of the job {job.name} was kept for {RESULT_KEPT_S / 60:g} minutes; paint it anew."
            )
        digest = job.result.picture.digest
        data = self._blobs.read(digest, offset_bytes, length_bytes)
        return Chunk(digest=digest, offset_bytes=offset_bytes, data=(data,))

    def forget(self, job: Job) -> None:
        """Forgets a job that is over, with its result."""
        self._drop_result(job)
        try:
            self._journal.forget(job.number)
        except StorageError as error:
            _log.error("The job %s stays in the journal: %s", job.name, error)
        del self._jobs[job.number], self._by_name[job.session, job.name]

    def expire(self, now: float, *, room_bytes: int = RESULTS_BYTES) -> None:
        """Drops results that were kept long enough, and the oldest beyond what there is room for."""
        kept = sorted((job for job in self._jobs.values() if job.has_result), key=lambda job: job.changed_at)
        total_bytes = sum(self._result_bytes(job) for job in kept)
        for job in kept:
            if now - job.changed_at > RESULT_KEPT_S or total_bytes > room_bytes:
                total_bytes -= self._result_bytes(job)
                self._drop_result(job)

    def restore(self) -> list[Job]:
        """Takes up the journal's jobs; those that are not over are returned, in the order of acceptance."""
        waiting = []
        for written in self._journal.jobs():
            job = Job(
                number=written.number,
                session=written.session,
                name=written.name,
                order=written.order,
                events=list(written.events),
                adjustment=written.adjustment,
                interruptions=written.interruptions,
                keep_picture=written.keep_picture,
                changed_at=written.changed_at,
            )
            self._keep(job)
            if not job.is_over:
                waiting.append(job)
                for blob in job.order.blobs():
                    self._blobs.hold(blob.digest)
            elif job.result is not None and self._blobs.size_bytes(job.result.picture.digest) is not None:
                self._blobs.hold(job.result.picture.digest)
                job.has_result = True
        self._checkpoints.drop_all_but([job.number for job in waiting])
        return waiting

    def lacks_pictures(self, job: Job) -> bool:
        """Whether a picture that a restored job needs is gone."""
        return any(self._blobs.size_bytes(blob.digest) is None for blob in job.order.blobs())

    def _check_numbers(self, session: str) -> None:
        own = self.of(session)
        if sum(not job.is_over for job in own) >= MAX_JOBS_PER_SESSION:
            raise BusyError(f"This session has {MAX_JOBS_PER_SESSION} jobs; wait for one to end.", retry_after_s=5.0)
        if sum(not job.is_over for job in self._jobs.values()) >= MAX_JOBS:
            raise BusyError(f"The daemon has {MAX_JOBS} jobs; wait for some to end.", retry_after_s=5.0)
        if len(own) >= MAX_KEPT_JOBS:
            self.forget(next(job for job in own if job.is_over))

    def _check_pictures(self, user: str, order: Order) -> None:
        for blob in order.blobs():
            size_bytes = self._blobs.size_bytes(blob.digest) if self._blobs.has(user, blob.digest) else None
            if size_bytes is None:
                raise MissingBlobError(f"The picture {blob.digest.hex()[:12]} is not here; upload it.")
            if size_bytes != blob.format.size_bytes:
                raise InvalidOrderError(
                    f"The picture {blob.digest.hex()[:12]} of {blob.format.width} × {blob.format.height} pixels must "
                    f"have {blob.format.size_bytes:,} bytes and has {size_bytes:,}; correct its format."
                )

    def _keep(self, job: Job) -> None:
        self._jobs[job.number] = job
        self._by_name[job.session, job.name] = job

    def _happen(self, job: Job, events: list[State | Result]) -> None:
        """Writes down, then tells. When it cannot be written, it has happened nevertheless."""
        if self._checkpoints.is_since(job.number, job.changed_at):
            job.interruptions = 0  # it has come further since
        try:
            self._journal.tell(job.number, events, interruptions=job.interruptions, keep_picture=job.keep_picture)
        except StorageError as error:
            _log.error("What happened to the job %s is not in the journal: %s", job.name, error)
        job.events.extend(events)
        job.changed_at = time.time()
        if job.is_over:
            self._checkpoints.drop(job.number)
            for blob in job.order.blobs():
                self._blobs.release(blob.digest)
        for event in events:
            self._announce(job, event)

    def _result_bytes(self, job: Job) -> int:
        return job.result.picture.format.size_bytes if job.result is not None else 0

    def _drop_result(self, job: Job) -> None:
        if job.has_result and job.result is not None:
            self._blobs.release(job.result.picture.digest, drop=True)
            job.has_result = False
