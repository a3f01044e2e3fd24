"""Who is there: connections, and the sessions that outlive them."""

import hmac
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from impasto_daemon.server.limits import BAD_MESSAGES_S, MAX_BAD_MESSAGES, MAX_SESSIONS
from impasto_daemon.server.outbox import Outbox
from impasto_protocol.errors import BusyError
from impasto_protocol.messages import Hello

__all__ = ["Peer", "Session", "Sessions"]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """A client's jobs belong to it, also while the client is away.

    Attributes:
        id: Its name.
        user: Whose it is: sessions of the same user may see each other's jobs.
        token: What its client proves itself with.
        peer: Its connection; None while it is detached.
        is_live: Whether events are told as they happen; not between coming back and RESUME, which tells them in order.
        detached_at: Since when it is detached, in seconds of the daemon's clock.
        waits_for_return: Whether its client left without BYE, and not long enough ago to count as gone.
    """

    id: str
    user: str
    token: bytes = field(repr=False)
    peer: "Peer | None" = None
    is_live: bool = False
    detached_at: float = 0.0
    waits_for_return: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Peer:
    """One connection.

    Attributes:
        route: ZeroMQ's name for it.
        user: Whose key it has.
        outbox: What waits to be sent.
        session: Its session, from WELCOME on.
        cut_off_at: Since when nothing it says is heard any more, in seconds of the daemon's clock.
    """

    route: bytes
    user: str
    outbox: Outbox
    session: Session | None = None
    cut_off_at: float | None = None
    _bad_at: deque[float] = field(default_factory=deque)

    def was_bad(self, now: float) -> bool:
        """Counts an unreadable message; says whether that was one too many."""
        self._bad_at.append(now)
        while now - self._bad_at[0] > BAD_MESSAGES_S:
            self._bad_at.popleft()
        return len(self._bad_at) >= MAX_BAD_MESSAGES


class Sessions:
    """All sessions.

    Args:
        known: Ids, tokens and users of those in the journal.
        now: Since when these are detached.
    """

    def __init__(self, known: Mapping[str, tuple[bytes, str]], *, now: float) -> None:
        self._sessions = {
            name: Session(id=name, user=user, token=token, detached_at=now, waits_for_return=True)
            for name, (token, user) in known.items()
        }

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def __getitem__(self, name: str) -> Session:
        return self._sessions[name]

    def find(self, name: str) -> Session | None:
        """The session of that name, if it is remembered."""
        return self._sessions.get(name)

    @property
    def attached(self) -> int:
        """How many have a client."""
        return sum(session.peer is not None for session in self._sessions.values())

    def greeted(self, hello: Hello, user: str) -> tuple[Session, bool]:
        """The session that a user's HELLO begins, or takes up.

        Returns:
            The session, and whether it is an old one.

        Raises:
            BusyError: There are too many.
        """
        old = None if hello.session is None else self._sessions.get(hello.session)
        if old is not None and old.user == user and hmac.compare_digest(old.token, hello.resume_token or b""):
            return old, True
        if len(self._sessions) >= MAX_SESSIONS:
            raise BusyError(f"The daemon has {MAX_SESSIONS} sessions; end one, or wait.", retry_after_s=5.0)
        session = Session(id=secrets.token_hex(16), user=user, token=secrets.token_bytes(32))
        self._sessions[session.id] = session
        return session, False

    def forget(self, session: Session) -> None:
        """Forgets one."""
        del self._sessions[session.id]
