"""The machine that is searched: its system, its folders, its environment.

A test gives one whose root is a recorded layout; nothing in this package asks `sys`, `os` or `Path.home` itself.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Machine", "System", "this_machine"]


class System(StrEnum):
    """Operating systems that GIMP 3 runs on, as `sys.platform` names them."""

    LINUX = "linux"
    WINDOWS = "win32"
    MACOS = "darwin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """See the module.

    Attributes:
        system: Its operating system.
        home: The user's folder.
        environment: The user's environment variables.
        root: What absolute places such as `/usr` are below.
    """

    system: System
    home: Path
    environment: Mapping[str, str]
    root: Path = Path("/")

    def places(self, template: str) -> Iterator[Path]:
        """The paths that exist for a template such as `{home}/snap/*/GIMP`, in the order of their names.

        `{home}` and the names of environment variables are filled in, a variable with its usual place where it is not
        set; what begins with a slash lies below the root.
        """
        if template.startswith("/"):
            folder, pattern = self.root, template.lstrip("/")
        else:
            variable, _, pattern = template.removeprefix("{").partition("}/")
            folder = self.folder(variable)
        yield from sorted(folder.glob(pattern))

    def folder(self, variable: str) -> Path:
        """The folder that an environment variable names, or its usual place; `home` is the user's."""
        if variable == "home":
            return self.home
        named = self.environment.get(variable)
        if named:
            return Path(named)
        usual = _USUAL[variable]
        return self.root / usual.lstrip("/") if usual.startswith("/") else self.home / usual


_USUAL: Mapping[str, str] = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
    "ProgramFiles": "/Program Files",
}


def this_machine() -> Machine:
    """The one we run on; a system that is not listed is treated as Linux, which it is most like."""
    system = System(sys.platform) if sys.platform in tuple(System) else System.LINUX
    return Machine(system=system, home=Path.home(), environment=dict(os.environ))
