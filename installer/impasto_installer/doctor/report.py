"""A bundle for a bug report: what was found, the ends of the logs, and the environment, all of it redacted."""

import json
import platform
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from impasto_installer.doctor.check import Check
from impasto_installer.doctor.redaction import Redaction
from impasto_installer.errors import InstallerError

__all__ = ["as_json", "write_report"]

LOG_BYTES = 256 * 1024
"""Bytes of each log that are told: the last ones."""

_PACKAGES = ("impasto", "keras", "tensorflow", "jax", "torch", "numpy", "pyzmq", "msgpack", "h5py", "pillow", "pip")


def write_report(
    file: Path,
    checks: Sequence[Check],
    *,
    logs: Sequence[Path],
    environment: Mapping[str, str],
    redaction: Redaction,
) -> None:
    """Writes the bundle, a zip file of texts.

    Args:
        file: Where to.
        checks: What was found.
        logs: Files to tell the ends of; those that are missing are left out.
        environment: The user's variables.
        redaction: Takes out what is private.

    Raises:
        InstallerError: It cannot be written.
    """
    texts = {
        "checks.json": as_json(checks),
        "system.json": json.dumps(
            {
                "platform": platform.platform(),
                "python": sys.version,
                "packages": {name: _version(name) for name in _PACKAGES},
            },
            indent=1,
        ),
        "environment.json": json.dumps(redaction.of_environment(environment), indent=1),
        **{f"logs/{number}-{log.name}": _end_of(log) for number, log in enumerate(logs) if log.is_file()},
    }
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in texts.items():
                bundle.writestr(name, redaction.of(text))
    except OSError as error:
        raise InstallerError(f"Cannot write {str(file)!r}: {error.strerror}; name another file.") from error


def as_json(checks: Sequence[Check]) -> str:
    """The checks as `--json` prints them."""
    return json.dumps({"checks": [asdict(check) for check in checks]}, indent=1)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _end_of(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES))
            return stream.read().decode("utf-8", errors="replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}"
