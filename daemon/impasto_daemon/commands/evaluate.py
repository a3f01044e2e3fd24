"""`impasto evaluate`: the loss of any picture under a recipe, whoever painted it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.loading import loaded_network
from impasto_daemon.commands.record import losses_record
from impasto_daemon.commands.style_image import style_image

if TYPE_CHECKING:
    from impasto_engine import Losses

__all__ = ["evaluate"]


def evaluate(
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="The content image.", show_default=False)],
    style: Annotated[
        str, typer.Argument(metavar="STYLE", help="The style image, or a built-in style's name.", show_default=False)
    ],
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The picture to judge.", show_default=False)],
    recipe: options.RecipeName = None,
    strength: options.Strength = None,
    content_weight: options.ContentWeight = None,
    style_weight: options.StyleWeight = None,
    tv_weight: options.TvWeight = None,
    content_layers: options.ContentLayers = None,
    style_layers: options.StyleLayers = None,
    color: options.Color = None,
    network: options.NetworkName = None,
    weights: options.WeightsFile = None,
    pooling: options.Pooling = None,
    as_json: options.Json = False,
) -> None:
    """Print the loss of PICTURE as a painting of CONTENT in the style of STYLE.

    The pictures are taken in the sizes they have; only a CONTENT of another size is resized to PICTURE's.
    """
    from impasto_engine import Settings, Style
    from impasto_engine.files.picture_file import read_picture

    settings = Settings.from_dict(
        options.those_given(
            {
                "recipe": recipe,
                "strength": strength,
                "content_weight": content_weight,
                "style_weight": style_weight,
                "tv_weight": tv_weight,
                "content_layers": content_layers,
                "style_layers": style_layers,
                "color": color,
                "pooling": pooling,
            }
        )
    )
    pictures = [read_picture(path).pixels for path in (content, style_image(style).path, picture)]
    loaded = loaded_network(network, weights)
    from impasto_engine import evaluate as losses_of

    losses = losses_of(pictures[0], [Style(pixels=pictures[1])], pictures[2], loaded, settings)
    if as_json:
        typer.echo(json.dumps(losses_record(losses)))
    else:
        _print_table(losses, f"{settings.recipe}, {loaded.name}")


def _print_table(losses: "Losses", title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("term", "layer", title=title, show_footer=True)
    table.columns[0].footer = "loss"
    table.add_column("", f"{losses.loss:.6g}", justify="right")
    for name, value in losses.layers.items():
        term, _, layer = name.partition("/")
        table.add_row(term, layer, f"{value:.6g}")
    table.add_section()
    for term, value in losses.terms.items():
        table.add_row(term, "", f"{value:.6g}")
    Console(highlight=False).print(table)
