"""Events that wait for the caller: of progress and previews only the newest, of everything else all, in order."""

from collections import deque
from typing import TypeAlias

from impasto_protocol.events import Event
from impasto_protocol.messages import Preview, Progress

__all__ = ["Inbox"]

Slot: TypeAlias = tuple[str, type]


class Inbox:
    """The queue of events, which the caller empties at its own pace.

    Attributes:
        consumed_bytes: Bytes of progress and previews that left the queue, either way, since `take_credit`.
    """

    def __init__(self) -> None:
        self.consumed_bytes = 0
        self._queue: deque[Event | Slot] = deque()
        self._newest: dict[Slot, tuple[Event, int]] = {}

    def add(self, event: Event) -> None:
        """Appends an event that must not be lost."""
        self._queue.append(event)

    def add_newest(self, event: Progress | Preview, size_bytes: int) -> None:
        """Appends an event, or puts it in the place of an older one of its job and kind."""
        slot = (event.job, type(event))
        if slot in self._newest:
            self.consumed_bytes += self._newest[slot][1]
        else:
            self._queue.append(slot)
        self._newest[slot] = (event, size_bytes)

    def __len__(self) -> int:
        return len(self._queue)

    def next(self) -> Event | None:
        """Takes the first event."""
        if not self._queue:
            return None
        first = self._queue.popleft()
        if not isinstance(first, tuple):
            return first
        event, size_bytes = self._newest.pop(first)
        self.consumed_bytes += size_bytes
        return event

    def take_credit(self, least_bytes: int) -> int:
        """Bytes to give back to the daemon: all that were consumed, or 0 while they are fewer than `least_bytes`."""
        if self.consumed_bytes < least_bytes:
            return 0
        credit, self.consumed_bytes = self.consumed_bytes, 0
        return credit
