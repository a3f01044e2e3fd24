"""pyzmq and msgpack for an editor's own Python, which is another than ours: fetched by pip, never built.

Where a Python loads no binaries from PyPI, or none can be had, the plug-in goes over a bridge instead.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from impasto_installer.editors.asking import Answer
from impasto_installer.editors.running import Run
from impasto_installer.errors import VendoringError

__all__ = ["VENDORED_PACKAGES", "vendored_for", "wheel_platforms"]

VENDORED_PACKAGES = ("pyzmq", "msgpack")

TIMEOUT_S = 600.0
"""Seconds for pip: three megabytes over a slow line."""

_OLDEST_GLIBC, _OLDEST_MUSL = 17, 1
"""The minor versions at which manylinux and musllinux begin to name the C library they need."""


@contextmanager
def vendored_for(answer: Answer, run: Run, *, wheels: Path | None = None) -> Iterator[Path]:
    """A folder with the packages for the Python of a GIMP, as long as the block lasts.

    Args:
        answer: What that GIMP said of its Python.
        run: How pip is run.
        wheels: A folder of wheels to take them from, without internet; None to ask pip's index.

    Raises:
        VendoringError: There are none for this Python and system, or they cannot be fetched.
    """
    platforms = wheel_platforms(answer)
    if not platforms:
        raise VendoringError(
            f"There are no ready-made libraries for {answer.machine} with {answer.libc[0] or 'its'} C."
        )
    major, minor, _ = answer.python
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        call = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--target", folder, "--no-deps", "--no-compile", "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", f"{major}.{minor}"),
            *(word for platform in platforms for word in ("--platform", platform)),
            *(("--no-index", "--find-links", str(wheels)) if wheels is not None else ()),
            *_requirements(),
        ]
        said = run(call, dict(os.environ), timeout_s=TIMEOUT_S)
        if said.code != 0:
            raise VendoringError(_why(said.errors, f"Python {major}.{minor} on {platforms[0]}", wheels))
        yield Path(folder)


def wheel_platforms(answer: Answer) -> list[str]:
    """The platforms whose wheels this GIMP's Python loads, the newest first; none where there cannot be any."""
    name, version = answer.libc
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return []
    major, minor = int(numbers[1]), int(numbers[2])
    if name == "glibc" and major == 2:
        newer = [f"manylinux_2_{each}_{answer.machine}" for each in range(minor, _OLDEST_GLIBC - 1, -1)]
        return [*newer, f"manylinux2014_{answer.machine}"] if newer else []
    if name == "musl" and major == 1:
        return [f"musllinux_1_{each}_{answer.machine}" for each in range(minor, _OLDEST_MUSL - 1, -1)]
    return []


def _requirements() -> list[str]:
    """What Impasto itself requires of the packages."""
    found = [Requirement(text) for text in metadata.requires("impasto") or ()]
    return [f"{each.name}{each.specifier}" for each in found if each.name in VENDORED_PACKAGES and each.marker is None]


def _why(errors: str, what: str, wheels: Path | None) -> str:
    """One sentence from what pip says."""
    lines = [line.removeprefix("ERROR: ") for line in errors.splitlines() if line.startswith("ERROR: ")]
    reason = (lines[-1] if lines else errors.strip().splitlines()[-1] if errors.strip() else "no reason given").rstrip(
        "."
    )
    remedy = (
        f"put those wheels into {str(wheels)!r}"
        if wheels is not None
        else "connect to the internet, or name a folder of wheels with --wheels"
    )
    return f"pyzmq and msgpack for {what} cannot be had ({reason}): {remedy}."
