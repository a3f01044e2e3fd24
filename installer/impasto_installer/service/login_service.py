"""What a service that starts at login is: a file that says what to start, and commands that make the system read it."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from impasto_installer.editors.machine import Machine
from impasto_installer.editors.running import Run
from impasto_installer.errors import ServiceError

__all__ = ["LoginService"]

TIMEOUT_S = 30.0
"""Seconds for a command of the system."""


class LoginService(ABC):
    """The daemon as such a service.

    Args:
        machine: Where.
        run: How programs are run.
        call: The daemon, in the foreground.
    """

    def __init__(self, machine: Machine, run: Run, call: Sequence[str]) -> None:
        self._machine = machine
        self._run = run
        self._call = tuple(call)

    @property
    @abstractmethod
    def file(self) -> Path:
        """The file that says what to start."""

    @abstractmethod
    def text(self) -> str:
        """What it says."""

    @abstractmethod
    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system starts it, now and at login."""

    @abstractmethod
    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system stops it, and starts it no more."""

    def _commands_after_removing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system notices that the file is gone."""
        return ()

    @property
    def is_installed(self) -> bool:
        """Whether the file is there."""
        return self.file.exists()

    def install(self) -> None:
        """Writes the file and starts the daemon, now and at every login.

        Raises:
            ServiceError: The system refuses; then the file is as it was.
        """
        before = self.file.read_bytes() if self.is_installed else None
        try:
            self._write(self.text().encode(self.encoding))
            for command in self._commands_after_writing():
                self._do(command)
        except (ServiceError, OSError) as error:
            self._put_back(before)
            if isinstance(error, ServiceError):
                raise
            raise ServiceError(
                f"Cannot write {str(self.file)!r}: {error.strerror}; make its folder writable."
            ) from error

    def remove(self) -> bool:
        """Stops the daemon, and forgets about it; whether there was anything to do.

        Raises:
            ServiceError: The file cannot be deleted.
        """
        if not self.is_installed:
            return False
        for command in self._commands_before_removing():
            self._run(command, self._machine.environment, timeout_s=TIMEOUT_S)  # it may not be running
        try:
            self.file.unlink()
        except OSError as error:
            raise ServiceError(f"Cannot delete {str(self.file)!r}: {error.strerror}; delete it by hand.") from error
        for command in self._commands_after_removing():
            self._run(command, self._machine.environment, timeout_s=TIMEOUT_S)
        return True

    encoding = "utf-8"

    def _write(self, content: bytes) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.file.parent, delete=False) as beside:
            beside.write(content)
        os.replace(beside.name, self.file)  # noqa: PTH105

    def _put_back(self, before: bytes | None) -> None:
        if before is not None:
            self._write(before)
        elif self.is_installed:
            self.file.unlink()

    def _do(self, command: Sequence[str]) -> None:
        said = self._run(command, self._machine.environment, timeout_s=TIMEOUT_S)
        if said.code != 0:
            reason = (said.errors or said.out).strip().splitlines()
            why = reason[-1].rstrip(".") if reason else f"exit code {said.code}"
            raise ServiceError(
                f"'{' '.join(command[:3])}' failed ({why}); the daemon is not started at login, but the plug-in still "
                "starts it when it is needed."
            )
