"""Starting Keras and its backend without their chatter.

TensorFlow writes to file descriptor 2 from C++ while it is imported, before any log level counts. So what is written
there during the import is held back, and shown only if the import fails. `IMPASTO_DEBUG=1` shows it always.
"""

import faulthandler
import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import NoReturn

__all__ = ["DEBUG_VARIABLE", "leave", "start_keras", "stderr_held_back"]

DEBUG_VARIABLE = "IMPASTO_DEBUG"


def start_keras() -> None:
    """Imports Keras and its backend; from here on the engine can be imported without a word on stderr."""
    if os.environ.get(DEBUG_VARIABLE):
        import_module("keras")
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" not in sys.modules:
        with stderr_held_back(), _nothing_collected():
            import_module("keras")


def leave(code: int) -> NoReturn:
    """Ends the process. Where Keras was imported, without taking it apart, for which TensorFlow needs 0.4 s."""
    if "keras" not in sys.modules:
        sys.exit(code)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Importing Keras makes a million objects and hardly any garbage: looking for it would take a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def stderr_held_back() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, and lets it out if an exception leaves the block.

    Should the process crash inside, which loses what was held back, Python's own words about the crash still come out.
    """
    sys.stderr.flush()
    true_stderr = os.dup(2)
    watch_for_crashes = not faulthandler.is_enabled()
    if watch_for_crashes:
        faulthandler.enable(true_stderr)
    with tempfile.TemporaryFile() as held, open(true_stderr, "wb", buffering=0) as out:  # noqa: PTH123 -- a descriptor
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            shutil.copyfileobj(held, out)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(true_stderr, 2)
            if watch_for_crashes:
                faulthandler.disable()
