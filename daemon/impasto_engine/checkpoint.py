"""Checkpoints: where a painting stands after an evaluation, to go on from later, in this process or in another.

A checkpoint is a file in NumPy's npz format without pickled objects: the arrays, and `about`, the numbers as JSON. It
is written beside its place and moved there, and read as if anyone could have written it.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto_engine.descent import Descent
from impasto_engine.errors import CheckpointError
from impasto_engine.limits import MAX_CHECKPOINT_BYTES
from impasto_engine.weighing import Weights

__all__ = ["Checkpoint", "read_checkpoint"]

VERSION = 3
"""Of the file."""

_NUMBERS = (
    "loss",
    "evaluations",
    "rollbacks",
    "rollbacks_in_a_row",
    "first_loss",
    "round_began",
    "round_loss",
    "marked",
    "marked_loss",
    "plateaus",
)
_MEMORY = "memory/"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """See the module.

    Attributes:
        identity: Of the painting: its pictures, networks and settings. Weights are not part of it.
        stage: Which of its stages, from 0.
        evaluations: Spent at the stages before.
        rollbacks: Of the stages before.
        seconds: Painted so far.
        descent: Where this stage stands.
    """

    identity: str
    stage: int
    evaluations: int
    rollbacks: int
    seconds: float
    descent: Descent[Weights]

    @property
    def evaluation(self) -> int:
        """Evaluations spent in all."""
        return self.evaluations + self.descent.evaluations

    def write(self, path: Path) -> None:
        """Writes a file, or leaves everything as it was.

        Raises:
            CheckpointError: The disk does not take it.
        """
        descent = self.descent
        about = {
            "version": VERSION,
            "identity": self.identity,
            "stage": self.stage,
            "evaluations": self.evaluations,
            "rollbacks": self.rollbacks,
            "seconds": self.seconds,
            "descent": {name: getattr(descent, name) for name in _NUMBERS},
            "weights": asdict(descent.weights),
            "has_memory": descent.memory is not None,
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "picture": descent.picture,
            "terms": descent.terms,
        }
        arrays |= {_MEMORY + name: array for name, array in (descent.memory or {}).items()}
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            try:
                with beside.open("xb") as file:
                    np.savez(file, allow_pickle=False, **arrays)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"The checkpoint {str(path)!r} cannot be written ({error.strerror}); make room, or paint without."
            ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint that was written to a file.

    Raises:
        CheckpointError: The file is missing, damaged, or of another version.
    """
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise ValueError("it is too large")
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(bytes(file["about"]))
            if about["version"] != VERSION:
                raise CheckpointError(
                    f"The checkpoint {str(path)!r} is of version {about['version']}, not {VERSION}; paint anew."
                )
            arrays = {name: file[name] for name in file.files if name != "about"}
        return _assembled(about, arrays)
    except CheckpointError:
        raise
    except Exception as error:  # zipfile and NumPy let a damaged file raise nearly anything
        raise CheckpointError(f"The checkpoint {str(path)!r} is damaged ({error}); paint anew.") from error


def _assembled(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Checkpoint:
    picture, terms = arrays["picture"], arrays["terms"]
    if picture.dtype != np.float32 or picture.ndim != 3 or picture.shape[2] != 3 or not np.isfinite(picture).all():
        raise ValueError(f"its picture is {picture.dtype} of shape {picture.shape}")
    if terms.dtype != np.float32 or terms.ndim != 1:
        raise ValueError(f"its terms are {terms.dtype} of shape {terms.shape}")
    numbers = {name: about["descent"][name] for name in _NUMBERS}
    for name, value in numbers.items():
        kind = float if name.endswith("loss") else int
        if type(value) is not kind or value != value or value < 0:
            raise ValueError(f"its {name} is {value!r}")
    styles = about["weights"]["styles"]
    weights = Weights(**{**about["weights"], "styles": None if styles is None else tuple(styles)})
    memory = {name.removeprefix(_MEMORY): array for name, array in arrays.items() if name.startswith(_MEMORY)}
    return Checkpoint(
        identity=str(about["identity"]),
        stage=int(about["stage"]),
        evaluations=int(about["evaluations"]),
        rollbacks=int(about["rollbacks"]),
        seconds=float(about["seconds"]),
        descent=Descent(
            picture=picture, terms=terms, weights=weights, memory=memory if about["has_memory"] else None, **numbers
        ),
    )
