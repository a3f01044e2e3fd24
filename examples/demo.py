"""Paints a photograph in the style of a picture of our own, to show that everything works.

    python examples/demo.py FOLDER

The photograph is scikit-image's `chelsea`, a cat, by Stefan van der Walt (CC0); the style is `swirl`, one of those that
come with Impasto.
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from skimage import data

STYLE = "swirl"


def main(folder: Path) -> int:
    """Writes the photograph and the painting into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    photograph, painting = folder / "photograph.png", folder / "painting.png"
    Image.fromarray(data.chelsea()).save(photograph)
    command = [Path(sys.executable).with_name("impasto"), "stylize", photograph, STYLE, "--output", painting]
    status = subprocess.run([str(part) for part in command], check=False).returncode  # noqa: S603
    if status == 0:
        print(f"\nPainted {painting}\n   from {photograph}\n  after the style {STYLE!r}, one of `impasto styles`")
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo")))
