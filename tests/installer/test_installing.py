"""Installing, again and anew, failing half-way, and uninstalling: what is there afterwards, to the byte."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from impasto_installer.doctor.editor_checks import examine
from impasto_installer.editors.finding import Editor
from impasto_installer.editors.machine import Machine
from impasto_installer.errors import EditorError, InstallerError, PluginFolderError
from impasto_installer.installing import Installed, Product, Transport, install, install_unseen
from impasto_installer.manifest import MANIFEST_FILE
from impasto_installer.plugin_folder import content_of, lay_out
from impasto_installer.present import present_folders
from impasto_installer.records import Records
from impasto_installer.replacing import recover, replaced
from impasto_installer.uninstalling import uninstall
from installer.fake_gimp import BROKEN, FakeGimp, written

Tree = dict[str, tuple[int, str, str]]


def tree(folder: Path) -> Tree:
    """Everything below a folder: modes, contents and targets of links."""
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            path.read_text() if path.is_file() else "",
            str(path.readlink()) if path.is_symlink() else "",
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def user_folder(gimp: FakeGimp) -> Path:
    """GIMP's folder, in which the user has things of his own."""
    written(gimp.user_folder / "gimprc", "(theme dark)")
    other = written(gimp.user_folder / "plug-ins" / "other" / "other.py", "another plug-in")
    (other.parent / "link").symlink_to("other.py")
    return gimp.user_folder


