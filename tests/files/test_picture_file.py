"""Pictures are written in every kind of file that can be written, and come back from it."""

from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image

from impasto_engine import limits
from impasto_engine.errors import PictureError, SettingsError
from impasto_engine.files.picture_encoding import FORMATS
from impasto_engine.files.picture_file import check_writable, read_picture, write_picture

HEIGHT, WIDTH = 23, 31
_rows, _columns = np.mgrid[:HEIGHT, :WIDTH]
RGB8 = np.stack([_rows * 8, _columns * 8, _rows * 4 + _columns * 4], axis=-1).astype(np.uint8)
RGB16 = np.stack([_rows * 2799, _columns * 2111, 65535 - _rows * _columns * 97], axis=-1).astype(np.uint16)
RGBA16 = np.dstack([RGB16, (65535 - _columns * 1999).astype(np.uint16)])
ALPHA8 = (255 - _columns * 7).astype(np.uint8)


def floats(values: NDArray) -> NDArray[np.float32]:
    return (values / np.iinfo(values.dtype).max).astype(np.float32)


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (1, 1), (1, WIDTH), (HEIGHT, 1)], ids=str)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
def test_what_is_written_without_loss_comes_back_to_the_last_bit(
    tmp_path: Path, suffix: str, channels: int, bits: int, shape: tuple[int, int]
) -> None:
    dtype = np.uint16 if bits == 16 else np.uint8
    stored = (RGBA16[: shape[0], : shape[1], :channels] >> (16 - bits)).astype(dtype)
    path = tmp_path / f"picture{suffix}"
    write_picture(path, floats(stored), bits=bits)
    picture = read_picture(path)
    assert_array_equal(picture.pixels, floats(stored))
    assert picture.bits == bits
    oracle = imagecodecs.png_decode(path.read_bytes()) if suffix == ".png" else tifffile.imread(path)
    assert_array_equal(oracle, stored)
    if bits == 8:
        with Image.open(path) as seen:
            assert seen.mode == {3: "RGB", 4: "RGBA"}[channels]
            assert_array_equal(np.asarray(seen), stored)


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (1, 1), (1, WIDTH), (HEIGHT, 1)], ids=str)
@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_what_is_written_with_loss_comes_back_nearly(tmp_path: Path, suffix: str, shape: tuple[int, int]) -> None:
    pixels = floats(RGB8[: shape[0], : shape[1]])
    path = tmp_path / f"picture{suffix}"
    write_picture(path, pixels)
    assert_allclose(read_picture(path).pixels, pixels, atol=0.12)
    with Image.open(path) as seen:
        assert_allclose(np.asarray(seen) / 255, pixels, atol=0.12)


def test_a_lower_quality_gives_a_smaller_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).random((64, 64, 3), np.float32)
    for suffix in (".jpg", ".webp"):
        sizes = []
        for quality in (20, 60, 95):
            write_picture(tmp_path / f"noise{suffix}", noise, quality=quality)
            sizes.append((tmp_path / f"noise{suffix}").stat().st_size)
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[2]


def test_webp_keeps_transparency(tmp_path: Path) -> None:
    pixels = np.dstack([np.full((HEIGHT, WIDTH, 3), 0.5, np.float32), floats(ALPHA8)])
    write_picture(tmp_path / "clear.webp", pixels)
    assert_allclose(read_picture(tmp_path / "clear.webp").pixels, pixels, atol=0.02)


def test_a_jpeg_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 4), np.float32)
    pixels[..., 0] = 1.0
    pixels[..., 3] = 0.25
    write_picture(tmp_path / "clear.jpg", pixels)
    assert_allclose(
        read_picture(tmp_path / "clear.jpg").pixels, np.broadcast_to([1.0, 0.75, 0.75], (16, 16, 3)), atol=0.02
    )


@pytest.mark.parametrize(("suffix", "bits"), [(".png", 16), (".tif", 16), (".jpg", 8), (".webp", 8)])
def test_a_picture_is_written_as_deep_as_the_one_it_is_like(tmp_path: Path, suffix: str, bits: int) -> None:
    tifffile.imwrite(tmp_path / "deep.tif", RGB16, photometric="rgb")
    deep = read_picture(tmp_path / "deep.tif")
    write_picture(tmp_path / f"copy{suffix}", deep.pixels, like=deep)
    assert read_picture(tmp_path / f"copy{suffix}").bits == bits
    write_picture(tmp_path / f"shallow{suffix}", deep.pixels, like=deep, bits=8)
    assert read_picture(tmp_path / f"shallow{suffix}").bits == 8


def test_values_that_cannot_be_shown_are_clipped(tmp_path: Path) -> None:
    pixels = np.array([[[np.nan, -3.0, 7.0], [np.inf, -np.inf, 0.5]]], np.float32)
    write_picture(tmp_path / "wild.png", pixels, bits=16)
    assert_array_equal(
        imagecodecs.png_decode((tmp_path / "wild.png").read_bytes()), [[[0, 0, 65535], [65535, 0, 32768]]]
    )


@pytest.mark.parametrize("name", ["picture", "picture.bmp", "picture.jpg.exe", "picture."])
def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    known = r"choose one of \.jpg, \.jpeg, \.png, \.tif, \.tiff, \.webp\.$"
    with pytest.raises(PictureError, match=known):
        write_picture(tmp_path / name, floats(RGB8))
    with pytest.raises(PictureError, match=known):
        check_writable(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_16_bits_are_refused_where_the_format_has_8(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"JPEG holds no 16 bits; choose \.png or \.tif"):
        write_picture(tmp_path / "picture.jpg", floats(RGB8), bits=16)


@pytest.mark.parametrize("wrong", [{"bits": 12}, {"quality": 0}, {"quality": 101}])
def test_settings_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="; choose"):
        write_picture(tmp_path / "picture.png", floats(RGB8), **wrong)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 5), (0, 4, 3), (4, 0, 3), (1, 4, 4, 3)])
def test_pixels_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(PictureError, match="of shape"):
        write_picture(tmp_path / "picture.png", np.zeros(shape, np.float32))


def test_a_side_longer_than_the_format_allows_is_refused_before_and_after_painting(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"WebP holds at most 16,383 a side; choose \.png or \.tif"):
        write_picture(tmp_path / "long.webp", np.zeros((1, 16_384, 3), np.float32))
    with pytest.raises(PictureError, match="JPEG holds at most 65,500 a side"):
        check_writable(tmp_path / "long.jpg", size=(70_000, 10))
    with pytest.raises(PictureError, match="more than the 200,000,000"):
        check_writable(tmp_path / "large.png", size=(limits.MAX_PICTURE_PIXELS, 2))
    check_writable(tmp_path / "long.webp", size=(16_383, 10))


def test_an_encoder_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("out of paint")

    broken = [replace(kind, encode=fail) for kind in FORMATS]
    write_picture(tmp_path / "old.png", floats(RGB8))
    before = (tmp_path / "old.png").read_bytes()
    with pytest.raises(PictureError, match=r"does not go into PNG \(out of paint\); choose another format"):
        write_picture(tmp_path / "old.png", floats(RGB16), formats=broken)
    assert (tmp_path / "old.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]
