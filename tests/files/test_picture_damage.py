"""Whatever is wrong with a picture file, the user is told in one sentence with a remedy, and nothing crashes."""

import os
import struct
import tempfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto_engine import limits
from impasto_engine.errors import PictureError
from impasto_engine.files.picture_file import read_picture, read_recipe, write_picture

RGB8 = np.random.default_rng(5).integers(0, 256, (13, 17, 3), dtype=np.uint8)
RGB16 = RGB8.astype(np.uint16) * 257


def with_pillow(file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(RGB8).save(buffer, file_format, **options)
    return buffer.getvalue()


def with_tifffile(values: np.ndarray, **options: object) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb", **options)
    return buffer.getvalue()


def png_of(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


@cache
def files() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[274], exif[315] = 6, "Vincent"
    profile = imagecodecs.cms_profile("adobergb")
    return {
        "jpeg": with_pillow("JPEG", exif=exif, icc_profile=profile),
        "progressive": with_pillow("JPEG", progressive=True),
        "grey jpeg": with_pillow("JPEG", restart_marker_rows=1),
        "png": with_pillow("PNG", exif=exif, icc_profile=profile),
        "deep png": imagecodecs.png_encode(RGB16),
        "webp": with_pillow("WEBP", exif=exif),
        "lossless webp": with_pillow("WEBP", lossless=True),
        "gif": with_pillow("GIF"),
        "bmp": with_pillow("BMP"),
        "tiff": with_pillow("TIFF", exif=exif, icc_profile=profile),
        "lzw tiff": with_pillow("TIFF", compression="tiff_lzw"),
        "deep tiff": with_tifffile(RGB16),
        "deep lzw tiff": with_tifffile(RGB16, compression="lzw", predictor=True, rowsperstrip=4),
        "deep deflate tiff": with_tifffile(RGB16, compression="zlib", tile=(16, 16), iccprofile=profile),
        "big tiff": with_tifffile(RGB16, bigtiff=True, byteorder=">"),
    }


def refusal(path: Path) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    message = str(caught.value)
    assert message.startswith(f"Cannot read {str(path)!r}: ")
    assert "; " in message, "there is no remedy"
    assert "\n" not in message
    assert message.endswith(".")
    return message


def refusal_of(tmp_path: Path, data: bytes) -> str:
    (tmp_path / "picture").write_bytes(data)
    return refusal(tmp_path / "picture")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "there is no such file; check its name" in refusal(tmp_path / "missing.png")
    (tmp_path / "file").write_bytes(b"x")
    assert "there is no such file; check its name" in refusal(tmp_path / "file" / "below.png")


def test_a_folder_is_not_a_picture(tmp_path: Path) -> None:
    assert "it is a folder; choose a picture file in it" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "it is a device and not a file" in refusal(tmp_path / "pipe.png")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    assert "the file is empty" in refusal_of(tmp_path, b"")


@pytest.mark.parametrize("name", ["nul\0l.png", "n" * 300 + ".png"])
def test_an_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    refusal(tmp_path / name)


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert "the link leads round in a circle" in refusal(tmp_path / "loop.png")


@pytest.mark.parametrize(
    "name", ["caf\u00e9 \u2603.png", "two\nlines.png", "quote'd.png", os.fsdecode(b"not utf-8 \xe9.png")]
)
def test_odd_names_are_read_written_and_named_in_print(tmp_path: Path, name: str) -> None:
    try:
        write_picture(tmp_path / name, np.zeros((2, 3, 3), np.float32))
    except PictureError:
        pytest.skip("this file system does not take the name")
    assert read_picture(tmp_path / name).pixels.shape == (2, 3, 3)
    (tmp_path / name).write_bytes(b"")
    refusal(tmp_path / name).encode("utf-8")


@pytest.mark.parametrize(
    "text", ["hello", "<svg xmlns='http://www.w3.org/2000/svg'/>", "%!PS-Adobe-3.0 EPSF-3.0", "%PDF-1.7"]
)
def test_what_is_no_picture_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    message = refusal_of(tmp_path, text.encode())
    assert "not a picture Impasto knows (JPEG, PNG, TIFF, WebP, GIF, BMP)" in message


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "grey jpeg", "png", "deep png", "webp", "lossless webp"])
def test_a_file_that_lacks_any_of_its_last_bytes_is_refused(tmp_path: Path, kind: str) -> None:
    data = files()[kind]
    for length in range(1, len(data)):
        if length < 16 or length > len(data) - 40 or length % 13 == 0:
            message = refusal_of(tmp_path, data[:length])
            assert "the file is truncated" in message or length < 16


