"""Colours are converted as LittleCMS and the textbook say, in both directions and at full depth."""

import struct
from functools import cache
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageCms

from impasto_engine.files.colour_profile import from_srgb, to_srgb
from impasto_engine.files.picture_file import read_picture, write_picture

D65 = (0.3127, 0.3290)
P3_PRIMARIES = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
P3_TO_SRGB = np.array([[1.2249401, -0.2249404, 0.0], [-0.0420569, 1.0420571, 0.0], [-0.0196376, -0.0786361, 1.0982735]])
"""Linear Display P3 to linear sRGB, from the primaries of SMPTE RP 431-2 and ITU-R BT.709, both at D65."""


@cache
def display_p3() -> bytes:
    """Display P3's primaries with a plain gamma of 2.2; a profile tells the time, so it is made once."""
    return imagecodecs.cms_profile("rgb", whitepoint=D65, primaries=P3_PRIMARIES, gamma=2.2)


def encoded(linear: np.ndarray) -> np.ndarray:
    """The sRGB curve of IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)


def muted(shape: tuple[int, int]) -> np.ndarray:
    """Colours that both spaces have."""
    return np.random.default_rng(11).uniform(0.35, 0.65, (*shape, 3)).astype(np.float32)


def cmyk_profile() -> bytes:
    """A printer's profile: inks that swallow red, green and blue light, on a grid with two points a side."""
    inks = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    lightness = 95.0 * (1 - inks[:, 3]) * (1 - inks[:, :3] @ [0.4, 0.35, 0.1])
    a = (1 - inks[:, 3]) * (inks[:, :3] @ [-35.0, 70.0, -5.0])
    b = (1 - inks[:, 3]) * (inks[:, :3] @ [-45.0, -5.0, 85.0])
    clut = np.clip(np.rint(np.stack([lightness * 2.55, a + 128, b + 128], axis=1)), 0, 255).astype(np.uint8)
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + clut.tobytes() + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"A2B0", table), (b"wtpt", white)]
    offset = 128 + 4 + 12 * len(tags)
    directory, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s12s4s", 128 + len(directory) + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK",
                         b"Lab ", bytes(12), b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + directory + body


def pillow_srgb(picture: Image.Image, profile: bytes) -> np.ndarray:
    converted = ImageCms.profileToProfile(
        picture,
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    )
    assert converted is not None
    return np.asarray(converted) / 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_are_converted_as_the_textbook_says(dtype: type) -> None:
    values = muted((9, 14))
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    stored = values if dtype == np.float32 else np.rint(values * top).astype(dtype)
    expected = encoded((stored / top) ** 2.2 @ P3_TO_SRGB.T)
    pixels, kept = to_srgb(stored, display_p3())
    assert_allclose(pixels, expected, atol=2e-4)
    assert kept == display_p3()


