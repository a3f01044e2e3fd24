"""Every term of every recipe, and the gradient, against the oracle in NumPy and float64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
from scipy import linalg

from impasto_engine import Settings, Style, backend, evaluate
from impasto_engine.networks.network import Edges, Network, Pooling, Precision
from impasto_engine.networks.reading import Reading
from impasto_engine.networks.vgg import Vgg
from impasto_engine.recipes import recipe_named
from impasto_engine.targets import Problem, Source, pose
from impasto_engine.weighing import Weights
from oracles.recipes import CONTENT_LAYERS, STYLE_LAYERS, WEIGHTS, Judgement, Oracle, StyleImage

RELATIVE = 1e-4

ENOUGH_MARGIN = 3e-6
"""Float32 takes the same way through ReLU and max pooling as float64 does where the margin is this large."""

SIZES = [((48, 64), (48, 64)), ((51, 37), (40, 66)), ((35, 70), (57, 33))]
"""Of the content, and of the style."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something to paint, as oracle and engine are told of it; pictures are `(H, W, 3)` float32 in [0, 1]."""

    recipe: str
    content: np.ndarray
    styles: Sequence[Style]
    picture: np.ndarray
    alpha: np.ndarray | None = None
    pooling: str = "max"
    content_layers: tuple[str, ...] = CONTENT_LAYERS
    style_layers: tuple[str, ...] = STYLE_LAYERS
    weights: tuple[float, float, float] | None = None
    readings: Mapping[str, np.ndarray] = field(default_factory=dict)

    def oracle(self, kernels: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Oracle:
        return Oracle(
            recipe=self.recipe,
            kernels=kernels,
            content=as_seen(self.content),
            styles=[
                StyleImage(
                    picture=as_seen(style.pixels),
                    weight=style.weight,
                    alpha=alpha_of(style.pixels),
                    region=style.region,
                )
                for style in self.styles
            ],
            alpha=self.alpha,
            pooling=self.pooling,
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            weights=self.weights,
            readings=self.readings,
        )

    def problem(self, network: Network) -> Problem:
        content, style, tv = self.weights or WEIGHTS[self.recipe]
        return pose(
            content=as_seen(self.content),
            alpha=self.alpha,
            styles=[
                Source(colours=as_seen(s.pixels), alpha=alpha_of(s.pixels), weight=s.weight, region=s.region)
                for s in self.styles
            ],
            network=network,
            recipe=recipe_named(self.recipe),
            weights=Weights(content=content, style=style, tv=tv),
            content_taps=self.content_layers,
            style_taps=self.style_layers,
            pooling=Pooling(self.pooling),
            precision=Precision.FLOAT32,
        )

    def settings(self) -> Settings:
        content, style, tv = self.weights or (None, None, None)
        return Settings(
            recipe=self.recipe,
            pooling=Pooling(self.pooling),
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            content_weight=content,
            style_weight=style,
            tv_weight=tv,
        )


def as_seen(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3] * np.float32(255.0)


def alpha_of(pixels: np.ndarray) -> np.ndarray | None:
    return pixels[..., 3] if pixels.shape[2] == 4 else None


def textured(smooth, noisy, height: int, width: int, seed: int) -> np.ndarray:
    return 0.7 * smooth(height, width, seed) + 0.3 * noisy(height, width, seed + 100)


def away_from_kinks(smooth, noisy, kernels, height: int, width: int, recipe: str, pooling: str = "max") -> np.ndarray:
    """A picture at which ReLU and max pooling decide clearly, so that the gradient is the same in float32."""
    for seed in range(1000, 1050):
        picture = textured(smooth, noisy, height, width, seed)
        oracle = Oracle(
            recipe=recipe,
            kernels=kernels,
            content=as_seen(picture),
            styles=[StyleImage(picture=as_seen(picture))],
            pooling=pooling,
        )
        if oracle.judge(as_seen(picture)).margin > ENOUGH_MARGIN:
            return picture
    raise AssertionError("No seed gives a picture that is far enough from the network's kinks.")


@pytest.fixture(scope="module")
def make_case(smooth, noisy, kernels):
    def make(recipe: str, size=(48, 64), style_size=(51, 37), **changes) -> Case:
        parts = {
            "content": textured(smooth, noisy, *size, 1),
            "styles": [Style(pixels=textured(smooth, noisy, *style_size, 2))],
            "picture": away_from_kinks(smooth, noisy, kernels, *size, recipe, changes.get("pooling", "max")),
        }
        return Case(recipe=recipe, **(parts | changes))

    return make


def assert_same_terms(
    terms: Mapping[str, float], expected: Judgement, absolute: float = 1e-30, relative: float = RELATIVE
) -> None:
    assert terms.keys() == expected.terms.keys()
    for name, value in expected.terms.items():
        assert terms[name] == pytest.approx(value, rel=relative, abs=absolute), name


def assert_same_gradient(gradient: np.ndarray, expected: np.ndarray, relative: float = RELATIVE) -> None:
    assert gradient.shape == expected.shape
    assert gradient.dtype == np.float32
    assert np.linalg.norm(gradient - expected) <= relative * np.linalg.norm(expected)


def assert_engine_agrees(
    case: Case, network: Network, kernels, absolute: float = 1e-30, relative: float = RELATIVE
) -> Judgement:
    expected = case.oracle(kernels).judge(as_seen(case.picture))
    problem = case.problem(network)
    terms, gradient = backend.current().compile_gradient(problem.objective)(
        as_seen(case.picture)[None], problem.arguments
    )
    assert_same_terms(problem.losses(terms).layers, expected, absolute, relative)
    assert problem.losses(terms).loss == pytest.approx(expected.loss, rel=relative)
    assert_same_gradient(gradient[0], expected.gradient, relative)
    return expected


@pytest.mark.parametrize(("size", "style_size"), SIZES)
@pytest.mark.parametrize("recipe", WEIGHTS)
def test_terms_and_gradient_are_the_oracles(recipe, size, style_size, make_case, network, kernels):
    assert_engine_agrees(make_case(recipe, size, style_size), network, kernels)


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
@pytest.mark.parametrize("recipe", WEIGHTS)
def test_the_gradient_of_each_loss_by_itself_is_the_oracles(recipe, weights, make_case, network, kernels):
    assert_engine_agrees(make_case(recipe, weights=weights), network, kernels)


@pytest.mark.parametrize("layer", STYLE_LAYERS)
def test_the_gradient_of_each_style_layer_by_itself_is_the_oracles(layer, make_case, network, kernels):
    case = make_case("impasto", weights=(0.0, 1.0, 0.0), style_layers=(layer,))
    assert_engine_agrees(case, network, kernels)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_evaluate_gives_the_oracles_terms(recipe, make_case, network, kernels):
    case = make_case(recipe, (51, 37), (40, 66))
    losses = evaluate(case.content, case.styles, case.picture, network, case.settings())
    expected = case.oracle(kernels).judge(as_seen(case.picture))
    assert_same_terms(losses.layers, expected)
    assert losses.loss == pytest.approx(expected.loss, rel=RELATIVE)
    for group, value in losses.terms.items():
        assert value == pytest.approx(
            sum(v for name, v in expected.terms.items() if name.partition("/")[0] == group), rel=RELATIVE
        )


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_average_pooling_is_the_oracles(recipe, make_case, network, kernels):
    assert_engine_agrees(make_case(recipe, (51, 37), pooling="average"), network, kernels)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_chosen_layers_and_weights_are_the_oracles(recipe, make_case, network, kernels):
    case = make_case(
        recipe,
        content_layers=("block2_conv2", "block3_conv3"),
        style_layers=("block1_conv2", "block3_conv3", "block4_conv1"),
        weights=(7.0, 30.0, 0.01),
    )
    assert_engine_agrees(case, network, kernels)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_several_styles_count_by_their_weights(recipe, make_case, smooth, noisy, network, kernels):
    styles = [
        Style(pixels=textured(smooth, noisy, 51, 37, 3), weight=3.0),
        Style(pixels=textured(smooth, noisy, 36, 66, 4), weight=0.5),
        Style(pixels=noisy(40, 40, 5)),
    ]
    assert_engine_agrees(make_case(recipe, styles=styles), network, kernels)


def test_a_style_of_one_colour_has_no_variance_and_yet_a_finite_weight(make_case, network, kernels):
    # Only so near the surface is the network's answer to one colour the same everywhere, and its variance nought.
    flat = np.full((40, 40, 3), (0.9, 0.5, 0.2), np.float32)
    case = make_case("impasto", styles=[Style(pixels=flat)], style_layers=("block1_conv1",))
    # What little there is to divide by is a difference of large numbers, rounded.
    assert_engine_agrees(case, network, kernels, relative=20 * RELATIVE)


@pytest.fixture(scope="module")
def to_teacher(kernels) -> dict[str, np.ndarray]:
    """For each layer a matrix to the features of a teacher with more channels, or with fewer."""
    random = np.random.default_rng(9)
    return {
        layer: random.normal(0.0, 1.0, (bias.size, width))
        for (layer, (_, bias)), width in zip(kernels.items(), (11, 9, 13, 3, *[10] * 9), strict=True)
    }


@pytest.fixture(scope="module")
def distilled(kernels, to_teacher) -> Network:
    """A network that is compared in the space of that teacher."""
    readings = {
        layer: Reading(matrix=linalg.sqrtm(q @ q.T).real.astype(np.float32), channels=q.shape[1])
        for layer, q in to_teacher.items()
    }
    return Vgg("distilled", kernels, "random", readings)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_a_distilled_network_is_compared_in_its_teachers_space(recipe, make_case, distilled, to_teacher, kernels):
    alpha = np.ones((48, 64), np.float32)
    alpha[10:30, :25] = 0.0
    case = make_case(recipe, (48, 64), (40, 66), readings=to_teacher, alpha=alpha)
    assert_engine_agrees(case, distilled, kernels)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_regions_with_a_style_each_are_the_oracles(recipe, make_case, smooth, noisy, network, kernels):
    left = np.zeros((48, 64), np.float32)
    left[:, :30] = 1.0
    styles = [
        Style(pixels=textured(smooth, noisy, 51, 37, 3), region=left),
        Style(pixels=textured(smooth, noisy, 36, 66, 4), region=left, weight=0.5),
        Style(pixels=noisy(40, 40, 5), region=1.0 - left, weight=2.0),
        Style(pixels=smooth(40, 40, 5), weight=0.25),
    ]
    assert_engine_agrees(make_case(recipe, styles=styles), network, kernels)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_transparency_in_content_and_style_is_the_oracles(recipe, make_case, smooth, noisy, network, kernels):
    alpha = np.ones((48, 64), np.float32)
    alpha[:20, 40:] = 0.0
    alpha[30:, :8] = 0.4
    cut_out = np.concatenate([textured(smooth, noisy, 51, 40, 3), np.ones((51, 40, 1), np.float32)], axis=-1)
    cut_out[10:30, :25, 3] = 0.0
    region = np.linspace(0.0, 1.0, 64, dtype=np.float32)[None, :].repeat(48, axis=0)
    styles = [Style(pixels=cut_out, region=region), Style(pixels=textured(smooth, noisy, 36, 66, 4))]
    assert_engine_agrees(make_case(recipe, alpha=alpha, styles=styles), network, kernels)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(1, 1), (1, 21), (22, 1), (2, 3)])
