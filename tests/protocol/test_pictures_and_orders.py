"""Pictures have the bytes their format says, and orders make sense by themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_protocol import ColourSpace, Order, OrderKind, Picture, PixelFormat, SampleType, Style
from impasto_protocol.errors import MalformedMessageError, TooLargeError
from impasto_protocol.limits import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS
from protocol.following import CONTENT, STYLE


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 4), st.sampled_from(SampleType))
def test_a_picture_has_as_many_bytes_as_its_format_says(
    width: int, height: int, channels: int, samples: SampleType
) -> None:
    form = PixelFormat(width=width, height=height, channels=channels, samples=samples)
    sample_bytes = {"uint8": 1, "uint16": 2, "float16": 2, "float32": 4}[samples]
    assert form.size_bytes == width * height * channels * sample_bytes


@pytest.mark.parametrize("count", [0, 95, 97])
def test_a_picture_with_other_bytes_is_refused(count: int) -> None:
    with pytest.raises(MalformedMessageError, match=f"came with {count} bytes; send 96"):
        Picture(format=CONTENT.format, data=bytes(count))


def test_the_same_bytes_have_the_same_name_whatever_holds_them() -> None:
    data = bytes(CONTENT.data)
    names = {
        Picture(format=CONTENT.format, data=held).blob.digest for held in (data, bytearray(data), memoryview(data))
    }
    assert names == {CONTENT.blob.digest}
    assert STYLE.blob.digest not in names


@pytest.mark.parametrize(
    "form",
    [
        {"width": 20_001, "height": 10_000, "channels": 1},
        {"width": 32_768, "height": 32_768, "channels": 1},
        {"width": 10_000, "height": 8_000, "channels": 4, "samples": SampleType.FLOAT32},
    ],
    ids=str,
)
def test_a_picture_above_a_limit_is_refused_by_its_format_alone(form: dict[str, int]) -> None:
    with pytest.raises(TooLargeError, match="send a smaller one"):
        PixelFormat(**form)  # type: ignore[arg-type]


def test_the_limits_themselves_are_allowed() -> None:
    assert PixelFormat(width=20_000, height=10_000, channels=4).size_bytes == MAX_PICTURE_PIXELS * 4
    largest = PixelFormat(width=8192, height=8192, channels=4, samples=SampleType.FLOAT32)
    assert largest.size_bytes == MAX_PICTURE_BYTES


def test_a_mask_has_one_channel() -> None:
    PixelFormat(width=4, height=4, channels=1, colour_space=ColourSpace.MASK)
    with pytest.raises(MalformedMessageError, match="3 channels; send one"):
        PixelFormat(width=4, height=4, channels=3, colour_space=ColourSpace.MASK)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({}, "transfer with 0 styles; give at least one"),
        ({"styles": (Style(picture=STYLE.blob),), "layer": "block4_conv2"}, "leave it out"),
        ({"kind": OrderKind.CONTENT_RECONSTRUCTION}, "its layer is None; name one"),
        (
            {"kind": OrderKind.STYLE_RECONSTRUCTION, "layer": "block1_conv1", "styles": (Style(picture=STYLE.blob),)},
            "with 1 styles; leave them out",
        ),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(order: dict[str, object], said: str) -> None:
    with pytest.raises(MalformedMessageError, match=said):
        Order(content=CONTENT.blob, **order)  # type: ignore[arg-type]


def test_an_order_names_all_its_pictures() -> None:
    region = Picture(
        format=PixelFormat(width=2, height=2, channels=1, colour_space=ColourSpace.MASK), data=bytes([0, 1, 2, 3])
    )
    order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob, region=region.blob),), start=STYLE.blob)
    assert list(order.blobs()) == [CONTENT.blob, STYLE.blob, region.blob, STYLE.blob]
