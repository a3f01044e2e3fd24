"""A systemd unit of the user's own. See systemd.unit(5), systemd.service(5) and systemd.syntax(7)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from impasto_installer.service.login_service import LoginService

__all__ = ["UserUnit"]

NAME = "impasto.service"


class UserUnit(LoginService):
    """See `LoginService`."""

    remedy = (
        "log in as yourself rather than with su or sudo, and try again, or, where there is no systemd, have your "
        "desktop run 'impasto daemon start' at login"
    )

    @property
    def file(self) -> Path:
        """See `LoginService`."""
        return self._machine.folder("XDG_CONFIG_HOME") / "systemd" / "user" / NAME

    def text(self) -> str:
        """See `LoginService`.

        A daemon that runs already (3) is no failure, and no refusal (2) is mended by a restart; one that ended itself
        because it took too much memory (4) is started again, as one that died.
        """
        _, *arguments = self._call
        words = " ".join(map(_argument, arguments))
        variables = "".join(
            f"Environment={_quoted(f'{name}={value}')}\n" for name, value in sorted(self._carried().items())
        )
        return f"""\
[Unit]
Description=Impasto, which paints for image editors
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
{self._program_as_written()} {words}
{variables}SuccessExitStatus=3
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

    def _commands_before_rewriting(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "stop", NAME),)

    def _commands_where_nothing_changed(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "reset-failed", NAME), ("systemctl", "--user", "start", NAME))

    def _commands_after_removing(self) -> Sequence[Sequence[str]]:
        return (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "reset-failed", NAME))

    def _files_of_the_system(self) -> Sequence[Path]:
        return (self.file.parent / "default.target.wants" / NAME,)

    def _folders_made(self) -> Sequence[Path]:
        return (self.file.parent / "default.target.wants", self.file.parent, self.file.parents[1])

    def _program_as_written(self) -> str:
        return f"ExecStart=/usr/bin/env {_argument(self._call[0])}"  # systemd takes no program with quotes in its path

    def _environment(self) -> Mapping[str, str]:
        """With the way to the user's systemd, which su, sudo and cron do not tell."""
        way = self._machine.root / "run" / "user" / str(os.getuid() if hasattr(os, "getuid") else 0)
        return {**({"XDG_RUNTIME_DIR": str(way)} if way.is_dir() else {}), **super()._environment()}


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("%", "%%")
    return f'"{escaped}"'


def _argument(word: str) -> str:
    return _quoted(word).replace("$", "$$")
