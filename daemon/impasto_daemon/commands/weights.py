"""`impasto weights`: fetches the weights of feature networks, takes them from a file, lists and removes them."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from impasto_daemon.commands import options
from impasto_daemon.commands.failures import REFUSED, Refused
from impasto_daemon.commands.loading import loaded_network
from impasto_daemon.commands.wording import memory

__all__ = ["weights"]

weights = typer.Typer(help="Fetch, add, list and remove the weights of feature networks.", no_args_is_help=True)

Network = Annotated[str, typer.Argument(metavar="NETWORK", help="vgg16, vgg19, or another of `impasto networks`.")]


@weights.command(name="list")
def list_weights(as_json: options.Json = False) -> int:
    """List the weights on this machine, and check that each file is whole."""
    found = [_examined(name) for name in _names()]
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print_table(found)
    return REFUSED if any(each["trouble"] for each in found) else 0


@weights.command()
def fetch(network: Network, quiet: options.Quiet = False) -> None:
    """Download a network's weights to where Keras keeps them; an interrupted download goes on where it was."""
    from impasto_engine.networks.fetching import fetch_weights
    from impasto_engine.networks.published import PUBLISHED, keras_folder

    if network not in PUBLISHED:
        raise Refused(f"There are no weights {network!r} to fetch; choose one of {', '.join(PUBLISHED)}.")
    with _progress(network, PUBLISHED[network].size_bytes, quiet) as progress:
        file = fetch_weights(network, PUBLISHED[network], keras_folder(), progress)
    if not quiet:
        typer.echo(f"The weights of {network} are in {str(file)!r}.")


@weights.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A weights file that Keras published, or saved.")],
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="NAME", help="Whose weights they are, where the file does not tell."),
    ] = None,
) -> None:
    """Take a network's weights from a file, on a machine without internet."""
    import shutil

    from impasto_engine.networks.published import PUBLISHED, keras_folder
    from impasto_engine.networks.soundness import Provenance, provenance_of

    if not file.is_file():
        raise Refused(f"There is no file {str(file)!r}; check its name.")
    name = network or next((each for each in PUBLISHED if file.name.startswith(each)), None)
    if name is None or name not in PUBLISHED:
        raise Refused(
            f"{str(name or file.name)!r} is the name of no network with weights of its own; give --network with one of "
            f"{', '.join(PUBLISHED)}."
        )
    is_published = provenance_of(name, file) is Provenance.PUBLISHED
    if not is_published:
        loaded_network(name, file)  # nothing else shows that these are its weights
    folder = keras_folder()
    home = folder / (PUBLISHED[name].file_name if is_published else f"{name}_added_notop{_ending(file)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = home.with_name(f"{home.name}.part")
        shutil.copyfile(file, beside)
        beside.replace(home)
    except OSError as error:
        raise Refused(f"Cannot write {str(home)!r} ({error.strerror}); free some space there.") from error
    typer.echo(f"The weights of {name} are in {str(home)!r}.")


@weights.command()
def remove(network: Network) -> None:
    """Delete a network's weights from Keras's folder, and what an interrupted download left."""
    from impasto_engine.networks.published import PUBLISHED, keras_folder
    from impasto_engine.networks.weights import find

    if network not in PUBLISHED:
        raise Refused(f"The weights of {network!r} cannot be removed; choose one of {', '.join(PUBLISHED)}.")
    files = sorted(keras_folder().glob(f"{network}*notop*.h5*"))
    for file in files:
        try:
            file.unlink()
        except OSError as error:
            raise Refused(f"Cannot delete {str(file)!r} ({error.strerror}); delete it by hand.") from error
        typer.echo(f"Deleted {str(file)!r}.")
    left = find(network)
    if left is not None:
        typer.echo(f"{str(left)!r} stays: it is in a folder of yours, named by IMPASTO_WEIGHTS_DIR.")
    elif not files:
        typer.echo(f"The weights of {network} are not on this machine.")


def _names() -> tuple[str, ...]:
    from impasto_engine.networks import NAMES

    return NAMES


def _examined(name: str) -> dict[str, Any]:
    from impasto_engine.errors import NetworkError
    from impasto_engine.networks import weights as weight_files
    from impasto_engine.networks.soundness import provenance_of

    file, state, trouble = None, _absent(name), None
    try:
        file = weight_files.find(name)
        if file is not None:
            state = provenance_of(name, file).value
    except NetworkError as error:
        state, trouble = "damaged", str(error)
    return {
        "name": name,
        "file": None if file is None else str(file),
        "size_bytes": None if file is None else file.stat().st_size,
        "state": state,
        "trouble": trouble,
    }


def _absent(name: str) -> str:
    """What to say of weights that are not there, but perhaps on their way."""
    from impasto_engine.networks.published import PUBLISHED, keras_folder

    part = keras_folder() / f"{PUBLISHED[name].file_name}.part" if name in PUBLISHED else None
    if part is None or not part.is_file():
        return "not on this machine"
    return f"{memory(part.stat().st_size)} of {memory(PUBLISHED[name].size_bytes)} fetched; fetch goes on"


def _print_table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("network", "size", "state", "file")
    table.columns[1].justify = "right"
    table.columns[3].overflow = "fold"
    for each in found:
        size = "" if each["size_bytes"] is None else memory(each["size_bytes"])
        table.add_row(each["name"], size, each["state"], Text(each["file"] or ""))
    Console(highlight=False, width=None if sys.stdout.isatty() else options.WIDTH_OF_FILES).print(table)
    for each in found:
        if each["trouble"]:
            typer.echo(each["trouble"])


@contextmanager
def _progress(name: str, total_bytes: int, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(name, total=total_bytes)
        yield lambda done_bytes, of_bytes: bar.update(task, completed=done_bytes, total=of_bytes)


def _ending(file: Path) -> str:
    return ".weights.h5" if file.name.endswith(".weights.h5") else ".h5"
