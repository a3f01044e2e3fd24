"""The styles that come with the engine: by name, in order, each with a picture."""

from pathlib import Path

import pytest

from impasto_engine import PictureError, built_in_style, built_in_styles, read_picture, styles


def test_there_are_six_and_their_names_can_be_typed_anywhere() -> None:
    names = [style.name for style in built_in_styles()]
    assert len(names) == len(set(names)) == 6
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)


def test_every_picture_in_the_package_has_a_name_and_every_name_a_picture() -> None:
    pictures = Path(styles.__file__).parent.glob("*.jpg")
    assert sorted(pictures) == sorted(style.file for style in built_in_styles())


def test_every_style_is_described_on_one_line_of_its_own() -> None:
    descriptions = [style.description for style in built_in_styles()]
    assert len(set(descriptions)) == 6
    assert all(20 < len(description) <= 62 and description.isprintable() for description in descriptions)


@pytest.mark.parametrize("style", built_in_styles(), ids=lambda style: style.name)
def test_a_style_is_found_by_its_name_and_its_picture_can_be_read(style: styles.BuiltInStyle) -> None:
    assert built_in_style(style.name) is style
    assert read_picture(style.file).pixels.shape == (768, 768, 3)


def test_a_name_that_no_style_has_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(PictureError, match=r"no built-in style 'swril'; the styles are swirl, woodcut, .*, ink: give"):
        built_in_style("swril")
