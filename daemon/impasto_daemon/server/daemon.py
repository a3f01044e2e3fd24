"""The daemon as a whole: what it is made of, how it begins and how it ends."""

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path

from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checkpoints import Checkpoints
from impasto_daemon.server.desk import Desk
from impasto_daemon.server.errors import MemoryExceededError
from impasto_daemon.server.foreman import Foreman, Hire
from impasto_daemon.server.journal import Journal
from impasto_daemon.server.ledger import Ledger
from impasto_daemon.server.limits import LAY_DOWN_S, LOOK_S, MEMORY_BYTES, PING_S, SESSION_KEPT_S, TEND_S
from impasto_daemon.server.lock import Lock
from impasto_daemon.server.memory import resident_bytes
from impasto_daemon.server.painter import Painter
from impasto_daemon.server.places import Places
from impasto_daemon.server.post import OWNER, Post
from impasto_daemon.server.reception import Reception
from impasto_daemon.server.sessions import Session, Sessions
from impasto_protocol.connection import Connection, write_connection, write_private
from impasto_protocol.errors import StorageError
from impasto_protocol.invitation import Invitation, lasting_keys
from impasto_protocol.orders import WhenDetached
from impasto_protocol.schema import plain
from impasto_protocol.states import JobState
from impasto_protocol.transport import new_key_pair
from impasto_protocol.version import PROTOCOL_MAX, PROTOCOL_MIN

__all__ = ["Daemon"]

ANYWHERE = ("0.0.0.0", "[::]", "*")  # noqa: S104
"""Addresses to listen on that nobody can dial; the user's own clients then dial the loopback interface."""

_log = logging.getLogger(__name__)


