"""The keeper of one painting's checkpoint: when one is due, and that painting does not suffer from it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from impasto_daemon.server.limits import CHECKPOINT_S, CHECKPOINT_SHARE

__all__ = ["Cadence", "Keep", "Keeper"]

Keep: TypeAlias = Callable[[Path], None]
"""Writes down where a painting stands, into that file or not at all."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often.

    Attributes:
        interval_s: Seconds between checkpoints, at the least.
        share: Of the time, at the most, that goes into them; those that must be come beside it.
    """

    interval_s: float = CHECKPOINT_S
    share: float = CHECKPOINT_SHARE


class Keeper:
    """See the module.

    Args:
        path: The checkpoint's file.
        cadence: How often.
        clock: Gives seconds.
    """

    def __init__(self, path: Path, cadence: Cadence, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._cadence = cadence
        self._clock = clock
        self._due_at = clock() + cadence.interval_s
        self._has_failed = False

    @property
    def is_due(self) -> bool:
        """Whether it is time for one."""
        return self._clock() >= self._due_at

    def keep(self, keep: Keep) -> None:
        """Writes one. A disk that does not take it costs the checkpoint, and not the painting."""
        began = self._clock()
        try:
            keep(self._path)
        except Exception as error:
            if not self._has_failed:
                _log.warning("A checkpoint cannot be kept, and painting goes on without: %s", error)
            self._has_failed = True
        else:
            self._has_failed = False
        now = self._clock()
        self._due_at = now + max(self._cadence.interval_s, (now - began) / self._cadence.share)
