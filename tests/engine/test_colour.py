"""Whose colours the painted picture wears, against means, covariances and YIQ computed here."""

import numpy as np
import pytest

from impasto_engine import Settings, Style, paint
from impasto_engine.colour import luminance, match_colours, match_luminance, with_colours_of

YIQ = np.array([[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
"""NTSC 1953: luma and the two colour differences."""


@pytest.fixture
def content(smooth):
    return 0.35 + 0.3 * smooth(20, 26, 1)


@pytest.fixture
def style(smooth, noisy):
    return 0.5 * smooth(22, 17, 2) + 0.3 * noisy(22, 17, 2)


def statistics(colours: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    flat = colours.reshape(-1, 3).astype(np.float64)
    share = np.ones(len(flat)) if weights is None else weights.reshape(-1).astype(np.float64)
    share = share / share.sum()
    mean = share @ flat
    return mean, (flat - mean).T @ ((flat - mean) * share[:, None])


def test_matched_to_the_content_a_style_has_its_mean_and_covariance_of_colours(content, style):
    matched = match_colours(style, content)
    assert matched.shape == style.shape
    assert matched.dtype == np.float32
    assert matched.min() > 0.0
    assert matched.max() < 1.0, "nothing is clipped, or the statistics could not be the content's"
    for got, expected in zip(statistics(matched), statistics(content), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=2e-6)


def test_matching_colours_weighs_pixels_by_their_alpha(content, style, noisy):
    seen, style_seen = noisy(20, 26, 5)[..., 0], noisy(22, 17, 6)[..., 0]
    matched = match_colours(style, content, style_seen, seen)
    for got, expected in zip(statistics(matched, style_seen), statistics(content, seen), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=2e-6)


def test_matching_colours_moves_no_colour_where_they_match_already(content):
    np.testing.assert_allclose(match_colours(content, content), content, atol=1e-5)


def test_matching_colours_does_not_turn_them(content, style):
    # Of the maps that match covariances, the symmetric one moves colours least; a turned one would mirror hues.
    flat = style.reshape(-1, 3).astype(np.float64)
    moved = match_colours(style, content).reshape(-1, 3).astype(np.float64)
    transport, *_ = np.linalg.lstsq(flat - flat.mean(axis=0), moved - moved.mean(axis=0), rcond=None)
    np.testing.assert_allclose(transport, transport.T, atol=1e-3)
    assert np.linalg.eigvalsh((transport + transport.T) / 2).min() > 0.0


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_flat_style_takes_the_contents_mean_and_a_flat_content_gives_its_colour(value, content, style):
    flat = np.full((9, 9, 3), value, np.float32)
    np.testing.assert_allclose(
        match_colours(flat, content), np.broadcast_to(content.mean((0, 1)), flat.shape), atol=1e-4
    )
    np.testing.assert_allclose(match_colours(style, flat).mean((0, 1)), [value] * 3, atol=2e-3)


def test_the_styles_luma_gets_the_contents_mean_and_deviation(content, style):
    matched = match_luminance(style, content)
    assert np.ptp(matched, axis=-1).max() == 0.0
    luma = content @ YIQ[0]
    assert matched[..., 0].mean() == pytest.approx(luma.mean(), abs=1e-4)
    assert matched[..., 0].std() == pytest.approx(luma.std(), rel=1e-2)
    assert np.corrcoef(matched[..., 0].ravel(), (style @ YIQ[0]).ravel())[0, 1] == pytest.approx(1.0, abs=1e-5)


def test_luminance_is_luma_three_times(content):
    np.testing.assert_allclose(luminance(content), (content @ YIQ[0])[..., None].repeat(3, -1), atol=1e-6)


def test_the_contents_colours_are_its_i_and_q_exactly(content, noisy):
    worn = with_colours_of(content, 0.4 + 0.2 * noisy(20, 26, 9)).astype(np.float64)
    assert worn.min() > 0.0
    assert worn.max() < 1.0
    np.testing.assert_allclose(worn @ YIQ[1:].T, content @ YIQ[1:].T, atol=1e-5)


def painted(content, style, network, color, **chosen):
    settings = Settings(**({"size": "original", "evaluations": 8, "precision": "float32", "color": color} | chosen))
    return paint(content, [Style(pixels=style)], network, settings)


def test_in_luminance_mode_the_picture_keeps_the_contents_chroma_and_takes_on_the_styles_luma(
    content, style, shallow_network
):
    worn = painted(content, style, shallow_network, "luminance", evaluations=12).pixels.astype(np.float64)
    inside = (worn > 0.0).all(axis=-1) & (worn < 1.0).all(axis=-1)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(worn[inside] @ YIQ[1:].T, content[inside] @ YIQ[1:].T, atol=1e-5)
    assert np.abs(worn @ YIQ[0] - content @ YIQ[0]).mean() > 0.003


def test_in_luminance_mode_the_previews_wear_the_contents_colours_too(content, style, shallow_network):
    previews = []
    paint(
        content,
        [Style(pixels=style)],
        shallow_network,
        Settings(size="original", evaluations=3, precision="float32", color="luminance"),
        on_progress=lambda progress: previews.append(progress.preview()),
    )
    np.testing.assert_allclose(previews[0], content, atol=1e-5)


def test_in_match_mode_the_style_is_recoloured_before_painting(content, style, shallow_network):
    recoloured = match_colours(style, content)
    by_mode = painted(content, style, shallow_network, "match")
    by_hand = painted(content, recoloured, shallow_network, "style")
    np.testing.assert_allclose(by_mode.pixels, by_hand.pixels, atol=1e-6)
    far = painted(content, style, shallow_network, "style").pixels
    assert (
        np.abs(by_mode.pixels.mean((0, 1)) - content.mean((0, 1))).max()
        < np.abs(far.mean((0, 1)) - content.mean((0, 1))).max()
    )


def test_in_style_mode_the_picture_takes_the_styles_colours(shallow_network, smooth, noisy):
    blue = np.stack(
        [0.1 * noisy(24, 24, 1)[..., 0], 0.1 * noisy(24, 24, 2)[..., 0], 0.7 + 0.3 * noisy(24, 24, 3)[..., 0]], -1
    )
    worn = painted(smooth(24, 24, 1), blue, shallow_network, "style", evaluations=40, content_weight=0.0).pixels
    assert worn[..., 2].mean() > worn[..., 0].mean() + 0.2