def test_colours_are_converted_back_as_the_textbook_says() -> None:
    values = muted((9, 14))
    srgb = encoded(values**2.2 @ P3_TO_SRGB.T).astype(np.float32)
    assert_allclose(from_srgb(srgb, display_p3()), values, atol=2e-4)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_file_with_a_profile_is_read_as_pillow_converts_it(tmp_path: Path, file_format: str) -> None:
    profile = imagecodecs.cms_profile("adobergb")
    values = np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "picture", file_format, icc_profile=profile)
    picture = read_picture(tmp_path / "picture")
    assert picture.profile == profile
    with Image.open(tmp_path / "picture") as stored:
        assert_allclose(picture.pixels, pillow_srgb(stored, profile), atol=2.5 / 255)
        assert np.abs(picture.pixels - np.asarray(stored) / 255).max() > 0.1


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_inks_are_converted_by_their_profile(tmp_path: Path, file_format: str) -> None:
    rows, columns = np.mgrid[:16, :16] * 17
    inks = np.stack([rows, columns, 255 - rows, columns // 3], axis=-1).astype(np.uint8)
    picture = Image.frombytes("CMYK", (16, 16), inks.tobytes())
    options = {"quality": 95} if file_format == "JPEG" else {}
    picture.save(tmp_path / "inks", file_format, icc_profile=cmyk_profile(), **options)
    read = read_picture(tmp_path / "inks")
    assert read.profile == cmyk_profile()
    with Image.open(tmp_path / "inks") as stored:
        assert_allclose(read.pixels, pillow_srgb(stored, cmyk_profile()), atol=3 / 255)


def test_inks_of_16_bits_are_converted_by_their_profile(tmp_path: Path) -> None:
    inks = np.random.default_rng(4).integers(0, 256, (16, 16, 4), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "inks.tif", inks * 257, photometric="separated", iccprofile=cmyk_profile())
    shallow = Image.frombytes("CMYK", (16, 16), inks.astype(np.uint8).tobytes())
    pixels = read_picture(tmp_path / "inks.tif").pixels
    assert_allclose(pixels, pillow_srgb(shallow, cmyk_profile()), atol=3 / 255)


@pytest.mark.parametrize("deep", [False, True])
def test_grey_is_converted_by_its_profile(tmp_path: Path, deep: bool) -> None:
    profile = imagecodecs.cms_profile("gray", whitepoint=D65, gamma=1.0)
    grey = np.linspace(0, 255, 16 * 16).reshape(16, 16).astype(np.uint8)
    tifffile.imwrite(tmp_path / "grey.tif", grey.astype(np.uint16) * 257 if deep else grey, photometric="minisblack",
                     iccprofile=profile, metadata=None)  # fmt: skip
    read = read_picture(tmp_path / "grey.tif")
    assert_allclose(read.pixels, encoded(np.dstack([grey / 255] * 3)), atol=1e-3)
    assert read.profile == profile


def test_grey_with_a_profile_for_rgb_is_taken_as_rgb() -> None:
    grey = np.full((2, 2, 1), 128, np.uint8)
    assert_allclose(to_srgb(grey, display_p3())[0], to_srgb(np.repeat(grey, 3, axis=2), display_p3())[0])


@pytest.mark.parametrize("name", ["gray", "xyz", "null"])
def test_a_profile_for_other_colours_is_ignored(name: str) -> None:
    values = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    pixels, kept = to_srgb(values, imagecodecs.cms_profile(name))
    assert kept is None
    assert_array_equal(pixels, values.astype(np.float32) / np.float32(255))
    assert from_srgb(pixels, imagecodecs.cms_profile(name)) is None


def test_srgb_by_any_name_changes_nothing() -> None:
    values = np.random.default_rng(1).integers(0, 65536, (8, 8, 3), dtype=np.uint16)
    pillows = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (pillows, imagecodecs.cms_profile("srgb")):
        pixels, kept = to_srgb(values, profile)
        assert kept == profile
        assert_array_equal(np.rint(pixels * 65535.0), values)
        assert_array_equal(from_srgb(pixels, profile), pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_goes_back_into_the_colours_it_came_from(tmp_path: Path, suffix: str, bits: int) -> None:
    stored = np.rint(muted((16, 20)) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    tifffile.imwrite(tmp_path / "photograph.tif", stored, photometric="rgb", iccprofile=display_p3())
    photograph = read_picture(tmp_path / "photograph.tif")
    path = tmp_path / f"painting{suffix}"
    write_picture(path, photograph.pixels, like=photograph)
    written = imagecodecs.png_decode(path.read_bytes()) if suffix == ".png" else tifffile.imread(path)
    assert_allclose(written.astype(int), stored.astype(int), atol=0 if bits == 8 else 3)
    with Image.open(path) as seen:
        assert seen.info["icc_profile"] == display_p3()


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_the_profile_is_embedded_where_pixels_lose_something(tmp_path: Path, suffix: str) -> None:
    profile = imagecodecs.cms_profile("adobergb")
    colour = Image.new("RGB", (32, 32), (150, 120, 90))
    colour.save(tmp_path / f"photograph{suffix}", icc_profile=profile)
    photograph = read_picture(tmp_path / f"photograph{suffix}")
    write_picture(tmp_path / f"painting{suffix}", photograph.pixels, like=photograph)
    with Image.open(tmp_path / f"painting{suffix}") as seen:
        assert seen.info["icc_profile"] == profile
        assert_allclose(np.asarray(seen)[16, 16], (150, 120, 90), atol=3)


def test_transparency_passes_through_the_profile_untouched(tmp_path: Path) -> None:
    rgba = np.rint(np.dstack([muted((8, 8)), np.linspace(0, 1, 64).reshape(8, 8)]) * 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"], iccprofile=display_p3())
    picture = read_picture(tmp_path / "a.tif")
    write_picture(tmp_path / "b.png", picture.pixels, like=picture)
    written = imagecodecs.png_decode((tmp_path / "b.png").read_bytes())
    assert_allclose(written.astype(int), rgba.astype(int), atol=3)
    assert_array_equal(written[..., 3], rgba[..., 3])


@pytest.mark.parametrize(
    "profile", [cmyk_profile(), imagecodecs.cms_profile("gray", whitepoint=D65, gamma=2.2)], ids=["CMYK", "grey"]
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_profiles_that_are_not_for_rgb_are_dropped(tmp_path: Path, suffix: str, profile: bytes) -> None:
    mode = "CMYK" if b"CMYK" in profile[:128] else "L"
    Image.new(mode, (8, 8)).save(tmp_path / "source.tif", icc_profile=profile)
    source = read_picture(tmp_path / "source.tif")
    assert source.profile == profile
    write_picture(tmp_path / f"painting{suffix}", np.full((8, 8, 3), 0.5, np.float32), like=source)
    with Image.open(tmp_path / f"painting{suffix}") as seen:
        assert not seen.info.get("icc_profile")
        assert_allclose(np.asarray(seen), 128, atol=2)


def test_a_picture_of_many_bands_is_converted_in_the_right_order() -> None:
    values = np.random.default_rng(6).integers(0, 256, (700, 801, 3), dtype=np.uint8)
    whole = to_srgb(values, display_p3())[0]
    for row in (0, 333, 699):
        assert_allclose(whole[row], to_srgb(values[row : row + 1], display_p3())[0][0], atol=1e-6)
