"""How GIMP comes onto machines, as a table: where each kind lies, keeps its users' folders, and how it is called.

The last column decides how the plug-in reaches the daemon: where GIMP's Python loads PyPI's binaries, pyzmq and msgpack
are put beside the plug-in; where it does not, a bridge in Impasto's own Python stands in for them.
"""

from dataclasses import dataclass

from impasto_installer.editors.machine import System

__all__ = ["PACKAGINGS", "Packaging"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """One way in which GIMP is packaged. Templates are those of `Machine.places`.

    Attributes:
        name: What to call it.
        system: Where it occurs.
        programs: Where its program is; the first that exists in a folder is taken.
        on_path: Whether the program is looked for in `PATH`, too.
        call: What is called instead of the program, whose name is put in for `{program}`; empty where that is called
            itself.
        doors: Where what its users start it with is, if that is something else.
        user_folders: Where its users' folders are, each named after its version: `GIMP/3.0`.
        loads_wheels: Whether its Python loads binaries from PyPI.
        python_stays: Whether its Python is at the same place at every start, and another could come before it.
    """

    name: str
    system: System
    programs: tuple[str, ...]
    on_path: bool = False
    call: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()
    user_folders: tuple[str, ...]
    loads_wheels: bool
    python_stays: bool = False

    @property
    def is_sandbox(self) -> bool:
        """Whether it starts no programs outside of it, and may see folders under other names than we do."""
        return bool(self.call)


_LINUX_FOLDER = "{XDG_CONFIG_HOME}/GIMP/3.*"

PACKAGINGS = (
    Packaging(
        name="the distribution's",
        system=System.LINUX,
        programs=("/usr/local/bin/gimp-console-3*", "/usr/bin/gimp-console-3*", "/usr/bin/gimp-3*"),
        on_path=True,
        user_folders=(_LINUX_FOLDER,),
        loads_wheels=True,
        python_stays=True,
    ),
    Packaging(
        name="Flatpak",
        system=System.LINUX,
        programs=(
            "/var/lib/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-console-3*",
            "{XDG_DATA_HOME}/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-console-3*",
        ),
        call=("flatpak", "run", "--command={program}", "org.gimp.GIMP"),
        doors=("/var/lib/flatpak/exports/bin/org.gimp.GIMP", "{XDG_DATA_HOME}/flatpak/exports/bin/org.gimp.GIMP"),
        user_folders=("{home}/.var/app/org.gimp.GIMP/config/GIMP/3.*", _LINUX_FOLDER),
        loads_wheels=True,
    ),
    Packaging(
        name="Snap",
        system=System.LINUX,
        programs=("/snap/gimp/current/usr/bin/gimp-console-3*", "/snap/gimp/current/usr/bin/gimp-3*"),
        call=("snap", "run", "gimp"),
        doors=("/snap/bin/gimp",),
        user_folders=("{home}/snap/gimp/current/.config/GIMP/3.*", "{home}/snap/gimp/common/.config/GIMP/3.*"),
        loads_wheels=True,
    ),
    Packaging(
        name="AppImage",
        system=System.LINUX,
        programs=(
            "{home}/Applications/GIMP[-_ ]3*.AppImage",
            "{home}/.local/bin/GIMP[-_ ]3*.AppImage",
            "{home}/bin/GIMP[-_ ]3*.AppImage",
            "{home}/Downloads/GIMP[-_ ]3*.AppImage",
            "/opt/GIMP[-_ ]3*.AppImage",
        ),
        user_folders=(_LINUX_FOLDER,),
        loads_wheels=True,
    ),
    Packaging(
        name="for Windows",
        system=System.WINDOWS,
        programs=(
            "{ProgramFiles}/GIMP 3*/bin/gimp-console-3*.exe",
            "{LOCALAPPDATA}/Programs/GIMP 3*/bin/gimp-console-3*.exe",
            "{LOCALAPPDATA}/Microsoft/WindowsApps/gimp-console-3*.exe",
        ),
        user_folders=("{APPDATA}/GIMP/3.*",),
        loads_wheels=False,
    ),
    Packaging(
        name="for macOS",
        system=System.MACOS,
        programs=(
            "/Applications/GIMP*.app/Contents/MacOS/gimp-console",
            "/Applications/GIMP*.app/Contents/MacOS/gimp",
            "{home}/Applications/GIMP*.app/Contents/MacOS/gimp-console",
            "{home}/Applications/GIMP*.app/Contents/MacOS/gimp",
        ),
        user_folders=("{home}/Library/Application Support/GIMP/3.*",),
        loads_wheels=False,
    ),
)
"""Every kind, in the order in which they are shown. GIMP 2 has no Python 3, and is out of scope."""
