"""The recipe that a painted layer keeps: how it was painted, so that anyone can see it and paint it again. No gi.

The fields are those that the command stores in picture files, so that `impasto stylize --replay` reads both; what only
GIMP knows is under `gimp`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from impasto_gimp.wish import StyleChoice, Wish
from impasto_protocol.messages import Progress, Result
from impasto_protocol.schema import plain

__all__ = [
    "PARASITE",
    "Outcome",
    "Recipe",
    "outcome_of_progress",
    "outcome_of_result",
    "own_part",
    "read_recipe",
    "recipe_text",
]

PARASITE = "impasto-recipe"
"""The name under which a layer keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is needed to paint again.

    Attributes:
        wish: The settings.
        style: Where the style came from.
        source: The tattoo of the layer that was painted; it stays the same in a saved image.
    """

    wish: Wish
    style: StyleChoice
    source: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a painting went.

    Attributes:
        network: What painted it.
        polish: What polished it, if anything did.
        versions: Of what it was painted with, as the daemon tells them.
        network_digest: The SHA-256 of the network's weights, where the daemon tells it.
        polish_digest: The same of what polished it.
        precision: In which precision.
        evaluations: How many were spent.
        stopped: Whether it was stopped before its end.
        seconds: From its start to its end.
        losses: The loss of each layer.
    """

    network: str
    polish: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    network_digest: bytes | None = None
    polish_digest: bytes | None = None
    precision: str
    evaluations: int
    stopped: bool
    seconds: float
    losses: Mapping[str, float]


def outcome_of_result(result: Result) -> Outcome:
    """How a painting went whose result came."""
    return Outcome(
        network=result.network,
        polish=result.polisher,
        versions=result.versions or {},
        network_digest=result.network_digest,
        polish_digest=result.polisher_digest,
        precision=result.precision,
        evaluations=result.evaluations,
        stopped=result.stopped,
        seconds=result.duration_s,
        losses=result.losses,
    )


def outcome_of_progress(progress: Progress | None, wish: Wish) -> Outcome:
    """How a painting went that ended with its last preview."""
    return Outcome(
        network=wish.network,
        precision="auto",
        evaluations=0 if progress is None else progress.evaluation,
        stopped=True,
        seconds=0.0 if progress is None else progress.elapsed_s,
        losses={} if progress is None else progress.losses,
    )


def recipe_text(recipe: Recipe, outcome: Outcome, *, version: str) -> str:
    """The recipe as JSON, in ASCII.

    Args:
        recipe: What is needed to paint again.
        outcome: How it went.
        version: Of Impasto.
    """
    settings = plain(recipe.wish.settings())
    if settings.get("size") == 0:
        settings["size"] = "original"
    terms: dict[str, float] = {}
    for name, value in outcome.losses.items():
        term = name.partition("/")[0]
        terms[term] = terms.get(term, 0.0) + value
    told = {
        "impasto": version,
        "keras": outcome.versions.get("keras", ""),
        "backend": next((f"{n} {v}" for n, v in outcome.versions.items() if n not in ("impasto", "keras")), ""),
        "command": "stylize",
        "network": _network(outcome.network, outcome.network_digest),
        "polish": None if outcome.polish is None else _network(outcome.polish, outcome.polish_digest),
        "settings": settings,
        "precision": outcome.precision,
        "content": None,
        "start": None,
        "styles": [{"file": _style_file(recipe.style), "weight": 1.0, "region": None}],
        "evaluations": outcome.evaluations,
        "stopped": outcome.stopped,
        "seconds": round(outcome.seconds, 3),
        "losses": {"loss": sum(outcome.losses.values()), "terms": terms, "layers": dict(outcome.losses)},
        "gimp": own_part(recipe),
    }
    return json.dumps(told)


def _network(name: str, digest: bytes | None) -> dict[str, Any]:
    return {"name": name, "weights": None if digest is None else {"sha256": digest.hex()}}


def own_part(recipe: Recipe) -> dict[str, Any]:
    """What only GIMP knows, ready for JSON; in a text under `gimp`, it is what `read_recipe` reads."""
    return {"wish": recipe.wish.as_dict(), "style": asdict(recipe.style), "source": recipe.source}


def read_recipe(text: str) -> Recipe | None:
    """The recipe that `recipe_text` wrote; None if it is none that can be painted again here."""
    try:
        told = json.loads(text)["gimp"]
        style = {name: told["style"][name] for name in ("kind", "title", "name", "path", "tattoo")}
        return Recipe(wish=Wish.from_dict(told["wish"]), style=StyleChoice(**style), source=int(told["source"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _style_file(style: StyleChoice) -> dict[str, str] | None:
    """The style as the command stores it; a layer is no file."""
    if style.kind == "layer" or not style.path:
        return None
    path = Path(style.path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):  # a null character in a path is a ValueError
        return None
    if style.kind == "built_in":
        return {"built_in": style.name, "sha256": digest}
    return {"path": style.path, "absolute": str(path.absolute()), "sha256": digest}
