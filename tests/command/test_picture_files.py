"""The files a painting is read from and written to: formats, depth, transparency, names."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from command.calling import Argument, Impasto
from command.pictures import pixels_of, save, waves
from impasto_engine.files.picture_file import read_picture, read_recipe

Options = Sequence[Argument]


@pytest.mark.parametrize(
    ("ending", "kind"), [("jpg", "JPEG"), ("png", "PNG"), ("tif", "TIFF"), ("tiff", "TIFF"), ("webp", "WEBP")]
)
def test_every_format_goes_in_and_out(
    ending: str, kind: str, tmp_path: Path, style: Path, impasto: Impasto, quickly: Options
):
    content, out = save(tmp_path / f"content.{ending}", waves(30, 40, seed=1)), tmp_path / f"out.{ending}"
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    with Image.open(out) as painted:
        assert (painted.format, painted.size) == (kind, (32, 24))
    assert read_recipe(out)["content"]["path"] == str(content)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_stay_sixteen(ending: str, tmp_path: Path, style: Path, impasto: Impasto, quickly: Options):
    content, out = tmp_path / "content.tif", tmp_path / f"out.{ending}"
    tifffile.imwrite(content, np.rint(waves(30, 40, seed=1) * 65535).astype(np.uint16), photometric="rgb")
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    painted = read_picture(out)
    assert painted.bits == 16
    assert not np.allclose(painted.pixels * 255, np.rint(painted.pixels * 255), atol=1e-3)


def test_transparency_is_carried_through(tmp_path: Path, style: Path, out: Path, impasto: Impasto, quickly: Options):
    pixels = waves(24, 32, seed=1, channels=4)
    pixels[..., 3] = np.linspace(0.0, 1.0, 32)
    content = save(tmp_path / "content.png", pixels)
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    painted = pixels_of(out)
    assert painted.shape == (24, 32, 4)
    assert np.abs(painted[..., 3].astype(int) - pixels_of(content)[..., 3]).max() <= 1


def test_a_photograph_on_its_side_is_painted_upright(
    tmp_path: Path, style: Path, out: Path, impasto: Impasto, quickly: Options
):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = save(tmp_path / "content.jpg", waves(30, 40, seed=1), exif=exif)
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    assert pixels_of(out).shape == (32, 24, 3)


def test_names_may_have_spaces_brackets_and_letters_of_any_script(
    tmp_path: Path, style: Path, impasto: Impasto, quickly: Options
):
    content = save(tmp_path / "[bold]été — 絵 [0].png", waves(30, 40, seed=1))
    out = tmp_path / "[red] sortie 絵.png"
    outcome = impasto("stylize", content, style, "-o", out, *quickly)
    assert (outcome.code, outcome.stdout) == (0, f"{out}\n")
    assert read_recipe(out)["content"]["path"] == str(content)


def test_an_older_picture_of_that_name_is_replaced(
    content: Path, style: Path, out: Path, tmp_path: Path, impasto: Impasto, quickly: Options
):
    save(out, waves(8, 8, seed=5))
    assert impasto("stylize", content, style, "-o", out, *quickly).code == 0
    assert pixels_of(out).shape == (24, 32, 3)
    assert {file.name for file in tmp_path.iterdir()} == {"content.png", "style.png", "out.png"}
