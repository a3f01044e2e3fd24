"""Pictures at the edge of what can be painted: tiny, long, of one colour, or hardly there."""

import numpy as np
import pytest

from impasto_engine import PictureError, Settings, Style, evaluate, paint
from impasto_engine.recipes import RECIPES

FEW = Settings(size="original", evaluations=6, precision="float32")


def assert_sound(painting, shape: tuple[int, ...]) -> None:
    assert painting.pixels.shape == shape
    assert painting.pixels.dtype == np.float32
    assert np.isfinite(painting.pixels).all()
    assert painting.pixels.min() >= 0.0
    assert painting.pixels.max() <= 1.0
    assert np.isfinite(list(painting.losses.layers.values())).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (8, 400)])
def test_a_tiny_or_long_picture_can_be_painted_and_painted_with(size, noisy, network):
    painting = paint(noisy(*size, 1), [Style(pixels=noisy(24, 18, 2))], network, FEW)
    assert_sound(painting, (*size, 3))
    painting = paint(noisy(18, 24, 1), [Style(pixels=noisy(*size, 2))], network, FEW)
    assert_sound(painting, (18, 24, 3))


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_a_single_pixel_can_be_painted_with_a_single_pixel(pooling, noisy, network):
    settings = Settings(size="original", evaluations=6, precision="float32", pooling=pooling)
    painting = paint(noisy(1, 1, 1), [Style(pixels=noisy(1, 1, 2))], network, settings)
    assert_sound(painting, (1, 1, 3))


@pytest.mark.parametrize("color", ["style", "luminance", "match"])
@pytest.mark.parametrize(("flat_content", "flat_style"), [(True, False), (False, True), (True, True)])
def test_a_picture_of_one_colour_can_be_painted_and_painted_with(
    flat_content, flat_style, color, noisy, shallow_network
):
    content = np.full((20, 26, 3), (0.2, 0.5, 0.9), np.float32) if flat_content else noisy(20, 26, 1)
    style = np.full((22, 17, 3), (0.8, 0.3, 0.1), np.float32) if flat_style else noisy(22, 17, 2)
    settings = Settings(size="original", evaluations=6, precision="float32", color=color)
    assert_sound(paint(content, [Style(pixels=style)], shallow_network, settings), content.shape)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_black_or_white_pictures_are_no_division_by_zero(value, recipe, network):
    flat = np.full((20, 20, 3), value, np.float32)
    settings = Settings(recipe=recipe, size="original", evaluations=3, precision="float32")
    assert_sound(paint(flat, [Style(pixels=flat)], network, settings), flat.shape)


def test_a_picture_painted_with_itself_has_no_loss_but_its_variation(noisy, shallow_network):
    picture = noisy(20, 20, 1)
    settings = Settings(size="original", evaluations=4, precision="float32", tv_weight=0.0)
    painting = paint(picture, [Style(pixels=picture)], shallow_network, settings)
    assert painting.losses.loss == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(painting.pixels, picture, atol=1e-3)


def with_alpha(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.concatenate([colours, alpha[..., None].astype(np.float32)], axis=-1)


def test_a_picture_that_is_transparent_everywhere_is_refused_in_a_sentence(noisy, shallow_network):
    nothing = with_alpha(noisy(12, 12, 1), np.zeros((12, 12)))
    with pytest.raises(PictureError, match="content image is transparent everywhere"):
        paint(nothing, [Style(pixels=noisy(9, 9, 2))], shallow_network, FEW)
    with pytest.raises(PictureError, match="style image is transparent everywhere"):
        paint(noisy(9, 9, 2), [Style(pixels=nothing)], shallow_network, FEW)


@pytest.mark.parametrize("opaque", [1, 30, 575])
def test_however_little_of_a_picture_is_opaque_it_is_painted_and_keeps_its_alpha(opaque, noisy, network):
    alpha = np.zeros(24 * 24, np.float32)
    alpha[np.random.default_rng(opaque).permutation(alpha.size)[:opaque]] = 0.75
    picture = with_alpha(noisy(24, 24, 1), alpha.reshape(24, 24))
    painting = paint(picture, [Style(pixels=with_alpha(noisy(24, 24, 2), alpha.reshape(24, 24)))], network, FEW)
    assert_sound(painting, (24, 24, 4))
    np.testing.assert_array_equal(painting.pixels[..., 3], picture[..., 3])


def test_an_alpha_channel_that_is_opaque_everywhere_changes_nothing(noisy, shallow_network):
    content, style = noisy(16, 16, 1), noisy(16, 16, 2)
    opaque = np.ones((16, 16))
    plain = paint(content, [Style(pixels=style)], shallow_network, FEW)
    channelled = paint(with_alpha(content, opaque), [Style(pixels=with_alpha(style, opaque))], shallow_network, FEW)
    np.testing.assert_array_equal(plain.pixels, channelled.pixels[..., :3])


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((12, 12), np.float32), ((12, 12, 2), np.float32), ((12, 0, 3), np.float32), ((3,), np.float32)],
)
def test_an_array_that_is_no_picture_is_refused_wherever_it_is_given(shape, dtype, noisy, shallow_network):
    good, bad = noisy(12, 12, 1), np.zeros(shape, dtype)
    with pytest.raises(PictureError, match="content image has the shape"):
        paint(bad, [Style(pixels=good)], shallow_network, FEW)
    with pytest.raises(PictureError, match="style image has the shape"):
        paint(good, [Style(pixels=bad)], shallow_network, FEW)
    with pytest.raises(PictureError, match="has the shape"):
        evaluate(good, [Style(pixels=good)], bad, shallow_network)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(value, noisy, shallow_network):
    good, bad = noisy(12, 12, 1), noisy(12, 12, 1)
    bad[3, 4, 1] = value
    with pytest.raises(PictureError, match="content image holds a number that is not finite"):
        paint(bad, [Style(pixels=good)], shallow_network, FEW)
    with pytest.raises(PictureError, match="style image holds a number that is not finite"):
        paint(good, [Style(pixels=bad)], shallow_network, FEW)


@pytest.mark.parametrize("chosen", [{"content_layers": ()}, {"style_layers": ()}])
def test_a_loss_without_layers_is_switched_off(chosen, noisy, shallow_network):
    settings = Settings(size="original", evaluations=4, precision="float32", **chosen)
    painting = paint(noisy(16, 16, 1), [Style(pixels=noisy(16, 16, 2))], shallow_network, settings)
    assert_sound(painting, (16, 16, 3))
    assert painting.losses.terms[next(iter(chosen)).removesuffix("_layers")] == 0.0
