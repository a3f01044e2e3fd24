"""What a service that starts at login is: a file that says what to start, and commands that make the system read it."""

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from impasto_installer.editors.machine import Machine
from impasto_installer.editors.running import Run, Said
from impasto_installer.errors import ServiceError

__all__ = ["LoginService"]

TIMEOUT_S = 30.0
"""Seconds for a command of the system."""

POLL_S = 0.5
"""Seconds between attempts while the system lets go of what it ran before."""


class LoginService(ABC):
    """The daemon as such a service.

    Args:
        machine: Where.
        run: How programs are run.
        call: The daemon, in the foreground.
        wait: Waits for so many seconds.
    """

    encoding = "utf-8"

    letting_go_s = 0.0
    """Seconds that the system may take to let go of a service that it was told to forget."""

    def __init__(
        self, machine: Machine, run: Run, call: Sequence[str], wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._machine = machine
        self._run = run
        self._call = tuple(call)
        self._wait = wait

    @property
    @abstractmethod
    def file(self) -> Path:
        """The file that says what to start."""

    @abstractmethod
    def text(self) -> str:
        """What it says."""

    @abstractmethod
    def _command_that_knows(self) -> Sequence[str]:
        """A command that succeeds if the system starts the daemon at login."""

    @abstractmethod
    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system starts it, now and at login."""

    @abstractmethod
    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system stops it, and starts it no more."""

    def _commands_before_rewriting(self) -> Sequence[Sequence[str]]:
        """Commands by which the system lets go of it, where it would refuse to be told twice."""
        return ()

    def _commands_where_nothing_changed(self) -> Sequence[Sequence[str]]:
        """Commands by which it is started now, and which fail where it runs already."""
        return ()

    def _commands_after_removing(self) -> Sequence[Sequence[str]]:
        """Commands by which the system notices that the file is gone."""
        return ()

    @property
    def is_installed(self) -> bool:
        """Whether the file is there."""
        return self.file.exists()

    def install(self) -> None:
        """Writes the file and starts the daemon, now and at every login. Doing it again changes nothing.

        Raises:
            ServiceError: The system refuses; then the file is as it was, and so is what the system knows.
        """
        before, content, was_known = None, self.text().encode(self.encoding), self._is_known()
        try:
            before = self.file.read_bytes() if self.is_installed else None
            again = self._commands_where_nothing_changed()
            if was_known and before == content and again:
                self._attempt(again)
                return
            if was_known:
                self._attempt(self._commands_before_rewriting())
            self._write(content)
            for command in self._commands_after_writing():
                self._do(command, patience_s=self.letting_go_s if was_known else 0.0)
        except (ServiceError, OSError) as error:
            self._put_back(before, was_known=was_known)
            if isinstance(error, ServiceError):
                now = (
                    "the daemon is started at login as it was before"
                    if was_known
                    else "the daemon is not started at login, but the plug-in still starts it when it is needed"
                )
                raise ServiceError(f"{error}; {now}.") from error
            raise ServiceError(
                f"Cannot write {str(self.file)!r}: {error.strerror}; make its folder writable."
            ) from error

    def remove(self) -> bool:
        """Stops the daemon, and forgets about it; whether there was anything to do.

        Raises:
            ServiceError: The system does not let go of it, or the file cannot be deleted.
        """
        if not self.is_installed and not self._is_known():
            return False
        refusal = self._attempt(self._commands_before_removing())  # it may not be running
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise ServiceError(f"Cannot delete {str(self.file)!r}: {error.strerror}; delete it by hand.") from error
        self._attempt(self._commands_after_removing())
        if refusal is not None and not self._is_forgotten():
            raise ServiceError(f"The system still starts the daemon at login: {refusal}.")
        return True

    def _write(self, content: bytes) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
        try:
            beside.write_bytes(content)
            beside.replace(self.file)
        finally:
            beside.unlink(missing_ok=True)

    def _put_back(self, before: bytes | None, *, was_known: bool) -> None:
        """Takes back what was done, as far as the system lets us."""
        self._attempt(self._commands_before_rewriting() if was_known else self._commands_before_removing())
        if before is None:
            if self.is_installed:
                self.file.unlink()
        elif self.file.read_bytes() != before:
            self._write(before)
        if was_known and before is not None:
            with suppress(ServiceError):
                for command in self._commands_after_writing():
                    self._do(command, patience_s=self.letting_go_s)
        else:
            self._attempt(self._commands_after_removing())

    def _is_known(self) -> bool:
        return self._called(self._command_that_knows()).code == 0

    def _is_forgotten(self) -> bool:
        patience_s = self.letting_go_s
        while self._is_known():
            if patience_s <= 0.0:
                return False
            self._wait(POLL_S)
            patience_s -= POLL_S
        return True

    def _attempt(self, commands: Sequence[Sequence[str]]) -> str | None:
        """Gives commands that may fail; what the last said that did."""
        refusal = None
        for command in commands:
            said = self._called(command)
            refusal = _reason(command, said) if said.code != 0 else refusal
        return refusal

    def _do(self, command: Sequence[str], *, patience_s: float) -> None:
        """Gives a command that must not fail, again and again while that may help."""
        while (said := self._called(command)).code != 0:
            if patience_s <= 0.0:
                raise ServiceError(_reason(command, said))
            self._wait(POLL_S)
            patience_s -= POLL_S

    def _called(self, command: Sequence[str]) -> Said:
        return self._run(command, self._machine.environment, timeout_s=TIMEOUT_S)


def _reason(command: Sequence[str], said: Said) -> str:
    lines = (said.errors or said.out).strip().splitlines()
    why = lines[-1].rstrip(".") if lines else f"exit code {said.code}"
    return f"'{' '.join(command[:3])}' failed ({why})"
