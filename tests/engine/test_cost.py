"""The estimate of time and memory: what it must follow, whatever the machine."""

import numpy as np
import pytest

from impasto_engine import Estimate, Settings, estimate
from impasto_engine.measure import matmul_peak, measure_evaluation
from impasto_engine.networks.network import Precision
from impasto_engine.networks.vgg import Vgg


def estimated(network: Vgg, **settings: object) -> Estimate:
    return estimate(480, 640, network, Settings.from_dict({"precision": "float32", **settings}))


def test_the_size_is_that_of_the_finished_picture(network: Vgg) -> None:
    whole = estimated(network, size=256, evaluations=7)
    assert (whole.height, whole.width, whole.evaluations) == (192, 256, 7)
    assert estimated(network, size="original").width == 640


def test_more_evaluations_take_longer_and_no_more_memory(network: Vgg) -> None:
    few, many = estimated(network, evaluations=50), estimated(network, evaluations=500)
    assert many.seconds > few.seconds + 1.0
    assert many.memory_bytes == few.memory_bytes


def test_a_larger_picture_takes_longer_and_more_memory(network: Vgg) -> None:
    small, large = estimated(network, size=512), estimated(network, size=4096)
    assert large.seconds > small.seconds + 1.0
    assert large.memory_bytes > small.memory_bytes + 100e6


def test_bfloat16_takes_less_memory(network: Vgg) -> None:
    assert estimated(network, size=4096, precision="bfloat16").memory_bytes < estimated(network, size=4096).memory_bytes


def test_arithmetic_is_counted_from_the_layers(shallow_network: Vgg) -> None:
    random = np.random.default_rng(1)
    content, style = random.random((2, 40, 30, 3), "float32")
    cost = measure_evaluation(
        content, style, shallow_network, Settings(size="original", precision="float32"), repeats=3
    )
    # Two convolutions of 3 × 3: from 3 to 8 channels on 40 × 30, from 8 to 12 on 20 × 15; forward and backward.
    assert cost.flops == 2 * 2 * 9 * (3 * 8 * 40 * 30 + 8 * 12 * 20 * 15)
    assert (cost.height, cost.width, cost.precision) == (40, 30, "float32")
    assert 0 < cost.best_s <= cost.median_s


def test_the_clock_is_the_callers(shallow_network: Vgg) -> None:
    ticks = iter(range(100))
    content = np.full((16, 16, 3), 0.5, "float32")
    cost = measure_evaluation(
        content, content, shallow_network, Settings(precision="float32"), repeats=2, clock=lambda: float(next(ticks))
    )
    assert (cost.first_s, cost.median_s) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("precision", Precision)
def test_the_peak_is_that_of_the_fastest_product(precision: Precision) -> None:
    ticks = iter([0.0, 9.0, 9.0, 11.0, 11.0, 15.0])  # it compiles, and then takes two and four seconds
    peak = matmul_peak(precision, sides=(50,), repeats=2, clock=lambda: next(ticks))
    assert peak == pytest.approx(2 * 50**3 / 2.0)


def test_what_is_held_in_the_contents_own_size_counts_however_small_the_painting(network: Vgg) -> None:
    small, large = (
        estimate(height, width, network, Settings(size=256, precision="float32"))
        for height, width in ((480, 640), (4800, 6400))
    )
    assert large.memory_bytes - small.memory_bytes == 12 * (4800 * 6400 - 480 * 640)
    grey = estimate(4800, 6400, network, Settings(size=256, precision="float32", color="luminance"))
    assert grey.memory_bytes - large.memory_bytes == 12 * 4800 * 6400


def test_scipys_optimiser_takes_more(network: Vgg) -> None:
    ours, scipys = (estimated(network, size="original", optimizer=each) for each in ("lbfgs", "scipy"))
    assert scipys.memory_bytes - ours.memory_bytes == (48 + 4 * 10 - 5 - 2 * 10) * 12 * 480 * 640
