"""What a picture says beside its pixels: the recipe, the program, and what the camera and the author wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from impasto_engine.errors import PictureError
from impasto_engine.files.exif_block import add_to_tiff, exif_for_file, exif_orientation, kept_exif
from impasto_engine.files.ifd import ASCII, Entry, first_directory, write_ifd
from impasto_engine.files.picture_file import read_picture, read_recipe, write_picture
from impasto_engine.files.picture_recipe import recipe_as_text
from impasto_engine.limits import MAX_EXIF_BYTES
from impasto_engine.version import __version__

SUFFIXES = [".jpg", ".png", ".tif", ".webp"]
PIXELS = np.random.default_rng(7).random((12, 20, 4), np.float32)
RECIPE = {
    "recipe": "impasto",
    "style": "C:\\Bilder\\Żółw, 大波 🎨 'wave' \"<&>]]>.jpg",
    "weights": {"content": 1.5, "style": 1e-30},
    "steps": [150, 100, 50],
    "seed": 2**63,
    "mask": None,
    "exact": True,
    "control": "\0\x07\x1f\x7f\x85\ufffe\uffff",
    "path with a stray byte": "caf\udce9.jpg",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_recipe_comes_back_from_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"painting{suffix}"
    write_picture(path, PIXELS, recipe=RECIPE)
    assert read_recipe(path) == RECIPE
    with Image.open(path) as seen:
        seen.load()
        assert seen.size == (20, 12)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=25, deadline=None)
@given(
    recipe=st.dictionaries(
        st.text(max_size=8),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        max_size=6,
    )
)
def test_any_recipe_comes_back(tmp_path_factory: pytest.TempPathFactory, suffix: str, recipe: dict) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    write_picture(path, PIXELS[:2, :2], recipe=recipe)
    assert read_recipe(path) == recipe


def test_pillow_finds_the_recipe_of_a_png_by_its_keyword(tmp_path: Path) -> None:
    write_picture(tmp_path / "painting.png", PIXELS, recipe=RECIPE, bits=16)
    with Image.open(tmp_path / "painting.png") as seen:
        seen.load()
        assert json.loads(seen.text["impasto"]) == RECIPE
        assert seen.text["Software"] == f"Impasto {__version__}"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_names_the_program(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"painting{suffix}"
    write_picture(path, PIXELS)
    with Image.open(path) as seen:
        seen.load()
        assert seen.getexif()[ExifTags.Base.Software] == f"Impasto {__version__}"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_without_a_recipe_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photograph{suffix}"
    write_picture(path, PIXELS)
    with pytest.raises(PictureError, match=r"Cannot read the recipe in .*: there is no recipe in it; choose"):
        read_recipe(path)
    Image.new("RGB", (3, 3)).save(path)
    with pytest.raises(PictureError, match="there is no recipe in it; choose"):
        read_recipe(path)


def test_a_file_that_is_missing_has_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="there is no such file"):
        read_recipe(tmp_path / "missing.png")


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize(
    "rewritten",
    [
        "<impasto:recipe>{&quot;a&quot;: 1}</impasto:recipe>",
        "<x:recipe xmlns:x='urn:impasto:picture:1#'>{&#34;a&#34;: 1}</x:recipe>",
    ],
)
def test_the_recipe_is_found_in_a_packet_that_another_program_wrote_anew(
    tmp_path: Path, suffix: str, rewritten: str
) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:impasto="urn:impasto:picture:1#">{rewritten}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )
    Image.new("RGB", (3, 3)).save(tmp_path / f"p{suffix}", xmp=packet.encode())
    assert read_recipe(tmp_path / f"p{suffix}") == {"a": 1}


def test_an_xml_bomb_is_not_a_recipe(tmp_path: Path) -> None:
    packet = b'<!DOCTYPE a [<!ENTITY b "bang">]><a xmlns="urn:impasto:picture:1#"><recipe>&b;</recipe></a>'
    Image.new("RGB", (3, 3)).save(tmp_path / "p.webp", xmp=packet)
    with pytest.raises(PictureError, match="there is no recipe in it"):
        read_recipe(tmp_path / "p.webp")


@pytest.mark.parametrize("wrong", [{"a": object()}, {"a": float("nan")}, {(1, 2): 3}])
def test_a_recipe_that_json_cannot_say_is_refused(tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(PictureError, match=r"cannot be stored .*; leave it out"):
        write_picture(tmp_path / "painting.png", PIXELS, recipe=wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_as_long_as_allowed_fits_every_format_and_a_longer_one_none(tmp_path: Path) -> None:
    spare = 65_000 - len(recipe_as_text({"note": ""}, "")) - 600
    for suffix in SUFFIXES:
        write_picture(tmp_path / f"p{suffix}", PIXELS, recipe={"note": "x" * spare})
        assert len(read_recipe(tmp_path / f"p{suffix}")["note"]) == spare
        with pytest.raises(PictureError, match="a picture file holds 65,000; shorten"):
            write_picture(tmp_path / f"p{suffix}", PIXELS, recipe={"note": "x" * 65_000})


def photograph(path: Path, byte_order: str = "<", maker_note: bytes = b"\x01\x02private") -> None:
    exif = Image.Exif()
    exif.endian = byte_order
    exif[ExifTags.Base.Make] = "Leica"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Software] = "Camera 1.0"
    exif[ExifTags.Base.Artist] = "José".encode()
    exif[ExifTags.Base.ExifOffset] = {
        ExifTags.Base.DateTimeOriginal: "1888:10:01 12:00:00",
        ExifTags.Base.MakerNote: maker_note,
        ExifTags.Base.ExifImageWidth: 20,
        ExifTags.Base.ExifImageHeight: 12,
        ExifTags.Base.FNumber: 2.5,
    }
    exif[ExifTags.Base.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (43.0, 40.0, 36.0)}
    Image.new("RGB", (20, 12), "olive").save(path, exif=exif.tobytes())


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_the_camera_wrote_is_kept_from_every_format_to_every_other(
    tmp_path: Path, source: str, suffix: str, byte_order: str
) -> None:
    photograph(tmp_path / f"photograph{source}", byte_order)
    like = read_picture(tmp_path / f"photograph{source}")
    assert like.pixels.shape == (20, 12, 3)
    assert like.exif is not None
    assert exif_orientation(like.exif) == 1
    path = tmp_path / f"painting{suffix}"
    write_picture(path, like.pixels[:15, :10], like=like, recipe=RECIPE)
    assert read_recipe(path) == RECIPE
    with Image.open(path) as seen:
        seen.load()
        exif = seen.getexif()
        assert exif[ExifTags.Base.Make] == "Leica"
        assert exif[ExifTags.Base.Software] == f"Impasto {__version__}"
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert details[ExifTags.Base.DateTimeOriginal] == "1888:10:01 12:00:00"
        assert details[ExifTags.Base.MakerNote] == b"\x01\x02private"
        assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]) == (10, 15)
        assert float(details[ExifTags.Base.FNumber]) == 2.5
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (43.0, 40.0, 36.0)
    assert read_picture(path).pixels.shape == (15, 10, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_name_that_is_not_ascii_survives_many_generations(tmp_path: Path, suffix: str) -> None:
    photograph(tmp_path / "photograph.jpg")
    source = tmp_path / "photograph.jpg"
    for generation, ending in enumerate([suffix, ".tif", suffix]):
        like = read_picture(source)
        source = tmp_path / f"painting{generation}{ending}"
        write_picture(source, like.pixels, like=like)
        assert "José".encode() in source.read_bytes()


def test_the_thumbnail_of_the_picture_that_was_is_dropped() -> None:
    thumbnail = Entry(tag=513, kind=4, count=1, value=b"\x20\0\0\0")
    block = b"II*\0\x08\0\0\0" + write_ifd([Entry(tag=271, kind=ASCII, count=6, value=b"Leica\0"), thumbnail], 8, "<")
    kept = kept_exif(block)
    assert kept is not None
    assert {entry.tag for entry in first_directory(kept)} == {271, 274}


def test_descriptions_made_for_machines_are_not_passed_on(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((4, 5, 3), np.uint16), photometric="rgb")
    like = read_picture(tmp_path / "stack.tif")
    write_picture(tmp_path / "painting.tif", PIXELS, like=like)
    with tifffile.TiffFile(tmp_path / "painting.tif") as tiff:
        assert tiff.pages.first.description == ""
        assert tiff.asarray().shape == PIXELS.shape


def test_maker_notes_give_way_where_the_block_grows_too_long() -> None:
    note = Entry(tag=37500, kind=7, count=70_000, value=bytes(70_000))
    date = Entry(tag=36867, kind=ASCII, count=4, value=b"now\0")
    details = Entry(tag=34665, kind=4, count=1, value=b"", children=(note, date))
    block = b"II*\0\x08\0\0\0" + write_ifd([details], 8, "<")
    written = exif_for_file(block, software="Impasto", width=1, height=1)
    assert len(written) <= MAX_EXIF_BYTES
    (entry,) = (entry for entry in first_directory(written) if entry.tag == 34665)
    assert entry.children == (date,)
    artist = Entry(tag=315, kind=ASCII, count=70_000, value=bytes(70_000))
    all_too_long = b"II*\0\x08\0\0\0" + write_ifd([artist], 8, "<")
    written = exif_for_file(all_too_long, software="Impasto", width=1, height=1)
    assert [entry.tag for entry in first_directory(written)] == [305]


entries = st.lists(
    st.builds(
        lambda tag, value: Entry(tag=tag, kind=7, count=len(value), value=value),
        st.integers(1, 30_000),
        st.binary(min_size=1, max_size=40),
    ),
    max_size=8,
    unique_by=lambda entry: entry.tag,
)


@given(fields=entries, below=entries, order=st.sampled_from("<>"))
def test_a_directory_is_read_as_it_was_written(fields: list[Entry], below: list[Entry], order: str) -> None:
    if below:
        fields = [*fields, Entry(tag=34665, kind=4, count=1, value=b"", children=tuple(sorted(below, key=by_tag)))]
    head = b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08"
    assert list(first_directory(head + write_ifd(fields, 8, order))) == sorted(fields, key=by_tag)


def by_tag(entry: Entry) -> int:
    return entry.tag


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_a_garbled_block_is_read_as_far_as_it_goes(data: bytes, head: bytes) -> None:
    assert 1 <= exif_orientation(head + data) <= 8
    kept_exif(head + data)
    exif_for_file(head + data, software="Impasto", width=1, height=1)


def test_a_directory_that_points_to_itself_ends() -> None:
    loop = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" + bytes(4)
    assert len(first_directory(loop)) <= 1


def test_a_tiff_takes_only_fields_of_its_own_byte_order() -> None:
    with pytest.raises(ValueError, match="byte orders differ"):
        add_to_tiff(b"MM\0*\0\0\0\x08", b"II*\0\x08\0\0\0")
