"""Looking at a picture tile by tile gives what looking at the whole gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_engine.networks.lite import load_lite
from impasto_engine.networks.network import Pooling, Precision
from impasto_engine.recipes import RECIPES, recipe_named
from impasto_engine.targets import Source, pose
from impasto_engine.tiles import tiles
from impasto_engine.weighing import Weights

STYLES = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


def posed(network, content, style, *, crop, recipe="impasto", alpha=None, region=None, **changes):
    options = {"content_taps": ("block4_conv2",), "style_taps": STYLES, "pooling": Pooling.MAX} | changes
    sources = [Source(colours=style, alpha=None, weight=1.0, region=region)]
    if region is not None:
        sources.append(Source(colours=style[::-1].copy(), alpha=None, weight=0.5, region=1.0 - region))
    return pose(
        content=content,
        alpha=alpha,
        styles=sources,
        network=network,
        recipe=recipe_named(recipe),
        weights=Weights(content=3.0, style=20.0, tv=0.01),
        precision=Precision.FLOAT32,
        crop=crop,
        **options,
    )


def assert_same(network, height, width, crop, noisy, smooth, *, error=3e-5, **options):
    """The random network's features vary little around large means, where covariances lose digits to rounding."""
    content, style = 255.0 * smooth(height, width, 1), 255.0 * smooth(210, 190, 2)
    picture = (0.7 * content + 0.3 * 255.0 * noisy(height, width, 3))[None].astype(np.float32)
    whole, tiled = (posed(network, content, style, crop=each, **options) for each in (None, crop))
    terms, gradient = whole.gradient()(picture, whole.arguments)
    tiled_terms, tiled_gradient = tiled.gradient()(picture, tiled.arguments)
    np.testing.assert_allclose(tiled_terms, terms, rtol=error)
    assert np.linalg.norm(tiled_gradient - gradient) < error * np.linalg.norm(gradient)


@pytest.mark.parametrize(
    ("height", "width", "crop"),
    [(211, 333, 176), (176, 400, 192), (177, 177, 176), (97, 401, 208), (1, 300, 176), (40, 30, 176)],
)
def test_terms_and_gradient_are_those_of_the_whole_picture(height, width, crop, network, noisy, smooth):
    assert_same(network, height, width, crop, noisy, smooth)


@pytest.mark.parametrize("recipe", RECIPES)
def test_they_are_with_every_recipe(recipe, network, noisy, smooth):
    assert_same(network, 190, 230, 176, noisy, smooth, recipe=recipe)


@pytest.mark.parametrize("pooling", Pooling)
@pytest.mark.parametrize(
    ("content", "styles", "crop"),
    [(("block1_conv2",), ("block1_conv1",), 16), (("block3_conv3", "block2_conv1"), STYLES[:2], 96), ((), STYLES, 176)],
)
def test_they_are_at_other_layers_and_poolings(content, styles, crop, pooling, network, noisy, smooth):
    taps = {"content_taps": content, "style_taps": styles, "pooling": pooling}
    assert_same(network, 185, 243, crop, noisy, smooth, **taps)


def test_they_are_without_a_style(network, noisy, smooth):
    assert_same(network, 185, 243, 176, noisy, smooth, content_taps=("block4_conv1",), style_taps=())


def test_they_are_with_regions_and_transparency(network, noisy, smooth):
    y, x = np.mgrid[0:200, 0:260]
    region = (x + 0.3 * y < 150).astype(np.float32)
    alpha = np.clip((260 - x) / 60.0, 0.0, 1.0).astype(np.float32)
    assert_same(network, 200, 260, 176, noisy, smooth, region=region, alpha=alpha)


def test_they_are_with_the_network_of_the_package(noisy, smooth):
    assert_same(load_lite(), 203, 299, 208, noisy, smooth, error=1e-5)


@pytest.mark.vgg16
def test_they_are_with_the_real_vgg16(vgg16, noisy, smooth):
    assert_same(vgg16, 181, 275, 192, noisy, smooth, error=1e-5)


@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    grid=st.sampled_from([1, 2, 8, 16]),
    halo_steps=st.integers(0, 6),
    more=st.integers(1, 9),
)
def test_tiles_own_every_pixel_once_with_a_halo_around(height, width, grid, halo_steps, more):
    halo = halo_steps * grid
    crop = 2 * halo + more * grid
    owned = np.zeros((height, width), int)
    for tile in tiles(height, width, crop, halo=halo, grid=grid):
        for span, length in ((tile.rows, height), (tile.columns, width)):
            assert span.start % grid == 0
            assert span.first % grid == 0
            assert span.stop - span.start <= max(crop, 0)
            assert span.start == 0 or span.first - span.start >= halo
            assert span.stop == length or span.stop - span.last >= halo
            assert span.is_last == (span.last == length)
        owned[tile.rows.first : tile.rows.last, tile.columns.first : tile.columns.last] += 1
    assert (owned == 1).all()
