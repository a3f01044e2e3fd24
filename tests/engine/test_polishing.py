"""A second network that paints on, at full size, where the first has ended."""

import numpy as np
import pytest

from impasto_engine import Progress, Settings, SettingsError, Style, estimate, paint
from impasto_engine.networks.vgg import Vgg

SETTINGS = Settings(size=64, evaluations=6, polish_evaluations=4, precision="float32")


class Named(Vgg):
    content_taps = ("block2_conv1",)
    style_taps = ("block1_conv1", "block2_conv1")


@pytest.fixture
def polisher(shallow_kernels) -> Vgg:
    return Named("polisher", {name: (2.0 * k, b) for name, (k, b) in shallow_kernels.items()}, "random")


def test_the_polisher_comes_last_and_at_full_size(smooth, noisy, shallow_network, polisher):
    told: list[Progress] = []
    painting = paint(
        smooth(48, 64, 1),
        [Style(pixels=noisy(40, 40, 2))],
        shallow_network,
        SETTINGS,
        polisher=polisher,
        on_progress=told.append,
    )
    assert [each.network for each in told] == ["shallow"] * 6 + ["polisher"] * 4
    assert {(each.height, each.width) for each in told if each.network == "polisher"} == {(48, 64)}
    assert (told[-1].evaluation, told[-1].evaluations, painting.evaluations) == (10, 10, 10)
    assert told[-1].scale == told[-1].scales == told[0].scales
    assert told[-1].remaining_s == 0.0


def test_polishing_lowers_the_polishers_loss_from_where_the_first_network_ended(
    smooth, noisy, shallow_network, polisher
):
    told: list[Progress] = []
    content, styles = smooth(48, 64, 1), [Style(pixels=noisy(40, 40, 2))]
    first = paint(content, styles, shallow_network, SETTINGS)
    painting = paint(content, styles, shallow_network, SETTINGS, polisher=polisher, on_progress=told.append)
    begun = next(each for each in told if each.network == "polisher")
    assert painting.losses.loss < begun.losses.loss
    assert painting.losses.loss == told[-1].best_loss
    assert not np.array_equal(painting.pixels, first.pixels)


def test_a_painting_that_is_stopped_before_polishing_keeps_the_first_networks_picture(
    smooth, noisy, shallow_network, polisher
):
    content, styles = smooth(48, 64, 1), [Style(pixels=noisy(40, 40, 2))]
    told: list[Progress] = []
    painting = paint(
        content,
        styles,
        shallow_network,
        SETTINGS,
        polisher=polisher,
        on_progress=told.append,
        should_stop=lambda: len(told) == 6,
    )
    assert painting.stopped
    np.testing.assert_array_equal(painting.pixels, paint(content, styles, shallow_network, SETTINGS).pixels)


def test_a_recipe_without_a_number_of_its_own_can_be_polished_too(smooth, noisy, shallow_network, polisher):
    told: list[Progress] = []
    settings = Settings(recipe="gatys", size=32, evaluations=2, precision="float32")
    content, styles = smooth(24, 32, 1), [Style(pixels=noisy(20, 20, 2))]
    paint(content, styles, shallow_network, settings, polisher=polisher, on_progress=told.append)
    assert sum(each.network == "polisher" for each in told) == told[-1].evaluations - 2 > 0


def test_a_layer_that_the_polisher_lacks_is_refused_before_anything_is_painted(smooth, noisy, network, shallow_network):
    settings = Settings(size=32, content_layers=("block3_conv1",), precision="float32")
    told: list[Progress] = []
    with pytest.raises(SettingsError, match="shallow has no layer 'block3_conv1'"):
        paint(
            smooth(24, 32, 1),
            [Style(pixels=noisy(20, 20, 2))],
            network,
            settings,
            polisher=shallow_network,
            on_progress=told.append,
        )
    assert told == []


def test_an_estimate_counts_the_polisher(shallow_network, polisher):
    alone = estimate(48, 64, shallow_network, SETTINGS)
    polished = estimate(48, 64, shallow_network, SETTINGS, polisher=polisher)
    assert polished.evaluations == alone.evaluations + 4
    assert polished.seconds > alone.seconds
    assert polished.memory_bytes > alone.memory_bytes
