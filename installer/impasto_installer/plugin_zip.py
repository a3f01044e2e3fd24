"""The plug-in as a zip file, for people who put it into GIMP's folder by hand.

`python -m impasto_installer.plugin_zip FOLDER` writes it. It has no libraries for any one Python, and does not know
where Impasto is: the plug-in looks for both.
"""

import os
import sys
import time
import zipfile
from importlib import metadata
from pathlib import Path

from impasto_installer.manifest import MANIFEST_FILE, Manifest, digest_of
from impasto_installer.plugin_folder import MAIN_FILE, PLUGIN_NAME, Sources, content_of, find_sources

__all__ = ["write_plugin_zip"]

_UNIX = 3
"""The system whose file modes a zip entry tells."""


def write_plugin_zip(folder: Path, sources: Sources, version: str, *, time_s: float) -> Path:
    """Writes the zip.

    Args:
        folder: Where to.
        sources: Where the parts are.
        version: Of Impasto.
        time_s: The time of every file. GIMP reads a plug-in's arguments anew only when its main file has another time
            than before, so that each release needs its own.

    Returns:
        The file.
    """
    content = content_of(sources, version=version, python=None)
    manifest = Manifest(version=version, files={path: digest_of(each) for path, each in sorted(content.items())})
    file = folder / f"impasto-{version}-gimp-plug-in.zip"
    moment = time.gmtime(time_s)[:6]
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, each in {**content, MANIFEST_FILE: manifest.text().encode()}.items():
            entry = zipfile.ZipInfo(f"{PLUGIN_NAME}/{path}", moment)
            entry.create_system = _UNIX
            entry.external_attr = (0o100755 if path == MAIN_FILE else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, each)
    return file


if __name__ == "__main__":
    now_s = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    print(write_plugin_zip(Path(sys.argv[1]), find_sources(), metadata.version("impasto"), time_s=now_s))
