"""Regions with a style each, what is transparent, and what a weight means at different sizes."""

import numpy as np
import pytest

from impasto_engine import Settings, Style, evaluate, paint
from impasto_engine.recipes import RECIPES, Normalisation
from oracles.recipes import Oracle, StyleImage

HEIGHT, WIDTH = 32, 64


@pytest.fixture(scope="module")
def left() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, : WIDTH // 2] = 1.0
    return mask


@pytest.fixture(scope="module")
def stripes() -> np.ndarray:
    """Fine dark stripes, upright."""
    return np.tile(np.array([0.05, 0.05, 0.45, 0.45], np.float32), (32, 8))[..., None].repeat(3, axis=-1)


@pytest.fixture(scope="module")
def speckle(noisy) -> np.ndarray:
    """Bright red speckle."""
    return np.stack(
        [0.9 + 0.1 * noisy(32, 32, 4)[..., 0], noisy(32, 32, 5)[..., 1], 0.3 * noisy(32, 32, 6)[..., 2]], -1
    )


def style_distance(picture: np.ndarray, style: np.ndarray, kernels) -> float:
    """The style loss of a part of a picture by itself, by the oracle."""
    oracle = Oracle(
        recipe="impasto",
        kernels=kernels,
        content=255.0 * picture,
        styles=[StyleImage(picture=255.0 * style)],
        content_layers=(),
        style_layers=("block1_conv1", "block2_conv1"),
        weights=(0.0, 1.0, 0.0),
    )
    return oracle.judge(255.0 * picture.astype(np.float64)).loss


