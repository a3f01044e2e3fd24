"""Which plug-in folders this user has been given, so that all of them are found again when they shall go."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs

from impasto_installer.manifest import MANIFEST_FILE

__all__ = ["Records", "records_path"]


def records_path() -> Path:
    """Where the list is."""
    return Path(platformdirs.user_data_dir("impasto", appauthor=False)) / "plug-in-folders.json"


class Records:
    """The list of folders. It is a help, and no more: what is broken or missing in it counts as empty.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def folders(self) -> tuple[Path, ...]:
        """The folders that still are Impasto's."""
        try:
            listed = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(Path(each) for each in listed if (Path(each) / MANIFEST_FILE).is_file())
        except (OSError, ValueError, TypeError):
            return ()

    def remember(self, folders: Iterable[Path]) -> None:
        """Adds to the list; one that cannot be written is left as it is."""
        listed = dict.fromkeys(str(each) for each in (*self.folders(), *folders))
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(list(listed), indent=1) + "\n", encoding="utf-8")

    def forget(self) -> None:
        """Drops the folders that are Impasto's no more, and the list when it is empty, with its folder."""
        if self.folders():
            self.remember(())
            return
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._path.parent.rmdir()
