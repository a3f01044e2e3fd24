"""Looking at a GIMP: whether it starts, and whether the plug-in in it is whole, of our version, known, connected."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from impasto_installer.doctor.check import Check, good, problem, warning
from impasto_installer.editors.asking import STYLIZE, Answer, ask, python_in_the_way
from impasto_installer.editors.finding import Editor
from impasto_installer.editors.running import Run
from impasto_installer.errors import EditorError, PluginFolderError
from impasto_installer.manifest import read_manifest
from impasto_installer.plugin_folder import MAIN_FILE, PLUGIN_NAME
from impasto_installer.present import misplaced

__all__ = ["Examination", "check_unseen_folder", "examine"]

INSTALL = "Run 'impasto install', and restart GIMP."


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What came of looking at a GIMP.

    Attributes:
        checks: What was found.
        known_folders: See `Answer.known_folders`; none if GIMP did not answer.
    """

    checks: tuple[Check, ...]
    known_folders: tuple[Path, ...] = ()


def examine(
    editor: Editor, version: str, run: Run, *, own_bin: Path | None = None, has_to_start: bool = True
) -> Examination:
    """Looks at everything about one GIMP.

    Args:
        editor: Which.
        version: Our version.
        run: How programs are run.
        own_bin: See `asking.ask`.
        has_to_start: Whether GIMP has to be able to start the daemon: it is on this machine, and not started at login.
    """
    try:
        answer = ask(editor, run, own_bin=own_bin)
    except EditorError as error:
        return Examination(checks=(_silent(editor, error, own_bin),))
    name = f"GIMP {answer.gimp}"
    python = ".".join(map(str, answer.python))
    checks = [good(name, f"{editor.name} answers; its Python is {python} at {answer.python_program}.")]
    if answer.shadowed_by is not None:
        checks.append(_shadowed(name, answer.shadowed_by))
    folder = answer.plugins_folder / PLUGIN_NAME
    checks += _misplaced(name, editor, folder, answer.hidden)
    checks += _folder(name, folder, version)
    if (folder / MAIN_FILE).exists():
        checks.append(_registered(name, answer))
        checks.append(_connected(name, editor, folder, answer, has_to_start=has_to_start))
    return Examination(checks=tuple(checks), known_folders=answer.known_folders)


def check_unseen_folder(folder: Path, version: str) -> list[Check]:
    """The plug-in in a user's folder whose GIMP was not found.

    Args:
        folder: GIMP's folder of the user, such as `GIMP/3.0`.
        version: Our version.
    """
    name = f"GIMP {folder.name}"
    plugin = folder / "plug-ins" / PLUGIN_NAME
    unseen = warning(
        name,
        f"{folder} belongs to a GIMP that was not found.",
        "If it is still in use, name its program with 'impasto install --gimp PROGRAM'.",
    )
    return [unseen, *(_folder(name, plugin, version) if plugin.exists() else ())]


def _silent(editor: Editor, error: EditorError, own_bin: Path | None) -> Check:
    in_the_way = python_in_the_way(editor, own_bin)
    also = "" if in_the_way is None else f" The python3 it would start is {str(in_the_way)!r}."
    return problem("GIMP 3", f"{error}{also}", "Start GIMP once by hand, and look at Filters > Python-Fu > Console.")


def _shadowed(name: str, python: Path) -> Check:
    return warning(
        f"{name}: python3",
        f"{str(python)!r} comes before GIMP's own Python in PATH: GIMP's Python plug-ins are missing when it is "
        "started from this shell.",
        "Start GIMP from the desktop, or leave that environment before ('deactivate' or 'conda deactivate').",
    )


def _misplaced(name: str, editor: Editor, folder: Path, hidden: Path | None) -> list[Check]:
    return [
        problem(
            f"{name}: folder",
            f"{str(file)!r} is where GIMP does not look for it; it has to be {str(folder / MAIN_FILE)!r}.",
            f"Delete {str(file.parent if file.parent != folder.parent else file)!r}. {INSTALL}",
        )
        for file in misplaced(editor.machine, folder, hidden)
    ]


def _folder(name: str, folder: Path, version: str) -> list[Check]:
    """The files of the plug-in."""
    try:
        manifest = read_manifest(folder)
    except PluginFolderError as error:
        return [problem(f"{name}: plug-in", str(error), f"Delete {str(folder)!r}. {INSTALL}")]
    main = folder / MAIN_FILE
    if manifest is None and not main.exists():
        return [problem(f"{name}: plug-in", f"The plug-in is not in {str(folder.parent)!r}.", INSTALL)]
    checks = []
    if sys.platform != "win32" and main.exists() and not os.access(main, os.X_OK):
        checks.append(problem(f"{name}: plug-in", f"{str(main)!r} is not executable, so GIMP leaves it out.", INSTALL))
    if manifest is None:
        return [
            *checks,
            warning(
                f"{name}: plug-in",
                f"{str(folder)!r} was put there by hand, without a list of its files.",
                f"Move it away. {INSTALL}",
            ),
        ]
    if manifest.version != version:
        text = f"The plug-in is of version {manifest.version}, and this is Impasto {version}."
        checks.append(problem(f"{name}: version", text, INSTALL))
    changed = [path for path in manifest.files if not manifest.is_as_written(folder, path)]
    if changed:
        some = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        checks.append(problem(f"{name}: files", f"Missing or changed in {str(folder)!r}: {some}.", INSTALL))
    return checks or [good(f"{name}: plug-in", f"Version {manifest.version} is whole, in {folder}.")]


def _registered(name: str, answer: Answer) -> Check:
    if STYLIZE not in answer.procedures:
        return problem(f"{name}: menu", "GIMP does not have the plug-in in its menus.", INSTALL)
    if answer.refusal is not None:
        return problem(f"{name}: menu", f"The plug-in is in GIMP's menus, but fails: {answer.refusal}", INSTALL)
    return good(f"{name}: menu", "The plug-in is in Filters > Artistic, and answers.")


def _connected(name: str, editor: Editor, folder: Path, answer: Answer, *, has_to_start: bool) -> Check:
    """The way to the daemon: libraries in GIMP's Python, or a bridge through ours."""
    has_vendored = (folder / "vendored").is_dir()
    if has_to_start and editor.packaging.is_sandbox and (answer.vendored is None or answer.bridge is None):
        return warning(
            f"{name}: connection",
            "GIMP has a way to the daemon, but runs in a sandbox, from which it cannot start it.",
            "Run 'impasto service install'.",
        )
    if answer.vendored is None and not has_to_start:
        return good(f"{name}: connection", "pyzmq and msgpack load in GIMP's Python, and it need not start the daemon.")
    if answer.vendored is None and answer.bridge is not None:
        return warning(
            f"{name}: connection",
            f"pyzmq and msgpack load in GIMP's Python, but GIMP cannot start the daemon ({answer.bridge}).",
            "If Impasto was moved, run 'impasto install'; else run 'impasto service install'.",
        )
    if answer.vendored is None:
        return good(f"{name}: connection", "pyzmq and msgpack load in GIMP's Python, and it can start the daemon.")
    if answer.bridge is not None:
        return problem(
            f"{name}: connection",
            f"GIMP's Python does not load pyzmq ({answer.vendored}), and cannot start Impasto's own ({answer.bridge}).",
            INSTALL,
        )
    if has_vendored:
        text = f"pyzmq beside the plug-in does not load ({answer.vendored}); a bridge stands in for it."
        return warning(f"{name}: connection", text, INSTALL)
    return good(f"{name}: connection", "The plug-in goes over a bridge through Impasto's own Python.")
