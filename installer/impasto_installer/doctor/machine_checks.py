"""Looking at what everything else stands on: our own Python, disk and memory."""

import os
import shutil
import sys
from pathlib import Path

from impasto_installer.doctor.check import Check, good, warning

__all__ = ["available_bytes", "check_disk", "check_memory", "check_python"]

SPARE_DISK_BYTES = 2 * 1024**3
"""What the daemon may keep of results (1 GiB), the same of pictures on their way, and weights."""

SPARE_MEMORY_BYTES = 2 * 1024**3
"""What a painting of 1024 × 1024 pixels takes with VGG16, with TensorFlow."""


def check_python(version: str) -> Check:
    """Which Impasto this is, and in which Python."""
    number = ".".join(map(str, sys.version_info[:3]))
    return good("Impasto", f"This is Impasto {version}, in Python {number} at {sys.executable}.")


def check_disk(folder: Path, free_bytes: int | None = None) -> Check:
    """Whether there is room where the daemon keeps what it keeps.

    Args:
        folder: Where that is, or will be.
        free_bytes: How much is free; None to ask the system.
    """
    existing = next(each for each in (folder, *folder.parents) if each.is_dir())
    free = shutil.disk_usage(existing).free if free_bytes is None else free_bytes
    message = f"{free / 1024**3:.1f} GiB are free in {existing}."
    if free < SPARE_DISK_BYTES:
        return warning("disk", message, f"Free some: the daemon may need {SPARE_DISK_BYTES / 1024**3:.0f} GiB.")
    return good("disk", message)


def check_memory(available_bytes: int | None) -> Check:
    """Whether there is memory to paint.

    Args:
        available_bytes: What programs could still take; None where that is not known.
    """
    if available_bytes is None:
        return good("memory", "How much memory is free cannot be told here.")
    message = f"{available_bytes / 1024**3:.1f} GiB of memory are available."
    if available_bytes < SPARE_MEMORY_BYTES:
        return warning("memory", message, "Close other programs, or paint in a smaller size.")
    return good("memory", message)


def available_bytes() -> int | None:
    """Memory that programs could still take, in bytes; None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None
