"""Finding GIMPs in folder layouts as they were seen on machines, and recorded here as lists of files."""

from pathlib import Path

import pytest

from impasto_installer.editors.finding import find_editors, given_editor, lonely_folders
from impasto_installer.editors.machine import Machine, System
from installer.fake_gimp import written

DEBIAN = """
usr/bin/gimp-3.0
usr/bin/gimp-console-3.0
usr/bin/gimp-script-fu-interpreter-3.0
usr/bin/gimp-test-clipboard-3.0
home/ada/.config/GIMP/3.0/gimprc
home/ada/.config/GIMP/2.10/gimprc
"""
DEBIAN_LINKS = {
    "usr/bin/gimp": "gimp-3.0",
    "usr/bin/gimp-3": "gimp-3.0",
    "usr/bin/gimp-console": "gimp-console-3.0",
    "usr/bin/gimp-console-3": "gimp-console-3.0",
}

FLATPAK_AND_SNAP = """
var/lib/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-3.0
var/lib/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-console-3.0
home/ada/.local/share/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-console-3.2
var/lib/flatpak/exports/bin/org.gimp.GIMP
home/ada/.var/app/org.gimp.GIMP/config/GIMP/3.0/gimprc
snap/gimp/current/usr/bin/gimp-3.0
snap/gimp/current/usr/bin/gimp-console-3.0
snap/bin/gimp
home/ada/snap/gimp/current/.config/GIMP/3.0/gimprc
"""

APPIMAGES = """
home/ada/Applications/GIMP-3.0.4-x86_64.AppImage
home/ada/Downloads/GIMP-3.2.0-x86_64.AppImage
home/ada/Downloads/GIMP-2.10.38-x86_64.AppImage
home/ada/Downloads/GIMP-3-handbook.pdf
home/ada/.config/GIMP/3.0/gimprc
home/ada/.config/GIMP/3.2/gimprc
home/ada/.config/GIMP/3.x backup/gimprc
"""

WINDOWS = """
Program Files/GIMP 3/bin/gimp-3.0.exe
Program Files/GIMP 3/bin/gimp-console-3.0.exe
Program Files/GIMP 2/bin/gimp-console-2.10.exe
Users/ada/AppData/Local/Programs/GIMP 3.2/bin/gimp-console-3.2.exe
Users/ada/AppData/Local/Microsoft/WindowsApps/gimp-3.0.exe
Users/ada/AppData/Roaming/GIMP/3.0/gimprc
Users/ada/AppData/Roaming/GIMP/2.10/gimprc
"""

MACOS = """
Applications/GIMP.app/Contents/MacOS/gimp
Applications/GIMP.app/Contents/MacOS/gimp-console
Users/ada/Applications/GIMP-3.2.app/Contents/MacOS/gimp
Users/ada/Library/Application Support/GIMP/3.0/gimprc
"""


def machine(root: Path, system: System, files: str, links: dict[str, str] | None = None) -> Machine:
    for file in files.split("\n"):
        if file:
            written(root / file)
    for link, target in (links or {}).items():
        (root / link).symlink_to(target)
    if system is System.LINUX:
        path = [root / "usr" / "local" / "bin", root / "usr" / "bin", root / "snap" / "bin"]
        return Machine(
            system=system, home=root / "home" / "ada", environment={"PATH": ":".join(map(str, path))}, root=root
        )
    return Machine(system=system, home=root / "Users" / "ada", environment={}, root=root)


LAYOUTS = {
    "Debian": (
        System.LINUX,
        DEBIAN,
        DEBIAN_LINKS,
        {"the distribution's": ["usr/bin/gimp-console-3"]},
        [".config/GIMP/3.0"],
    ),
    "Flatpak and Snap": (
        System.LINUX,
        FLATPAK_AND_SNAP,
        {},
        {
            "Flatpak": ["var/lib/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-console-3.0"],
            "Snap": ["snap/gimp/current/usr/bin/gimp-console-3.0"],
        },
        [".var/app/org.gimp.GIMP/config/GIMP/3.0", "snap/gimp/current/.config/GIMP/3.0"],
    ),
    "AppImages": (
        System.LINUX,
        APPIMAGES,
        {},
        {
            "AppImage": [
                "home/ada/Applications/GIMP-3.0.4-x86_64.AppImage",
                "home/ada/Downloads/GIMP-3.2.0-x86_64.AppImage",
            ]
        },
        [".config/GIMP/3.0", ".config/GIMP/3.2"],
    ),
    "Windows": (
        System.WINDOWS,
        WINDOWS,
        {},
        {
            "for Windows": [
                "Program Files/GIMP 3/bin/gimp-console-3.0.exe",
                "Users/ada/AppData/Local/Programs/GIMP 3.2/bin/gimp-console-3.2.exe",
            ]
        },
        ["AppData/Roaming/GIMP/3.0"],
    ),
    "macOS": (
        System.MACOS,
        MACOS,
        {},
        {
            "for macOS": [
                "Applications/GIMP.app/Contents/MacOS/gimp-console",
                "Users/ada/Applications/GIMP-3.2.app/Contents/MacOS/gimp",
            ]
        },
        ["Library/Application Support/GIMP/3.0"],
    ),
}


