"""Resizing, and filling in what is transparent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_engine.resample import fill_transparent, fit, resize, resize_mask

SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, SIDES)
def test_a_fitted_picture_has_the_longer_side_asked_for_and_its_proportions(height, width, longer):
    fitted = fit(height, width, longer)
    assert max(fitted) == longer
    assert min(fitted) >= 1
    assert (fitted[0] - fitted[1]) * (height - width) >= 0
    exact = min(height, width) * longer / max(height, width)
    assert min(fitted) == pytest.approx(max(1.0, exact), abs=0.51)


@pytest.mark.parametrize("size", [(7, 5), (14, 10), (20, 3), (3, 20), (1, 1), (29, 41)])
def test_a_resized_picture_has_the_size_and_type_asked_for_and_one_colour_stays_one_colour(size):
    flat = np.full((14, 10, 3), (10.0, 100.0, 250.0), np.float32)
    resized = resize(flat, *size)
    assert resized.shape == (*size, 3)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, np.broadcast_to(flat[0, 0], resized.shape), rtol=1e-5)


def test_a_picture_of_the_size_asked_for_is_left_as_it_is(noisy):
    picture = noisy(6, 8, 1)
    np.testing.assert_array_equal(resize(picture, 6, 8), picture)


def test_a_ramp_resized_is_a_ramp():
    ramp = np.linspace(0.0, 1.0, 32, dtype=np.float32)[None, :, None].repeat(16, 0).repeat(3, 2)
    for height, width in [(8, 16), (32, 64)]:
        step = 31.0 / (31.0 * width / 32.0) / 31.0 * 1.0
        middle = resize(ramp, height, width)[height // 2, 3:-3, 0]
        np.testing.assert_allclose(np.diff(middle), step, rtol=0.02)


def test_channels_are_not_mixed_up(noisy):
    picture = noisy(9, 11, 2)
    whole = resize(picture, 20, 30)
    for channel in range(3):
        alone = resize(picture[..., channel : channel + 1], 20, 30)
        np.testing.assert_array_equal(whole[..., channel], alone[..., 0])


def test_shrinking_averages_what_it_leaves_out():
    checks = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)[..., None]
    np.testing.assert_allclose(resize(checks, 16, 16)[2:-2, 2:-2], 0.5, atol=0.02)


def test_a_mask_shrunk_is_the_mean_of_what_each_value_covers(noisy):
    mask = noisy(12, 18, 3)[..., 0]
    np.testing.assert_allclose(resize_mask(mask, 4, 6), mask.reshape(4, 3, 6, 3).mean((1, 3)), atol=1e-6)


def test_a_mask_stays_within_its_range_and_keeps_its_mean(noisy):
    mask = (noisy(13, 7, 3)[..., 0] > 0.5).astype(np.float32)
    for size in [(26, 14), (5, 4), (40, 3)]:
        resized = resize_mask(mask, *size)
        assert resized.shape == size
        assert resized.dtype == np.float32
        assert resized.min() >= 0.0
        assert resized.max() <= 1.0
        assert resized.mean() == pytest.approx(mask.mean(), abs=0.08)


def test_an_opaque_picture_has_no_alpha(noisy):
    picture = noisy(5, 6, 1)
    colours, alpha = fill_transparent(picture)
    np.testing.assert_array_equal(colours, picture)
    assert alpha is None
    colours, alpha = fill_transparent(np.concatenate([picture, np.ones((5, 6, 1), np.float32)], -1))
    np.testing.assert_array_equal(colours, picture)
    assert alpha is None


def test_transparent_pixels_take_the_colour_of_the_nearest_that_is_not(noisy):
    picture = np.concatenate([noisy(8, 9, 1), np.zeros((8, 9, 1), np.float32)], -1)
    seen = [(1, 2), (6, 1), (4, 8)]
    for number, place in enumerate(seen):
        picture[place][3] = 1.0 / (1 + number)
    colours, alpha = fill_transparent(picture)
    np.testing.assert_array_equal(alpha, picture[..., 3])
    for row in range(8):
        for column in range(9):
            distances = [(row - r) ** 2 + (column - c) ** 2 for r, c in seen]
            nearest = [seen[i] for i, d in enumerate(distances) if d == min(distances)]
            assert any(np.array_equal(colours[row, column], picture[place][:3]) for place in nearest)
