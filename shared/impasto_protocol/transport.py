"""How frames get to the daemon and back: an interface, and its implementation with ZeroMQ.

A transport is one attempt to reach one daemon. It never blocks but in `wait`, never reconnects, and once it is lost it
stays lost; dialling again is for `link`. Where pyzmq cannot be had, another process can stand behind the same
interface.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from impasto_protocol.connection import START_IT, Connection, read_connection
from impasto_protocol.errors import (
    ConnectionLostError,
    ProtocolError,
    StaleConnectionError,
    UnreachableError,
    WrongKeyError,
)
from impasto_protocol.fields import Data
from impasto_protocol.limits import HELLO_TIMEOUT_S, MAX_FRAME_BYTES

if TYPE_CHECKING:
    import zmq

__all__ = ["Transport", "ZmqTransport", "dial", "new_key_pair"]

LINGER_MS = 500
"""Milliseconds for which closing waits for a last word (BYE) to leave."""


class Transport(Protocol):
    """A way to one daemon."""

    @property
    def descriptor(self) -> int:
        """A file descriptor that becomes readable when something happens; edge-triggered: call `receive` to the end."""
        ...

    def send(self, frames: Sequence[Data]) -> None:
        """Sends a message.

        Raises:
            ConnectionLostError: It cannot be sent.
        """
        ...

    def receive(self) -> Sequence[Data] | None:
        """The next message, or None if there is none yet.

        Raises:
            ProtocolError: The way is lost, and all that came by it has been received.
        """
        ...

    def wait(self, timeout_s: float) -> None:
        """Returns when something has happened, or the time is over."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


def dial(path: Path) -> "ZmqTransport":
    """A way to the daemon whose connection file this is.

    The file is read anew each time, because a daemon that was restarted has another port and other keys.

    Raises:
        ConnectionFileError: The file is missing, unsafe or broken.
    """
    return ZmqTransport(read_connection(path))


def new_key_pair() -> tuple[str, str]:
    """A public CURVE key and its secret, as a connection file has them."""
    import zmq

    public, secret = zmq.curve_keypair()
    return public.decode(), secret.decode()


class ZmqTransport:
    """A DEALER socket with CURVE. Its monitor tells what became of the connection.

    Args:
        connection: Where the daemon is, and the keys.
    """

    def __init__(self, connection: Connection) -> None:
        # Importing zmq loads a compiled library, which the editor's Python may lack: this must not break the import of
        # everything else.
        import zmq

        self._zmq = zmq
        self._connection = connection
        self._connected = False
        self._greeted = False
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._monitor: zmq.Socket[bytes] | None = None
        for option, value in (
            (zmq.CURVE_SERVERKEY, connection.server_key.encode()),
            (zmq.CURVE_PUBLICKEY, connection.client_public_key.encode()),
            (zmq.CURVE_SECRETKEY, connection.client_secret_key.encode()),
            (zmq.LINGER, LINGER_MS),
            (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
            (zmq.RECONNECT_IVL, -1),
            (zmq.HANDSHAKE_IVL, int(HELLO_TIMEOUT_S * 1000)),
        ):
            self._socket.setsockopt(option, value)
        try:
            self._monitor = self._socket.get_monitor_socket()
            self._socket.connect(connection.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise UnreachableError(
                f"Cannot connect to {connection.endpoint!r}: {error.strerror}; {START_IT}."
            ) from error

    @property
    def descriptor(self) -> int:
        """See `Transport`."""
        return int(self._socket.FD)

    def send(self, frames: Sequence[Data]) -> None:
        """See `Transport`."""
        try:
            self._socket.send_multipart(frames, self._zmq.NOBLOCK, copy=False)
        except self._zmq.ZMQError as error:
            raise ConnectionLostError(f"{self._named} takes no more messages; waiting for it.") from error

    def receive(self) -> Sequence[Data] | None:
        """See `Transport`."""
        try:
            return [frame.buffer for frame in self._socket.recv_multipart(self._zmq.NOBLOCK, copy=False)]
        except self._zmq.Again:
            self._heed_monitor()
            return None

    def wait(self, timeout_s: float) -> None:
        """See `Transport`."""
        poller = self._zmq.Poller()
        poller.register(self._socket, self._zmq.POLLIN)
        poller.register(self._monitor, self._zmq.POLLIN)
        poller.poll(int(timeout_s * 1000) + 1)

    def close(self) -> None:
        """See `Transport`."""
        if self._monitor is not None:
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
        self._socket.close()

    @property
    def _named(self) -> str:
        where = "elsewhere" if self._connection.elsewhere else f"process {self._connection.pid}"
        return f"The daemon at {self._connection.endpoint} ({where})"

    @property
    def _remedy(self) -> str:
        return "start it there" if self._connection.elsewhere else START_IT

    def _heed_monitor(self) -> None:
        assert self._monitor is not None  # noqa: S101
        while self._monitor.poll(0):
            told = self._monitor.recv_multipart(self._zmq.NOBLOCK)
            trouble = self._trouble(self._zmq.Event(int.from_bytes(told[0][:2], "little")))
            if trouble is not None:
                raise trouble

    def _trouble(self, event: "zmq.Event") -> ProtocolError | None:
        """What an event of the monitor means, if it means the end."""
        events = self._zmq.Event
        if event is events.CONNECTED:
            self._connected = True
        elif event is events.HANDSHAKE_SUCCEEDED:
            self._greeted = True
        elif event is events.HANDSHAKE_FAILED_AUTH:
            return WrongKeyError(f"{self._named} does not accept our key; restart it for fresh keys.")
        elif event in (events.HANDSHAKE_FAILED_PROTOCOL, events.HANDSHAKE_FAILED_NO_DETAIL):
            return WrongKeyError(
                f"{self._named} is not the one that wrote the connection file; remove the file and {START_IT}."
            )
        elif event is events.CLOSED and not self._connected:
            return StaleConnectionError(f"{self._named} is gone, and its connection file is stale; {self._remedy}.")
        elif event in (events.DISCONNECTED, events.CLOSED):
            return ConnectionLostError(f"{self._named} has closed the connection; waiting for it to come back.")
        return None
