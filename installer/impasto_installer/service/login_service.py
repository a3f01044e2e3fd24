"""What a service that starts at login is: a file that says what to start, and commands that make the system read it."""

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from impasto_installer.editors.machine import Machine
from impasto_installer.editors.running import Run, Said
from impasto_installer.errors import ServiceError

__all__ = ["LoginService"]

TIMEOUT_S = 30.0
"""Seconds for a command of the system."""

CARRIED = ("IMPASTO_CONNECTION", "IMPASTO_WEIGHTS_DIR", "KERAS_BACKEND", "KERAS_HOME", "XDG_STATE_HOME")
"""Variables that the daemon at login gets as they are where it is installed. What starts programs at login has not read
the files of the user's shell, and a daemon without them would serve at another place."""

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

    remedy: str
    """What the user can do where the system refuses."""

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
        """Commands by which the system starts it, now and at login; the last starts it now."""

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

    def _files_of_the_system(self) -> Sequence[Path]:
        """What the system keeps of it as files, and leaves behind where it cannot be asked to forget."""
        return ()

    def _folders_made(self) -> Sequence[Path]:
        """Folders that nobody else needs when they are empty, the innermost first."""
        return ()

    @abstractmethod
    def _program_as_written(self) -> str:
        """What the file says of the program that is started."""

    @property
    def is_installed(self) -> bool:
        """Whether the file is there."""
        return self.file.exists()

    @property
    def is_known(self) -> bool:
        """Whether the system starts it at login."""
        return self._called(self._command_that_knows()).code == 0

    @property
    def starts_this_one(self) -> bool:
        """Whether the file that is there starts the Python that runs this, whatever it starts it with."""
        try:
            return self._program_as_written() in self.file.read_bytes().decode(self.encoding)
        except (OSError, UnicodeDecodeError):
            return False

    def install(self, *, make_way: Callable[[], None] = lambda: None, prove: Callable[[], None] = lambda: None) -> None:
        """Writes the file and starts the daemon, now and at every login. Doing it again changes nothing.

        Args:
            make_way: Ends the daemon that runs now; called only where another one is to take its place.
            prove: Raises a ServiceError unless the daemon answers.

        Raises:
            ServiceError: The system refuses; then the file is as it was, and so is what the system knows.
        """
        before, content, was_known = None, self.text().encode(self.encoding), self.is_known
        try:
            before = self.file.read_bytes() if self.is_installed else None
            if was_known and before == content:
                self._attempt(self._commands_where_nothing_changed())
                prove()
                return
            if was_known:
                self._attempt(self._commands_before_rewriting())
            self._write(content)
            self._tell(make_way, patience_s=self.letting_go_s if was_known else 0.0)
            prove()
        except (ServiceError, OSError) as error:
            if was_known and before == content:
                raise
            self._put_back(before, was_known=was_known)
            if isinstance(error, ServiceError):
                now = "started at login as it was before" if was_known else f"not started at login; {self.remedy}"
                raise ServiceError(f"{error}, so the daemon is {now}.") from error
            raise ServiceError(
                f"Cannot write {str(self.file)!r}: {error.strerror}; make its folder writable."
            ) from error

    def remove(self) -> bool:
        """Stops the daemon, and forgets about it; whether there was anything to do.

        Raises:
            ServiceError: The system does not let go of it, or the file cannot be deleted.
        """
        if not self.is_installed and not self.is_known:
            return False
        refusal = self._attempt(self._commands_before_removing())  # it may not be running
        self._delete()
        self._attempt(self._commands_after_removing())
        if refusal is not None and not self._is_forgotten():
            raise ServiceError(f"The system still starts the daemon at login: {refusal}.")
        return True

    def _tell(self, make_way: Callable[[], None], *, patience_s: float) -> None:
        """Tells the system of what is written; what runs makes way for what the last command starts."""
        *first, last = self._commands_after_writing()
        for command in first:
            self._do(command, patience_s=patience_s)
        make_way()
        self._do(last, patience_s=patience_s)

    def _write(self, content: bytes) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
        try:
            beside.write_bytes(content)
            beside.replace(self.file)
        finally:
            beside.unlink(missing_ok=True)

    def _delete(self) -> None:
        for file in (*self._files_of_the_system(), self.file):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise ServiceError(f"Cannot delete {str(file)!r}: {error.strerror}; delete it by hand.") from error
        for folder in self._folders_made():
            with suppress(OSError):  # somebody else has something in it
                folder.rmdir()

    def _put_back(self, before: bytes | None, *, was_known: bool) -> None:
        """Takes back what was done, as far as the system lets us."""
        self._attempt(self._commands_before_rewriting() if was_known else self._commands_before_removing())
        if before is None:
            with suppress(ServiceError):
                self._delete()
        elif self.file.read_bytes() != before:
            self._write(before)
        if was_known and before is not None:
            with suppress(ServiceError):
                self._tell(lambda: None, patience_s=self.letting_go_s)
        else:
            self._attempt(self._commands_after_removing())

    def _is_forgotten(self) -> bool:
        patience_s = self.letting_go_s
        while self.is_known:
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
        return self._run(command, self._environment(), timeout_s=TIMEOUT_S)

    def _environment(self) -> Mapping[str, str]:
        """The environment of the commands of the system."""
        return self._machine.environment

    def _carried(self) -> Mapping[str, str]:
        """What the daemon's environment has to have; see `CARRIED`. Places are told from wherever we are."""
        return {
            name: value if name == "KERAS_BACKEND" else str(Path(value).absolute())
            for name in CARRIED
            if (value := self._machine.environment.get(name))
        }


def _reason(command: Sequence[str], said: Said) -> str:
    lines = (said.errors or said.out).strip().splitlines()
    why = lines[-1].rstrip(".") if lines else f"exit code {said.code}"
    return f"'{' '.join(command[:3])}' failed ({why})"
