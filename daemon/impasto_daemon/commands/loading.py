"""Loading a feature network, whose weights may have to be downloaded first."""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.commands.order import Order
from impasto_daemon.commands.quiet_start import start_keras

if TYPE_CHECKING:
    from impasto_engine import Settings
    from impasto_engine.networks.network import Network

__all__ = ["loaded_network", "loaded_networks"]


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


def loaded_networks(
    order: Order, settings: "Settings", say: Callable[[str], None], *, quiet: bool
) -> tuple["Network", "Network | None"]:
    """The networks that paint and polish what is ordered; which those are is said where nobody has chosen.

    Args:
        order: What is to be painted.
        settings: How.
        say: Shows a sentence.
        quiet: Whether to keep downloads silent.

    Raises:
        NetworkError: A name is unknown, or weights cannot be had.
    """
    start_keras()
    from impasto_engine.choice import load_networks
    from impasto_engine.networks import AUTO

    network, polisher = load_networks(
        order.network,
        order.polish,
        settings,
        weights=order.weights,
        load=lambda name, weights: loaded_network(name, weights, quiet=quiet),
    )
    if order.network in (None, AUTO) and order.polish is None and network.name == "lite" and polisher is None:
        say("There are no weights of vgg16 here: painting with lite, which comes with Impasto (see impasto networks).")
    return network, polisher
