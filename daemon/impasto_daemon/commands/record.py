"""What is stored with a painting, so that anyone can see how it was made and paint it again.

```
impasto, keras, backend    versions, as text
command                    "stylize", "reconstruct content" or "reconstruct style"
network                    {"name", "weights": a file; where a daemon has it, {"sha256"} alone; null where Keras
                           downloaded it just then}
polish                     the same of the network that polished, or null
settings                   the engine's Settings, without what was left to the recipe
precision                  the precision that "auto" came to
layer                      of a reconstruction
content, start             a file, or null; of a reconstructed style, "content" may be a built-in style
styles                     [{"file": a file or a built-in style, "weight", "region": a file or null}]
evaluations                evaluations spent
stopped                    whether the user stopped it there
seconds                    from its start to its end
losses                     {"loss", "terms", "layers"} as `impasto evaluate` gives them
```

A file is `{"path": as it was given, "absolute": the same from the root, "sha256": of its bytes}`. A built-in
style, which lies elsewhere on every machine, is `{"built_in": its name, "sha256"}`.
"""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto_daemon.commands.order import Order
from impasto_daemon.commands.style_image import StyleImage

if TYPE_CHECKING:
    from impasto_engine import Losses, Painting
    from impasto_engine.networks.network import Network

__all__ = [
    "daemons_network_record",
    "file_record",
    "losses_record",
    "network_record",
    "order_record",
    "painting_record",
    "sha256_of",
    "style_image_record",
]

NetworkRecord = dict[str, Any]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_record(path: Path | None) -> dict[str, str] | None:
    """A file as it is stored."""
    if path is None:
        return None
    return {"path": str(path), "absolute": str(path.absolute()), "sha256": sha256_of(path)}


def style_image_record(image: StyleImage) -> dict[str, str] | None:
    """A style image as it is stored."""
    if image.name is None:
        return file_record(image.path)
    return {"built_in": image.name, "sha256": sha256_of(image.path)}


def order_record(order: Order) -> dict[str, Any]:
    """The pictures that an order paints from."""
    return {
        "command": "stylize",
        "content": file_record(order.content),
        "start": file_record(order.start),
        "styles": [
            {"file": style_image_record(style.image), "weight": style.weight, "region": file_record(style.region)}
            for style in order.styles
        ],
    }


def painting_record(
    painting: "Painting",
    settings: Mapping[str, Any],
    sources: Mapping[str, Any],
    *,
    network: NetworkRecord,
    polish: NetworkRecord | None,
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """All that is stored.

    Args:
        painting: The finished painting.
        settings: How it was painted, as `Settings.as_dict` gives it.
        sources: What it was painted from, as `order_record` gives it.
        network: What it was painted with.
        polish: What it was polished with.
        versions: What painted it, as `versions` gives it.
    """
    backend = next((f"{name} {version}" for name, version in versions.items() if name not in ("impasto", "keras")), "")
    return {
        "impasto": versions.get("impasto"),
        "keras": versions.get("keras"),
        "backend": backend,
        "network": network,
        "polish": polish,
        "settings": dict(settings),
        "precision": painting.precision,
        **sources,
        "evaluations": painting.evaluations,
        "stopped": painting.stopped,
        "seconds": round(painting.seconds, 3),
        "losses": losses_record(painting.losses),
    }


def network_record(network: "Network") -> NetworkRecord:
    """A network as it is stored."""
    weights = Path(network.weights)
    return {"name": network.name, "weights": file_record(weights) if weights.is_file() else None}


def daemons_network_record(name: str, digest: bytes | None) -> NetworkRecord:
    """A network of a daemon's as it is stored: where its file lies is the daemon's business.

    Args:
        name: The network.
        digest: The SHA-256 of its weights file; None where the daemon does not tell.
    """
    return {"name": name, "weights": None if digest is None else {"sha256": digest.hex()}}


def losses_record(losses: "Losses") -> dict[str, Any]:
    """Losses ready for JSON, which knows no infinity: a number that is not finite is null."""

    def finite(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    return {
        "loss": finite(losses.loss),
        "terms": {name: finite(value) for name, value in losses.terms.items()},
        "layers": {name: finite(value) for name, value in losses.layers.items()},
    }
