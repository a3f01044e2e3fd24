"""Running the product's own command, `impasto`, which knows what the plug-in does not. No gi.

It runs in the product's Python, in an environment without the editor's libraries.
"""

import json
import os
import subprocess
from typing import Any

from impasto_gimp.installation import MEND_IT, Installation
from impasto_gimp.libraries import own_environment

__all__ = ["ProductError", "run_product"]

PRODUCT_S = 120.0
"""Seconds for a command: the doctor may start TensorFlow."""


class ProductError(Exception):
    """The command failed; the text is what it said, or why it could not be run."""


def run_product(installation: Installation, *words: str, accept: tuple[int, ...] = (0,)) -> Any:
    """Runs a command that answers with JSON, or with nothing, and waits for it.

    Args:
        installation: Where the product is.
        words: What to say after `impasto`.
        accept: Which exit statuses are no failure.

    Raises:
        ProductError: It failed.
    """
    if installation.is_confined:
        raise ProductError(f"GIMP runs in a Flatpak; run 'impasto {' '.join(words)}' in a terminal.")
    if installation.python is None or installation.trouble is not None:
        raise ProductError(installation.trouble or f"Impasto's Python is unknown; {MEND_IT}.")
    try:
        ran = subprocess.run(  # noqa: S603 -- our own program
            [installation.python, "-m", "impasto_daemon", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PRODUCT_S,
            env=own_environment(os.environ),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProductError(f"{installation.python!r} cannot be run ({error}); {MEND_IT}.") from error
    if ran.returncode not in accept:
        lines = ran.stderr.decode("utf-8", errors="replace").strip().splitlines()
        said = lines[-1].removeprefix("impasto: ") if lines else f"'impasto {words[0]}' ended with {ran.returncode}."
        raise ProductError(said)
    try:
        return json.loads(ran.stdout) if ran.stdout.strip() else None
    except ValueError:
        return None  # words for people
