"""Which networks paint and polish, where that has been left to the engine."""

from collections.abc import Callable
from pathlib import Path

from impasto_engine.networks import AUTO, RECOMMENDED, load_network
from impasto_engine.networks import weights as weight_files
from impasto_engine.networks.network import Network
from impasto_engine.networks.weights import LITE
from impasto_engine.recipes import Recipe, recipe_named
from impasto_engine.settings import Settings

__all__ = ["NO_POLISH", "best_at_hand", "choose", "load_networks"]

NO_POLISH = "none"
"""In place of a network that polishes."""

Load = Callable[[str, Path | None], Network]


def best_at_hand() -> str:
    """The best network whose weights are on this machine.

    Raises:
        NetworkError: The environment names a weights folder that does not exist.
    """
    return next(name for name in RECOMMENDED if weight_files.find(name) is not None)


def choose(
    network: str | None, polisher: str | None, recipe: Recipe, *, weights: Path | None = None
) -> tuple[str, str | None]:
    """The names of the networks that paint and polish.

    With weights of a larger network at hand, a recipe that can be polished is painted with `lite` and polished with
    that; otherwise one network does all.

    Args:
        network: One of `networks.NAMES`, `auto`, or None for the same.
        polisher: One of `networks.NAMES`, `none`, or None for what goes with the network.
        recipe: What they are to paint.
        weights: A file that the first network is to take its weights from.

    Raises:
        NetworkError: The environment names a weights folder that does not exist.
    """
    if network not in (None, AUTO) or weights is not None:
        return network or AUTO, None if polisher == NO_POLISH else polisher
    if polisher is None:
        best = best_at_hand()
        polisher = NO_POLISH if best == LITE or not recipe.polish_evaluations else best
    return (AUTO, None) if polisher == NO_POLISH else (LITE, polisher)


def load_networks(
    network: str | None,
    polisher: str | None,
    settings: Settings,
    *,
    weights: Path | None = None,
    load: Load = load_network,
) -> tuple[Network, Network | None]:
    """The networks that paint and polish; the polisher is None where one network does all.

    Where the choice was left to us and `lite` lacks a layer that the settings name, the polisher paints alone.

    Args:
        network: As for `choose`.
        polisher: As for `choose`.
        settings: How they are to paint.
        weights: As for `choose`.
        load: Loads a network by its name and, perhaps, its file.

    Raises:
        NetworkError: A name is unknown, or weights cannot be had.
    """
    name, polish = choose(network, polisher, recipe_named(settings.recipe), weights=weights)
    first = load(name, weights)
    if polish is None:
        return first, None
    layers = {*(settings.content_layers or ()), *(settings.style_layers or ())}
    if network in (None, AUTO) and polisher is None and not layers <= set(first.taps):
        return load(polish, None), None
    return first, load(polish, None)