@pytest.mark.parametrize("kind", [kind for kind in files() if "tiff" in kind])
def test_a_tiff_that_lacks_pixels_is_refused(tmp_path: Path, kind: str) -> None:
    data = files()[kind]
    with tifffile.TiffFile(BytesIO(data)) as tiff:
        page = tiff.pages.first
        ends = [start + length for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)]
    for missing in (1, 2, 3, 10, max(ends) // 2):
        refusal_of(tmp_path, data[: max(ends) - missing])


@pytest.mark.parametrize("kind", ["png", "deep png"])
def test_a_png_with_one_wrong_bit_is_refused(tmp_path: Path, kind: str) -> None:
    data = bytearray(files()[kind])
    data[len(data) // 2] ^= 1
    assert "the file is damaged" in refusal_of(tmp_path, bytes(data))


def test_what_follows_the_end_of_a_picture_does_no_harm(tmp_path: Path) -> None:
    for kind in ("jpeg", "png", "deep png", "webp", "gif", "tiff", "deep tiff"):
        (tmp_path / "picture").write_bytes(files()[kind] + b"appended by a camera")
        assert read_picture(tmp_path / "picture").pixels.size == RGB8.size


def huge_files() -> dict[str, bytes]:
    def png(width: int, height: int, depth: int) -> bytes:
        header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
        return png_of(chunks)

    def patched(data: bytes, place: int, form: str, *values: int) -> bytes:
        changed = bytearray(data)
        struct.pack_into(form, changed, place, *values)
        return bytes(changed)

    def tiff(data: bytes) -> bytes:
        with tifffile.TiffFile(BytesIO(data)) as opened:
            tags = opened.pages.first.tags
            for tag in (256, 257):
                form = "H" if tags[tag].dtype == 3 else "I"
                data = patched(data, tags[tag].valueoffset, opened.byteorder + form, 60_000)
        return data

    jpeg = with_pillow("JPEG")
    return {
        "png": png(60_000, 60_000, 8),
        "deep png": png(60_000, 60_000, 16),
        "beyond 32 bits": png(2**31 - 1, 2**31 - 1, 16),
        "jpeg": patched(jpeg, jpeg.index(b"\xff\xc0") + 5, ">HH", 60_000, 60_000),
        "bmp": patched(files()["bmp"], 18, "<ii", 60_000, 60_000),
        "gif": patched(files()["gif"], 6, "<HH", 60_000, 60_000),
        "tiff": tiff(files()["tiff"]),
        "deep tiff": tiff(files()["deep tiff"]),
        "big tiff": tiff(files()["big tiff"]),
    }


@pytest.mark.parametrize("kind", huge_files())
def test_an_absurd_size_is_refused_from_the_header(tmp_path: Path, kind: str) -> None:
    message = refusal_of(tmp_path, huge_files()[kind])
    assert "more than the 200,000,000 Impasto takes; make it smaller" in message


def test_the_largest_size_allowed_is_not_refused_as_a_bomb(tmp_path: Path) -> None:
    width = 20_000
    header = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 54, 40, width, limits.MAX_PICTURE_PIXELS // width, 1, 24,
                         0, 0, 0, 0, 0, 0)  # fmt: skip
    assert "damaged" in refusal_of(tmp_path, header), "Pillow alone would call it a bomb"


def test_an_absurdly_long_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "film.png").open("wb") as file:
        file.truncate(limits.MAX_PICTURE_FILE_BYTES + 1)
    assert "more than any picture" in refusal(tmp_path / "film.png")


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_with_too_few_rows_is_refused(tmp_path: Path, depth: int, interlaced: int) -> None:
    rows = (b"\0" + b"\xaa" * (8 * depth // 8)) * 10
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 20, depth, 0, 0, 0, interlaced)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    assert "the file is damaged" in refusal_of(tmp_path, png_of(chunks))


def test_a_png_without_pixels_is_refused(tmp_path: Path) -> None:
    for kind in ("png", "deep png"):
        data = files()[kind]
        start = data.index(b"IDAT") - 4
        refusal_of(tmp_path, data[:start] + data[-12:])


def survives(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        path.write_bytes(data)
        with suppress(PictureError):
            pixels = read_picture(path).pixels
            assert pixels.dtype == np.float32
            assert 0.0 <= pixels.min() <= pixels.max() <= 1.0
        with suppress(PictureError):
            read_recipe(path)


BEGINNINGS = [
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0",
    b"GIF89a",
    b"BM",
    b"RIFF\x20\0\0\0WEBPVP8 ",
    b"P5 3 3 255\n",
    b"\0\0\0\x0cjP  \r\n\x87\n",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=300))
@example(beginning=b"\x89PNG\r\n\x1a\n", rest=b"\0\0\0\0IEND\xaeB`\x82")
@example(beginning=b"\xff\xd8\xff", rest=b"\xd9")
def test_random_bytes_are_never_worse_than_refused(beginning: bytes, rest: bytes) -> None:
    survives(beginning + rest)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), kind=st.sampled_from(sorted(files())))
def test_a_picture_with_any_bytes_changed_is_never_worse_than_refused(data: st.DataObject, kind: str) -> None:
    changed = bytearray(files()[kind])
    header = min(len(changed), 300)
    places = st.integers(0, header - 1) | st.integers(0, len(changed) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=6)):
        changed[place] = value
    survives(bytes(changed))


def test_a_profile_that_is_garbage_is_ignored(tmp_path: Path) -> None:
    good = imagecodecs.cms_profile("adobergb")
    for bad in (b"garbage", good[:200], good[:128] + bytes(len(good) - 128), good[:16] + b"XXXX" + good[20:]):
        (tmp_path / "picture.png").write_bytes(with_pillow("PNG", icc_profile=bad))
        picture = read_picture(tmp_path / "picture.png")
        assert picture.profile is None
        assert np.array_equal(picture.pixels, RGB8.astype(np.float32) / np.float32(255))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 863), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_profile_with_any_bytes_changed_gives_colours_in_range(changes: list[tuple[int, int]]) -> None:
    profile = bytearray(imagecodecs.cms_profile("adobergb"))
    for place, value in changes:
        profile[place % len(profile)] = value
    survives(with_pillow("PNG", icc_profile=bytes(profile)))


def test_a_compressed_bomb_in_a_text_is_not_unpacked(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(50_000_000))
    body = b"impasto\0\x01\0\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
    png = files()["deep png"]
    (tmp_path / "bomb.png").write_bytes(png[:33] + chunk + png[33:])
    with pytest.raises(PictureError, match="there is no recipe in it"):
        read_recipe(tmp_path / "bomb.png")
