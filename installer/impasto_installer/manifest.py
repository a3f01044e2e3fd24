"""What was written into a plug-in folder, so that it can be taken away again and nothing else with it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from impasto_installer.errors import PluginFolderError

__all__ = ["MANIFEST_FILE", "VENDORED", "Manifest", "digest_of", "read_manifest"]

MANIFEST_FILE = "installed-files.json"

VENDORED = "vendored"
"""The folder of other people's libraries in a plug-in folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What belongs to Impasto in a plug-in folder, the manifest itself apart.

    Attributes:
        version: Of Impasto.
        files: SHA-256 in hexadecimal of each file, by its path in the folder, with slashes.
        folders_made: Folders above that had to be made, as paths from the plug-in folder: `..`, `../..`.
    """

    version: str
    files: Mapping[str, str]
    folders_made: tuple[str, ...] = ()

    def text(self) -> str:
        """The content of its file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    def is_as_written(self, folder: Path, path: str) -> bool:
        """Whether a file in the plug-in folder is what Impasto wrote there."""
        file = folder / path
        try:
            return not file.is_symlink() and digest_of(file.read_bytes()) == self.files.get(path)
        except OSError:
            return False


def digest_of(content: bytes) -> str:
    """SHA-256 as the manifest has it."""
    return hashlib.sha256(content).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a plug-in folder; None where there is none.

    Raises:
        PluginFolderError: There is one that makes no sense.
    """
    file = folder / MANIFEST_FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        manifest = Manifest(
            version=str(values["version"]),
            files={str(path): str(digest) for path, digest in values["files"].items()},
            folders_made=tuple(str(path) for path in values["folders_made"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PluginFolderError(_senseless(file)) from error
    if not all(map(_stays_within, manifest.files)) or not set(manifest.folders_made) <= {"..", "../.."}:
        raise PluginFolderError(_senseless(file))
    return manifest


def _senseless(file: Path) -> str:
    return (
        f"{str(file)!r} does not tell which files are Impasto's; delete the folder {str(file.parent)!r} "
        "and run 'impasto install'."
    )


def _stays_within(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not PurePosixPath(path).is_absolute() and ".." not in parts and "\\" not in path