def test_a_plug_in_is_installed_with_its_libraries_and_found_by_gimp(
    editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    assert install(editor, product, gimp) == Installed(
        folder=gimp.plugin, changed=True, transport=Transport.VENDORED, known_folders=(gimp.user_folder,)
    )
    assert (gimp.plugin / "impasto.py").read_text().startswith(f"#!{gimp.python}\n")
    assert (gimp.plugin / "vendored" / "zmq" / "__init__.py").read_text() == gimp.wheel


def test_pip_is_asked_for_the_pythons_version_and_system(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    install(editor, product, gimp)
    (call,) = (call for call in gimp.calls if "pip" in call)
    assert call[call.index("--python-version") + 1] == "3.13"
    platforms = [word for before, word in pairwise(call) if before == "--platform"]
    assert platforms[0] == "manylinux_2_41_x86_64"
    assert platforms[-2:] == ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert "--only-binary=:all:" in call
    assert any(word.startswith("msgpack>=") for word in call)
    assert "--no-index" not in call


def test_without_internet_wheels_come_from_a_folder(
    editor: Editor, product: Product, gimp: FakeGimp, tmp_path: Path
) -> None:
    install(editor, product, gimp, wheels=tmp_path / "wheels")
    (call,) = (call for call in gimp.calls if "pip" in call)
    assert call[call.index("--no-index") : call.index("--no-index") + 3] == [
        *("--no-index", "--find-links", str(tmp_path / "wheels"))
    ]


def test_installing_again_changes_nothing(editor: Editor, product: Product, gimp: FakeGimp, user_folder: Path) -> None:
    install(editor, product, gimp)
    before = tree(user_folder)
    times = {path: path.stat().st_mtime_ns for path in user_folder.rglob("*")}
    assert not install(editor, product, gimp).changed
    assert tree(user_folder) == before
    assert {path: path.stat().st_mtime_ns for path in user_folder.rglob("*") if path != user_folder} == {
        path: time for path, time in times.items() if path != user_folder
    }


@pytest.mark.parametrize("wheel", [None, BROKEN], ids=["nothing to be had", "what is had does not load"])
def test_a_bridge_stands_in_where_libraries_cannot_be_had(
    wheel: str | None, editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    gimp.wheel = wheel
    installed = install(editor, product, gimp)
    assert installed.transport is Transport.BRIDGE
    assert installed.remarks[0].startswith("It goes over a bridge, because ")
    assert not (gimp.plugin / "vendored").exists()


@pytest.mark.parametrize("libc", [("", ""), ("glibc", "2.5"), ("msvcrt", "")])
def test_a_python_for_which_there_are_no_wheels_gets_a_bridge(
    libc: tuple[str, str], editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    gimp.libc = libc
    assert install(editor, product, gimp).transport is Transport.BRIDGE
    assert not any("pip" in call for call in gimp.calls)


def test_a_gimp_that_cannot_start_the_daemon_is_told_of(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    gimp.bridge = "No such file or directory"
    assert "impasto service install" in install(editor, product, gimp).remarks[0]


def in_a_flatpak(gimp: FakeGimp, home: Path) -> Path:
    """Has GIMP call its folder as a Flatpak with `filesystems=xdg-config/GIMP` does; the folder that it names."""
    gimp.calls_its_folder = home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP" / "3.0"
    return gimp.calls_its_folder


def test_a_flatpak_gets_the_plug_in_where_it_sees_it_and_not_where_it_says(
    flatpak: Editor, product: Product, gimp: FakeGimp, machine: Machine
) -> None:
    named = in_a_flatpak(gimp, machine.home)
    installed = install(flatpak, product, gimp)
    assert (installed.folder, installed.transport) == (gimp.plugin, Transport.VENDORED)
    assert [remark for remark in installed.remarks if "impasto service install" in remark]
    assert not named.exists()
    assert not install(flatpak, product, gimp).changed


def test_what_a_flatpak_hides_is_no_folder_of_another_gimp(
    flatpak: Editor, product: Product, gimp: FakeGimp, machine: Machine
) -> None:
    named = in_a_flatpak(gimp, machine.home)
    named.mkdir(parents=True)
    installed = install(flatpak, product, gimp)
    assert (installed.folder, installed.known_folders) == (gimp.plugin, (gimp.user_folder, named))
    assert examine(flatpak, "1.0", gimp).known_folders == (gimp.user_folder, named)


def test_a_flatpak_that_sees_its_own_folder_only_gets_it_there(
    flatpak: Editor, product: Product, gimp: FakeGimp, machine: Machine
) -> None:
    gimp.user_folder = in_a_flatpak(gimp, machine.home)
    gimp.user_folder.mkdir(parents=True)
    installed = install(flatpak, product, gimp)
    assert (installed.folder, installed.known_folders) == (gimp.plugin, (gimp.user_folder,))


def test_a_flatpak_whose_folder_is_nowhere_here_is_left_alone(
    flatpak: Editor, product: Product, gimp: FakeGimp, machine: Machine, tmp_path: Path
) -> None:
    named = in_a_flatpak(gimp, machine.home)
    gimp.user_folder = tmp_path / "in the sandbox"
    gimp.user_folder.mkdir()
    with pytest.raises(EditorError, match="where nothing can be put from here"):
        install(flatpak, product, gimp)
    assert not named.exists()


def test_a_python_in_the_way_does_not_stop_it_and_is_told_of(
    editor: Editor, product: Product, gimp: FakeGimp, machine: Machine, tmp_path: Path
) -> None:
    other = written(tmp_path / "conda" / "bin" / "python3")
    other.chmod(0o755)
    environment = {**machine.environment, "PATH": f"{other.parent}:{machine.environment['PATH']}"}
    shadowed = Editor(
        packaging=editor.packaging,
        program=editor.program,
        machine=Machine(system=machine.system, home=machine.home, environment=environment),
    )
    gimp.python = Path(shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or "")
    (remark,) = install(shadowed, product, gimp).remarks
    assert f"{str(other)!r} comes before GIMP's own Python" in remark


class Failure:
    """A GIMP that stops to find the plug-in once it is installed, in one of several ways."""

    def __init__(self, gimp: FakeGimp, way: str) -> None:
        gimp.is_blind = way == "not registered"
        gimp.refusal = "it crashed" if way == "does not answer" else None
        if way == "no way to the daemon":
            gimp.wheel, gimp.bridge = None, "No such file or directory"


WAYS = {
    "not registered": "does not register the plug-in",
    "does not answer": r"does not answer \(it crashed\)",
    "no way to the daemon": "Impasto's own Python cannot be started",
}


@pytest.mark.parametrize(("way", "why"), WAYS.items(), ids=WAYS)
def test_what_fails_leaves_everything_as_it_was(
    way: str, why: str, editor: Editor, product: Product, gimp: FakeGimp, user_folder: Path
) -> None:
    before = tree(user_folder)
    Failure(gimp, way)
    with pytest.raises(EditorError, match=why):
        install(editor, product, gimp)
    assert tree(user_folder) == before


def test_a_whole_plug_in_whose_old_registration_gimp_keeps_is_shown_to_it_anew(
    editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    install(editor, product, gimp)
    gimp.keeps_an_old_registration()
    assert install(editor, product, gimp).changed
    assert not install(editor, product, gimp).changed


def test_what_gimps_python_complained_of_is_told(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    gimp.is_blind = True
    gimp.complaint = "Traceback (most recent call last):\n  File x\nImportError: no Gimp\n(gimp:1): GLib-WARNING: x\n"
    with pytest.raises(EditorError, match=r"does not register the plug-in \(it says: ImportError: no Gimp\); nothing"):
        install(editor, product, gimp)


def test_an_upgrade_that_fails_leaves_the_old_version(
    editor: Editor, product: Product, gimp: FakeGimp, user_folder: Path
) -> None:
    install(editor, product, gimp)
    before = tree(user_folder)
    written(product.sources.plugin / "dialog.py", "title = 'two'\n")
    gimp.refusal = "it crashed"
    with pytest.raises(EditorError):
        install(editor, Product(sources=product.sources, version="2.0", python=product.python), gimp)
    assert tree(user_folder) == before


def test_even_the_folders_that_had_to_be_made_are_gone_when_it_fails(
    editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    gimp.is_blind = True
    with pytest.raises(InstallerError):
        install(editor, product, gimp)
    assert list(gimp.user_folder.iterdir()) == []


def test_uninstalling_leaves_what_was_there_before(
    editor: Editor, product: Product, gimp: FakeGimp, user_folder: Path
) -> None:
    before = tree(user_folder)
    install(editor, product, gimp)
    written(gimp.plugin / "impasto_gimp" / "__pycache__" / "dialog.cpython-313.pyc", "compiled by GIMP's Python")
    assert uninstall(gimp.plugin) == ()
    assert tree(user_folder) == before


def test_uninstalling_removes_the_folders_that_had_to_be_made(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    install(editor, product, gimp)
    install(editor, Product(sources=product.sources, version="2.0", python=product.python), gimp)
    uninstall(gimp.plugin)
    assert list(gimp.user_folder.iterdir()) == []


def test_uninstalling_keeps_what_the_user_put_into_the_folder(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    install(editor, product, gimp)
    notes = written(gimp.plugin / "styles" / "mine.jpg", "my own")
    assert uninstall(gimp.plugin) == (notes,)
    assert tree(gimp.plugin).keys() == {"styles", "styles/mine.jpg"}


def test_what_the_user_has_changed_survives_an_upgrade_and_an_uninstallation_and_is_named(
    editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    install(editor, product, gimp)
    written(gimp.plugin / "impasto_gimp" / "dialog.py", "title = 'mine'\n")
    (remark,) = install(editor, product, gimp).remarks
    kept = gimp.plugin / "impasto_gimp" / "dialog.py.yours"
    assert remark.endswith(f"your version of it is kept as {kept}.")
    written(gimp.plugin / "impasto.py", "also mine")
    main = gimp.plugin / "impasto.py.yours"
    assert uninstall(gimp.plugin) == (main, kept)
    assert (main.read_text(), kept.read_text()) == ("also mine", "title = 'mine'\n")
    assert tree(gimp.plugin).keys() == {"impasto.py.yours", "impasto_gimp", "impasto_gimp/dialog.py.yours"}
    assert install(editor, product, gimp).changed
    assert uninstall(gimp.plugin) == (main, kept)


def test_what_impasto_did_not_put_there_is_not_replaced(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    mine = written(gimp.plugin / "impasto.py", "mine")
    with pytest.raises(PluginFolderError, match="holds a plug-in that Impasto did not put there"):
        install(editor, product, gimp)
    assert mine.read_text() == "mine"
    with pytest.raises(PluginFolderError, match="has no list"):
        uninstall(gimp.plugin)


def test_a_link_of_a_developer_is_left_alone(editor: Editor, product: Product, gimp: FakeGimp, tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    gimp.plugin.parent.mkdir()
    gimp.plugin.symlink_to(tmp_path / "checkout")
    with pytest.raises(PluginFolderError, match="is a link"):
        install(editor, product, gimp)
    assert list((tmp_path / "checkout").iterdir()) == []


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


@pytest.fixture
def beside(gimp: FakeGimp, ended: int) -> Path:
    """Where a run was at work that has ended."""
    return gimp.user_folder / f".impasto-{ended}"


def test_a_run_that_was_killed_between_two_folders_is_taken_up(
    editor: Editor, product: Product, gimp: FakeGimp, beside: Path, user_folder: Path
) -> None:
    install(editor, product, gimp)
    before = tree(gimp.plugin)
    beside.mkdir()
    gimp.plugin.rename(beside / "old")
    written(beside / "new" / "impasto.py", "half")
    assert not install(editor, product, gimp).changed
    assert tree(gimp.plugin) == before
    assert not beside.exists()


def test_a_run_that_was_killed_before_the_new_plug_in_was_proved_good_gives_way_to_the_old(
    editor: Editor, product: Product, gimp: FakeGimp, beside: Path
) -> None:
    install(editor, product, gimp)
    before = tree(gimp.plugin)
    beside.mkdir()
    gimp.plugin.rename(beside / "old")
    lay_out(gimp.plugin, content_of(product.sources, version="2.0", python=product.python), version="2.0")
    mine = written(gimp.plugin / "styles" / "mine.jpg", "my own")
    assert recover(gimp.plugin)
    assert mine.read_text() == "my own"
    mine.unlink()
    assert tree(gimp.plugin) == before
    assert not beside.exists()


def test_an_old_plug_in_that_cannot_be_put_back_is_kept_and_named(gimp: FakeGimp, product: Product, ended: int) -> None:
    install_unseen(gimp.user_folder, product)
    before = tree(gimp.plugin)

    def in_the_way() -> None:
        with replaced(gimp.plugin, {"impasto.py": b""}, version="2.0"):
            gimp.plugin.parent.rename(gimp.user_folder / "moved away")
            written(gimp.plugin.parent, "a file")
            raise EditorError("GIMP does not answer.")

    with pytest.raises(
        PluginFolderError,
        match=r"^GIMP does not answer\. The plug-in of before could not .*lies whole in '(.*)'; close",
    ) as refusal:
        in_the_way()
    (old,) = gimp.user_folder.glob(".impasto-*/old")
    assert f"lies whole in {str(old)!r}" in str(refusal.value)
    assert tree(old) == before
    gimp.plugin.parent.unlink()
    (gimp.user_folder / "moved away").rename(gimp.plugin.parent)
    old.parent.rename(gimp.user_folder / f".impasto-{ended}")
    assert recover(gimp.plugin)
    assert tree(gimp.plugin) == before
    assert not any(gimp.user_folder.glob(".impasto-*"))


def test_an_old_plug_in_into_which_the_users_files_cannot_be_copied_stays_where_it_is(
    editor: Editor, product: Product, gimp: FakeGimp, beside: Path
) -> None:
    install(editor, product, gimp)
    shutil.copytree(gimp.plugin, beside / "old")
    written(gimp.plugin / "mine" / "notes.txt", "my own")
    written(beside / "old" / "mine", "a file where the folder should be")
    with pytest.raises(PluginFolderError, match=r"Cannot write '.*mine'"):
        install(editor, product, gimp)
    assert (beside / "old" / "impasto.py").exists()
    assert (gimp.plugin / "mine" / "notes.txt").exists()


def test_an_old_plug_in_does_not_take_the_place_of_what_the_user_has_put_there(gimp: FakeGimp, beside: Path) -> None:
    old = written(beside / "old" / "impasto.py", "the last that was good")
    mine = written(gimp.plugin / "impasto.py", "mine")
    assert not recover(gimp.plugin)
    assert (old.read_text(), mine.read_text()) == ("the last that was good", "mine")


def test_two_runs_do_not_get_in_each_others_way(editor: Editor, product: Product, gimp: FakeGimp) -> None:
    install(editor, product, gimp)
    notes = written(gimp.user_folder / ".impasto-notes" / "mine.txt", "mine")
    at_work = gimp.user_folder / f".impasto-{os.getpid()}"
    old = written(at_work / "old" / "impasto.py", "of the other run")
    with pytest.raises(PluginFolderError, match=rf"Another 'impasto install' \(process {os.getpid()}\) is at work"):
        install(editor, product, gimp)
    assert (old.exists(), notes.exists()) == (True, True)


@pytest.fixture
def read_only(user_folder: Path) -> Path:
    """A file stands where the folder of plug-ins should be: not even root can write there."""
    shutil.rmtree(user_folder / "plug-ins")
    return written(user_folder / "plug-ins", "a file")


def test_a_folder_that_cannot_be_written_is_named(
    read_only: Path, editor: Editor, product: Product, gimp: FakeGimp
) -> None:
    before = tree(gimp.user_folder)
    with pytest.raises(PluginFolderError, match=r"Cannot write .*plug-ins.*make the folder writable"):
        install(editor, product, gimp)
    assert tree(gimp.user_folder) == before


def test_an_interruption_is_a_failure_like_any_other(gimp: FakeGimp, user_folder: Path) -> None:
    before = tree(user_folder)
    seen = []

    def interrupted() -> None:
        with replaced(gimp.plugin, {"impasto.py": b""}, version="1.0"):
            seen.append((gimp.plugin / "impasto.py").exists())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [True]
    assert tree(user_folder) == before


def test_a_folder_whose_gimp_was_not_found_gets_the_plug_in_unchecked(gimp: FakeGimp, product: Product) -> None:
    installed = install_unseen(gimp.user_folder, product)
    assert installed.transport is Transport.BRIDGE
    assert "nothing could be checked" in installed.remarks[0]
    assert (gimp.plugin / MANIFEST_FILE).exists()


def test_every_folder_is_found_again(
    machine: Machine, editor: Editor, product: Product, gimp: FakeGimp, tmp_path: Path
) -> None:
    install(editor, product, gimp)
    elsewhere = tmp_path / "elsewhere" / "GIMP" / "3.2"
    install_unseen(elsewhere, product)
    records = Records(tmp_path / "data" / "impasto" / "folders.json")
    records.remember([elsewhere / "plug-ins" / "impasto"])
    written(machine.home / ".config" / "GIMP" / "3.1" / "plug-ins" / "impasto" / "impasto.py", "somebody else's")
    folders = present_folders(machine, records)
    assert set(folders) == {gimp.plugin, elsewhere / "plug-ins" / "impasto"}
    written(folders[0] / "mine.txt", "stays, and is no longer in a folder of Impasto's")
    for folder in folders:
        uninstall(folder)
    records.forget()
    assert not (tmp_path / "data" / "impasto").exists()
