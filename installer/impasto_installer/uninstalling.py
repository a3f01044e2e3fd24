"""Taking a plug-in away: what Impasto wrote and Python compiled from it, and nothing that is the user's."""

from pathlib import Path

from impasto_installer.errors import PluginFolderError
from impasto_installer.manifest import MANIFEST_FILE, read_manifest
from impasto_installer.plugin_folder import forget_compiled, prune
from impasto_installer.setting_aside import set_the_users_aside

__all__ = ["uninstall"]


def uninstall(folder: Path) -> tuple[Path, ...]:
    """Takes the plug-in out of a plug-in folder.

    Args:
        folder: The plug-in folder.

    Returns:
        The files that stay, because Impasto did not write what is in them.

    Raises:
        PluginFolderError: It has no manifest that makes sense, or something cannot be deleted.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise PluginFolderError(f"{str(folder)!r} has no list of what is Impasto's; delete it by hand if it is.")
    try:
        set_the_users_aside(folder, manifest)
        for path in manifest.files:
            file = folder / path
            file.unlink(missing_ok=True)
            forget_compiled(file)
            prune(file.parent, up_to=folder)
        (folder / MANIFEST_FILE).unlink()
        kept = tuple(sorted(path for path in folder.rglob("*") if not path.is_dir()))
        if not kept:
            prune(folder, up_to=folder.parents[len(manifest.folders_made)])
    except OSError as error:
        raise PluginFolderError(
            f"Cannot delete {str(error.filename or folder)!r}: {error.strerror}; close GIMP, and try again."
        ) from error
    return kept