class Daemon:
    """See the module.

    Args:
        connection_file: Where it says how to reach it; what it keeps lies beside that.
        painter: Who paints.
        hire: Gives painters for other devices, where there are any.
        bind: The address to listen on.
        allow: Public keys of clients elsewhere, beside that in the connection file.
        memory_bytes: What the server may take before it ends itself.
        clock: Gives seconds.
    """

    def __init__(
        self,
        *,
        connection_file: Path,
        painter: Painter,
        hire: Hire | None = None,
        bind: str = "127.0.0.1",
        allow: Collection[str] = (),
        memory_bytes: int = MEMORY_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = Places(connection_file)
        self._painter = painter
        self._hire = hire
        self._bind = bind
        self._allow = allow
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._stopping = asyncio.Event()
        self._excess: MemoryExceededError | None = None
        self.on_ready: Callable[[Connection], None] = lambda _: None

    def stop(self) -> None:
        """Ends `run` soon. Called in the daemon's own thread."""
        self._stopping.set()

    async def run(self) -> None:
        """Serves until it is stopped.

        Raises:
            AlreadyRunningError: Another daemon serves this user.
            AddressError: It cannot listen where it is told to.
            StorageError: The journal cannot be opened.
            ConnectionFileError: The connection file cannot be written.
            MemoryExceededError: It took too much memory, and was stopped for that.
        """
        with ExitStack() as stack:
            stack.enter_context(Lock(self._places.lock))
            journal = Journal(self._places.journal)
            stack.callback(journal.close)
            blobs = BlobStore(self._places.pictures)
            stack.callback(blobs.close)
            reception = Reception(Sessions(journal.sessions(), now=self._clock()), left=self._left, clock=self._clock)
            self._reception = reception
            checkpoints = Checkpoints(self._places.checkpoints)
            self._ledger = Ledger(journal, blobs, checkpoints, reception.announce)
            self._journal = journal
            self._blobs = blobs
            self._foreman = Foreman(
                ledger=self._ledger,
                blobs=blobs,
                checkpoints=checkpoints,
                painter=self._painter,
                hire=self._hire,
                show=reception.show,
            )
            desk = Desk(
                reception=reception,
                ledger=self._ledger,
                blobs=blobs,
                foreman=self._foreman,
                name=f"impasto {metadata.version('impasto')}",
                clock=self._clock,
            )
            self._foreman.restore(self._ledger.restore())
            post, connection = self._opened_post(desk)
            stack.callback(post.close)
            reception.open(post)
            write_connection(connection, self._places.connection)
            stack.callback(self._places.connection.unlink, missing_ok=True)
            stack.callback(self._foreman.dismiss)
            self._foreman.start()
            _log.info("Serving at %s.", connection.endpoint)
            self.on_ready(connection)
            await self._tend()
            await self._lay_down()
            reception.farewell("The daemon is stopping; jobs that are not finished go on when it is started again.")
            _log.info("Stopping.")
        if self._excess is not None:
            raise self._excess

    def _opened_post(self, desk: Desk) -> tuple[Post, Connection]:
        server_public, server_secret = self._server_keys()
        client_public, client_secret = new_key_pair()
        post = Post(
            desk.heard,
            secret_key=server_secret,
            allowed_keys={**{key: key for key in self._allow}, client_public: OWNER},
        )
        endpoint = post.open(self._bind)
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        if self._allow:
            self._invite(f"tcp://{socket.gethostname() if host in ANYWHERE else host}:{port}", server_public)
        return post, Connection(
            endpoint=f"tcp://{'127.0.0.1' if host in ANYWHERE else host}:{port}",
            server_key=server_public,
            client_public_key=client_public,
            client_secret_key=client_secret,
            pid=os.getpid(),
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            daemon=f"impasto {metadata.version('impasto')}",
        )

    def _server_keys(self) -> tuple[str, str]:
        """New ones at every start; lasting ones where clients elsewhere must know them."""
        if not self._allow:
            return new_key_pair()
        keys = lasting_keys(self._places.lasting_keys)
        return keys.public, keys.secret

    def _invite(self, endpoint: str, server_key: str) -> None:
        """Writes what is to be carried to the clients elsewhere."""
        invitation = Invitation(
            endpoint=endpoint,
            server_key=server_key,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            daemon=f"impasto {metadata.version('impasto')}",
        )
        write_private(json.dumps(plain(invitation), indent=2), self._places.invitation)
        _log.info("Clients elsewhere need %s.", self._places.invitation)

    async def _tend(self) -> None:
        """Does what comes with time, until the daemon is stopped."""
        ping_at = self._clock() + PING_S
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(TEND_S):
                    await self._stopping.wait()
            except TimeoutError:
                now = self._clock()
                self._foreman.tend()
                self._reception.tend()
                self._watch_memory()
                if now >= ping_at:
                    ping_at = now + PING_S
                    self._reception.ping()
                    self._ledger.expire(time.time())
                    self._forget_sessions(now)

    async def _lay_down(self) -> None:
        """Lets the paintings at hand write down where they stand, for as long as there is time."""
        self._foreman.lay_down()
        deadline = self._clock() + LAY_DOWN_S
        while self._foreman.painting and self._clock() < deadline:
            await asyncio.sleep(LOOK_S)
        self._foreman.clear()

    def _left(self, session: Session) -> None:
        """A session's client has gone: its jobs go on, or end, as their orders say."""
        self._ledger.unfollow(session.id)
        jobs = self._ledger.of(session.id)
        for job in jobs:
            if job.is_over:
                continue
            if job.order.when_detached is WhenDetached.CANCEL:
                self._foreman.cancel(job, keep_picture=False)
            elif job.state is JobState.PAUSED:
                self._foreman.unpause(job)  # nobody is there to do it, and others wait
        if not jobs:
            self._forget(session)

    def _watch_memory(self) -> None:
        used_bytes = resident_bytes()
        if used_bytes > self._memory_bytes:
            self._excess = MemoryExceededError(
                f"The daemon took {used_bytes / 1e6:,.0f} MB of memory, more than the {self._memory_bytes / 1e6:,.0f} "
                "MB that it may, and has ended; start it again with 'impasto daemon start', and its jobs go on."
            )
            _log.critical("Stopping: %s", self._excess)
            self.stop()

    def _forget_sessions(self, now: float) -> None:
        for session in self._reception.sessions:
            jobs = self._ledger.of(session.id)
            is_idle = session.peer is None and all(job.is_over and not job.has_result for job in jobs)
            if is_idle and now - session.detached_at > SESSION_KEPT_S:
                for job in jobs:
                    self._ledger.forget(job)
                self._forget(session)

    def _forget(self, session: Session) -> None:
        self._reception.sessions.forget(session)
        self._blobs.forget_uploads(session.id)
        try:
            self._journal.forget_session(session.id)
        except StorageError as error:
            _log.error("The session %s stays in the journal: %s", session.id, error)
