"""The style pictures of our own: that the code paints those that are shipped, and that they are worth choosing.

`examples/styles` is no package: its files import one another as a script's neighbours do. So its folder is put on the
module path while `paint_styles.py` is loaded from where it lies.
"""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto_engine import built_in_style, built_in_styles

STYLES_DIR = Path(__file__).parents[2] / "examples" / "styles"
NAMES = tuple(style.name for style in built_in_styles())
SIZE, FULL_SIZE = 96, 768
LEAST_PSNR_DB = 22.0
"""Between what was painted and its JPEG: fine texture everywhere is what JPEG is worst at."""
LUMA = np.array((0.2126, 0.7152, 0.0722))


def _load_paint_styles():
    spec = importlib.util.spec_from_file_location("paint_styles", STYLES_DIR / "paint_styles.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(STYLES_DIR))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(STYLES_DIR))
    return module


paint_styles = _load_paint_styles()


@cache
def painted(name, seed=None):
    style = paint_styles.STYLES[name]
    return style.paint(SIZE, style.seed if seed is None else seed)


def shipped(name):
    with Image.open(built_in_style(name).file) as picture:
        return np.asarray(picture.convert("RGB"))


def colourfulness(picture):
    """Hasler and Süsstrunk, "Measuring Colourfulness in Natural Images", 2003: 33 is moderate, 59 quite colourful."""
    red, green, blue = np.moveaxis(picture.astype(float), -1, 0)
    across, along = red - green, (red + green) / 2 - blue
    return np.hypot(across.std(), along.std()) + 0.3 * np.hypot(across.mean(), along.mean())


def blocks(picture, across):
    """Cut a picture into `across` × `across` equal parts, as `(parts, pixels, channels)`."""
    part = picture.shape[0] // across
    cut = picture[: part * across, : part * across].reshape(across, part, across, part, -1)
    return cut.swapaxes(1, 2).reshape(across * across, part * part, -1).astype(float)


def test_every_style_that_is_shipped_is_painted_by_code_and_no_other():
    assert tuple(paint_styles.STYLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_painting_is_a_square_of_rgb_bytes_that_uses_its_range(name):
    picture = painted(name)
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.dtype == np.uint8
    assert picture.min() < 60
    assert picture.max() > 195


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_paints_the_same_bytes(name):
    style = paint_styles.STYLES[name]
    assert style.paint(SIZE, style.seed).tobytes() == painted(name).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_paints_another_picture(name):
    difference = np.abs(painted(name).astype(int) - painted(name, seed=1000))
    assert difference.mean() > 15


@pytest.mark.parametrize("name", NAMES)
def test_a_painting_is_colourful_and_has_contrast(name):
    picture = painted(name)
    assert colourfulness(picture) > 30
    assert (picture @ LUMA).std() > 30


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_picture_is_the_one_the_code_paints(name):
    theirs, ours = (blocks(picture, 24).mean(axis=1).ravel() for picture in (shipped(name), painted(name)))
    assert np.corrcoef(theirs, ours)[0, 1] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_picture_is_the_one_the_code_paints_stroke_by_stroke(name):
    style = paint_styles.STYLES[name]
    error = style.paint(FULL_SIZE, style.seed).astype(float) - shipped(name)
    assert 10 * np.log10(255**2 / np.square(error).mean()) > LEAST_PSNR_DB


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_picture_is_small_to_carry_and_large_enough_to_use(name):
    assert shipped(name).shape == (FULL_SIZE, FULL_SIZE, 3)
    assert built_in_style(name).file.stat().st_size < 250_000


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_picture_has_texture_everywhere_at_stroke_and_at_bristle_scale(name):
    luma = shipped(name) @ LUMA
    within_blocks = blocks(luma[..., None], 12).std(axis=1)
    assert within_blocks.min() > 10
    two_pixels_on = np.abs(luma[:, 2:] - luma[:, :-2])
    assert np.median(two_pixels_on) > 4


def test_the_command_paints_what_it_is_asked_for(tmp_path, capsys):
    paint_styles.main([str(tmp_path / "new"), "--size", "64", "--only", "watercolour", "--seed", "3"])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["watercolour.jpg"]
    with Image.open(tmp_path / "new" / "watercolour.jpg") as picture:
        assert picture.size == (64, 64)
    assert "watercolour.jpg" in capsys.readouterr().out
