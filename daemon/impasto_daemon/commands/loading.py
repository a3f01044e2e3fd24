"""Loading a feature network, whose weights may have to be downloaded first."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.commands.quiet_start import start_keras

if TYPE_CHECKING:
    from impasto_engine.networks.network import Network

__all__ = ["loaded_network"]


def loaded_network(name: str | None, weights: Path | None, *, quiet: bool = False) -> "Network":
    """The network of that name, or whichever is at hand.

    Starts Keras, which takes seconds: whatever can be refused without it is to be refused before.
    Keras tells of a download on stdout, where only results belong; here it tells on stderr, or not at all.

    Raises:
        NetworkError: The name is unknown, or the weights cannot be had.
    """
    start_keras()
    from impasto_engine import load_network
    from impasto_engine.networks import AUTO

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere if quiet else sys.stderr):
        return load_network(name or AUTO, weights)
