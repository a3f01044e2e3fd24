"""How fast a painting goes, and hence how long the rest will take. Reads no clock."""

__all__ = ["Pace"]


class Pace:
    """How fast work is done; the first evaluation of a stage, which compiles, is left out."""

    def __init__(self) -> None:
        self._counted = 0
        self._counted_from = 0.0
        self._unit_s: float | None = None

    def begin(self) -> None:
        """A stage begins."""
        self._counted = -1

    def evaluated(self, now: float, work: float) -> None:
        """An evaluation, which was so much work, is done."""
        self._counted += 1
        if self._counted == 0:
            self._counted_from = now
        else:
            self._unit_s = (now - self._counted_from) / (self._counted * work)

    def remaining_s(self, work: float) -> float | None:
        """Seconds for so much work; None as long as nothing is known."""
        return None if self._unit_s is None else self._unit_s * work
