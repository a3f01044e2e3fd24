"""Writing the finished picture, and never losing it."""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from impasto_daemon.commands.failures import Refused

if TYPE_CHECKING:
    from impasto_engine import Painting
    from impasto_engine.files.picture_file import PictureFile

__all__ = ["write_result"]


def write_result(
    output: Path, painting: "Painting", content: "PictureFile | None", record: Mapping[str, Any] | None
) -> Path:
    """Writes a painting with its record, in the content image's depth and colours; without either if it is not known.

    Returns:
        Where it is.

    Raises:
        Refused: It cannot be written there; the text says where it was saved instead.
    """
    from impasto_engine.files.picture_file import write_picture

    try:
        write_picture(output, painting.pixels, like=content, recipe=record)
    except Exception as error:
        saved = _saved_elsewhere(painting, record)
        if saved is None:
            raise
        reason = str(error).rstrip(".") or type(error).__name__
        raise Refused(f"{reason}; the painting is not lost, it was saved as {str(saved)!r}.") from error
    return output


def _saved_elsewhere(painting: "Painting", record: Mapping[str, Any] | None) -> Path | None:
    """Saves a painting in the user's cache folder, or among temporary files; None where neither can be done."""
    from impasto_engine import EngineError
    from impasto_engine.files.picture_file import write_picture

    name = f"impasto-{datetime.now():%Y%m%d-%H%M%S}.png"
    folders = (platformdirs.user_cache_path("impasto", appauthor=False) / "rescued", Path(tempfile.gettempdir()))
    for folder in folders:
        for recipe in (record, None):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write_picture(folder / name, painting.pixels, recipe=recipe)
            except (OSError, MemoryError, EngineError):
                continue
            return folder / name
    return None
