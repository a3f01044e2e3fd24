"""Painting: a content image and style images become a picture, or a layer's features become one again.

Reads no clock but the one it is given and no random state but the seed's, and does no I/O, but for
`precision="auto"`, which asks `machine` for what it measured once.
"""

from collections.abc import Callable, Sequence
from typing import Unpack

from impasto_engine.errors import SettingsError
from impasto_engine.materials import prepare
from impasto_engine.networks.network import Network
from impasto_engine.painter import Attendance, Painter, Taps
from impasto_engine.progress import Painting
from impasto_engine.recipes import Start, recipe_named
from impasto_engine.settings import Settings, Style
from impasto_engine.types import Pixels
from impasto_engine.weighing import weights_of

__all__ = ["Attendance", "paint", "reconstruct_content", "reconstruct_style"]


def paint(
    content: Pixels,
    styles: Sequence[Style],
    network: Network,
    settings: Settings | None = None,
    *,
    polisher: Network | None = None,
    start: Pixels | None = None,
    **attendance: Unpack[Attendance],
) -> Painting:
    """Paints the content image in the style of the style images.

    Args:
        content: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1].
        styles: One or more.
        network: The feature network.
        settings: How to paint.
        polisher: A slower and better network that paints on, at full size, where `network` has ended; None for none.
        start: The picture to start from, for `init="picture"`; any size.
        attendance: `on_progress`, `should_stop`, `weights`, `checkpoint`, `workshop` and `clock`; see `Attendance`.

    Raises:
        PictureError: A picture has an impossible shape or holds numbers that are not finite.
        SettingsError: The settings contradict each other or the network.
        CheckpointError: The checkpoint is not of this painting.
        PaintingError: The network gives no finite number for the starting picture.
    """
    settings = settings or Settings()
    if not styles:
        raise SettingsError("No style image is given; give at least one.")
    if settings.content_layers == () == settings.style_layers:
        raise SettingsError("Neither a content layer nor a style layer is named; name one, or leave both out.")
    return _painted(
        content,
        styles,
        network,
        settings,
        lambda each: Taps(
            content=each.content_taps if settings.content_layers is None else settings.content_layers,
            style=each.style_taps if settings.style_layers is None else settings.style_layers,
        ),
        recipe_named(settings.recipe).start,
        polisher=polisher,
        start=start,
        **attendance,
    )


def reconstruct_content(
    picture: Pixels,
    layer: str,
    network: Network,
    settings: Settings | None = None,
    **attendance: Unpack[Attendance],
) -> Painting:
    """Paints, from noise, a picture with the same features at one layer (Gatys et al. 2015, figure 1, below).

    Args and errors are those of `paint`.
    """
    settings = settings or Settings()
    return _painted(
        picture, (), network, settings, lambda _: Taps(content=(layer,), style=()), Start.NOISE, **attendance
    )


def reconstruct_style(
    picture: Pixels,
    layer: str,
    network: Network,
    settings: Settings | None = None,
    **attendance: Unpack[Attendance],
) -> Painting:
    """Paints, from noise, a picture with the same style up to a layer (Gatys et al. 2015, figure 1, above).

    The style is taken at the network's style taps that are no deeper than `layer`, and at `layer` itself.
    Args and errors are those of `paint`.
    """
    settings = settings or Settings()
    if layer not in network.taps:
        raise SettingsError(f"{network.name} has no layer {layer!r}; choose among {', '.join(network.taps)}.")
    depth = network.taps.index(layer)
    shallower = tuple(tap for tap in network.style_taps if network.taps.index(tap) < depth)
    taps = Taps(content=(), style=(*shallower, layer))
    style = Style(pixels=picture)
    return _painted(picture[..., :3], (style,), network, settings, lambda _: taps, Start.NOISE, **attendance)


def _painted(
    content: Pixels,
    styles: Sequence[Style],
    network: Network,
    settings: Settings,
    taps_of: Callable[[Network], Taps],
    usual_start: Start,
    *,
    polisher: Network | None = None,
    start: Pixels | None = None,
    **attendance: Unpack[Attendance],
) -> Painting:
    own = weights_of(settings, styles)
    attendance.setdefault("weights", lambda: own)
    painter = Painter(
        materials=prepare(content, styles, settings.color),
        network=network,
        polisher=polisher,
        settings=settings,
        taps_of=taps_of,
        init=settings.init or usual_start,
        start=start,
        **attendance,
    )
    return painter.paint()
