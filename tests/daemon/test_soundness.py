"""What the painting process finds out about an order's pictures before it paints."""

from dataclasses import replace
from pathlib import Path

import pytest

from impasto_daemon.server.painter import Assignment
from impasto_daemon.worker.soundness import check_pictures
from impasto_protocol import ColourSpace, Order, Picture, PixelFormat, Style
from impasto_protocol.errors import DigestMismatchError, InvalidOrderError, MissingBlobError, RefusalError, StorageError
from protocol.following import CONTENT, STYLE, picture

START = picture(seed=3)
REGION = Picture(format=PixelFormat(width=4, height=4, channels=1, colour_space=ColourSpace.MASK), data=bytes(16))
ORDER = Order(
    content=CONTENT.blob,
    styles=(Style(picture=CONTENT.blob), Style(picture=STYLE.blob, region=REGION.blob)),
    start=START.blob,
)
FIELDS = {
    "order.content": (CONTENT, "content image"),
    "order.styles[1].picture": (STYLE, "style image"),
    "order.styles[1].region": (REGION, "region of a style"),
    "order.start": (START, "picture to start from"),
}


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    files = {}
    for each in (CONTENT, STYLE, REGION, START):
        files[each.blob.digest] = tmp_path / each.blob.digest.hex()
        files[each.blob.digest].write_bytes(each.data)
    return Assignment(
        number=1, job="a" * 32, order=ORDER, pictures=files, result=tmp_path / "r", checkpoint=tmp_path / "c"
    )


def test_sound_pictures_are_passed(assignment: Assignment) -> None:
    check_pictures(assignment)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("trouble", ["changed", "shortened", "gone", "unreadable"])
def test_a_picture_that_is_not_what_its_digest_says_is_named(trouble: str, field: str, assignment: Assignment) -> None:
    damaged, words = FIELDS[field]
    file = assignment.pictures[damaged.blob.digest]
    expected: type[RefusalError] = DigestMismatchError
    match trouble:
        case "changed":
            file.write_bytes(bytes([damaged.data[0] ^ 1]) + bytes(damaged.data[1:]))
        case "shortened":
            file.write_bytes(damaged.data[:-1])
        case "gone":
            file.unlink()
            expected = MissingBlobError
        case "unreadable":
            file.unlink()
            file.mkdir()
            expected = StorageError
    with pytest.raises(expected, match=f"The {words} {damaged.blob.digest.hex()[:12]}") as caught:
        check_pictures(assignment)
    assert caught.value.field == (None if trouble == "unreadable" else field)


def test_a_picture_that_is_sound_and_not_of_its_format_is_the_orders_fault(assignment: Assignment) -> None:
    wrong = replace(START.blob, format=replace(START.format, height=5))
    with pytest.raises(InvalidOrderError, match="its format comes to 120"):
        check_pictures(replace(assignment, order=replace(ORDER, start=wrong)))
