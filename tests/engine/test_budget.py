"""What painting takes in memory, and how it keeps within a budget."""

import numpy as np
import pytest

from impasto_engine import Settings, Style, estimate, paint
from impasto_engine.budget import crop_within, default_budget_bytes, peak_bytes, work
from impasto_engine.networks.lite import load_lite
from impasto_engine.networks.network import Edges, Pooling, Precision


@pytest.fixture(scope="module")
def lite():
    return load_lite()


@pytest.fixture(scope="module")
def extractor(lite):
    taps = (*lite.content_taps, *lite.style_taps)
    return lite.extractor(taps, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32)


def crop_and_peak(extractor, height, width, budget_bytes):
    crop = crop_within(
        extractor, height, width, Precision.FLOAT32, parameter_bytes=10_000_000, budget_bytes=budget_bytes
    )
    return crop, peak_bytes(extractor, height, width, crop, Precision.FLOAT32, parameter_bytes=10_000_000)


@pytest.mark.parametrize("megapixels", [1, 4, 12, 24])
@pytest.mark.parametrize("budget_bytes", [int(gigabytes * 1e9) for gigabytes in (2, 4, 12, 400)])
def test_the_largest_crop_that_keeps_within_the_budget_is_taken(megapixels, budget_bytes, extractor):
    height, width = int(800 * megapixels**0.5), int(1250 * megapixels**0.5)
    crop, peak = crop_and_peak(extractor, height, width, budget_bytes)
    _, whole = crop_and_peak(extractor, height, width, 10**15)
    if crop is None:
        assert peak == whole <= budget_bytes
        return
    grid, least = extractor.geometry.grid, 2 * extractor.geometry.halo + 64
    assert crop % grid == 0
    assert crop >= least
    assert peak < whole
    larger = peak_bytes(extractor, height, width, crop + grid, Precision.FLOAT32, parameter_bytes=10_000_000)
    assert peak <= budget_bytes < larger or crop == least, "the vectors alone may exceed a budget; then it is the least"


def test_a_network_that_cannot_be_cut_sees_the_whole_picture(extractor):
    class Uncut:
        geometry = None

        def __getattr__(self, name):
            return getattr(extractor, name)

    assert crop_and_peak(Uncut(), 4000, 3000, 2**30)[0] is None


def test_tiles_cost_more_than_the_whole_and_small_tiles_more_than_large_ones(extractor):
    whole, large, small = (work(extractor, 2000, 3000, crop) for crop in (None, 1024, 320))
    assert whole < large < small


def test_half_of_the_machine_is_the_budget_unless_another_is_given():
    assert 2**28 < default_budget_bytes() < 2**46


def test_a_painting_in_tiles_looks_as_one_made_at_once_and_is_estimated_longer_and_smaller(lite, smooth, noisy):
    content, style = smooth(300, 420, 1), noisy(120, 150, 2)
    settings = Settings(size="original", evaluations=24, precision="float32")
    budget = 1  # the smallest crops there are
    whole, tiled = (
        paint(content, [Style(pixels=style)], lite, settings, memory_budget_bytes=bytes_).pixels
        for bytes_ in (10**15, budget)
    )
    np.testing.assert_allclose(tiled, whole, atol=2e-3)
    assert not np.array_equal(tiled, whole), "it was painted in tiles"
    at_once, in_tiles = (estimate(300, 420, lite, settings, memory_budget_bytes=bytes_) for bytes_ in (10**15, budget))
    assert in_tiles.memory_bytes < at_once.memory_bytes
    assert in_tiles.seconds > at_once.seconds
