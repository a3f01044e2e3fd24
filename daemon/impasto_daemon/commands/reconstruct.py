"""`impasto reconstruct`: paints from noise what a layer of the network knows of a picture."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.commission import Commission, carry_out
from impasto_daemon.commands.destinations import Destinations
from impasto_daemon.commands.display import display_for
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.loading import loaded_network
from impasto_daemon.commands.record import network_record, painting_record, style_image_record
from impasto_daemon.commands.style_image import StyleImage, style_image
from impasto_daemon.commands.witnesses import PREVIEW_EVERY
from impasto_daemon.versions import versions

__all__ = ["What", "reconstruct"]


class What(StrEnum):
    """What is reconstructed."""

    CONTENT = "content"
    STYLE = "style"


def reconstruct(
    what: Annotated[What, typer.Argument(help="What to reconstruct of it.", show_default=False)],
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="The picture; for a style, a built-in style's name will do.", show_default=False
        ),
    ],
    layer: Annotated[
        str,
        typer.Option(
            metavar="LAYER", help="The layer, such as block4_conv2; for a style, the deepest.", show_default=False
        ),
    ],
    output: options.Output = None,
    size: options.Size = None,
    recipe: options.RecipeName = None,
    network: options.NetworkName = None,
    weights: options.WeightsFile = None,
    evaluations: options.Evaluations = None,
    pooling: options.Pooling = None,
    precision: options.Precision = None,
    memory_budget: options.MemoryBudget = None,
    seed: options.Seed = None,
    previews: options.Previews = None,
    preview_every: options.PreviewEvery = PREVIEW_EVERY,
    trace: options.Trace = None,
    quiet: options.Quiet = False,
) -> None:
    """Paint, from noise, what a LAYER of the network knows of the content or style of IMAGE.

    Ctrl-C keeps the best picture so far; a second Ctrl-C leaves without.
    """
    if output is None:
        raise Refused("There is no output: give a file name with -o.")
    from impasto_engine import Settings
    from impasto_engine.files.picture_file import read_picture

    budget_bytes = options.bytes_of(memory_budget)
    settings = Settings.from_dict(
        options.those_given(
            {
                "recipe": recipe,
                "size": options.size_of(size),
                "evaluations": evaluations,
                "pooling": pooling,
                "precision": precision,
                "seed": seed,
            }
        )
    )
    destinations = Destinations(output=output, previews=previews, preview_every=preview_every, trace=trace, quiet=quiet)
    destinations.check()
    source = style_image(image) if what is What.STYLE else StyleImage(path=Path(image))
    picture = read_picture(source.path)
    sources = {"command": f"reconstruct {what}", "layer": layer, "content": style_image_record(source)}
    loaded = loaded_network(network, weights, quiet=quiet)
    from impasto_engine import reconstruct_content, reconstruct_style

    paint = reconstruct_content if what is What.CONTENT else reconstruct_style
    commission = Commission(
        content=picture,
        network=loaded,
        settings=replace(settings, content_layers=(layer,), style_layers=(layer,)),
        styles=1 if what is What.STYLE else 0,
        paint=lambda on_progress, should_stop: paint(
            picture.pixels,
            layer,
            loaded,
            settings,
            memory_budget_bytes=budget_bytes,
            on_progress=on_progress,
            should_stop=should_stop,
        ),
        memory_budget_bytes=budget_bytes,
        record=lambda painting: painting_record(
            painting,
            settings.as_dict(),
            sources,
            network=network_record(loaded),
            polish=None,
            versions=versions(),
        ),
    )
    carry_out(commission, destinations, display_for(quiet=quiet))
