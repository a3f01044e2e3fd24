"""How a command ends when it cannot go on: one sentence on stderr, and an exit code that says whose doing it was.

0: done, or stopped by the user with the best picture kept. 1: something unexpected; the traceback is in a log file.
2: refused, because of what was asked or what was found on this machine. 3: refused, because it is done already: a
daemon runs. 4: the daemon took too much memory and has ended; started again, it goes on. 130: left at once with Ctrl-C.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import cast

import platformdirs
import typer

__all__ = [
    "DONE_ALREADY",
    "EXHAUSTED",
    "INTERRUPTED",
    "REFUSED",
    "UNEXPECTED",
    "DoneAlready",
    "Exhausted",
    "Refused",
    "exit_code_of",
]

UNEXPECTED, REFUSED, DONE_ALREADY, EXHAUSTED, INTERRUPTED = 1, 2, 3, 4, 130

_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])
"""Whatever Typer's parser refuses; the class has changed its package with Typer's versions, but not its place."""


class Refused(Exception):  # noqa: N818 -- named for what happened, beside the engine's errors
    """Something that the command itself refuses; the text is one sentence for the user."""

    code = REFUSED


class DoneAlready(Refused):
    """What was asked for is so. Whoever starts the daemon at login shall not take it for a failure."""

    code = DONE_ALREADY


class Exhausted(Refused):
    """The daemon has ended itself. Whoever starts it at login shall start it again."""

    code = EXHAUSTED


def exit_code_of(command: Callable[[], int | None]) -> int:
    """Runs a command and turns whatever it raises into a sentence and an exit code."""
    try:
        return command() or 0
    except _UsageError as error:
        _say(_usage_sentence(error))
    except Refused as error:
        _say(str(error))
        return error.code
    except MemoryError:
        _say("There is not enough memory for this; close other programs, or give a smaller --size.")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        if not _is_engine_error(error):
            _say(_unexpected_sentence(error))
            return UNEXPECTED
        _say(str(error))
    return REFUSED


def _say(sentence: str) -> None:
    print(f"impasto: {' '.join(sentence.split())}", file=sys.stderr)


def _is_engine_error(error: Exception) -> bool:
    errors = sys.modules.get("impasto_engine.errors")
    return errors is not None and isinstance(error, errors.EngineError)


def _usage_sentence(error: typer.BadParameter) -> str:
    command = error.ctx.command_path if error.ctx else "impasto"
    sentence = error.format_message()
    return f"{sentence}{'' if sentence.endswith(('.', '?')) else '.'} See {command} --help."


def _unexpected_sentence(error: Exception) -> str:
    if os.environ.get("IMPASTO_DEBUG"):
        traceback.print_exception(error)
    what = f"Something unexpected happened ({type(error).__name__}: {error})"
    log = _log(error)
    if log is None:
        return f"{what}, and no log could be written; set IMPASTO_DEBUG=1 to see the details here."
    return f"{what}; please report it with the file {str(log)!r}."


def _log(error: Exception) -> Path | None:
    """Writes the traceback to a file of its own; None where no folder takes it."""
    from impasto_protocol.connection import make_private_folder

    name = f"impasto-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    text = "".join([f"{sys.argv}\n", *traceback.format_exception(error)])
    for folder in (Path(platformdirs.user_log_dir("impasto", appauthor=False)), Path(tempfile.gettempdir())):
        try:
            make_private_folder(folder)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    return None
