"""The daemon's socket: a ROUTER with CURVE, and the gate that knows who may speak. Nothing else imports zmq.

The descriptors of ZeroMQ are edge-triggered: after every wake and after every sending, everything is read that is
there, a handful of messages at a time, so that nothing else has to wait for long.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto

import zmq
import zmq.utils.monitor
import zmq.utils.z85

from impasto_daemon.server.errors import AddressError, KeyFormatError
from impasto_daemon.server.limits import (
    BYTES_AT_ONCE,
    HANDSHAKE_S,
    MESSAGES_AT_ONCE,
    PING_S,
    RECEIVE_QUEUE_MESSAGES,
    SEND_QUEUE_MESSAGES,
    TRANSPORT_SILENCE_S,
)
from impasto_protocol.fields import Data
from impasto_protocol.limits import MAX_FRAME_BYTES

__all__ = ["OWNER", "Post", "Sent"]

DOMAIN = b"impasto"
PORTER = "inproc://porter"
OWNER = "owner"
"""The user who holds the connection file; everyone else is called by the public key."""
KEY_BYTES = 32
LINGER_MS = 300
"""Milliseconds for which closing waits until BYE has left."""
BACKLOG = 256
"""Connections that may wait to be accepted: a crowd of strangers shall not keep the daemon's own client out."""

NOTE_S = 60.0
"""Seconds between two notes of the same kind of stranger, so that they cannot fill the log."""

TURNED_AWAY = zmq.Event.HANDSHAKE_FAILED_NO_DETAIL | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
"""What is told of connections that never came as far as showing a key: without CURVE, silent, or no ZeroMQ at all."""

_log = logging.getLogger(__name__)


class Sent(Enum):
    """What became of a message."""

    SENT = auto()
    FULL = auto()
    """The client's queue is full; try again."""
    GONE = auto()
    """There is no such client any more."""


class Post:
    """See the module; belongs to the running event loop.

    Args:
        heard: Takes each message: its client's route, whose key it has, and its frames.
        secret_key: The daemon's own, in Z85.
        allowed_keys: The public keys of the clients that may speak, in Z85, and whose they are.

    Attributes:
        refused: How many connections were turned away: `keys` that are not allowed, and `strangers` without CURVE.

    Raises:
        KeyFormatError: One is no key.
    """

    def __init__(
        self, heard: Callable[[bytes, str, Sequence[Data]], None], *, secret_key: str, allowed_keys: Mapping[str, str]
    ) -> None:
        self._heard = heard
        self._allowed = {_decoded(key): user.encode() for key, user in allowed_keys.items()}
        self._loop = asyncio.get_running_loop()
        self._context = zmq.Context()
        self._gate: zmq.Socket[bytes] = self._context.socket(zmq.REP)
        self._router: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.CURVE_SERVER, 1),
            (zmq.CURVE_SECRETKEY, secret_key.encode()),
            (zmq.ZAP_DOMAIN, DOMAIN),
            (zmq.ROUTER_MANDATORY, 1),
            (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
            (zmq.SNDHWM, SEND_QUEUE_MESSAGES),
            (zmq.RCVHWM, RECEIVE_QUEUE_MESSAGES),
            (zmq.HANDSHAKE_IVL, int(HANDSHAKE_S * 1000)),
            (zmq.HEARTBEAT_IVL, int(PING_S * 1000)),
            (zmq.HEARTBEAT_TIMEOUT, int(TRANSPORT_SILENCE_S * 1000)),
            (zmq.BACKLOG, BACKLOG),
            (zmq.LINGER, LINGER_MS),
        ):
            self._router.setsockopt(option, value)
        self._porter: zmq.Socket[bytes] = self._context.socket(zmq.PAIR)
        self._porter.setsockopt(zmq.RCVHWM, 0)  # a full one would hold up all of ZeroMQ, and its end for ever
        self._router.monitor(PORTER, TURNED_AWAY)
        self._porter.connect(PORTER)
        self.refused: Counter[str] = Counter()
        self._note_at: defaultdict[str, float] = defaultdict(float)
        self._is_reading = False

    def open(self, address: str) -> str:
        """Listens.

        Args:
            address: A host, or host and port; without a port, any that is free.

        Returns:
            The endpoint.

        Raises:
            AddressError: That cannot be done there.
        """
        host, colon, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "")
        try:
            self._gate.bind("inproc://zeromq.zap.01")
            self._router.bind(f"tcp://{host}:{port}" if colon else f"tcp://{address}:*")
        except zmq.ZMQError as error:
            self.close()
            raise AddressError(f"Cannot listen on {address!r}: {error.strerror}; give another with --bind.") from error
        for one, read in ((self._gate, self._judge), (self._porter, self._note), (self._router, self._read)):
            self._loop.add_reader(one.FD, read)
        self._is_reading = True
        self._note()  # its descriptor wakes only who has found nothing before
        endpoint = self._router.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)  # noqa: S101
        return endpoint.rstrip(b"\0").decode()

    def send(self, route: bytes, frames: Sequence[Data]) -> Sent:
        """Sends a message to a client, if it takes it."""
        try:
            self._router.send_multipart([route, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return Sent.FULL
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return Sent.GONE
        finally:
            self._loop.call_soon(self._read)
        return Sent.SENT

    def close(self) -> None:
        """Ends it, when the last words have left."""
        if self._is_reading:
            self._is_reading = False
            for one in (self._gate, self._porter, self._router):
                self._loop.remove_reader(one.FD)
        self._router.monitor(None, 0)
        self._porter.close(linger=0)
        self._router.close()
        self._gate.close(linger=0)
        self._context.term()

    def _read(self) -> None:
        read_bytes = 0
        for _ in range(MESSAGES_AT_ONCE):
            if read_bytes >= BYTES_AT_ONCE:
                break
            if not self._is_reading:
                return
            try:
                route, *frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            read_bytes += sum(len(frame) for frame in frames)
            self._heard(route.bytes, str(route.get("User-Id")), [frame.buffer for frame in frames])
        self._loop.call_soon(self._read)

    def _judge(self) -> None:
        """Answers ZAP's questions (RFC 27): who may come in."""
        while self._is_reading:
            try:
                question = self._gate.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            version, request, domain, address, _, mechanism, *credentials = question
            is_curve = domain == DOMAIN and mechanism == b"CURVE"
            user = self._allowed.get(credentials[0]) if is_curve else None
            if user is None:
                self._refuse("keys", f"from {address.decode()!r}, whose key is not known")
            verdict = (b"400", b"unknown key", b"") if user is None else (b"200", b"OK", user)
            self._gate.send_multipart([version, request, *verdict, b""])

    def _note(self) -> None:
        """Writes down who was turned away before the gate."""
        while self._is_reading:
            try:
                told = zmq.utils.monitor.recv_monitor_message(self._porter, zmq.NOBLOCK)
            except zmq.Again:
                return
            self._refuse("strangers", f"who does not speak CURVE, or says nothing: {zmq.Event(told['event']).name}")

    def _refuse(self, kind: str, whom: str) -> None:
        self.refused[kind] += 1
        if self._loop.time() >= self._note_at[kind]:
            self._note_at[kind] = self._loop.time() + NOTE_S
            _log.warning("Refused one %s; %d so far, and the next note is a minute away.", whom, self.refused[kind])


def _decoded(key: str) -> bytes:
    try:
        decoded: bytes = zmq.utils.z85.decode(key.encode())
    except (ValueError, KeyError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise KeyFormatError(f"The key {key!r} is none; give --allow the 40 characters of a public CURVE key.")
    return decoded
