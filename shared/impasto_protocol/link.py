"""A connection that mends itself: dials, says HELLO, asks for signs of life, and dials again when they fail to come.

A link gives one thing at a time: a message, `Up` when a session stands, or `Down` when it broke or could not be had.
PING, PONG and WELCOME end here. What to say again after a break is for `client`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from impasto_protocol.codec import Envelope, decode, encode
from impasto_protocol.errors import (
    ConnectionLostError,
    ProtocolError,
    UnknownTypeError,
    UnreachableError,
)
from impasto_protocol.limits import HEARTBEAT_S, HELLO_TIMEOUT_S, RETRY_FIRST_S, RETRY_LONGEST_S, SILENCE_S
from impasto_protocol.messages import Error, Hello, Message, Ping, Pong, Welcome
from impasto_protocol.transport import Transport
from impasto_protocol.version import PROTOCOL_MAX, PROTOCOL_MIN

__all__ = ["Down", "Link", "Ticket", "Up", "retry_delay_s"]

Dial: TypeAlias = Callable[[], Transport]
Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What lets a client, or one that is started after it, take up a session again."""

    session: str
    resume_token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A session stands."""

    welcome: Welcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """The connection broke, or an attempt to have one failed; the link goes on trying."""

    error: ProtocolError


def retry_delay_s(failures: int, chance: float) -> float:
    """Seconds to wait before the next attempt.

    Doubles with each failure, and is spread by chance over its upper half, so that many clients do not come at once.

    Args:
        failures: Attempts that failed in a row, from 1.
        chance: From 0 to 1.
    """
    longest = min(RETRY_FIRST_S * 2.0 ** min(failures - 1, 30), RETRY_LONGEST_S)
    return longest * (0.5 + 0.5 * chance)


class Link:
    """See the module.

    Args:
        dial: Makes a transport; called for every attempt.
        name: Who we are, for the daemon's log.
        ticket: Of an earlier session.
        clock: Gives seconds.
        chance: Gives numbers from 0 to 1.
    """

    def __init__(
        self,
        dial: Dial,
        *,
        name: str,
        ticket: Ticket | None = None,
        clock: Clock = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.ticket = ticket
        self._dial = dial
        self._name = name
        self._clock = clock
        self._chance = chance
        self._transport: Transport | None = None
        self._welcome: Welcome | None = None
        self._trouble: ProtocolError | None = None
        self._last_id = 0
        self._failures = 0
        self._retry_at = clock()
        self._dialled_at = 0.0
        self._heard_at = 0.0
        self._welcomed_at = 0.0
        self._asked_at: float | None = None

    @property
    def welcome(self) -> Welcome | None:
        """What the daemon said when the session began; None while there is none."""
        return self._welcome

    @property
    def descriptor(self) -> int | None:
        """That of the transport, if there is one; another after each `Up`."""
        return None if self._transport is None else self._transport.descriptor

    def send(self, message: Message, *, reply_to: int | None = None) -> int:
        """Sends a message; if the connection turns out broken, `receive` will tell.

        Returns:
            Its id.

        Raises:
            RefusalError: The message itself breaks a rule.
        """
        self._last_id += 1
        frames = encode(message, message_id=self._last_id, reply_to=reply_to)
        if self._transport is not None and self._trouble is None:
            try:
                self._transport.send(frames)
            except ConnectionLostError as error:
                self._trouble = error
        return self._last_id

    def receive(self, timeout_s: float) -> Envelope | Up | Down | None:
        """The next thing that happens, or None if nothing does for this long."""
        deadline = self._clock() + timeout_s
        while True:
            if self._transport is None:
                if self._clock() >= self._retry_at:
                    failed = self._attempt()
                    if failed is not None:
                        return failed
                    continue
            else:
                happened = self._next()
                if happened is not None:
                    return happened
            left_s = deadline - self._clock()
            if left_s <= 0.0:
                return None
            self._rest(left_s)

    def drop(self, error: ProtocolError) -> None:
        """Gives the connection up; `receive` will tell, and dial anew."""
        self._trouble = error

    def close(self) -> None:
        """Ends it for good."""
        if self._transport is not None:
            self._transport.close()
        self._transport = self._welcome = None
        self._retry_at = float("inf")

    def _attempt(self) -> Down | None:
        self._dialled_at = self._heard_at = self._clock()
        self._asked_at = self._trouble = None
        self._last_id = 0
        try:
            self._transport = self._dial()
        except ProtocolError as error:
            return self._fallen(error)
        self.send(
            Hello(
                protocol_min=PROTOCOL_MIN,
                protocol_max=PROTOCOL_MAX,
                client=self._name,
                session=None if self.ticket is None else self.ticket.session,
                resume_token=None if self.ticket is None else self.ticket.resume_token,
            )
        )
        return None

    def _next(self) -> Envelope | Up | Down | None:
        assert self._transport is not None  # noqa: S101
        try:
            while (frames := self._transport.receive()) is not None:
                self._heard_at = self._clock()
                self._asked_at = None
                try:
                    happened = self._heeded(decode(frames))
                except UnknownTypeError:
                    continue  # a daemon of a later version may say more than we understand
                if happened is not None:
                    return happened
            if self._trouble is not None:
                raise self._trouble
            self._check_life()
        except ProtocolError as error:
            return self._fallen(error)
        return None

    def _heeded(self, envelope: Envelope) -> Envelope | Up | None:
        message = envelope.message
        if isinstance(message, Ping):
            self.send(Pong(), reply_to=envelope.id)
            return None
        if isinstance(message, Pong):
            return None
        if self._welcome is not None:
            return envelope
        if isinstance(message, Error):
            raise message.failure.exception()
        if not isinstance(message, Welcome):
            return None
        self._welcomed_at = self._clock()
        self._welcome = message
        self.ticket = Ticket(session=message.session, resume_token=message.resume_token)
        return Up(welcome=message)

    def _check_life(self) -> None:
        now = self._clock()
        if self._welcome is None:
            if now - self._dialled_at >= HELLO_TIMEOUT_S:
                raise UnreachableError(f"The daemon has not answered for {HELLO_TIMEOUT_S:g} s; trying again.")
        elif self._asked_at is not None:
            if now - self._asked_at >= SILENCE_S - HEARTBEAT_S:
                raise ConnectionLostError(f"The daemon has been silent for {SILENCE_S:g} s; trying again.")
        elif now - self._heard_at >= HEARTBEAT_S:
            self.send(Ping())
            self._asked_at = now

    def _rest(self, left_s: float) -> None:
        """Waits for something to happen, but no longer than until there is something to do."""
        now = self._clock()
        if self._transport is None:
            left_s = min(left_s, self._retry_at - now)
            time.sleep(max(0.0, left_s))
            return
        if self._welcome is None:
            due = self._dialled_at + HELLO_TIMEOUT_S
        elif self._asked_at is not None:
            due = self._asked_at + SILENCE_S - HEARTBEAT_S
        else:
            due = self._heard_at + HEARTBEAT_S
        self._transport.wait(max(0.0, min(left_s, due - now)))

    def _fallen(self, error: ProtocolError) -> Down:
        if self._transport is not None:
            self._transport.close()
        # A session that breaks as soon as it stands is one more failure, not a new beginning.
        lasted = self._welcome is not None and self._clock() - self._welcomed_at >= RETRY_LONGEST_S
        self._failures = 1 if lasted else self._failures + 1
        self._transport = self._welcome = None
        self._retry_at = self._clock() + retry_delay_s(self._failures, self._chance())
        return Down(error=error)
