"""Who is next: sessions take turns, and each session's jobs keep their order. Knows nothing but numbers."""

from collections import OrderedDict, deque

__all__ = ["FairQueue"]


class FairQueue:
    """Jobs by number, in one line for each session."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def put(self, session: str, job: int) -> None:
        """Puts a job at the end of its session's line. A session without a line comes after all others."""
        self._lines.setdefault(session, deque()).append(job)

    def put_back(self, session: str, job: int) -> None:
        """Puts a job that had its turn before all others, because it lost that turn through no fault of its own."""
        self._lines.setdefault(session, deque()).appendleft(job)
        self._lines.move_to_end(session, last=False)

    def take(self) -> int | None:
        """The next job, or None; its session then comes after all others."""
        if not self._lines:
            return None
        session, line = self._lines.popitem(last=False)
        job = line.popleft()
        if line:
            self._lines[session] = line
        return job

    def remove(self, session: str, job: int) -> None:
        """Takes a job out of its line."""
        line = self._lines[session]
        line.remove(job)
        if not line:
            del self._lines[session]

    def ahead(self, session: str, job: int) -> int:
        """How many jobs would be taken before this one if no more came."""
        place = self._lines[session].index(job)
        before, is_before = place, 1
        for other, line in self._lines.items():
            if other == session:
                is_before = 0
            else:
                before += min(len(line), place + is_before)
        return before
