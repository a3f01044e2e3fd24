"""The plug-in's zip, put into a real GIMP by hand: it finds Impasto by itself, and paints."""

import time
import zipfile
from pathlib import Path

import pytest

from gimp.gimp_root import GimpRoot
from gimp.running import Gimp, product_python
from gimp.test_layers import run
from impasto_installer.plugin_folder import find_sources
from impasto_installer.plugin_zip import write_plugin_zip

REGISTERED = """tell(sorted(Gimp.get_pdb().query_procedures("^plug-in-impasto", *[""] * 7)))"""

PAINTED = """
image = new_image(); layer = new_layer(image)
status, error, painted = stylize(image, layer, style_name="mosaic")
tell([status, error, [each["name"] for each in tree(image)], pixels(painted or layer) != pixels(layer)])
image.delete()
"""


@pytest.fixture
def gimp(gimp: Gimp, root: GimpRoot, shared: Path) -> Gimp:
    """A GIMP without a plug-in, whose user has installed Impasto with pipx."""
    gimp.plugin.rename(gimp.folder / "not-a-plug-in")
    commands = Path(gimp.environment["HOME"]) / ".local" / "bin"
    commands.mkdir(parents=True, exist_ok=True)
    command = commands / "impasto"
    command.write_text(f"#!{product_python(root, shared)}\n")
    command.chmod(0o755)
    return gimp


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_plugin_zip(tmp_path, find_sources(), "1.0", time_s=time.time())


def test_what_a_file_manager_unpacks_is_in_the_menu_and_paints(gimp: Gimp, archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            Path(opened.extract(entry, gimp.plugin.parent)).chmod(entry.external_attr >> 16)
    assert not (gimp.plugin / "vendored").exists()
    status, error, layers, has_changed = run(gimp, PAINTED).told
    assert (status, error, has_changed) == ("success", "success", True)
    assert layers == ["Mosaic (strength 50%, 64 px, lite)", "source"]


def test_what_is_unpacked_without_modes_needs_the_command_that_the_documentation_names(
    gimp: Gimp, archive: Path
) -> None:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(gimp.plugin.parent)
    assert run(gimp, REGISTERED).told == []
    assert "chmod +x impasto/impasto.py" in (Path(__file__).parents[2] / "docs" / "INSTALL.md").read_text("utf-8")
    (gimp.plugin / "impasto.py").chmod(0o755)
    assert "plug-in-impasto-stylize" in run(gimp, REGISTERED).told
