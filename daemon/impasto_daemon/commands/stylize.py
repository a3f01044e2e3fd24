"""`impasto stylize`: paints a picture in the style of others."""

from pathlib import Path
from typing import Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.commission import Commission, carry_out, print_estimate
from impasto_daemon.commands.delegation import Delegation, delegate
from impasto_daemon.commands.destinations import Destinations
from impasto_daemon.commands.display import Display, display_for
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.loading import loaded_networks
from impasto_daemon.commands.order import Order, Request, first_order, refuse_overwriting, style_weights
from impasto_daemon.commands.reading import read_pictures
from impasto_daemon.commands.record import network_record, order_record, painting_record
from impasto_daemon.commands.replay import replayed_order
from impasto_daemon.commands.witnesses import PREVIEW_EVERY
from impasto_daemon.versions import versions

__all__ = ["stylize"]


def stylize(
    content: Annotated[
        Path | None, typer.Argument(metavar="CONTENT", help="The picture to paint.", show_default=False)
    ] = None,
    styles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STYLE",
            help="The pictures whose style to paint it in: files, or names that impasto styles lists.",
            show_default=False,
        ),
    ] = None,
    output: options.Output = None,
    size: options.Size = None,
    replay: options.Replay = None,
    estimate: options.EstimateOnly = False,
    recipe: options.RecipeName = None,
    strength: options.Strength = None,
    content_weight: options.ContentWeight = None,
    style_weight: options.StyleWeight = None,
    tv_weight: options.TvWeight = None,
    content_layers: options.ContentLayers = None,
    style_layers: options.StyleLayers = None,
    weights_of_styles: options.StyleWeights = None,
    regions: options.Regions = None,
    style_scale: options.StyleScale = None,
    color: options.Color = None,
    network: options.NetworkName = None,
    weights: options.WeightsFile = None,
    evaluations: options.Evaluations = None,
    polish: options.PolishName = None,
    polish_evaluations: options.PolishEvaluations = None,
    init: options.Init = None,
    pooling: options.Pooling = None,
    optimizer: options.Optimizer = None,
    precision: options.Precision = None,
    memory_budget: options.MemoryBudget = None,
    seed: options.Seed = None,
    previews: options.Previews = None,
    preview_every: options.PreviewEvery = PREVIEW_EVERY,
    trace: options.Trace = None,
    quiet: options.Quiet = False,
    by_daemon: options.ByDaemon = False,
    detach: options.Detach = False,
) -> None:
    """Paint CONTENT in the style of one or more pictures.

    Ctrl-C keeps the best picture so far; a second Ctrl-C leaves without.
    """
    if output is None and not (estimate or detach):
        raise Refused("There is no output: give a file name with -o, or --estimate to paint nothing.")
    if detach and not by_daemon:
        raise Refused("--detach leaves a painting to the daemon; give --daemon, too.")
    if detach and not output is previews is trace is None:
        raise Refused("--detach does not wait for a picture; leave out files, and give -o to 'impasto jobs fetch'.")
    budget_bytes = options.bytes_of(memory_budget)
    request = Request(
        content=content,
        styles=tuple(styles or ()),
        style_weights=style_weights(weights_of_styles),
        regions=tuple(regions) if regions else None,
        init=init,
        settings=options.those_given(
            {
                "recipe": recipe,
                "size": options.size_of(size),
                "evaluations": evaluations,
                "polish_evaluations": polish_evaluations,
                "strength": strength,
                "content_weight": content_weight,
                "style_weight": style_weight,
                "tv_weight": tv_weight,
                "content_layers": content_layers,
                "style_layers": style_layers,
                "style_scale": style_scale,
                "color": color,
                "pooling": pooling,
                "optimizer": optimizer,
                "precision": precision,
                "seed": seed,
            }
        ),
        network=network,
        polish=polish,
        weights=weights,
    )
    display = display_for(quiet=quiet)
    order = first_order(request) if replay is None else replayed_order(replay, request, display.say)
    destinations = Destinations(output=output, previews=previews, preview_every=preview_every, trace=trace, quiet=quiet)
    if output is not None:
        refuse_overwriting(output, order)
    destinations.check()
    if by_daemon:
        delegation = Delegation.of(order, memory_budget_bytes=budget_bytes)
        delegate(delegation, destinations, display, estimate=estimate, detach=detach)
        return
    commission = commissioned(order, display, quiet=quiet, memory_budget_bytes=budget_bytes)
    if estimate:
        print_estimate(commission)
    else:
        carry_out(commission, destinations, display)


def commissioned(order: Order, display: Display, *, quiet: bool, memory_budget_bytes: int | None) -> Commission:
    """Reads what an order names, and loads the networks.

    Raises:
        EngineError: A setting is impossible, a picture cannot be read, or the network cannot be had.
    """
    from impasto_engine import Settings, Style

    settings = Settings.from_dict(order.settings)
    pictures = read_pictures(order)
    content, start = pictures.content, pictures.start
    styles = [Style(pixels=each.pixels, weight=each.weight, region=each.region) for each in pictures.styles]
    sources = order_record(order)
    network, polisher = loaded_networks(order, settings, display.say, quiet=quiet)
    from impasto_engine import paint

    return Commission(
        content=content,
        network=network,
        polisher=polisher,
        settings=settings,
        styles=len(styles),
        paint=lambda on_progress, should_stop: paint(
            content.pixels,
            styles,
            network,
            settings,
            polisher=polisher,
            start=start,
            memory_budget_bytes=memory_budget_bytes,
            on_progress=on_progress,
            should_stop=should_stop,
        ),
        record=lambda painting: painting_record(
            painting,
            settings.as_dict(),
            sources,
            network=network_record(network),
            polish=None if polisher is None else network_record(polisher),
            versions=versions(),
        ),
        stop_at=order.stop_at,
        memory_budget_bytes=memory_budget_bytes,
    )
