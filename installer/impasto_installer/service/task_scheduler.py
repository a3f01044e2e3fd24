"""A task of the Windows Task Scheduler, at the user's logon. See the Task Scheduler Schema, version 1.2."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from impasto_installer.service.login_service import LoginService

__all__ = ["ScheduledTask"]

PRIORITY = 5
"""Normal. It would be 7 by itself, below normal for processor, disk and memory, and somebody waits for the painting."""


class ScheduledTask(LoginService):
    """See `LoginService`."""

    encoding = "utf-16"
    """What `schtasks` reads."""

    remedy = "try again in a terminal of your own, or put 'impasto daemon start' into your Startup folder"

    @property
    def file(self) -> Path:
        """See `LoginService`."""
        return self._machine.folder("LOCALAPPDATA") / "impasto" / "login-task.xml"

    def text(self) -> str:
        """See `LoginService`. It has no window, no end, and runs on battery, too.

        Variables are not carried along, as a task has none of its own: it gets those of the user's account, which
        Windows keeps for all programs.
        """
        _, *arguments = self._call
        whose = f"<UserId>{escape(user)}</UserId>" if (user := self._user()) else ""
        return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Impasto, which paints for image editors</Description></RegistrationInfo>
  <Triggers><LogonTrigger>{whose}</LogonTrigger></Triggers>
  <Principals><Principal id="Author">{whose}<LogonType>InteractiveToken</LogonType></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>{PRIORITY}</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      {self._program_as_written()}
      <Arguments>{escape(subprocess.list2cmdline(arguments))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""

    def _command_that_knows(self) -> Sequence[str]:
        return ("schtasks", "/Query", "/TN", self._name)

    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        return (
            ("schtasks", "/Create", "/F", "/TN", self._name, "/XML", str(self.file)),
            ("schtasks", "/Run", "/TN", self._name),
        )

    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/End", "/TN", self._name), ("schtasks", "/Delete", "/F", "/TN", self._name))

    def _commands_before_rewriting(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/End", "/TN", self._name),)

    def _commands_where_nothing_changed(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/Run", "/TN", self._name),)

    def _folders_made(self) -> Sequence[Path]:
        return (self.file.parent,)

    def _program_as_written(self) -> str:
        python = Path(self._call[0])
        windowless = python.with_name("pythonw.exe") if python.name.lower() == "python.exe" else python
        return f"<Command>{escape(str(windowless))}</Command>"

    @property
    def _name(self) -> str:
        """Of the task; all users of a machine share one folder of tasks."""
        return "-".join(["Impasto", *filter(None, [self._machine.environment.get("USERNAME")])])

    def _user(self) -> str:
        """The account as the scheduler knows it; others than administrators may start tasks at their own logon only."""
        domain, name = (self._machine.environment.get(variable) for variable in ("USERDOMAIN", "USERNAME"))
        return f"{domain}\\{name}" if domain and name else name or ""
