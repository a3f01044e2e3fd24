"""The styles that come with Impasto: six pictures of our own, each with a name.

They are painted by the code in `examples/styles` of the repository, from random numbers alone, and are dedicated to the
public domain (CC0 1.0): use them, and what is painted with them, as you like. `styles.json` names them, in the order in
which to show them: the installer copies it with the pictures for the editor, whose Python has no engine.

Nothing here reads a picture; nothing slow may be imported here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from impasto_engine.errors import PictureError

__all__ = ["BuiltInStyle", "built_in_style", "built_in_styles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInStyle:
    """A style that comes with Impasto.

    Attributes:
        name: What to call it by: lower-case letters.
        description: What it looks like, in a few words.
    """

    name: str
    description: str

    @property
    def file(self) -> Path:
        """The picture, a JPEG of 768 × 768 pixels."""
        return Path(__file__).with_name(f"{self.name}.jpg")


_STYLES = tuple(
    BuiltInStyle(**style) for style in json.loads(Path(__file__).with_name("styles.json").read_text(encoding="utf-8"))
)


def built_in_styles() -> tuple[BuiltInStyle, ...]:
    """All of them, in the order in which to show them."""
    return _STYLES


def built_in_style(name: str) -> BuiltInStyle:
    """The one of that name.

    Raises:
        PictureError: There is none.
    """
    for style in _STYLES:
        if style.name == name:
            return style
    names = ", ".join(style.name for style in _STYLES)
    raise PictureError(f"There is no built-in style {name!r}; the styles are {names}: give one of these.")
