"""What GIMP is asked. This text is run by GIMP's own Python, and imports nothing of ours.

It prints one line: the mark and a JSON object, see `asking.Answer`.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from gi.repository import Gimp

IMPORT_TIMEOUT_S = 60.0
"""Seconds for a Python to start and import: a slow disk's first time."""

REMEDY = "'impasto install'"
"""What the plug-in tells its user to do when something of it is missing."""

TRANSPORT = "import sys; sys.path.insert(0, sys.argv[1]); import msgpack, zmq; zmq.curve_keypair(); print(zmq.__file__)"

BRIDGE = "import impasto_protocol.bridge"


def answer(plugin_folder: str, stylize: str) -> dict[str, Any]:
    """Everything that is asked.

    Args:
        plugin_folder: Where the plug-in is; empty for where it is looked for first.
        stylize: The plug-in's procedure.
    """
    pdb = Gimp.get_pdb()
    folder = Path(plugin_folder or plugins_folder() / "impasto")
    procedures = sorted(name for name in pdb.query_procedures("^plug-in-impasto", *[""] * 7))
    return {
        "gimp": Gimp.version(),
        "user_folder": Gimp.directory(),
        "user_folder_number": number_of(Gimp.directory()),
        "plugins_folder": str(plugins_folder()),
        "python": list(sys.version_info[:3]),
        "python_program": sys.executable or "",
        "machine": platform.machine(),
        "libc": list(platform.libc_ver()),
        "procedures": procedures,
        "refusal": refusal_of(pdb, stylize) if stylize in procedures else None,
        "vendored": imported([sys.executable, "-c", TRANSPORT, str(folder / "vendored")]),
        "bridge": bridged(folder),
    }


def number_of(folder: str) -> list[int]:
    """What a folder is known by, whatever it is called; nothing where there is none."""
    try:
        known = Path(folder).stat()
    except OSError:
        return []
    return [known.st_dev, known.st_ino]


def plugins_folder() -> Path:
    """The folder of the user's own plug-ins: the first on GIMP's path that lies in the user's folder."""
    user_folder = Path(Gimp.directory())
    for folder in (Gimp.gimprc_query("plug-in-path") or "").split(os.pathsep):
        if folder and Path(folder).is_relative_to(user_folder):
            return Path(folder)
    return user_folder / "plug-ins"


def refusal_of(pdb: Any, stylize: str) -> str | None:
    """What goes wrong when the plug-in is called with no layer to paint; to be told so by the plug-in is right."""
    procedure = pdb.lookup_procedure(stylize)
    config = procedure.create_config()
    image = Gimp.Image.new(8, 8, Gimp.ImageBaseType.RGB)
    try:
        config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
        config.set_property("image", image)
        config.set_core_object_array("drawables", [])
        result = procedure.run(config)
        status = None if result is None else result.index(0)
        said = str(pdb.get_last_error() or "it said nothing")
    finally:
        image.delete()
    answered = status in (Gimp.PDBStatusType.EXECUTION_ERROR, Gimp.PDBStatusType.SUCCESS)
    return None if answered and REMEDY not in said else said


def imported(call: list[str], environment: dict[str, str] | None = None) -> str | None:
    """What goes wrong when a Python imports something; in a process of its own, because a broken library kills it."""
    try:
        ended = subprocess.run(  # noqa: S603
            call, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=IMPORT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ended.returncode == 0:
        return None
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with code {ended.returncode}"


def bridged(plugin_folder: Path) -> str | None:
    """What goes wrong when the product's own Python is called from here."""
    try:
        python = json.loads((plugin_folder / "installation.json").read_text(encoding="utf-8"))["python"]
    except (OSError, ValueError, KeyError) as error:
        return f"installation.json: {error}"
    sys.path.insert(0, str(plugin_folder))
    try:
        from impasto_protocol.clean_environment import clean_environment

        if python is None:
            from impasto_gimp.whereabouts import find_product

            python = find_product(os.environ, Path.home())
    except ImportError as error:
        return str(error)
    if python is None:
        return "Impasto itself is not on this machine"
    return imported([str(python), "-c", BRIDGE], clean_environment(os.environ))
