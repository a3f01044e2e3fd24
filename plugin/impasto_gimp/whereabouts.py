"""Where Impasto is, for a plug-in that was put into GIMP by hand and was not told. Standard library only."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["find_product"]

COMMAND = "impasto"


def find_product(environ: Mapping[str, str], home: Path) -> str | None:
    """The Python in whose environment Impasto is: that behind the first `impasto` command.

    Args:
        environ: The editor's environment.
        home: The user's folder, below which pipx, uv and pip put commands.
    """
    for command in _commands(environ, home):
        python = _python_beside(command.resolve()) or _python_named_in(command)
        if python is not None:
            return str(python)
    return None


def _commands(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    usual = [home / ".local" / "bin", home / "bin"]
    if environ.get("APPDATA"):
        usual += sorted(Path(environ["APPDATA"], "Python").glob("Python3*/Scripts"), reverse=True)
    path = os.pathsep.join([environ.get("PATH", ""), *map(str, usual)])
    for folder in filter(None, path.split(os.pathsep)):
        found = shutil.which(COMMAND, path=folder)
        if found is not None:
            yield Path(found)


def _python_beside(command: Path) -> Path | None:
    """Commands of an environment lie beside its Python."""
    if not (command.parents[1] / "pyvenv.cfg").is_file():
        return None
    return next((each for name in ("python", "python.exe") if (each := command.with_name(name)).is_file()), None)


def _python_named_in(command: Path) -> Path | None:
    """The Python that a command's first line names."""
    with command.open("rb") as file:
        line = file.readline(4096)
    if not line.startswith(b"#!"):
        return None
    python = Path(os.fsdecode(line[2:].strip()))
    return python if python.is_absolute() and python.is_file() and python.name.startswith("python") else None
