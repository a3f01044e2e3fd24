"""A program that is a GIMP in a root, called as the user's own would be."""

import shlex
from pathlib import Path

from gimp.gimp_root import GimpRoot, inside

__all__ = ["door_to"]


def door_to(root: GimpRoot, program: Path, *shared: Path) -> Path:
    """Writes such a program.

    Args:
        root: Where GIMP is.
        program: The program to write.
        shared: Folders that GIMP sees at the same paths.
    """
    call = shlex.join([*inside(root.path, *shared), "gimp-console"])
    program.write_text(f'#!/bin/sh\nPATH="$PATH:/usr/sbin:/sbin" exec {call} "$@"\n')
    program.chmod(0o755)
    return program
