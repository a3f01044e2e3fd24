"""`impasto styles`: which styles come with Impasto."""

import json

import typer

from impasto_daemon.commands import options

__all__ = ["styles"]


def styles(as_json: options.Json = False) -> None:
    """List the built-in styles, whose names may be given for STYLE."""
    from impasto_engine import built_in_styles

    if as_json:
        typer.echo(
            json.dumps(
                [
                    {"name": style.name, "description": style.description, "file": str(style.file)}
                    for style in built_in_styles()
                ]
            )
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("style", "")
    for style in built_in_styles():
        table.add_row(style.name, style.description)
    Console(highlight=False).print(table)
