"""Content and style reconstruction: the objective with a term switched off (Gatys et al. 2015, figure 1)."""

import numpy as np
import pytest

from impasto_engine import Settings, SettingsError, Style, evaluate, reconstruct_content, reconstruct_style

SETTINGS = Settings(size="original", evaluations=25, precision="float32", tv_weight=0.0)


@pytest.fixture(scope="module")
def picture(smooth, noisy):
    return 0.6 * smooth(24, 30, 1) + 0.4 * noisy(24, 30, 1)


def test_the_content_comes_back_from_noise(picture, shallow_network):
    losses = []
    result = reconstruct_content(
        picture, "block1_conv1", shallow_network, SETTINGS, on_progress=lambda p: losses.append(p.losses)
    )
    assert set(result.losses.layers) == {"content/block1_conv1", "tv"}
    assert result.losses.loss < 0.02 * losses[0].loss
    noise = np.abs(np.random.default_rng(0).random(picture.shape) - picture).mean()
    assert np.abs(result.pixels - picture).mean() < 0.35 * noise


def test_the_style_comes_back_without_the_content(picture, shallow_network):
    losses = []
    result = reconstruct_style(
        picture, "block2_conv1", shallow_network, SETTINGS, on_progress=lambda p: losses.append(p.losses)
    )
    assert set(result.losses.layers) == {"style/block1_conv1", "style/block2_conv1", "tv"}
    assert result.losses.loss < 0.1 * losses[0].loss
    own = evaluate(picture, [Style(pixels=picture)], result.pixels, shallow_network, SETTINGS)
    noise = evaluate(
        picture, [Style(pixels=picture)], np.random.default_rng(0).random(picture.shape), shallow_network, SETTINGS
    )
    assert own.terms["style"] < 0.1 * noise.terms["style"]
    assert own.terms["content"] > 0.05 * noise.terms["content"], "the content is not aimed at"


def test_the_style_is_taken_at_the_style_layers_up_to_the_one_named_and_there(picture, network):
    def layers(layer: str) -> list[str]:
        settings = Settings(size="original", evaluations=1, precision="float32")
        return [
            name.removeprefix("style/")
            for name in reconstruct_style(picture, layer, network, settings).losses.layers
            if name.startswith("style/")
        ]

    assert layers("block1_conv1") == ["block1_conv1"]
    assert layers("block3_conv1") == ["block1_conv1", "block2_conv1", "block3_conv1"]
    assert layers("block3_conv2") == ["block1_conv1", "block2_conv1", "block3_conv1", "block3_conv2"]


@pytest.mark.parametrize("reconstruct", [reconstruct_content, reconstruct_style])
def test_reconstructions_start_from_seeded_noise_unless_told_otherwise(reconstruct, picture, shallow_network):
    def first(**chosen) -> np.ndarray:
        settings = Settings(size="original", evaluations=1, precision="float32", **chosen)
        return reconstruct(picture, "block1_conv1", shallow_network, settings).pixels

    np.testing.assert_array_equal(first(seed=3), first(seed=3, init="noise"))
    assert np.abs(first(seed=3) - first(seed=4)).mean() > 0.1
    np.testing.assert_allclose(first(init="content"), picture, atol=1e-6)


@pytest.mark.parametrize("reconstruct", [reconstruct_content, reconstruct_style])
def test_a_layer_that_the_network_lacks_is_refused(reconstruct, picture, shallow_network):
    with pytest.raises(SettingsError, match=r"block7_conv1.*block1_conv1"):
        reconstruct(picture, "block7_conv1", shallow_network, SETTINGS)


@pytest.mark.parametrize("reconstruct", [reconstruct_content, reconstruct_style])
def test_a_reconstruction_can_be_stopped(reconstruct, picture, shallow_network):
    seen = []
    result = reconstruct(
        picture, "block1_conv1", shallow_network, SETTINGS, on_progress=seen.append, should_stop=lambda: len(seen) == 3
    )
    assert result.stopped
    assert result.evaluations == 3
    np.testing.assert_array_equal(result.pixels, seen[-1].preview())


def test_the_style_of_a_cut_out_is_that_of_its_opaque_part(picture, shallow_network, noisy):
    alpha = np.zeros((24, 30, 1), np.float32)
    alpha[:, :15] = 1.0
    cut_out = np.concatenate([picture, alpha], axis=-1)
    other_beneath = cut_out.copy()
    other_beneath[:, 15:, :3] = noisy(24, 15, 9)
    first, second = (
        reconstruct_style(p, "block1_conv1", shallow_network, SETTINGS).pixels for p in (cut_out, other_beneath)
    )
    np.testing.assert_array_equal(first, second)
