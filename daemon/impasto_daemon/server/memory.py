"""How much memory a process has."""

import psutil

__all__ = ["resident_bytes"]


def resident_bytes(pid: int | None = None) -> int:
    """Bytes of a process's memory that are not swapped out; 0 where there is none, or the system does not tell.

    Args:
        pid: Of the process; None for this one.
    """
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
