"""A systemd unit of the user's own. See systemd.unit(5), systemd.service(5) and systemd.syntax(7)."""

from collections.abc import Sequence
from pathlib import Path

from impasto_installer.service.login_service import LoginService

__all__ = ["UserUnit"]

NAME = "impasto.service"


class UserUnit(LoginService):
    """See `LoginService`."""

    @property
    def file(self) -> Path:
        """See `LoginService`."""
        return self._machine.folder("XDG_CONFIG_HOME") / "systemd" / "user" / NAME

    def text(self) -> str:
        """See `LoginService`. A daemon that runs already is no failure that a restart would mend."""
        program, *arguments = self._call  # systemd looks for variables in arguments only
        return f"""\
[Unit]
Description=Impasto, which paints for image editors
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
ExecStart={_quoted(program)} {" ".join(_quoted(word).replace("$", "$$") for word in arguments)}
Restart=on-failure
RestartPreventExitStatus=2
RestartSec=2
UMask=0077

[Install]
WantedBy=default.target
"""

    def _command_that_knows(self) -> Sequence[str]:
        return ("systemctl", "--user", "is-enabled", "--quiet", NAME)

    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "enable", "--now", NAME))

    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "disable", "--now", NAME),)

    def _commands_after_removing(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "daemon-reload"),)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
