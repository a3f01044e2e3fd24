"""Where messages are heard and answered: one function for each type of message."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checks import check_over
from impasto_daemon.server.foreman import Foreman
from impasto_daemon.server.jobs import Job
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.limits import MAX_BAD_MESSAGES, MAX_JOBS_PER_SESSION
from impasto_daemon.server.logbook import new_log_id, noted
from impasto_daemon.server.memory import resident_bytes
from impasto_daemon.server.reach import Reach
from impasto_daemon.server.reception import Reception
from impasto_daemon.server.sessions import Peer, Session
from impasto_protocol import messages as m
from impasto_protocol.codec import Envelope, decode, read_header
from impasto_protocol.errors import (
    InternalError,
    MalformedMessageError,
    NoSessionError,
    RefusalError,
    TooManyErrorsError,
    UnknownTypeError,
)
from impasto_protocol.failures import Failure
from impasto_protocol.fields import Data
from impasto_protocol.limits import MAX_PICTURE_BYTES
from impasto_protocol.version import BUDGET_CAPABILITY, JOBS_CAPABILITY, STOP_CAPABILITY, agreed_version
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY, Sender

__all__ = ["Desk"]

Say: TypeAlias = Callable[[m.Message], None]
"""Answers the message at hand, now or later."""

_log = logging.getLogger(__name__)


class Desk:
    """See the module.

    Args:
        reception: Who is there.
        ledger: All jobs.
        blobs: Their pictures.
        foreman: Who is painted when.
        name: The daemon's name and version.
        clock: Gives seconds.
    """

    def __init__(
        self,
        *,
        reception: Reception,
        ledger: Ledger,
        blobs: BlobStore,
        foreman: Foreman,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reception = reception
        self._ledger = ledger
        self._blobs = blobs
        self._foreman = foreman
        self._name = name
        self._clock = clock
        self._began_at = clock()
        self._reach = Reach(reception.sessions, ledger, ahead=foreman.ahead, now=time.time)
        self._handlers: Mapping[type, Callable[[Session, Any, Say], None]] = {
            m.Status: self._status,
            m.Estimate: self._estimate,
            m.Upload: self._upload,
            m.Chunk: self._chunk,
            m.Submit: self._submit,
            m.Fetch: self._fetch,
            m.Credit: self._credit,
            m.Ack: self._ack,
            m.Adjust: self._adjust,
            m.Pause: self._pause,
            m.Unpause: self._unpause,
            m.Cancel: self._cancel,
            m.Resume: self._resume,
            m.ListJobs: self._list,
            m.Follow: self._follow,
        }

    def heard(self, route: bytes, user: str, frames: Sequence[Data]) -> None:
        """Answers a message of a user's, whatever it is."""
        peer = self._reception.peer(route, user)
        if peer.cut_off_at is not None:
            return
        try:
            self._hear(peer, frames)
        except Exception:
            _log.exception("A message of %d frames can be neither answered nor refused.", len(frames))

    def _hear(self, peer: Peer, frames: Sequence[Data]) -> None:
        try:
            envelope = decode(frames)
            if VOCABULARY[TYPE_NAMES[type(envelope.message)]].sender is Sender.DAEMON:
                raise MalformedMessageError(
                    f"A client does not say {TYPE_NAMES[type(envelope.message)]}; leave it out.", field="type"
                )
        except RefusalError as error:
            self._unreadable(peer, frames, error)
            return
        try:
            self._answer(peer, envelope)
        except RefusalError as error:
            self._refuse(peer, error, envelope.id)
        except Exception:
            log_id = new_log_id()
            _log.exception("Log id %s: cannot answer %s.", log_id, TYPE_NAMES[type(envelope.message)])
            fault = InternalError(f"The daemon failed; report it with {log_id} from its log.", log_id=log_id)
            self._refuse(peer, fault, envelope.id)

    def _answer(self, peer: Peer, envelope: Envelope) -> None:
        def say(answer: m.Message) -> None:
            self._reception.say(peer, answer, reply_to=envelope.id)

        message = envelope.message
        if isinstance(message, m.Hello):
            self._hello(peer, message, say)
        elif peer.session is None:
            raise NoSessionError(f"{TYPE_NAMES[type(message)]} came before HELLO; say that first.")
        elif isinstance(message, m.Ping):
            say(m.Pong())
        elif isinstance(message, m.Bye):
            self._reception.part(peer, for_good=True)
        elif not isinstance(message, m.Pong):
            self._handlers[type(message)](peer.session, message, say)

    def _unreadable(self, peer: Peer, frames: Sequence[Data], error: RefusalError) -> None:
        try:
            message_id = read_header(frames).id
        except RefusalError:
            message_id = None
        self._refuse(peer, error, message_id)
        if not isinstance(error, UnknownTypeError) and peer.was_bad(self._clock()):
            why = TooManyErrorsError(f"{MAX_BAD_MESSAGES} messages could not be read; update or mend the client.")
            self._reception.cut_off(peer, why)

    def _refuse(self, peer: Peer, error: RefusalError, reply_to: int | None) -> None:
        failure = noted(Failure.of(error), "refused" if peer.session is None else f"session {peer.session.id}")
        self._reception.say(peer, m.Error(failure=failure), reply_to=reply_to)

    def _hello(self, peer: Peer, message: m.Hello, say: Say) -> None:
        protocol = agreed_version(message.protocol_min, message.protocol_max)
        session, resumed = self._reception.greet(peer, message)
        _log.info("%s %s the session %s.", message.client, "takes up" if resumed else "begins", session.id)
        say(
            m.Welcome(
                protocol=protocol,
                daemon=self._name,
                session=session.id,
                resume_token=session.token,
                resumed=resumed,
                device=self._foreman.device,
                networks=self._foreman.networks,
                capabilities=(JOBS_CAPABILITY, BUDGET_CAPABILITY, STOP_CAPABILITY),
                max_picture_bytes=MAX_PICTURE_BYTES,
                max_jobs=MAX_JOBS_PER_SESSION,
            )
        )

    def _status(self, session: Session, message: m.Status, say: Say) -> None:
        del session, message
        say(
            m.Report(
                daemon=self._name,
                device=self._foreman.device,
                uptime_s=self._clock() - self._began_at,
                sessions=self._reception.sessions.attached,
                queued=self._foreman.queued,
                painting=self._foreman.painting,
                memory_bytes=resident_bytes(),
                painters_memory_bytes=self._foreman.memory_bytes,
            )
        )

    def _estimate(self, session: Session, message: m.Estimate, say: Say) -> None:
        del session

        def answer(found: m.Estimated | RefusalError) -> None:
            say(m.Error(failure=noted(Failure.of(found), "an estimate")) if isinstance(found, RefusalError) else found)

        self._foreman.estimate(message, answer)

    def _upload(self, session: Session, message: m.Upload, say: Say) -> None:
        wanted = self._blobs.offer(session.id, session.user, message.digest, message.size_bytes)
        say(_blob_answer(message.digest, wanted))

    def _chunk(self, session: Session, message: m.Chunk, say: Say) -> None:
        wanted = self._blobs.add(session.id, message.digest, message.offset_bytes, message.data)
        say(_blob_answer(message.digest, wanted))

    def _submit(self, session: Session, message: m.Submit, say: Say) -> None:
        job, is_new = self._ledger.accept(session, message.job, message.order)
        if is_new:
            self._foreman.enqueue(job)
        say(m.Accepted(job=job.name, ahead=self._foreman.ahead(job)))
        if is_new:
            self._reception.announce(job, job.events[0])
            self._foreman.assign()

    def _fetch(self, session: Session, message: m.Fetch, say: Say) -> None:
        job = self._reach.named(session, message.job)
        say(self._ledger.part_of_result(job, message.offset_bytes, message.length_bytes))

    def _credit(self, session: Session, message: m.Credit, say: Say) -> None:
        del say  # credit gets no answer
        if session.peer is not None:
            session.peer.outbox.give_credit(message.size_bytes)
            self._reception.flush_soon(session.peer)

    def _ack(self, session: Session, message: m.Ack, say: Say) -> None:
        job = self._reach.find(session, message.job)
        if job is not None:
            check_over(job)
            self._ledger.forget(job)
        say(m.Done())

    def _adjust(self, session: Session, message: m.Adjust, say: Say) -> None:
        self._foreman.adjust(self._reach.named(session, message.job), message.adjustment)
        say(m.Done())

    def _pause(self, session: Session, message: m.Pause, say: Say) -> None:
        self._foreman.pause(self._reach.named(session, message.job))
        say(m.Done())

    def _unpause(self, session: Session, message: m.Unpause, say: Say) -> None:
        self._foreman.unpause(self._reach.named(session, message.job))
        say(m.Done())

    def _cancel(self, session: Session, message: m.Cancel, say: Say) -> None:
        self._foreman.cancel(self._reach.named(session, message.job), keep_picture=message.keep_picture)
        say(m.Done())

    def _resume(self, session: Session, message: m.Resume, say: Say) -> None:
        jobs = [*self._ledger.of(session.id), *self._ledger.followed_by(session.id)]
        say(m.Snapshot(jobs=tuple(job.summary for job in jobs)))
        session.is_live = True
        for job in jobs:
            self._tell(session, job, message.seen.get(job.name, 0))

    def _list(self, session: Session, message: m.ListJobs, say: Say) -> None:
        say(self._reach.listed(session, message.after))

    def _follow(self, session: Session, message: m.Follow, say: Say) -> None:
        job = self._reach.follow(session, message.job)
        say(m.Done())
        self._tell(session, job, 0)

    def _tell(self, session: Session, job: Job, seen: int) -> None:
        self._reception.tell(session, job, seen=seen, preview=self._foreman.newest_preview(job))


def _blob_answer(digest: bytes, wanted: int | None) -> m.Message:
    return m.BlobOk(digest=digest) if wanted is None else m.Wanted(digest=digest, offset_bytes=wanted)
