"""What is to be painted from what: the words of the command line brought together, before any picture is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.style_image import StyleImage, style_image

__all__ = ["NOWHERE", "Order", "OrderedStyle", "Request", "first_order", "refuse_overwriting", "style_weights"]

NOWHERE = ("none", "-")
"""In place of a region: the style is painted everywhere."""

STARTS = ("content", "noise", "style")
"""What `--init` may say beside a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line says; None or empty where it says nothing.

    Attributes:
        content: The content image.
        styles: The style images: paths, or names of built-in styles.
        style_weights: One for each style.
        regions: A path or one of `NOWHERE` for each style, or for the first few of them.
        init: One of `STARTS` or a path.
        settings: Fields of the engine's `Settings`.
        network: The feature network's name.
        polish: The name of the network that polishes, or `none`.
        weights: The file with the first one's weights.
    """

    content: Path | None = None
    styles: tuple[str, ...] = ()
    style_weights: tuple[float, ...] | None = None
    regions: tuple[str, ...] | None = None
    init: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    network: str | None = None
    polish: str | None = None
    weights: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedStyle:
    """A style image and what it is to do.

    Attributes:
        image: The image.
        weight: As in the engine's `Style`.
        region: The picture of its region; None for everywhere.
    """

    image: StyleImage
    weight: float = 1.0
    region: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything a painting depends on.

    Attributes:
        content: The content image.
        styles: The styles.
        start: The picture to start from, for the setting `init="picture"`.
        settings: Fields of the engine's `Settings`.
        network: The feature network's name; None for whichever is at hand.
        polish: The name of the network that polishes; `none`; None for whichever goes with the network.
        weights: The file with the first one's weights; None to look for them.
        stop_at: The evaluation at which a replayed painting was stopped.
    """

    content: Path
    styles: tuple[OrderedStyle, ...]
    start: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    network: str | None = None
    polish: str | None = None
    weights: Path | None = None
    stop_at: int | None = None


def first_order(request: Request) -> Order:
    """The order that a request comes to by itself.

    Raises:
        Refused: Something is missing, a style has no such name, or there are not as many of one thing as of another.
    """
    if request.content is None or not request.styles:
        missing = "content image" if request.content is None else "style image"
        raise Refused(
            f"There is no {missing}: give CONTENT and at least one STYLE, or --replay with a finished picture."
        )
    settings, start = started_from(request.init)
    return Order(
        content=request.content,
        styles=with_regions(
            with_weights([OrderedStyle(image=style_image(word)) for word in request.styles], request.style_weights),
            request.regions,
        ),
        start=start,
        settings={**request.settings, **settings},
        network=request.network,
        polish=request.polish,
        weights=request.weights,
    )


def started_from(init: str | None) -> tuple[dict[str, str], Path | None]:
    """What `--init` means: the settings, and the picture if it names one."""
    if init is None:
        return {}, None
    return ({"init": init}, None) if init in STARTS else ({"init": "picture"}, Path(init))


def with_weights(styles: Sequence[OrderedStyle], weights: tuple[float, ...] | None) -> tuple[OrderedStyle, ...]:
    """The styles with the weights given, or as they are where none are.

    Raises:
        Refused: There are more or fewer weights than styles.
    """
    if weights is None:
        return tuple(styles)
    if len(weights) != len(styles):
        raise Refused(f"--style-weights has {len(weights)} and there are {len(styles)} styles; give one for each.")
    return tuple(replace(style, weight=weight) for style, weight in zip(styles, weights, strict=True))


def with_regions(styles: Sequence[OrderedStyle], regions: tuple[str, ...] | None) -> tuple[OrderedStyle, ...]:
    """The styles with the regions given, in order, or as they are where none are.

    Raises:
        Refused: There are more regions than styles.
    """
    if regions is None:
        return tuple(styles)
    if len(regions) > len(styles):
        raise Refused(
            f"--region is given {len(regions)} times and there are {len(styles)} styles; give one for each at most, "
            f"in the order of the styles, and {NOWHERE[0]!r} for a style without one."
        )
    paths = [None if region in NOWHERE else Path(region) for region in regions]
    paths += [None] * (len(styles) - len(paths))
    return tuple(replace(style, region=path) for style, path in zip(styles, paths, strict=True))


def style_weights(given: str | None) -> tuple[float, ...] | None:
    """The numbers in `1,2,0.5`.

    Raises:
        Refused: One is not a number.
    """
    if given is None:
        return None
    try:
        return tuple(float(number) for number in given.split(","))
    except ValueError:
        raise Refused(f"--style-weights is {given!r}; give a number for each style, with commas, as in 1,2.") from None


def refuse_overwriting(output: Path, order: Order) -> None:
    """Keeps the pictures that are painted from.

    Raises:
        Refused: The output is the content or style image itself.
    """
    for path in (order.content, *(style.image.path for style in order.styles)):
        if output.exists() and path.exists() and output.samefile(path):
            raise Refused(f"The output {str(output)!r} is one of the pictures to paint from; give another name.")
