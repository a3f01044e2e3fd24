"""What the installer left beside the plug-in: where the product is, and the built-in styles.

Standard library only; nothing here fails because a file is missing: `Installation.trouble` says what is wrong.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from impasto_gimp.whereabouts import find_product

__all__ = ["BuiltInStyle", "Installation", "find_installation"]

MEND_IT = "run 'impasto install' in a terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInStyle:
    """A style that comes with Impasto.

    Attributes:
        name: What scripts call it.
        description: What it looks like.
        file: Its picture.
    """

    name: str
    description: str
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The plug-in's folder.

    Attributes:
        folder: Where it is.
        version: Of Impasto; empty if unknown.
        python: The Python in whose environment Impasto is; None if unknown.
        styles: The built-in styles whose pictures are there.
        trouble: A sentence, if something is missing that painting needs.
        is_confined: Whether GIMP runs in a Flatpak. What it starts runs in there, too, with other libraries and with
            process numbers that mean something else outside: so it starts nothing of the product's but a bridge.
    """

    folder: Path
    version: str = ""
    python: str | None = None
    styles: tuple[BuiltInStyle, ...] = ()
    trouble: str | None = None
    is_confined: bool = False

    @property
    def vendored(self) -> Path:
        """Where pyzmq and msgpack for GIMP's own Python are, if they could be had."""
        return self.folder / "vendored"

    def style(self, name: str) -> BuiltInStyle | None:
        """The built-in style of that name."""
        return next((style for style in self.styles if style.name == name), None)


def find_installation(folder: Path) -> Installation:
    """Reads what is there.

    Args:
        folder: The plug-in's.
    """
    styles, is_confined = _styles(folder / "styles"), "FLATPAK_ID" in os.environ
    place = folder / "installation.json"
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        version = str(told["version"])
        python = find_product(os.environ, Path.home()) if told["python"] is None else str(told["python"])
    except FileNotFoundError:
        return Installation(folder=folder, styles=styles, trouble=f"{str(place)!r} is missing; {MEND_IT}.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Installation(
            folder=folder, styles=styles, trouble=f"{str(place)!r} cannot be read ({error}); {MEND_IT}."
        )
    return Installation(
        folder=folder,
        version=version,
        python=python,
        styles=styles,
        trouble=None if is_confined else _trouble_with(python),
        is_confined=is_confined,
    )


def _trouble_with(python: str | None) -> str | None:
    if python is None:
        return f"Impasto itself is not to be found on this machine; install it with pipx or uv, then {MEND_IT}."
    return None if Path(python).exists() else f"Impasto is no longer at {python!r}; {MEND_IT}."


def _styles(folder: Path) -> tuple[BuiltInStyle, ...]:
    try:
        told = json.loads((folder / "styles.json").read_text(encoding="utf-8"))
        found = [
            BuiltInStyle(
                name=str(each["name"]), description=str(each["description"]), file=folder / f"{each['name']}.jpg"
            )
            for each in told
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(style for style in found if style.file.is_file())
