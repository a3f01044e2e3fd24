"""The oracle itself: its gradients against finite differences, its layers against SciPy and calculation by hand."""

import numpy as np
import pytest
from scipy.signal import correlate

from oracles.guides import guides
from oracles.network import BGR_MEAN, forward
from oracles.recipes import WEIGHTS, Oracle, StyleImage

STEP = 1e-5


def picture(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 255.0, (height, width, 3))


def slope_by_differences(oracle: Oracle, at: np.ndarray, direction: np.ndarray) -> float:
    return (oracle.judge(at + STEP * direction).loss - oracle.judge(at - STEP * direction).loss) / (2.0 * STEP)


@pytest.mark.parametrize("recipe", WEIGHTS)
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(33, 42), (16, 16), (1, 9), (7, 1), (1, 1)])
def test_the_gradient_is_the_slope_of_the_loss(recipe, pooling, size, kernels):
    oracle = Oracle(
        recipe=recipe,
        kernels=kernels,
        content=picture(*size, 1),
        styles=[StyleImage(picture=picture(35, 20, 2))],
        pooling=pooling,
    )
    at = picture(*size, 3)
    gradient = oracle.judge(at).gradient
    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=at.shape)
        assert slope_by_differences(oracle, at, direction) == pytest.approx(np.sum(gradient * direction), rel=1e-5)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_the_gradient_is_the_slope_with_transparency_regions_and_chosen_layers_too(recipe, kernels):
    size = (31, 40)
    left = np.zeros(size)
    left[:, :17] = 1.0
    oracle = Oracle(
        recipe=recipe,
        kernels=kernels,
        content=picture(*size, 1),
        alpha=np.clip(picture(*size, 8)[:, :, 0] / 100.0 - 0.5, 0.0, 1.0),
        styles=[
            StyleImage(picture=picture(35, 20, 2), weight=2.0, region=left, alpha=picture(35, 20, 5)[:, :, 0] / 255.0),
            StyleImage(picture=picture(22, 51, 4), region=1.0 - left),
        ],
        content_layers=("block2_conv2", "block3_conv1"),
        style_layers=("block1_conv2", "block3_conv1"),
        weights=(3.0, 5.0, 0.7),
    )
    at = picture(*size, 3)
    direction = np.random.default_rng(0).normal(size=at.shape)
    slope = np.sum(oracle.judge(at).gradient * direction)
    assert slope_by_differences(oracle, at, direction) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(("replicate", "mode"), [(False, "constant"), (True, "edge")])
def test_the_first_convolution_is_a_correlation_with_the_rim_it_should_see(replicate, mode, kernels):
    at = picture(9, 7, 0)
    kernel, bias = kernels["block1_conv1"]
    padded = np.pad(at[:, :, ::-1] - BGR_MEAN, ((1, 1), (1, 1), (0, 0)), mode=mode)
    features = forward(kernels, at, deepest="block1_conv1", replicate=replicate).features["block1_conv1"]
    for out in range(kernel.shape[3]):
        expected = correlate(padded, kernel[..., out].astype(np.float64), mode="valid")[:, :, 0] + bias[out]
        np.testing.assert_allclose(features[:, :, out], np.maximum(expected, 0.0), rtol=1e-12, atol=1e-9)


def test_a_network_of_one_weight_gives_terms_that_a_person_can_add_up():
    # One convolution that hands on blue minus its mean, so that features are easy to name.
    kernel = np.zeros((3, 3, 3, 1))
    kernel[1, 1, 0, 0] = 1.0
    blue = lambda *values: np.stack([np.zeros((1, 2)), np.zeros((1, 2)), np.array([values]) + BGR_MEAN[0]], -1)  # noqa: E731
    oracle = Oracle(
        recipe="impasto",
        kernels={"block1_conv1": (kernel, np.zeros(1))},
        content=blue(3.0, 4.0),
        styles=[StyleImage(picture=blue(1.0, 3.0))],
        content_layers=("block1_conv1",),
        style_layers=("block1_conv1",),
    )
    # Painted: 1 and 5. Mean 3, variance 4; the style's are 2 and 1.
    terms = oracle.judge(blue(1.0, 5.0)).terms
    assert terms["content/block1_conv1"] == pytest.approx(100.0 * (2.0**2 + 1.0**2) / 25.0)
    assert terms["style/block1_conv1"] == pytest.approx(100.0 * ((4.0 - 1.0) ** 2 / 1.0 + (3.0 - 2.0) ** 2 / 4.0))
    assert terms["tv"] == pytest.approx(0.005 * 4.0**2 / 3.0)


def test_a_guide_is_one_well_inside_its_region_and_zero_well_outside():
    mask = np.zeros((32, 48))
    mask[:, :24] = 1.0
    for layer, guide in guides(mask, ("block1_conv1", "block1_conv2", "block2_conv1")).items():
        columns = guide.shape[1]
        assert guide.shape == ((32, 48) if layer.startswith("block1") else (16, 24))
        np.testing.assert_allclose(guide[:, : columns // 2 - 3], 1.0)
        np.testing.assert_allclose(guide[:, columns // 2 + 3 :], 0.0)
