"""What is meant by STYLE: a picture file, or a built-in style by its name."""

from dataclasses import dataclass
from pathlib import Path

from impasto_daemon.commands.failures import Refused

__all__ = ["StyleImage", "style_image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleImage:
    """A style image.

    Attributes:
        path: The picture.
        name: Of the built-in style that it is; None for the user's own picture.
    """

    path: Path
    name: str | None = None


def style_image(given: str) -> StyleImage:
    """The style image that a word of the command line means; a file that exists wins over a name.

    Raises:
        Refused: It can only be a name, and no built-in style has it.
    """
    from impasto_engine import built_in_styles

    path = Path(given)
    if path.is_file() or given != path.name or path.suffix:
        return StyleImage(path=path)
    files = {style.name: style.file for style in built_in_styles()}
    if given in files:
        return StyleImage(path=files[given], name=given)
    if path.exists():
        return StyleImage(path=path)
    raise Refused(
        f"There is no picture {given!r} and no built-in style of that name; the styles are {', '.join(files)}: "
        "give a file or one of these."
    )
