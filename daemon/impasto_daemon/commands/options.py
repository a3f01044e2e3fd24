"""Every option of the commands, written once: its name, its words of help, and the panel of the help it stands in.

What an option may be is known to the engine alone, which refuses the rest in one sentence; the choices named here are
held against the engine's by a test. None always means that the option was not given.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from impasto_daemon.commands.failures import Refused

__all__ = [
    "ByDaemon",
    "Color",
    "ContentLayers",
    "ContentWeight",
    "Detach",
    "EstimateOnly",
    "Evaluations",
    "Init",
    "Json",
    "MemoryBudget",
    "NetworkName",
    "Optimizer",
    "Output",
    "PolishEvaluations",
    "PolishName",
    "Pooling",
    "Precision",
    "PreviewEvery",
    "Previews",
    "Quiet",
    "RecipeName",
    "Regions",
    "Replay",
    "Seed",
    "Size",
    "Strength",
    "StyleLayers",
    "StyleScale",
    "StyleWeight",
    "StyleWeights",
    "Trace",
    "TvWeight",
    "WeightsFile",
    "bytes_of",
    "size_of",
    "those_given",
]

_RESULT = "The result"
_BALANCE = "What counts how much"
_STYLES = "The styles"
_METHOD = "How it is computed"
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([MG])(i?)B", re.IGNORECASE)
_MEANWHILE = "While it paints"

Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Where the painting goes: .png, .jpg, .tif or .webp.",
        rich_help_panel=_RESULT,
        show_default=False,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="PX|original",
        help="Pixels of the longer side, or original for the content's own size.",
        rich_help_panel=_RESULT,
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="PICTURE",
        help="Paint again from what is stored in a finished picture; whatever else is given takes precedence.",
        rich_help_panel=_RESULT,
    ),
]
EstimateOnly = Annotated[
    bool,
    typer.Option(
        "--estimate", help="Print how long it will take and how much memory, and exit.", rich_help_panel=_RESULT
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="impasto|gatys|article",
        help="The losses and their schedule: our own, the paper's, or the Keras example's.",
        rich_help_panel=_BALANCE,
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(
        "--strength", metavar="0..1", help="Of the style; 0.5 is the recipe's own balance.", rich_help_panel=_BALANCE
    ),
]
ContentWeight = Annotated[
    float | None,
    typer.Option(
        "--content-weight",
        metavar="NUMBER",
        help="Weight of the content, instead of a strength.",
        rich_help_panel=_BALANCE,
    ),
]
StyleWeight = Annotated[
    float | None,
    typer.Option("--style-weight", metavar="NUMBER", help="Weight of the style.", rich_help_panel=_BALANCE),
]
TvWeight = Annotated[
    float | None,
    typer.Option("--tv-weight", metavar="NUMBER", help="Weight of the smoothness.", rich_help_panel=_BALANCE),
]
ContentLayers = Annotated[
    list[str] | None,
    typer.Option(
        "--content-layer",
        metavar="LAYER",
        help="Where the content is compared; repeat for several.",
        rich_help_panel=_BALANCE,
    ),
]
StyleLayers = Annotated[
    list[str] | None,
    typer.Option(
        "--style-layer",
        metavar="LAYER",
        help="Where the style is compared; repeat for several.",
        rich_help_panel=_BALANCE,
    ),
]
StyleWeights = Annotated[
    str | None,
    typer.Option(
        "--style-weights",
        metavar="1,2,...",
        help="How much each style counts, in the order of the styles.",
        rich_help_panel=_STYLES,
    ),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="MASK|none",
        help="Where a style is painted: white in a picture laid over the content. The first --region is the first "
        "style's, and so on; none leaves a style everywhere.",
        rich_help_panel=_STYLES,
    ),
]
StyleScale = Annotated[
    float | None,
    typer.Option(
        "--style-scale",
        metavar="FACTOR",
        help="Size of the style image beside the picture's: larger, larger strokes.",
        rich_help_panel=_STYLES,
    ),
]
Color = Annotated[
    str | None,
    typer.Option(
        "--color",
        metavar="style|luminance|match",
        help="Whose colours: the style's; the content's own; or the style's after matching them to the content's.",
        rich_help_panel=_STYLES,
    ),
]
NetworkName = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="auto|NAME",
        help="lite, which comes with Impasto; vgg16 or vgg19; for experiments resnet50, inception_v3, xception. "
        "auto is lite, polished with vgg16 where its weights are on this machine. See impasto networks.",
        rich_help_panel=_METHOD,
    ),
]
PolishName = Annotated[
    str | None,
    typer.Option(
        "--polish",
        metavar="none|NAME",
        help="The network that paints on at full size where the first has ended.",
        rich_help_panel=_METHOD,
    ),
]
PolishEvaluations = Annotated[
    int | None,
    typer.Option(
        "--polish-evaluations", metavar="N", help="How often the polishing network does so.", rich_help_panel=_METHOD
    ),
]
WeightsFile = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="A file with the network's weights.", rich_help_panel=_METHOD),
]
Evaluations = Annotated[
    int | None,
    typer.Option(
        "--evaluations", metavar="N", help="How often the picture is compared and improved.", rich_help_panel=_METHOD
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        "--init",
        metavar="content|noise|style|FILE",
        help="The picture that painting starts from.",
        rich_help_panel=_METHOD,
    ),
]
Pooling = Annotated[
    str | None,
    typer.Option("--pooling", metavar="max|average", help="How the network's blocks hand on.", rich_help_panel=_METHOD),
]
Optimizer = Annotated[
    str | None,
    typer.Option(
        "--optimizer",
        metavar="lbfgs|device|scipy",
        help="Which optimizer: ours, ours in Keras, or SciPy's.",
        rich_help_panel=_METHOD,
    ),
]
MemoryBudget = Annotated[
    str | None,
    typer.Option(
        "--memory-budget",
        metavar="SIZE",
        help="What painting may take, such as 2GB: large pictures are then looked at in tiles, which takes longer. "
        "Half of the machine's memory unless given.",
        rich_help_panel=_METHOD,
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="auto|float32|bfloat16",
        help="Of the features; auto measures once which is faster on this machine.",
        rich_help_panel=_METHOD,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Of the noise that painting may start from.", rich_help_panel=_METHOD),
]
Previews = Annotated[
    Path | None,
    typer.Option(
        "--previews",
        metavar="FOLDER",
        help="Put numbered pictures here: 0001.png and so on.",
        rich_help_panel=_MEANWHILE,
    ),
]
PreviewEvery = Annotated[
    int,
    typer.Option(
        "--preview-every",
        metavar="N",
        min=1,
        help="Evaluations from one preview to the next.",
        rich_help_panel=_MEANWHILE,
    ),
]
Trace = Annotated[
    Path | None,
    typer.Option(
        "--trace",
        metavar="FILE.jsonl",
        help="Write the losses here, a line an evaluation; by --daemon, of those we hear of.",
        rich_help_panel=_MEANWHILE,
    ),
]
ByDaemon = Annotated[
    bool,
    typer.Option(
        "--daemon",
        help="Have the daemon paint, which has its network loaded; it is started if none runs.",
        rich_help_panel=_MEANWHILE,
    ),
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach",
        help="With --daemon: print the job's id and do not wait; impasto jobs has the rest.",
        rich_help_panel=_MEANWHILE,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=_MEANWHILE)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


WIDTH_OF_FILES = 160
"""Columns of a table that goes to a file or a pipe, so that few paths are broken."""


def bytes_of(given: str | None) -> int | None:
    """An amount of memory such as `2GB`, `1.5 GiB` or `800MB`, in bytes.

    Raises:
        Refused: It is none.
    """
    if given is None:
        return None
    found = _MEMORY.fullmatch(given.strip())
    if found is None or not float(found[1]):
        raise Refused(f"The memory budget is {given!r}; give a number with MB or GB behind, as 2GB.")
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** (2 if found[2] in "mM" else 3))


def size_of(given: str | None) -> int | str | None:
    """A size as the engine takes it: a number where it is one, and else the word, which the engine judges."""
    try:
        return None if given is None else int(given)
    except ValueError:
        return given


def those_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, lists of them as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
        if value is not None and value != []
    }
