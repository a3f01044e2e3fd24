"""What waits to be sent to one client: answers and reliable events in order, and the newest of what may be lost."""

from collections import deque
from collections.abc import Callable, Sequence

from impasto_daemon.server.limits import OUTBOX_BYTES
from impasto_daemon.server.post import Sent
from impasto_protocol.codec import encode, frames_bytes
from impasto_protocol.fields import Data
from impasto_protocol.limits import WINDOW_BYTES
from impasto_protocol.messages import Message, Preview, Progress

__all__ = ["Outbox"]


class Outbox:
    """See the module.

    Args:
        send: Sends frames to the client.
    """

    def __init__(self, send: Callable[[Sequence[Data]], Sent]) -> None:
        self._send = send
        self._last_id = 0
        self._waiting: deque[tuple[list[Data], int]] = deque()
        self._waiting_bytes = 0
        self._newest: dict[tuple[str, type[Message]], list[Data]] = {}
        self._credit_bytes = WINDOW_BYTES

    @property
    def is_overfull(self) -> bool:
        """Whether the client asks for more than it takes."""
        return self._waiting_bytes > OUTBOX_BYTES

    def say(self, message: Message, *, reply_to: int | None = None) -> None:
        """Puts what must arrive at the end."""
        frames = self._encoded(message, reply_to)
        size_bytes = frames_bytes(frames)
        self._waiting.append((frames, size_bytes))
        self._waiting_bytes += size_bytes

    def show(self, message: Progress | Preview) -> None:
        """Puts what may be lost in the place of an older one of the same job."""
        self._newest[message.job, type(message)] = self._encoded(message, None)

    def stop_showing(self, job: str) -> None:
        """Drops what may be lost of a job: it is over."""
        for kind in (Progress, Preview):
            self._newest.pop((job, kind), None)

    def drop(self) -> None:
        """Forgets all that waits: the client does not take it."""
        self._waiting.clear()
        self._newest.clear()
        self._waiting_bytes = 0

    def give_credit(self, size_bytes: int) -> None:
        """The client has consumed so much."""
        self._credit_bytes = min(self._credit_bytes + size_bytes, WINDOW_BYTES)

    def flush(self) -> Sent:
        """Sends what the client takes.

        Returns:
            `SENT` if nothing waits for the client's queue, though perhaps for credit.
        """
        while self._waiting:
            frames, size_bytes = self._waiting[0]
            outcome = self._send(frames)
            if outcome is not Sent.SENT:
                return outcome
            self._waiting.popleft()
            self._waiting_bytes -= size_bytes
        while self._newest and self._credit_bytes > 0:
            key, frames = next(iter(self._newest.items()))
            outcome = self._send(frames)
            if outcome is not Sent.SENT:
                return outcome
            del self._newest[key]
            self._credit_bytes -= frames_bytes(frames)
        return Sent.SENT

    def _encoded(self, message: Message, reply_to: int | None) -> list[Data]:
        self._last_id += 1
        return encode(message, message_id=self._last_id, reply_to=reply_to)
