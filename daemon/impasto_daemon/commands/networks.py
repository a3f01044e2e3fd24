"""`impasto networks`: which feature networks there are, and where their weights are."""

import json
import sys
from typing import TYPE_CHECKING

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.wording import memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from impasto_engine.networks import Availability

__all__ = ["networks"]


def networks(as_json: options.Json = False) -> None:
    """List the feature networks: where their weights are, and how big."""
    from impasto_engine import available

    found = available()
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "name": each.name,
                        "file": None if each.file is None else str(each.file),
                        "size_bytes": each.size_bytes,
                        "experimental": each.experimental,
                    }
                    for each in found
                ]
            )
        )
    else:
        _print_table(found)


def _print_table(found: "Sequence[Availability]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("network", "size", "weights", "")
    table.columns[1].justify = "right"
    table.columns[2].overflow = "fold"
    for each in found:
        table.add_row(
            each.name,
            memory(each.size_bytes),
            Text("downloaded when first used" if each.file is None else str(each.file)),
            "for experiments" if each.experimental else "",
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else options.WIDTH_OF_FILES).print(table)
