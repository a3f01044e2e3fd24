"""Standard streams for a process that was started without any, as `pythonw.exe` starts what has no window.

Python's own are None there, and the descriptors below them closed, so that whoever writes to them fails, TensorFlow's
C++ included; and a file that is opened later would get a descriptor that others take for stderr.
"""

import os
import sys

__all__ = ["give_missing_streams"]


def give_missing_streams() -> None:
    """Has each standard stream that is missing read and write nothing."""
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != descriptor:
                os.dup2(nothing, descriptor)
                os.close(nothing)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
