"""Who is there and who has left: brings what is said to the right connection, and to no other."""

import asyncio
import logging
from collections.abc import Callable

from impasto_daemon.server.jobs import Job
from impasto_daemon.server.limits import CUT_OFF_S, OUTBOX_BYTES, RETURN_GRACE_S, SEND_RETRY_S
from impasto_daemon.server.logbook import noted
from impasto_daemon.server.outbox import Outbox
from impasto_daemon.server.post import Post, Sent
from impasto_daemon.server.sessions import Peer, Session, Sessions
from impasto_protocol import messages as m
from impasto_protocol.errors import TooManyErrorsError
from impasto_protocol.failures import Failure

__all__ = ["Reception"]

UNREAD = (
    f"The daemon ended the connection, on which more than {OUTBOX_BYTES // 1024**2} MiB waited to be read; connect "
    "again, and ask for less at one time."
)
"""Told to a client that is cut off because of what it asked for."""

_log = logging.getLogger(__name__)


class Reception:
    """See the module; belongs to the running event loop.

    Args:
        sessions: All sessions.
        left: Told of each session whose client is gone for good, or for so long that it counts as gone.
        clock: Gives seconds.
    """

    def __init__(self, sessions: Sessions, *, left: Callable[[Session], None], clock: Callable[[], float]) -> None:
        self.sessions = sessions
        self._left = left
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._post: Post | None = None
        self._peers: dict[bytes, Peer] = {}
        self._unflushed: dict[bytes, Peer] = {}
        self._flushing: asyncio.Handle | None = None

    def open(self, post: Post) -> None:
        """From now on, sends by this post."""
        self._post = post

    def peer(self, route: bytes, user: str) -> Peer:
        """The connection of that route, which has that user's key."""
        if route not in self._peers:
            post = self._post
            assert post is not None  # noqa: S101
            self._peers[route] = Peer(route=route, user=user, outbox=Outbox(lambda frames: post.send(route, frames)))
        return self._peers[route]

    def greet(self, peer: Peer, hello: m.Hello) -> tuple[Session, bool]:
        """Gives a connection its session.

        Returns:
            The session, and whether it is an old one.

        Raises:
            BusyError: There are too many sessions.
        """
        session, resumed = self.sessions.greeted(hello, peer.user)
        if peer.session is not None and peer.session is not session:
            self._detach(peer, for_good=True)
        if session.peer is not None:
            session.peer.session = None  # the client is back before its old connection was noticed to be gone
        peer.session, session.peer = session, peer
        session.is_live, session.waits_for_return = not resumed, False
        return session, resumed

    def part(self, peer: Peer, *, for_good: bool) -> None:
        """A connection has ended; if not for good, its client may come back."""
        self._peers.pop(peer.route, None)
        self._unflushed.pop(peer.route, None)
        self._detach(peer, for_good=for_good)

    def cut_off(self, peer: Peer, why: TooManyErrorsError) -> None:
        """Hears nothing more of a connection, to which what waits for it is still sent, and why, for some seconds."""
        failure = noted(Failure.of(why), "cut off")
        _log.warning("Cut off a client; log id %s.", failure.log_id)
        peer.cut_off_at = self._clock()
        self._detach(peer, for_good=False)
        self.say(peer, m.Error(failure=failure))

    def say(self, peer: Peer, message: m.Message, *, reply_to: int | None = None) -> None:
        """Tells a connection what must arrive."""
        peer.outbox.say(message, reply_to=reply_to)
        if peer.outbox.is_overfull:
            self._flush_one(peer)
        self.flush_soon(peer)

    def announce(self, job: Job, event: m.State | m.Result) -> None:
        """Tells a job's session, and those that follow it, what happened, if their clients hear it in order."""
        for session in self._told_of(job):
            if session.peer is None:
                continue
            if isinstance(event, m.State) and event.is_final:
                session.peer.outbox.stop_showing(job.name)
            if session.is_live:
                self.say(session.peer, event)

    def tell(self, session: Session, job: Job, *, seen: int, preview: m.Preview | None) -> None:
        """Tells one session what has happened to a job after the event it has seen, and where the painting stands."""
        peer = session.peer
        if peer is None or not session.is_live:
            return
        for event in job.events[seen:]:
            self.say(peer, event)
        if not job.is_over:
            for newest in (job.progress, preview):
                if newest is not None:
                    peer.outbox.show(newest)
                    self.flush_soon(peer)

    def show(self, job: Job, message: m.Progress | m.Preview) -> None:
        """Shows a job's session, and those that follow it, where it stands, if their clients are there."""
        if isinstance(message, m.Progress):
            job.progress = message
        for session in self._told_of(job):
            if session.peer is not None and session.is_live:
                session.peer.outbox.show(message)
                self.flush_soon(session.peer)

    def flush_soon(self, peer: Peer) -> None:
        """Sends what waits, as soon as what happens now has happened."""
        if peer.route not in self._peers:
            return
        self._unflushed[peer.route] = peer
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    def ping(self) -> None:
        """Finds out who has left without a word. Who was cut off hears none, and so does not take us for there."""
        for peer in list(self._peers.values()):
            if peer.cut_off_at is None:
                self.say(peer, m.Ping())

    def tend(self) -> None:
        """Gives up the clients that have not come back, and the connections that were cut off."""
        for peer in list(self._peers.values()):
            if peer.cut_off_at is not None and self._clock() - peer.cut_off_at > CUT_OFF_S:
                self.part(peer, for_good=False)
        for session in self.sessions:
            if session.waits_for_return and self._clock() - session.detached_at > RETURN_GRACE_S:
                session.waits_for_return = False
                self._left(session)

    def farewell(self, text: str) -> None:
        """Says BYE to everyone, at once."""
        for peer in list(self._peers.values()):
            peer.outbox.say(m.Bye(text=text))
            peer.outbox.flush()
        if self._flushing is not None:
            self._flushing.cancel()

    def _flush(self) -> None:
        self._flushing = None
        unflushed, self._unflushed = self._unflushed, {}
        self._unflushed |= {route: peer for route, peer in unflushed.items() if self._flush_one(peer) is Sent.FULL}
        if self._unflushed and self._flushing is None:
            self._flushing = self._loop.call_later(SEND_RETRY_S, self._flush)

    def _flush_one(self, peer: Peer) -> Sent:
        outcome = peer.outbox.flush()
        if outcome is Sent.GONE:
            self.part(peer, for_good=False)
        elif outcome is Sent.FULL and peer.outbox.is_overfull and peer.cut_off_at is None:
            peer.outbox.drop()
            self.cut_off(peer, TooManyErrorsError(UNREAD))
        return outcome

    def _told_of(self, job: Job) -> list[Session]:
        if not job.followers:
            return [self.sessions[job.session]]
        found = (self.sessions.find(name) for name in (job.session, *sorted(job.followers)))
        return [session for session in found if session is not None]

    def _detach(self, peer: Peer, *, for_good: bool) -> None:
        session, peer.session = peer.session, None
        if session is None:
            return
        session.peer, session.is_live, session.detached_at = None, False, self._clock()
        session.waits_for_return = not for_good
        if for_good:
            self._left(session)
