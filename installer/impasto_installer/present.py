"""Where the plug-in is on this machine: in the places where GIMP looks for it, and in others by mistake."""

from collections.abc import Iterator
from pathlib import Path

from impasto_installer.editors.finding import lonely_folders
from impasto_installer.editors.machine import Machine, System
from impasto_installer.errors import PluginFolderError
from impasto_installer.manifest import MANIFEST_FILE, read_manifest
from impasto_installer.plugin_folder import MAIN_FILE, PLUGIN_NAME
from impasto_installer.records import Records

__all__ = ["misplaced", "present_folders"]

_GIMP_FOLDERS = {
    System.LINUX: (
        "{XDG_CONFIG_HOME}/GIMP/*",
        "{home}/.var/app/org.gimp.GIMP/config/GIMP/*",
        "{home}/snap/gimp/*/.config/GIMP/*",
    ),
    System.WINDOWS: ("{APPDATA}/GIMP/*",),
    System.MACOS: ("{home}/Library/Application Support/GIMP/*",),
}
"""Every user's folder of every GIMP, 2 included, into which a plug-in may have been put by mistake."""


def present_folders(machine: Machine, records: Records) -> tuple[Path, ...]:
    """The plug-in folders that Impasto has written: those remembered, and those found."""
    usual = (folder / "plug-ins" / PLUGIN_NAME for folder in lonely_folders(machine, set()))
    folders = dict.fromkeys(folder.resolve() for folder in (*records.folders(), *usual))
    return tuple(folder for folder in folders if _is_ours(folder))


def misplaced(machine: Machine, right: Path, hidden: Path | None = None) -> Iterator[Path]:
    """Main files of the plug-in where no GIMP runs them, around a folder in which one would.

    Args:
        machine: The machine.
        right: The plug-in folder of a GIMP.
        hidden: A user's folder that this GIMP does not see.
    """
    plugins = right.parent
    names = [f"{PLUGIN_NAME}*/{MAIN_FILE}", f"{PLUGIN_NAME}*/{PLUGIN_NAME}*/{MAIN_FILE}", MAIN_FILE]
    found = [file for name in names for file in sorted(plugins.glob(name))]
    found += sorted(plugins.parent.glob(f"{PLUGIN_NAME}*/{MAIN_FILE}"))
    found += sorted(hidden.glob(f"plug-ins/**/{MAIN_FILE}")) if hidden is not None else []
    for template in _GIMP_FOLDERS[machine.system]:
        for folder in machine.places(template):
            if folder.name.startswith("2."):
                found += sorted(folder.glob(f"plug-ins/**/{MAIN_FILE}"))
    for file in dict.fromkeys(found):
        if file.parent != right:
            yield file


def _is_ours(folder: Path) -> bool:
    try:
        return read_manifest(folder) is not None
    except PluginFolderError:
        return (folder / MANIFEST_FILE).exists()
