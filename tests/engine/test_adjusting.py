"""Weights that change while a picture is being painted."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from engine.counting import CountingVgg
from impasto_engine import Progress, Settings, SettingsError, Style, Weights, evaluate, paint, weights_of

SETTINGS = Settings(size="original", evaluations=24, precision="float32")
OWN = weights_of(SETTINGS)


@pytest.fixture(scope="module")
def content(smooth, noisy):
    return 0.8 * smooth(50, 200, 1) + 0.2 * noisy(50, 200, 1)


@pytest.fixture(scope="module")
def styles(smooth, noisy):
    half = np.zeros((5, 20), np.float32)
    half[:, 10:] = 1.0
    return [Style(pixels=noisy(28, 28, 2)), Style(pixels=smooth(30, 20, 3), weight=2.0, region=half)]


@pytest.fixture
def network(shallow_kernels) -> CountingVgg:
    return CountingVgg("counting", shallow_kernels, "random")


@pytest.fixture
def painted(content, styles, network):
    """Paints in two scales; `changes` has the weights from some evaluation on."""

    def run(changes: dict[int, Weights], seen: list[Progress] | None = None, **attendance):
        told: list[Progress] = [] if seen is None else seen

        def weights() -> Weights:
            return next((changes[at] for at in sorted(changes, reverse=True) if len(told) >= at), OWN)

        return paint(content, styles, network, SETTINGS, weights=weights, on_progress=told.append, **attendance)

    return run


def test_weights_that_stay_what_they_are_change_nothing(painted):
    asked = [painted({}), painted({0: OWN}), painted({5: replace(OWN)})]
    for other in asked[1:]:
        np.testing.assert_array_equal(other.pixels, asked[0].pixels)


@pytest.mark.parametrize("at", [1, 7, 16, 19])
def test_new_weights_count_from_the_next_evaluation_on_and_neither_scale_nor_budget_begins_anew(at, painted):
    seen: list[Progress] = []
    painting = painted({at: replace(OWN, tv=1e3 * OWN.tv)}, seen)
    assert painting.evaluations == len(seen) == 24
    scales = [progress.scale for progress in seen]
    assert scales == sorted(scales) == [1] * 16 + [2] * 8
    before, after = seen[at - 1], seen[at]
    if at != 16:  # there the size changes, too
        np.testing.assert_array_equal(after.preview(), before.preview())
        assert after.losses.terms["tv"] == pytest.approx(
            1e3
            * min(seen[:at], key=lambda each: each.losses.loss if each.scale == before.scale else np.inf).losses.terms[
                "tv"
            ],
            rel=1e-3,
        )
    assert after.best_loss == pytest.approx(after.losses.loss)


def test_the_best_picture_is_the_best_under_the_new_weights(painted, content, styles, network):
    seen: list[Progress] = []
    gentle = replace(OWN, content=0.01 * OWN.content, style=0.01 * OWN.style)  # any loss before is a hundred times this
    stern = replace(OWN, content=30.0 * OWN.content)
    painting = painted({4: stern, 18: gentle}, seen)
    since = seen[18:]
    assert painting.losses.loss == pytest.approx(min(each.losses.loss for each in since))
    assert painting.losses.loss < since[0].losses.loss, "painting goes on under the new weights"
    assert max(each.losses.loss for each in since) < min(each.losses.loss for each in seen[4:16])
    settings = replace(SETTINGS, content_weight=gentle.content, style_weight=gentle.style)
    judged = evaluate(content, styles, painting.pixels, network, settings)
    assert judged.layers["content/block2_conv1"] == pytest.approx(
        painting.losses.layers["content/block2_conv1"], rel=1e-3
    )


def test_the_weight_of_each_style_can_change(painted, content, styles, network):
    seen: list[Progress] = []
    painting = painted({18: replace(OWN, styles=(1e-6, 2.0))}, seen)
    assert seen[18].losses.terms["style"] != pytest.approx(seen[17].losses.terms["style"], rel=0.01)
    assert seen[18].losses.terms["content"] == pytest.approx(
        min(seen[16:18], key=lambda each: each.losses.loss).losses.terms["content"]
    )
    alone = replace(styles[0], weight=1e-6)
    # The styles are given in the sizes that `paint` shrinks them to, which `evaluate` does not.
    assert painting.losses.loss < seen[18].losses.loss
    assert (
        evaluate(content, [alone, styles[1]], painting.pixels, network, SETTINGS).terms["style"]
        < (evaluate(content, [alone, styles[1]], seen[17].preview(), network, SETTINGS).terms["style"])
    )


def test_shares_are_those_of_styles_that_had_the_weights_from_the_beginning(content, styles, network):
    weights = (0.5, 3.0)
    born = [replace(style, weight=weight) for style, weight in zip(styles, weights, strict=True)]
    first = replace(SETTINGS, evaluations=1, size=100)
    expected = paint(content, born, network, first).losses.layers
    given = paint(content, styles, network, first, weights=lambda: replace(OWN, styles=weights)).losses.layers
    assert given == pytest.approx(expected, rel=1e-6)


def test_nothing_is_compiled_anew(painted, network):
    painted({})
    undisturbed, network.spelled_out = network.spelled_out, 0
    painted({at: replace(OWN, content=float(at), styles=(1.0, float(at))) for at in range(1, 24, 3)})
    if keras.backend.backend() == "torch":
        return  # runs eagerly: the network is spelled out at each evaluation
    assert network.spelled_out == undisturbed


def test_a_painting_taken_up_with_other_weights_goes_on_from_its_best_picture_with_those(painted):
    seen: list[Progress] = []
    stern = replace(OWN, content=30.0 * OWN.content)
    whole = painted({6: stern}, seen)
    painting = painted({0: stern}, checkpoint=seen[5].checkpoint())
    np.testing.assert_array_equal(painting.pixels, whole.pixels)
    assert painting.losses == whole.losses


def test_a_painting_taken_up_after_a_change_goes_on_bit_for_bit(painted):
    seen: list[Progress] = []
    stern = replace(OWN, content=30.0 * OWN.content)
    whole = painted({6: stern}, seen)
    for cut in (7, 9, 17):
        np.testing.assert_array_equal(painted({0: stern}, checkpoint=seen[cut].checkpoint()).pixels, whole.pixels)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"tv": -1.0}, "tv weight is -1"),
        ({"content": float("nan")}, "content weight is nan"),
        ({"style": float("inf")}, "style weight is inf"),
        ({"styles": (1.0, 0.0)}, "style's weight is 0"),
    ],
)
def test_weights_that_are_none_are_refused(changes, text):
    with pytest.raises(SettingsError, match=text):
        replace(OWN, **changes)


def test_there_is_a_weight_for_each_style(painted):
    with pytest.raises(SettingsError, match="1 weights for 2 styles"):
        painted({0: replace(OWN, styles=(1.0,))})


def test_a_loss_that_is_none_under_new_weights_is_a_rollback(painted):
    seen: list[Progress] = []
    absurd = replace(OWN, content=3e38, tv=3e38)
    painting = painted({4: absurd, 6: OWN}, seen)
    assert painting.rollbacks >= 1
    assert np.isfinite(painting.pixels).all()
    assert np.isfinite(painting.losses.loss)