def test_pictures_too_small_to_pool_are_the_oracles(size, pooling, make_case, smooth, noisy, network, kernels):
    small = {"content": textured(smooth, noisy, *size, 1), "picture": noisy(*size, 5)}
    # Deep features of so few pixels hardly differ, and their differences drown in float32's rounding below this.
    assert_engine_agrees(make_case("impasto", pooling=pooling, **small), network, kernels, absolute=1e-6)


@pytest.mark.vgg16
@pytest.mark.parametrize("recipe", WEIGHTS)
def test_the_real_network_gives_the_oracles_terms(recipe, smooth, noisy, vgg16):
    case = Case(
        recipe=recipe,
        content=textured(smooth, noisy, 48, 64, 1),
        styles=[Style(pixels=textured(smooth, noisy, 51, 40, 2))],
        picture=textured(smooth, noisy, 48, 64, 3),
    )
    whole = vgg16.extractor(vgg16.taps, pooling=Pooling.MAX, edges=Edges.ZERO, precision=Precision.FLOAT32)
    kernels = {
        layer: (keras.ops.convert_to_numpy(kernel), keras.ops.convert_to_numpy(bias))
        for layer, ((kernel, *_), bias) in whole.parameters.items()
    }
    expected = assert_engine_agrees(case, vgg16, kernels)
    losses = evaluate(case.content, case.styles, case.picture, vgg16, case.settings())
    assert_same_terms(losses.layers, expected)
