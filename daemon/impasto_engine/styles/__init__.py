"""The styles that come with Impasto: six pictures of our own, each with a name.

They are painted by the code in `examples/styles` of the repository, from random numbers alone, and are dedicated to the
public domain (CC0 1.0): use them, and what is painted with them, as you like.

Nothing here reads a picture; nothing slow may be imported here.
"""

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


_STYLES = (
    BuiltInStyle(name="swirl", description="Night currents and warm lights in thick, flowing oil paint"),
    BuiltInStyle(name="woodcut", description="Sun and hills in carved lines: black, red, blue, cream paper"),
    BuiltInStyle(name="watercolour", description="A bright meadow in transparent washes with dark rims"),
    BuiltInStyle(name="mosaic", description="Suns and rivers of hand-cut glass, set in rows in dark mortar"),
    BuiltInStyle(name="pointillism", description="A bay at sunset in dabs of pure, contrasting colours"),
    BuiltInStyle(name="ink", description="A plum tree in black and indigo ink, a vermilion sun"),
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
