"""What one painting leaves for the next in a workshop."""

import keras
import numpy as np
import pytest

from engine.counting import CountingVgg
from impasto_engine import Settings, Style, Workshop, paint

SETTINGS = Settings(size=40, evaluations=3, precision="float32")

eager = pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing that could be kept")


@pytest.fixture
def network(shallow_kernels) -> CountingVgg:
    return CountingVgg("counting", shallow_kernels, "random")


@pytest.fixture(scope="module")
def content(smooth):
    return smooth(32, 40, 1)


@pytest.fixture(scope="module")
def style(noisy):
    return Style(pixels=noisy(36, 36, 2))


def spelled_out(network: CountingVgg, *arguments, **options) -> tuple[int, np.ndarray]:
    """How often the network was spelled out for a painting, and the painting."""
    before = network.spelled_out
    painting = paint(*arguments, network, SETTINGS, **options)
    return network.spelled_out - before, painting.pixels


@eager
def test_a_painting_like_the_last_looks_at_its_content_alone_and_is_the_same(content, style, network):
    workshop = Workshop()
    first, picture = spelled_out(network, content, [style], workshop=workshop)
    second, again = spelled_out(network, content, [style], workshop=workshop)
    assert (first, second) == (3, 1)  # the style's statistics and the loss are at hand
    np.testing.assert_array_equal(again, picture)


@eager
def test_for_another_content_and_style_of_the_same_sizes_no_loss_is_compiled(content, style, network, smooth, noisy):
    workshop = Workshop()
    spelled_out(network, content, [style], workshop=workshop)
    other, another = smooth(32, 40, 5), [Style(pixels=noisy(36, 36, 6))]
    compiled, picture = spelled_out(network, other, another, workshop=workshop)
    assert compiled == 2
    np.testing.assert_array_equal(picture, spelled_out(network, other, another)[1])


def test_without_a_workshop_nothing_is_kept(content, style, network):
    first, picture = spelled_out(network, content, [style])
    second, again = spelled_out(network, content, [style])
    assert first == second > 0
    np.testing.assert_array_equal(again, picture)


def variants(content, style, smooth):
    half = np.zeros((32, 40), np.float32)
    half[:, 20:] = 1.0
    seen_through = np.concatenate([content, 0.25 + 0.75 * half[..., None]], axis=-1)
    torn = np.concatenate([style.pixels, np.ones((36, 36, 1), np.float32)], axis=-1)
    torn[:9, :, 3] = 0.0
    other = Style(pixels=smooth(30, 30, 4), region=half)
    return {
        "usual": (content, [style]),
        "two styles": (content, [style, Style(pixels=other.pixels)]),
        "a region": (content, [style, other]),
        "transparent content": (seen_through, [style]),
        "transparent style": (content, [Style(pixels=torn)]),
        "wide": (content[:16], [style]),
    }


@pytest.mark.parametrize("functions", [1, 100])
def test_whatever_came_before_a_painting_is_as_without_a_workshop(functions, content, style, smooth, network):
    workshop = Workshop(functions=functions, statistics_bytes=2000)
    asked = variants(content, style, smooth)
    expected = {name: spelled_out(network, *each)[1] for name, each in asked.items()}
    for name in [*asked, "transparent content", "usual"]:
        np.testing.assert_array_equal(spelled_out(network, *asked[name], workshop=workshop)[1], expected[name], name)


def test_networks_of_one_name_are_told_apart(content, style, network, shallow_kernels):
    workshop = Workshop()
    other = CountingVgg("counting", {name: (-k, b) for name, (k, b) in shallow_kernels.items()}, "random")
    spelled_out(network, content, [style], workshop=workshop)
    np.testing.assert_array_equal(
        spelled_out(other, content, [style], workshop=workshop)[1], spelled_out(other, content, [style])[1]
    )


@eager
def test_what_was_unused_the_longest_goes_when_there_is_no_room(content, style, network):
    workshop = Workshop(functions=1)
    wide = content[:16]
    counts = [spelled_out(network, each, [style], workshop=workshop)[0] for each in (content, wide, wide, content)]
    assert counts == [3, 2, 1, 2]  # the content's features always, the loss where it is another


@eager
def test_a_style_seen_again_is_not_looked_at_again(content, style, network, smooth):
    workshop = Workshop()
    spelled_out(network, content, [style], workshop=workshop)
    kept, _ = spelled_out(network, smooth(32, 40, 9), [style], workshop=workshop)
    other, _ = spelled_out(network, content, [Style(pixels=style.pixels[::-1])], workshop=workshop)
    assert (kept, other) == (1, 2)
