"""How long a painting may be silent before its process counts as hung, or as disobedient. Reads no clock."""

from impasto_daemon.server.limits import HANG_FACTOR, LOAD_S

__all__ = ["Patience"]


class Patience:
    """With one painting.

    Args:
        hang_s: Seconds of silence, at the least, after which it counts as hung.
        now: When it was assigned.
    """

    def __init__(self, *, hang_s: float, now: float) -> None:
        self._hang_s = hang_s
        self._heard_at = now
        self._longest_silence_s = 0.0
        self._has_begun = False
        self._stop_by: float | None = None
        self.is_paused = False

    def heard(self, now: float) -> None:
        """The process gave a sign."""
        if self._has_begun:
            self._longest_silence_s = max(self._longest_silence_s, now - self._heard_at)
        self._heard_at = now

    def began(self) -> None:
        """Loading is over, and evaluations follow."""
        self._has_begun = True

    def slept(self, now: float) -> None:
        """This process itself was stopped, so that silence until now means nothing."""
        self._heard_at = now

    def stop_by(self, then: float | None) -> None:
        """It was told to stop, and shall have done so by then; None if it may take its time."""
        self._stop_by = then

    def complaint(self, now: float) -> str | None:
        """Why it cannot be waited for any longer; None if it can."""
        if self._stop_by is not None and now > self._stop_by:
            return "has not stopped when it was told to"
        longest_s = max(self._hang_s, HANG_FACTOR * self._longest_silence_s) if self._has_begun else LOAD_S
        if not self.is_paused and now - self._heard_at > longest_s:
            return f"has been silent for {longest_s:g} s"
        return None