@pytest.mark.parametrize("swapped", [False, True])
def test_each_region_takes_on_its_own_style(swapped, left, stripes, speckle, smooth, shallow_network, shallow_kernels):
    one, other = (speckle, stripes) if swapped else (stripes, speckle)
    styles = [Style(pixels=one, region=left), Style(pixels=other, region=1.0 - left)]
    settings = Settings(size="original", evaluations=40, precision="float32", content_weight=1.0)
    painting = paint(smooth(HEIGHT, WIDTH, 1), styles, shallow_network, settings).pixels
    for half, own, foreign in [
        (painting[:, : WIDTH // 2 - 3], one, other),
        (painting[:, WIDTH // 2 + 3 :], other, one),
    ]:
        to_own, to_foreign = (style_distance(half, style, shallow_kernels) for style in (own, foreign))
        assert to_own < 0.6 * to_foreign


def test_a_region_may_have_any_size(left, stripes, speckle, smooth, shallow_network):
    settings = Settings(size="original", evaluations=3, precision="float32")
    results = [
        paint(
            smooth(HEIGHT, WIDTH, 1),
            [Style(pixels=stripes, region=mask), Style(pixels=speckle, region=1.0 - mask)],
            shallow_network,
            settings,
        )
        for mask in (left, left[::4, ::4], left.repeat(3, axis=0).repeat(3, axis=1))
    ]
    assert results[2].losses.loss == pytest.approx(results[0].losses.loss, rel=1e-4)
    assert results[1].losses.loss == pytest.approx(results[0].losses.loss, rel=0.1)


def test_a_style_everywhere_is_a_style_in_a_region_that_is_everywhere(stripes, smooth, shallow_network):
    content = smooth(HEIGHT, WIDTH, 1)
    everywhere = np.ones((HEIGHT, WIDTH), np.float32)
    plain = evaluate(content, [Style(pixels=stripes)], content, shallow_network)
    masked = evaluate(content, [Style(pixels=stripes, region=everywhere)], content, shallow_network)
    assert masked.loss == pytest.approx(plain.loss, rel=1e-4)


def test_halves_with_the_same_style_weigh_as_much_as_the_whole(left, stripes, shallow_network, noisy):
    content = noisy(HEIGHT, WIDTH, 1)
    whole = evaluate(content, [Style(pixels=stripes)], content, shallow_network)
    halves = evaluate(
        content,
        [Style(pixels=stripes, region=left), Style(pixels=stripes, region=1.0 - left)],
        content,
        shallow_network,
    )
    assert halves.terms["style"] == pytest.approx(whole.terms["style"], rel=0.1)


def test_two_copies_of_a_style_are_one(stripes, smooth, shallow_network):
    content = smooth(HEIGHT, WIDTH, 1)
    one = evaluate(content, [Style(pixels=stripes)], content, shallow_network)
    two = evaluate(
        content, [Style(pixels=stripes, weight=3.0), Style(pixels=stripes, weight=0.2)], content, shallow_network
    )
    assert two.loss == pytest.approx(one.loss, rel=1e-4)


def test_only_the_ratio_of_weights_counts(stripes, speckle, smooth, shallow_network):
    content = smooth(HEIGHT, WIDTH, 1)
    first, second = (
        evaluate(
            content,
            [Style(pixels=stripes, weight=3.0 * unit), Style(pixels=speckle, weight=unit)],
            content,
            shallow_network,
        )
        for unit in (1.0, 1e-3)
    )
    assert second.loss == pytest.approx(first.loss, rel=1e-4)


def cut_out(colours: np.ndarray, beneath: np.ndarray) -> np.ndarray:
    """A picture with a hole, and in the hole other colours, which cannot be seen."""
    result = np.concatenate([colours, np.ones((*colours.shape[:2], 1), np.float32)], axis=-1)
    result[5:20, 8:30, :3] = beneath[5:20, 8:30]
    result[5:20, 8:30, 3] = 0.0
    return result


@pytest.mark.parametrize("color", ["style", "luminance", "match"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_what_lies_beneath_transparency_has_no_influence(recipe, color, smooth, noisy, shallow_network):
    content, style = smooth(HEIGHT, WIDTH, 1), noisy(32, 32, 2)
    settings = Settings(recipe=recipe, size="original", evaluations=4, precision="float32", color=color)
    results = []
    for seed in (10, 11):
        hidden = noisy(HEIGHT, WIDTH, seed)
        seen = cut_out(content, hidden), [Style(pixels=cut_out(style, hidden))]
        painting = paint(*seen, shallow_network, settings)
        losses = evaluate(*seen, smooth(HEIGHT, WIDTH, 3), shallow_network, settings)
        results.append((painting, losses))
    (first, first_losses), (second, second_losses) = results
    assert first_losses == second_losses
    assert first.losses == second.losses
    np.testing.assert_array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_total_variation_looks_at_no_transparent_pixel_of_the_picture(recipe, smooth, noisy, shallow_network):
    content = cut_out(smooth(HEIGHT, WIDTH, 1), noisy(HEIGHT, WIDTH, 1))
    picture = smooth(HEIGHT, WIDTH, 3)
    settings = Settings(recipe=recipe, tv_weight=1.0)
    variations = []
    for colour in (0.0, 1.0):
        picture[5:20, 8:30] = colour
        variations.append(
            evaluate(content, [Style(pixels=noisy(32, 32, 2))], picture, shallow_network, settings).terms["tv"]
        )
    assert variations[0] == pytest.approx(variations[1], rel=1e-5)


def test_the_hole_of_a_picture_is_as_good_as_cut_off(noisy, shallow_network):
    # The right half is transparent: its statistics are those of the left half by itself, but for the seam.
    content = noisy(HEIGHT, WIDTH, 1)
    half = content[:, : WIDTH // 2]
    alpha = np.ones((HEIGHT, WIDTH, 1), np.float32)
    alpha[:, WIDTH // 2 :] = 0.0
    style = [Style(pixels=noisy(30, 30, 2))]
    picture = noisy(HEIGHT, WIDTH, 5)
    picture[:, WIDTH // 2 :] *= 0.2
    masked = evaluate(np.concatenate([content, alpha], -1), style, picture, shallow_network).terms
    by_itself = evaluate(half, style, picture[:, : WIDTH // 2], shallow_network).terms
    unmasked = evaluate(content, style, picture, shallow_network).terms
    for term in ("content", "style", "tv"):
        assert abs(masked[term] - by_itself[term]) < 0.4 * abs(unmasked[term] - by_itself[term]), term


def test_the_default_recipes_weights_mean_the_same_at_every_size(smooth, network):
    def terms(size: int) -> dict[str, float]:
        content, style, picture = (smooth(size * 3 // 4, size, seed) for seed in (1, 2, 3))
        return dict(evaluate(content, [Style(pixels=style)], picture, network).layers)

    small, large = terms(160), terms(320)
    for name, value in large.items():
        if name == "tv":
            assert small[name] == pytest.approx(4.0 * value, rel=0.1), "half as large is twice as steep"
        elif name.startswith("content"):
            assert small[name] == pytest.approx(value, rel=0.25), name
        elif name in ("style/block1_conv1", "style/block2_conv1"):
            assert small[name] == pytest.approx(value, rel=0.15), name


def test_the_other_recipes_do_not_claim_so(smooth, network):
    def content_term(recipe: str, size: int) -> float:
        content, style, picture = (smooth(size, size, seed) for seed in (1, 2, 3))
        return evaluate(content, [Style(pixels=style)], picture, network, Settings(recipe=recipe)).terms["content"]

    for name, recipe in RECIPES.items():
        ratio = content_term(name, 128) / content_term(name, 64)
        if recipe.normalisation is Normalisation.ENERGY:
            assert ratio == pytest.approx(1.0, abs=0.4)
        else:
            assert ratio > 2.5
