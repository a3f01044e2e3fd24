"""A task of the Windows Task Scheduler, at the user's logon. See the Task Scheduler Schema, version 1.2."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from impasto_installer.service.login_service import LoginService

__all__ = ["ScheduledTask"]

NAME = "Impasto"


class ScheduledTask(LoginService):
    """See `LoginService`."""

    encoding = "utf-16"
    """What `schtasks` reads."""

    @property
    def file(self) -> Path:
        """See `LoginService`."""
        return self._machine.folder("LOCALAPPDATA") / "impasto" / "login-task.xml"

    def text(self) -> str:
        """See `LoginService`. It has no window, no end, and runs on battery, too."""
        python, *arguments = self._call
        windowless = str(Path(python).with_name("pythonw.exe")) if Path(python).name.lower() == "python.exe" else python
        user = escape(self._machine.environment.get("USERNAME", ""))
        return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Impasto, which paints for image editors</Description></RegistrationInfo>
  <Triggers><LogonTrigger><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Principals><Principal id="Author"><LogonType>InteractiveToken</LogonType></Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(windowless)}</Command>
      <Arguments>{escape(subprocess.list2cmdline(arguments))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""

    def _command_that_knows(self) -> Sequence[str]:
        return ("schtasks", "/Query", "/TN", NAME)

    def _commands_after_writing(self) -> Sequence[Sequence[str]]:
        return (
            ("schtasks", "/Create", "/F", "/TN", NAME, "/XML", str(self.file)),
            ("schtasks", "/Run", "/TN", NAME),
        )

    def _commands_before_removing(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/End", "/TN", NAME), ("schtasks", "/Delete", "/F", "/TN", NAME))

    def _commands_before_rewriting(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/End", "/TN", NAME),)

    def _commands_where_nothing_changed(self) -> Sequence[Sequence[str]]:
        return (("schtasks", "/Run", "/TN", NAME),)
