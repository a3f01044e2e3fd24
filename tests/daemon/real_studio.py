"""The real engine on a machine that claims to have several devices: each studio computes on the processor."""

from impasto_daemon.worker.opening import open_engine
from impasto_daemon.worker.studio import Studio


def open_one_of(devices: int, device: int = 0) -> Studio:
    """The engine for one of so many devices."""
    studio = open_engine(device)
    studio.devices = devices
    return studio