@pytest.mark.parametrize(("system", "files", "links", "programs", "folders"), LAYOUTS.values(), ids=LAYOUTS)
def test_every_gimp_3_is_found_once_and_every_folder_of_one(
    system: System,
    files: str,
    links: dict[str, str],
    programs: dict[str, list[str]],
    folders: list[str],
    tmp_path: Path,
) -> None:
    here = machine(tmp_path, system, files, links)
    found: dict[str, list[str]] = {}
    for editor in find_editors(here):
        found.setdefault(editor.packaging.name, []).append(editor.program.relative_to(tmp_path).as_posix())
    assert found == programs
    listed = lonely_folders(here, set())
    assert sorted(each.relative_to(here.home).as_posix() for each in listed) == sorted(folders)
    assert lonely_folders(here, set(listed)) == ()


def test_two_versions_side_by_side_are_two_gimps(tmp_path: Path) -> None:
    here = machine(tmp_path, System.LINUX, "usr/bin/gimp-console-3.0\nusr/local/bin/gimp-console-3.2")
    assert {editor.program.name for editor in find_editors(here)} == {"gimp-console-3.0", "gimp-console-3.2"}


def test_a_program_of_another_name_is_no_gimp(tmp_path: Path) -> None:
    here = machine(tmp_path, System.LINUX, "usr/bin/gimptool-3.0\nusr/bin/gimp-help-lint\nusr/bin/gimp-2.10")
    assert find_editors(here) == ()


def test_a_machine_without_gimp_has_none(tmp_path: Path) -> None:
    for system in System:
        assert find_editors(machine(tmp_path, system, "")) == ()


def test_a_sandbox_is_called_by_its_own_command(tmp_path: Path) -> None:
    here = machine(tmp_path, System.LINUX, FLATPAK_AND_SNAP)
    assert [editor.call for editor in find_editors(here)] == [
        ("flatpak", "run", "--command=gimp-console-3.0", "org.gimp.GIMP"),
        ("snap", "run", "gimp"),
    ]


@pytest.mark.parametrize(
    ("system", "program", "packaging"),
    [
        (System.LINUX, "opt/mine/gimp-console", "the distribution's"),
        (System.LINUX, "opt/mine/My GIMP.AppImage", "AppImage"),
        (System.WINDOWS, "D/GIMP/bin/gimp-console-3.0.exe", "for Windows"),
        (System.MACOS, "Volumes/GIMP.app/Contents/MacOS/gimp", "for macOS"),
    ],
)
def test_a_gimp_that_the_user_names_is_taken_for_what_it_is(
    system: System, program: str, packaging: str, tmp_path: Path
) -> None:
    here = machine(tmp_path, system, program)
    editor = given_editor(tmp_path / program, here)
    assert (editor.packaging.name, editor.call) == (packaging, (str(tmp_path / program),))


@pytest.mark.parametrize(
    ("door", "packaging"), [("var/lib/flatpak/exports/bin/org.gimp.GIMP", "Flatpak"), ("snap/bin/gimp", "Snap")]
)
def test_the_door_to_a_sandbox_is_taken_for_the_sandbox(door: str, packaging: str, tmp_path: Path) -> None:
    here = machine(tmp_path, System.LINUX, FLATPAK_AND_SNAP)
    assert given_editor(tmp_path / door, here).packaging.name == packaging


def test_variables_name_folders_and_have_usual_places(tmp_path: Path) -> None:
    here = Machine(system=System.LINUX, home=tmp_path, environment={"XDG_CONFIG_HOME": "/elsewhere"})
    assert here.folder("XDG_CONFIG_HOME") == Path("/elsewhere")
    assert here.folder("XDG_DATA_HOME") == tmp_path / ".local" / "share"
