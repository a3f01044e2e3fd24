"""Pictures are read from every kind of file, upright, at full depth."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image, ImageOps

from impasto_engine.errors import PictureError
from impasto_engine.files.picture_file import PictureFile, read_picture

HEIGHT, WIDTH = 23, 31
_rows, _columns = np.mgrid[:HEIGHT, :WIDTH]
RGB8 = np.stack([_rows * 8, _columns * 8, _rows * 4 + _columns * 4], axis=-1).astype(np.uint8)
RGB16 = np.stack([_rows * 2799, _columns * 2111, 65535 - _rows * _columns * 97], axis=-1).astype(np.uint16)
ALPHA8 = (255 - _columns * 7).astype(np.uint8)
ALPHA16 = (65535 - _columns * 1999).astype(np.uint16)
RGBA16 = np.dstack([RGB16, ALPHA16])

ORIENTATIONS = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored[::-1].transpose(1, 0, 2),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored[:, ::-1].transpose(1, 0, 2),
}
"""How the stored rows and columns become upright, after the table in Exif 2.32, tag 274."""


def save(picture: Image.Image, path: Path, file_format: str, **options: object) -> PictureFile:
    picture.save(path, file_format, **options)
    return read_picture(path)


def save_tiff(values: NDArray, path: Path, **options: object) -> PictureFile:
    tifffile.imwrite(path, values, **options)
    return read_picture(path)


def floats(values: NDArray) -> NDArray[np.float32]:
    return (values / np.iinfo(values.dtype).max).astype(np.float32)


def adam7_png(values: NDArray[np.uint16]) -> bytes:
    """An interlaced PNG of 16 bits, which none of our libraries can write."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for top, left, down, right in passes
        for row in values[top::down, left::right]
        if row.size
    )
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "GIF", "BMP", "WEBP"])
def test_a_picture_of_8_bits_is_read_as_pillow_reads_it(tmp_path: Path, file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = save(Image.fromarray(RGB8), tmp_path / "picture", file_format, **options)
    with Image.open(tmp_path / "picture") as oracle:
        assert_array_equal(picture.pixels, floats(np.asarray(oracle.convert("RGB"))))
    assert picture.pixels.dtype == np.float32
    assert (picture.bits, picture.profile, picture.path) == (8, None, tmp_path / "picture")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_is_read_as_pillow_reads_it(tmp_path: Path, options: dict[str, object]) -> None:
    picture = save(Image.fromarray(RGB8), tmp_path / "picture.jpg", "JPEG", **options)
    with Image.open(tmp_path / "picture.jpg") as oracle:
        assert_array_equal(picture.pixels, floats(np.asarray(oracle)))
    assert picture.format == "JPEG"


@pytest.mark.parametrize("mode", ["1", "L", "P"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "GIF"])
def test_grey_and_palettes_become_rgb(tmp_path: Path, mode: str, file_format: str) -> None:
    original = Image.fromarray(RGB8).convert(mode)
    picture = save(original, tmp_path / "picture", file_format)
    assert_array_equal(picture.pixels, floats(np.asarray(original.convert("RGB"))))


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_inks_without_a_profile_become_light(tmp_path: Path, file_format: str) -> None:
    inks = Image.merge("CMYK", [Image.fromarray(plane) for plane in (*np.moveaxis(RGB8, 2, 0), ALPHA8 // 3)])
    picture = save(inks, tmp_path / "picture", file_format)
    with Image.open(tmp_path / "picture") as oracle:
        assert oracle.mode == "CMYK"
        assert_allclose(picture.pixels, floats(np.asarray(oracle.convert("RGB"))), atol=1.5 / 255)


def test_inks_of_16_bits_are_read_at_full_depth(tmp_path: Path) -> None:
    inks = np.dstack([RGB16, ALPHA16 // 3])
    picture = save_tiff(inks, tmp_path / "inks.tif", photometric="separated", compression="lzw")
    expected = (1 - floats(inks)[..., :3]) * (1 - floats(inks)[..., 3:])
    assert_allclose(picture.pixels, expected, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_transparency_of_8_bits_is_read_and_not_multiplied(tmp_path: Path, mode: str, file_format: str) -> None:
    original = Image.fromarray(np.dstack([RGB8, ALPHA8])).convert(mode)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    picture = save(original, tmp_path / "picture", file_format, **options)
    assert_array_equal(picture.pixels, floats(np.asarray(original.convert("RGBA"))))


@pytest.mark.parametrize(("mode", "clear"), [("P", None), ("L", 128), ("RGB", (8, 16, 12)), ("1", 0)])
def test_one_transparent_colour_of_a_png_becomes_alpha(tmp_path: Path, mode: str, clear: object) -> None:
    original = Image.fromarray(RGB8).convert(mode)
    clear = original.getpixel((4, 4)) if clear is None else clear
    original.save(tmp_path / "picture.png", transparency=clear)
    pixels = read_picture(tmp_path / "picture.png").pixels
    with Image.open(tmp_path / "picture.png") as oracle:
        assert_array_equal(pixels, floats(np.asarray(oracle.convert("RGBA"))))
    assert 0 < (pixels[..., 3] == 0).sum() < HEIGHT * WIDTH


@pytest.mark.parametrize("values", [RGB16, RGBA16, RGB16[..., 0], RGBA16[..., 2:]], ids=["rgb", "rgba", "l", "la"])
def test_a_png_of_16_bits_is_read_at_full_depth(tmp_path: Path, values: NDArray[np.uint16]) -> None:
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(np.ascontiguousarray(values)))
    picture = read_picture(tmp_path / "deep.png")
    deep = np.rint(picture.pixels.astype(np.float64) * 65535).astype(np.uint16)
    expected = values if values.ndim == 3 else values[..., np.newaxis]
    assert picture.bits == 16
    assert_array_equal(deep[..., 0], expected[..., 0])
    assert_array_equal(deep[..., -1], expected[..., -1])
    assert deep.shape[2] == {1: 3, 2: 4, 3: 3, 4: 4}[expected.shape[2]]


def test_an_interlaced_png_of_16_bits_is_read_at_full_depth(tmp_path: Path) -> None:
    (tmp_path / "interlaced.png").write_bytes(adam7_png(RGB16))
    assert_array_equal(read_picture(tmp_path / "interlaced.png").pixels, floats(RGB16))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 4},
        {"compression": "zlib", "tile": (16, 16)},
        {"compression": "packbits"},
        {"bigtiff": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("planes", [False, True], ids=["interleaved", "planes"])
def test_a_tiff_of_16_bits_is_read_at_full_depth(tmp_path: Path, options: dict[str, object], planes: bool) -> None:
    values = np.moveaxis(RGB16, 2, 0) if planes else RGB16
    order = "separate" if planes else "contig"
    picture = save_tiff(values, tmp_path / "deep.tif", photometric="rgb", planarconfig=order, **options)
    assert_array_equal(picture.pixels, floats(RGB16))
    assert (picture.bits, picture.format) == (16, "TIFF")


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
def test_the_planes_of_a_tiff_of_8_bits_are_put_together(tmp_path: Path, compression: str | None) -> None:
    planes = np.moveaxis(np.dstack([RGB8, ALPHA8]), 2, 0)
    picture = save_tiff(
        planes,
        tmp_path / "planes.tif",
        photometric="rgb",
        planarconfig="separate",
        extrasamples=["unassalpha"],
        compression=compression,
    )
    assert_array_equal(picture.pixels, floats(np.dstack([RGB8, ALPHA8])))


def test_of_a_tiff_with_many_pages_the_first_is_read(tmp_path: Path) -> None:
    picture = save_tiff(np.stack([RGB16, RGB16[::-1]]), tmp_path / "pages.tif", photometric="rgb")
    assert_array_equal(picture.pixels, floats(RGB16))


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("values", [RGB8[..., 0], RGB16[..., 0]], ids=["8 bits", "16 bits"])
def test_a_grey_tiff_is_the_right_way_round(tmp_path: Path, photometric: str, values: NDArray) -> None:
    stored = values if photometric == "minisblack" else np.iinfo(values.dtype).max - values
    picture = save_tiff(stored, tmp_path / "grey.tif", photometric=photometric)
    assert_array_equal(picture.pixels, floats(np.dstack([values] * 3)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_tiff_of_floats_is_clipped_to_what_can_be_shown(tmp_path: Path, dtype: type) -> None:
    values = (floats(RGB16) * 2 - 0.5).astype(dtype)
    values[0, 0] = np.nan, np.inf, -np.inf
    picture = save_tiff(values, tmp_path / "floats.tif", photometric="rgb", compression="zlib", predictor=3)
    expected = np.clip(np.nan_to_num(values.astype(np.float32), nan=0.0), 0, 1)
    assert_allclose(picture.pixels, expected, atol=1e-7)
    assert picture.bits == 16


@pytest.mark.parametrize(("dtype", "factor"), [(np.uint32, 65537), (np.uint16, 1 / 16)])
def test_a_tiff_of_unusual_depth_is_read_to_scale(tmp_path: Path, dtype: type, factor: float) -> None:
    bits = 12 if factor < 1 else 32
    stored = (RGB16.astype(np.float64) * factor).astype(dtype)
    try:
        picture = save_tiff(stored, tmp_path / "odd.tif", photometric="rgb", bitspersample=bits)
    except NotImplementedError:
        pytest.skip("this imagecodecs Cannot write 12 bits")
    assert_allclose(picture.pixels, floats(RGB16), atol=1 / 4096)
    assert picture.bits == 16


def test_a_tiff_of_signed_numbers_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="of the kind int16; open it in an image editor"):
        save_tiff(RGB16.astype(np.int16), tmp_path / "signed.tif", photometric="rgb")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_multiplied_by_alpha_are_divided_again(tmp_path: Path, dtype: type) -> None:
    top = np.iinfo(dtype).max
    alpha = floats(ALPHA16)[..., np.newaxis].copy()
    alpha[:, 5] = 0.0
    multiplied = np.rint(np.concatenate([floats(RGB16) * alpha, alpha], axis=2) * top).astype(dtype)
    picture = save_tiff(multiplied, tmp_path / "a.tif", photometric="rgb", extrasamples=["assocalpha"])
    seen = alpha[..., 0] > 0.2
    assert_allclose(picture.pixels[seen][:, :3], floats(RGB16)[seen], atol=4.0 / top)
    assert_allclose(picture.pixels[..., 3:], alpha, atol=0.51 / top)


@pytest.mark.parametrize("kind", ["unassalpha", "unspecified"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_fourth_sample_is_alpha_only_where_the_file_says_so(tmp_path: Path, kind: str, dtype: type) -> None:
    values = RGBA16 if dtype == np.uint16 else np.dstack([RGB8, ALPHA8])
    picture = save_tiff(values, tmp_path / "four.tif", photometric="rgb", extrasamples=[kind])
    expected = floats(values) if kind == "unassalpha" else floats(values)[..., :3]
    assert_array_equal(picture.pixels, expected)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_upright(tmp_path: Path, file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = save(Image.fromarray(RGB8), tmp_path / "lying", file_format, exif=exif, **options)
    with Image.open(tmp_path / "lying") as oracle:
        assert_array_equal(picture.pixels, floats(np.asarray(ImageOps.exif_transpose(oracle))))
    if file_format != "JPEG":
        assert_array_equal(picture.pixels, floats(ORIENTATIONS[orientation](RGB8)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("values", [RGB8, RGBA16], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("big", [False, True], ids=["TIFF", "BigTIFF"])
def test_a_tiff_of_any_depth_is_turned_upright(tmp_path: Path, values: NDArray, orientation: int, big: bool) -> None:
    extra = ["unassalpha"] if values.shape[2] == 4 else []
    picture = save_tiff(
        values,
        tmp_path / "lying.tif",
        photometric="rgb",
        extrasamples=extra,
        compression="zlib",
        bigtiff=big,
        extratags=[(274, 3, 1, orientation, True)],
    )
    assert_array_equal(picture.pixels, floats(ORIENTATIONS[orientation](values)))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_ignored(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    picture = save(Image.fromarray(RGB8), tmp_path / "odd.png", "PNG", exif=exif)
    assert_array_equal(picture.pixels, floats(RGB8))


def test_reading_leaves_pillow_as_it_was(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    save(Image.fromarray(RGB8), tmp_path / "picture.png", "PNG")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_file_is_known_by_its_contents_and_not_by_its_name(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(RGB8).save(buffer, "PNG")
    (tmp_path / "in truth a PNG.jpg").write_bytes(buffer.getvalue())
    assert read_picture(str(tmp_path / "in truth a PNG.jpg")).format == "PNG"
