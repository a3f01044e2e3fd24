"""The plug-in as GIMP finds it: one folder that needs nothing from where it was copied.

```
<GIMP's user folder>/plug-ins/impasto/
    impasto.py             what GIMP runs
    impasto_gimp/          the plug-in
    impasto_protocol/      how it speaks with the daemon
    vendored/              pyzmq and msgpack for the editor's own Python; missing where a bridge stands in for them
    styles/                the built-in styles: pictures, and styles.json with names and descriptions
    installation.json      {"version": ..., "python": ...}: the Python that runs the bridge and starts the daemon
    installed-files.json   what of this is Impasto's
```

Files are copied, never linked: an environment may be moved or deleted, and a Flatpak does not see it. GIMP remembers a
plug-in's registration by the time of its main file, which is therefore renewed, and last, whenever anything changed.
"""

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from impasto_installer.errors import PluginFolderError
from impasto_installer.manifest import MANIFEST_FILE, VENDORED, Manifest, digest_of, read_manifest
from impasto_installer.setting_aside import set_folders_aside, set_the_users_aside

__all__ = [
    "INSTALLATION_FILE",
    "MAIN_FILE",
    "PLUGIN_NAME",
    "LaidOut",
    "Sources",
    "content_of",
    "find_sources",
    "forget_compiled",
    "lay_out",
    "prune",
]

PLUGIN_NAME = "impasto"
"""The folder's name, and the main file's: GIMP wants them to be the same."""

MAIN_FILE = f"{PLUGIN_NAME}.py"

MAIN_SOURCE = "impasto.py"
"""The main file's name in the package `impasto_gimp`."""

INSTALLATION_FILE = "installation.json"

_ANYONES_PYTHON = re.compile(rb"\A#!.*\n")

_NOT_COPIED = {"__pycache__", "bin", "Scripts", "tests"}
"""Folders that nothing in the editor reads."""

