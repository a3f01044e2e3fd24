"""A launchd agent of the user's own. See launchd.plist(5)."""

import os
import plistlib
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from impasto_installer.service.login_service import LoginService

__all__ = ["LaunchAgent"]

LABEL = "org.impasto.daemon"


class LaunchAgent(LoginService):
    """See `LoginService`. An agent that is loaded cannot be loaded again, and is let go of slowly."""

    remedy = "log in at the screen, and try again there"

    letting_go_s = 15.0

    @property
    def file(self) -> Path:
        """See `LoginService`."""
        return self._machine.home / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def text(self) -> str:
        """See `LoginService`."""
        variables = dict(self._carried())
        return plistlib.dumps(
            {
                "Label": LABEL,
                "ProgramArguments": list(self._call),
                **({"EnvironmentVariables": variables} if variables else {}),
                "RunAtLoad": True,
                "KeepAlive": {"Crashed": True},
                "ProcessType": "Interactive",
                "Umask": 0o077,
            }
        ).decode()

    def _command_that_knows(self) -> Sequence[str]:
        return ("launchctl", "print", f"{_domain()}/{LABEL}")

    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        return (("launchctl", "bootstrap", _domain(), str(self.file)),)

    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        return (("launchctl", "bootout", f"{_domain()}/{LABEL}"),)

    def _commands_before_rewriting(self) -> Sequence[Sequence[str]]:
        return self._commands_before_removing()

    def _commands_where_nothing_changed(self) -> Sequence[Sequence[str]]:
        return (("launchctl", "kickstart", f"{_domain()}/{LABEL}"),)

    def _program_as_written(self) -> str:
        return f"<string>{escape(self._call[0])}</string>"


def _domain() -> str:
    """The user's session on the screen, as launchd calls it."""
    return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"
