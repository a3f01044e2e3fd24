"""The daemon started at login, by whatever does that on this system."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from impasto_installer.editors.machine import Machine, System
from impasto_installer.editors.running import Run
from impasto_installer.service.launchd import LaunchAgent
from impasto_installer.service.login_service import LoginService
from impasto_installer.service.systemd import UserUnit
from impasto_installer.service.task_scheduler import ScheduledTask

__all__ = ["LoginService", "service_of"]


def service_of(
    machine: Machine,
    run: Run,
    python: Path | None = None,
    wait: Callable[[float], None] = time.sleep,
    *,
    arguments: Sequence[str] = (),
) -> LoginService:
    """What starts programs at login on a machine.

    Args:
        machine: Which machine.
        run: How programs are run.
        python: The Python that runs the daemon; None for this one.
        wait: Waits for so many seconds.
        arguments: For `impasto daemon run`.
    """
    call = (str(python or Path(sys.executable).absolute()), "-m", "impasto_daemon", "daemon", "run", *arguments)
    kinds: dict[System, type[LoginService]] = {
        System.LINUX: UserUnit,
        System.MACOS: LaunchAgent,
        System.WINDOWS: ScheduledTask,
    }
    return kinds[machine.system](machine, run, call, wait)
