"""Which jobs a session may speak of: its own, and those of its user's other sessions."""

from collections.abc import Callable

from impasto_daemon.server.jobs import Job
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.limits import MAX_FOLLOWED
from impasto_daemon.server.sessions import Session, Sessions
from impasto_protocol.errors import BusyError, UnknownJobError
from impasto_protocol.limits import MAX_LISTED, MAX_TROUBLE_CHARS
from impasto_protocol.messages import JobEntry, Jobs, State
from impasto_protocol.states import JobState

__all__ = ["Reach"]


class Reach:
    """See the module.

    Args:
        sessions: All sessions.
        ledger: All jobs.
        ahead: How many jobs are before one.
        now: Gives seconds, as `time.time`.
    """

    def __init__(
        self, sessions: Sessions, ledger: Ledger, *, ahead: Callable[[Job], int], now: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._ledger = ledger
        self._ahead = ahead
        self._now = now

    def find(self, session: Session, name: str) -> Job | None:
        """The session's job of that name, or else that of another session of its user."""
        own = self._ledger.find(session.id, name)
        if own is not None:
            return own
        return next((job for job in self._ledger.called(name) if self._is_of(session.user, job)), None)

    def named(self, session: Session, name: str) -> Job:
        """As `find`.

        Raises:
            UnknownJobError: There is none.
        """
        job = self.find(session, name)
        if job is None:
            raise UnknownJobError(f"There is no job {name}; submit it.", field="job")
        return job

    def follow(self, session: Session, name: str) -> Job:
        """Has a session told of a job.

        Raises:
            UnknownJobError: There is none of that name.
            BusyError: It follows too many.
        """
        job = self.named(session, name)
        if job.session != session.id and session.id not in job.followers:
            if len(self._ledger.followed_by(session.id)) >= MAX_FOLLOWED:
                raise BusyError(f"This session follows {MAX_FOLLOWED} jobs; acknowledge one, or open another session.")
            job.followers.add(session.id)
        return job

    def listed(self, session: Session, after: int) -> Jobs:
        """The first jobs of the session's user that come after one."""
        found = [job for job in self._ledger if job.number > after and self._is_of(session.user, job)]
        return Jobs(jobs=tuple(self._entry(job) for job in found[:MAX_LISTED]), more=len(found) > MAX_LISTED)

    def _is_of(self, user: str, job: Job) -> bool:
        return self._sessions[job.session].user == user

    def _entry(self, job: Job) -> JobEntry:
        state, last = job.state, job.events[-1]
        progress = None if job.is_over or state is JobState.QUEUED else job.progress
        failure = last.failure if isinstance(last, State) else None
        return JobEntry(
            number=job.number,
            job=job.name,
            state=state,
            seq=len(job.events),
            kind=job.order.kind,
            width=job.order.content.format.width,
            height=job.order.content.format.height,
            attached=self._sessions[job.session].peer is not None,
            has_result=job.has_result,
            ahead=self._ahead(job),
            changed_s=max(0.0, self._now() - job.changed_at),
            evaluation=None if progress is None else progress.evaluation,
            evaluations=None if progress is None else progress.evaluations,
            remaining_s=None if progress is None else progress.remaining_s,
            trouble="" if failure is None else failure.text[:MAX_TROUBLE_CHARS],
        )
