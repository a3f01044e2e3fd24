"""The bridge: `python -m impasto_protocol.bridge [CONNECTION_FILE]` relays messages between its pipes and the daemon.

For an editor whose own Python cannot load pyzmq. The editor's side of the pipes is `bridge_transport`; what passes
through them is told in `bridge_records`. One bridge is one attempt to reach one daemon: when that is lost, it says why
and ends, and it ends when its client does.
"""

import contextlib
import os
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from impasto_protocol.bridge_records import ERROR, MESSAGE, error_parts, read_record, write_record
from impasto_protocol.connection import connection_path
from impasto_protocol.errors import ProtocolError, UnreachableError
from impasto_protocol.fields import Data
from impasto_protocol.transport import Transport, dial

__all__ = ["main", "relay"]

LOOK_AGAIN_S = 0.25
"""Seconds after which the daemon's side is looked at even if nothing woke us: what became of the connection is told by
a monitor that the descriptor knows nothing of."""

WAITING_MESSAGES = 16
"""Messages of the client that may wait to be sent, of a megabyte each; then its pipe fills up, and it waits."""


class _Mouth:
    """The client's messages, read by a thread, because a pipe cannot be waited for together with a socket everywhere.

    Attributes:
        descriptor: Readable when there is something to take.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._messages: deque[Sequence[Data]] = deque()
        self._room = threading.Semaphore(WAITING_MESSAGES)
        self._ended = False
        self._bell, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self.descriptor = self._woken.fileno()
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> list[Sequence[Data]] | None:
        """What has been said since; None once the client is gone."""
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        ended, taken = self._ended, []
        while self._messages:
            taken.append(self._messages.popleft())
            self._room.release()
        return None if ended and not taken else taken

    def _read(self) -> None:
        try:
            while (record := read_record(self._pipe)) is not None:
                self._room.acquire()
                self._messages.append(record[1])
                self._bell.send(b"!")
        except (ProtocolError, OSError):
            pass  # a client that breaks off is gone
        self._ended = True
        self._bell.send(b"!")


def relay(transport: Transport, mouth: BinaryIO, ear: BinaryIO) -> None:
    """Relays until the client is gone.

    Args:
        transport: The way to the daemon; closed at the end.
        mouth: What the client says.
        ear: What the client hears.

    Raises:
        ProtocolError: The way to the daemon is lost.
    """
    client = _Mouth(mouth)
    try:
        while (said := client.take()) is not None:
            for frames in said:
                transport.send(frames)
            while (heard := transport.receive()) is not None:
                write_record(ear, MESSAGE, heard)
            if not said:
                select.select([client.descriptor, transport.descriptor], [], [], LOOK_AGAIN_S)
    finally:
        transport.close()


def main() -> None:
    """Reaches the daemon of the connection file that is named, or of this user's own."""
    # A thread that waits at standard input would not let the interpreter end in order; at a duplicate, it does.
    mouth, ear = os.fdopen(os.dup(sys.stdin.fileno()), "rb"), sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing but records may come through the pipe
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else connection_path()
    with contextlib.suppress(BrokenPipeError):  # the client is gone
        try:
            relay(dial(path), mouth, ear)
        except ImportError as error:
            text = f"The Python at {sys.executable!r} lacks {error.name}; install Impasto again."
            write_record(ear, ERROR, error_parts(UnreachableError(text)))
        except ProtocolError as error:
            write_record(ear, ERROR, error_parts(error))


if __name__ == "__main__":
    main()
