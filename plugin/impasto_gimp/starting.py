"""Starting the daemon, by the product's own `impasto daemon start`, which does nothing if one is running."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from impasto_gimp.installation import MEND_IT, Installation

__all__ = ["StartError", "start_daemon"]

START_S = 30.0
"""Seconds to wait for it; it gives up by itself after fifteen."""


class StartError(Exception):
    """The daemon cannot be started; the text tells why, and the remedy."""


def start_daemon(installation: Installation, environment: Mapping[str, str]) -> None:
    """Starts the daemon and waits until it answers. Blocks: for `courier`'s thread.

    Args:
        installation: Where the product is.
        environment: The daemon's.

    Raises:
        StartError: It does not start.
    """
    if installation.is_confined:
        raise StartError(
            "The daemon does not run, and GIMP runs in a Flatpak, from which it cannot start it: in a terminal, run "
            "'impasto service install', which starts it now and at every login, or 'impasto daemon start'."
        )
    if installation.python is None or installation.trouble is not None:
        raise StartError(installation.trouble or f"Impasto's Python is unknown; {MEND_IT}.")
    try:
        ran = subprocess.run(  # noqa: S603 -- our own program
            [installation.python, "-m", "impasto_daemon", "daemon", "start"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=START_S,
            env=dict(environment),
            cwd=Path.home(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise StartError(f"The daemon cannot be started with {installation.python!r} ({error}); {MEND_IT}.") from error
    if ran.returncode:
        lines = ran.stderr.decode("utf-8", errors="replace").strip().splitlines()
        said = lines[-1].removeprefix("impasto: ") if lines else f"it ended with {ran.returncode}"
        raise StartError(f"The daemon does not start: {said}")
