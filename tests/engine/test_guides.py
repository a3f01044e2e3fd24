"""Guides: how much each position of a tap counts, from masks over the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from impasto_engine.guides import erode, guides, normalise
from impasto_engine.networks.network import Edges, Pooling, Precision
from oracles.guides import guides as oracle_guides

SIGHTS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    elements=st.just(0.0) | st.floats(1e-6, 1.0).map(np.float32),
)


@given(SIGHTS)
def test_an_eroded_guide_lies_between_zero_and_one_and_the_best_placed_position_counts_fully(seen):
    eroded = erode(seen)
    assert eroded.shape == seen.shape
    assert eroded.dtype == np.float32
    assert eroded.min() >= 0.0
    assert eroded.max() == pytest.approx(1.0)
    if seen.max() > 0.0:
        assert (eroded[seen < 0.49 * seen.max()] == 0.0).all()
        np.testing.assert_allclose(eroded[seen == seen.max()], 1.0, rtol=1e-6)


def test_who_sees_less_counts_less():
    seen = np.array([[0.0, 0.2, 0.4, 0.5, 0.6, 0.8]], np.float32)
    np.testing.assert_allclose(erode(seen), [[0.0, 0.0, 0.0, 0.25, 0.5, 1.0]], atol=1e-6)


def test_where_nothing_is_seen_every_position_counts():
    np.testing.assert_array_equal(erode(np.zeros((3, 4), np.float32)), 1.0)


@given(SIGHTS)
def test_a_normalised_guide_sums_to_one(seen):
    guide = normalise(erode(seen))
    assert guide.dtype == np.float32
    assert guide.sum(dtype=np.float64) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(guide * erode(seen).max(), erode(seen) * guide.max(), atol=1e-6)


@pytest.mark.parametrize("size", [(33, 46), (48, 16), (1, 9), (2, 3), (1, 1)])
def test_guides_are_the_oracles_at_every_tap(size, network, kernels):
    random = np.random.default_rng(3)
    mask = (random.random(size) > 0.6).astype(np.float32)
    mask[0, 0] = 1.0
    extractor = network.extractor(network.taps, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32)
    expected, shapes = oracle_guides(mask, kernels), extractor.shapes(*size)
    got = guides(extractor, mask)
    assert list(got) == list(expected)
    for tap, guide in got.items():
        assert guide.shape == (shapes[tap].height, shapes[tap].width)
        assert guide.dtype == np.float32
        np.testing.assert_allclose(guide, expected[tap], atol=1e-4)


def test_a_region_smaller_than_what_a_deep_position_sees_still_counts_at_its_centre(network):
    mask = np.zeros((144, 176), np.float32)
    mask[72, 104] = 1.0
    extractor = network.extractor(
        ("block1_conv1", "block5_conv1"), pooling=Pooling.MAX, edges=Edges.ZERO, precision=Precision.BFLOAT16
    )
    got = guides(extractor, mask)
    assert got["block5_conv1"].shape == (9, 11)
    assert got["block5_conv1"][4, 6] > 0.8
    assert (got["block5_conv1"] > 0.0).sum() <= 25
    np.testing.assert_array_equal(np.argwhere(got["block1_conv1"] > 0.5).mean(axis=0), [72.0, 104.0])
