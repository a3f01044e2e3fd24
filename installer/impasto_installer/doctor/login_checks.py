"""Looking at what starts the daemon at login, where the user has had that set up."""

from impasto_installer.doctor.check import Check, good, warning
from impasto_installer.service.login_service import LoginService

__all__ = ["check_login"]

AGAIN = "Run 'impasto service install', with the options it had if it had any."


def check_login(service: LoginService, *, is_running: bool) -> list[Check]:
    """Whether the daemon is started at login, and by this Impasto; nothing where it shall not be.

    Args:
        service: What starts it.
        is_running: Whether a daemon runs now.
    """
    if not service.is_installed:
        return []
    if not service.starts_this_one:
        return [_wrong(f"{service.file} starts another Impasto at login than this one.")]
    if not service.is_known:
        return [_wrong(f"{service.file} is there, but the system does not start it at login.")]
    if not is_running:
        return [_wrong("The daemon is started at login, but does not run now.")]
    return [good("daemon at login", f"The daemon is started at login: {service.file}.")]


def _wrong(message: str) -> Check:
    return warning("daemon at login", message, AGAIN)