_NOT_COPIED_SUFFIXES = {".pyc", ".pyi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the parts are copied from.

    Attributes:
        plugin: The package `impasto_gimp`.
        protocol: The package `impasto_protocol`.
        styles: The folder of the built-in styles.
    """

    plugin: Path
    protocol: Path
    styles: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOut:
    """What came of laying out a folder.

    Attributes:
        changed: Whether anything was changed.
        set_aside: Paths in the folder at which the user's own versions of files are kept.
    """

    changed: bool
    set_aside: tuple[str, ...] = ()


def find_sources() -> Sources:
    """The parts as they are installed beside this package; nothing is imported.

    Raises:
        PluginFolderError: One is missing.
    """
    return Sources(
        plugin=_package("impasto_gimp"),
        protocol=_package("impasto_protocol"),
        styles=_package("impasto_engine") / "styles",
    )


def content_of(
    sources: Sources,
    *,
    version: str,
    python: Path | str | None,
    vendored: Path | None = None,
    editor_python: str | None = None,
) -> dict[str, bytes]:
    """Every file of the plug-in by its path in the folder, the manifest apart.

    Args:
        sources: Where the parts are.
        version: Of Impasto.
        python: The Python in whose environment Impasto is installed, as the editor can call it; None where that is not
            known, and the plug-in has to look for it.
        vendored: A folder with pyzmq and msgpack for the editor's Python; None for the bridge.
        editor_python: The editor's Python, if it stays where it is: the main file then names it, and runs whatever
            other `python3` comes first in `PATH`.

    Raises:
        PluginFolderError: The plug-in's main file is missing.
    """
    files = {
        **_below(sources.plugin, "impasto_gimp"),
        **_below(sources.protocol, "impasto_protocol"),
        **{path: content for path, content in _below(sources.styles, "styles").items() if not path.endswith(".py")},
        **(_below(vendored, VENDORED) if vendored is not None else {}),
        INSTALLATION_FILE: _installation(version, python),
    }
    main = files.pop(f"impasto_gimp/{MAIN_SOURCE}", None)
    if main is None:
        raise PluginFolderError(
            f"The plug-in in {str(sources.plugin)!r} is incomplete: it has no {MAIN_SOURCE!r}; install Impasto again."
        )
    files[MAIN_FILE] = main if editor_python is None else _ANYONES_PYTHON.sub(f"#!{editor_python}\n".encode(), main)
    return files


def lay_out(
    folder: Path,
    content: Mapping[str, bytes],
    *,
    version: str,
    folders_made: tuple[str, ...] = (),
    renew: bool = False,
) -> LaidOut:
    """Makes a folder hold this content: writes what differs and removes what an earlier version left.

    Files that Impasto did not write stay as they are; what the user has changed is set aside. Doing it again changes
    nothing.

    Args:
        folder: The plug-in folder; made if it is missing.
        content: What it shall hold, as `content_of` gives it.
        version: Of Impasto.
        folders_made: See `Manifest`.
        renew: Whether GIMP shall read the registration anew even if nothing else changes.

    Raises:
        PluginFolderError: It cannot be written, or its manifest makes no sense.
    """
    earlier = read_manifest(folder)
    manifest = Manifest(
        version=version,
        files={path: digest_of(each) for path, each in sorted(content.items())},
        folders_made=earlier.folders_made if earlier is not None else folders_made,
    )
    ahead = {**content, MANIFEST_FILE: manifest.text().encode()}
    main = ahead.pop(MAIN_FILE)
    try:
        set_aside = set_the_users_aside(folder, earlier, content)
        changes = [_remove(folder, path) for path in (earlier.files if earlier else ()) if path not in content]
        set_aside += set_folders_aside(folder, content)
        changes += [_write(folder / path, each) for path, each in ahead.items()]
        main_file = folder / MAIN_FILE
        if renew or any(changes) or not _holds(main_file, main) or not os.access(main_file, os.X_OK):
            _write_main(main_file, main)
            return LaidOut(changed=True, set_aside=set_aside)
    except OSError as error:
        raise PluginFolderError(
            f"Cannot write {str(error.filename or folder)!r}: {error.strerror}; close GIMP, make the folder writable, "
            "and try again."
        ) from error
    return LaidOut(changed=False, set_aside=set_aside)


def _installation(version: str, python: Path | str | None) -> bytes:
    values = {"version": version, "python": None if python is None else str(python)}
    return (json.dumps(values, indent=1) + "\n").encode()


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PluginFolderError(f"Impasto's package {name!r} is missing beside {sys.executable!r}; install it again.")
    return Path(spec.submodule_search_locations[0])


def _below(folder: Path, name: str) -> dict[str, bytes]:
    """The files below a folder, by their paths under another name."""
    return {f"{name}/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name not in _NOT_COPIED:
                yield from _files(entry)
        elif entry.suffix not in _NOT_COPIED_SUFFIXES:
            yield entry


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == content


def _write(file: Path, content: bytes) -> bool:
    """Writes a file in one step, unless it holds that already."""
    if _holds(file, content):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return True


def _write_main(file: Path, content: bytes) -> None:
    """Writes the main file, executable, and later than any before it: GIMP compares whole seconds."""
    before_s = file.stat().st_mtime if file.exists() else 0.0
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        beside.chmod(0o755)
        time_s = max(time.time(), before_s + 1.0)
        os.utime(beside, (time_s, time_s))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _remove(folder: Path, path: str) -> bool:
    """Removes a file of ours, what Python compiled from it, and the folders that this empties."""
    file = folder / path
    existed = file.is_file() or file.is_symlink()
    file.unlink(missing_ok=True)
    forget_compiled(file)
    prune(file.parent, up_to=folder)
    return existed


def forget_compiled(file: Path) -> None:
    """Removes what a Python has compiled from a source file."""
    if file.suffix == ".py":
        for compiled in file.parent.joinpath("__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()
        prune(file.parent / "__pycache__", up_to=file.parent)


def prune(empty: Path, *, up_to: Path) -> None:
    """Removes a folder if it is empty, and then those above it, but not the last."""
    while empty != up_to:
        try:
            empty.rmdir()
        except OSError:
            return
        empty = empty.parent
