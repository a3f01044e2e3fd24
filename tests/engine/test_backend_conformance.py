"""What every backend must do alike; run it once under each `KERAS_BACKEND`. The numbers to meet are the oracle's."""

import keras
import numpy as np
import pytest

from impasto_engine import Settings, Style, backend, evaluate, paint
from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.optimisers import scipy_lbfgs
from impasto_engine.recipes import recipe_named
from impasto_engine.targets import Problem, Source, pose
from impasto_engine.weighing import Weights
from oracles.network import forward
from oracles.recipes import CONTENT_LAYERS, STYLE_LAYERS, WEIGHTS, Oracle, StyleImage

HEIGHT, WIDTH = 32, 40

EVALUATIONS = 10


@pytest.fixture(scope="module")
def pictures(smooth, noisy):
    """Content, style and a picture to judge, `(H, W, 3)` float32 in [0, 1]."""
    return tuple(
        0.7 * smooth(*size, seed) + 0.3 * noisy(*size, seed)
        for size, seed in [((HEIGHT, WIDTH), 1), ((40, 33), 2), ((HEIGHT, WIDTH), 3)]
    )


def posed(recipe: str, pictures, network, precision: Precision = Precision.FLOAT32) -> Problem:
    content, style, _ = pictures
    weights = WEIGHTS[recipe]
    return pose(
        content=content * np.float32(255.0),
        alpha=None,
        styles=[Source(colours=style * np.float32(255.0), alpha=None, weight=1.0, region=None)],
        network=network,
        recipe=recipe_named(recipe),
        weights=Weights(content=weights[0], style=weights[1], tv=weights[2]),
        content_taps=CONTENT_LAYERS,
        style_taps=STYLE_LAYERS,
        pooling=Pooling.MAX,
        precision=precision,
    )


def oracle(recipe: str, pictures, kernels) -> Oracle:
    content, style, _ = pictures
    return Oracle(recipe=recipe, kernels=kernels, content=255.0 * content, styles=[StyleImage(picture=255.0 * style)])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_terms_and_gradient_are_float32_numpy_arrays_with_the_oracles_numbers(recipe, pictures, network, kernels):
    problem, judged = posed(recipe, pictures, network), pictures[2] * np.float32(255.0)
    terms, gradient = backend.current().compile_gradient(problem.objective)(judged[None], problem.arguments)
    expected = oracle(recipe, pictures, kernels).judge(judged)
    for array in (terms, gradient):
        assert isinstance(array, np.ndarray)
        assert array.dtype == np.float32
    np.testing.assert_allclose(terms, list(expected.terms.values()), rtol=1e-4)
    assert np.linalg.norm(gradient[0] - expected.gradient) <= 1e-4 * np.linalg.norm(expected.gradient)


@pytest.mark.parametrize("recipe", WEIGHTS)
def test_evaluate_gives_the_oracles_loss(recipe, pictures, network, kernels):
    content, style, judged = pictures
    losses = evaluate(content, [Style(pixels=style)], judged, network, Settings(recipe=recipe))
    assert losses.loss == pytest.approx(oracle(recipe, pictures, kernels).judge(255.0 * judged).loss, rel=1e-4)


def test_a_short_painting_goes_the_way_that_the_same_optimiser_goes_on_the_oracle(pictures, network, kernels):
    content, style, _ = pictures
    reference = oracle("impasto", pictures, kernels)
    losses = []

    def loss_and_gradient(point: np.ndarray, following=None) -> tuple[float, np.ndarray]:
        judgement = reference.judge(point.reshape(HEIGHT, WIDTH, 3))
        losses.append(judgement.loss)
        return judgement.loss, judgement.gradient.reshape(-1)

    start = 255.0 * content.reshape(-1).astype(np.float64)
    first_step = recipe_named("impasto").first_step
    scipy_lbfgs(loss_and_gradient, start, EVALUATIONS, bounds=(0.0, 255.0), first_step=first_step)

    seen = []
    painting = paint(
        content,
        [Style(pixels=style)],
        network,
        Settings(size="original", evaluations=EVALUATIONS, precision="float32"),
        on_progress=lambda progress: seen.append(progress.losses.loss),
    )
    np.testing.assert_allclose(seen, losses[:EVALUATIONS], rtol=1e-3)
    assert painting.losses.loss == pytest.approx(min(losses[:EVALUATIONS]), rel=1e-3)
    judged = reference.judge(255.0 * painting.pixels.astype(np.float64))
    assert judged.loss == pytest.approx(painting.losses.loss, rel=1e-4)


@pytest.mark.parametrize("recipe", ["impasto", "gatys"])
def test_bfloat16_gives_nearly_the_same_loss_and_direction(recipe, pictures, network, kernels):
    problem, judged = posed(recipe, pictures, network, Precision.BFLOAT16), pictures[2] * np.float32(255.0)
    terms, gradient = backend.current().compile_gradient(problem.objective)(judged[None], problem.arguments)
    expected = oracle(recipe, pictures, kernels).judge(judged)
    assert terms.dtype == np.float32
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(terms, list(expected.terms.values()), rtol=0.1)
    assert problem.losses(terms).loss == pytest.approx(expected.loss, rel=0.02)
    # Rounded, some activations of a random network cross ReLU's corner; for a trained one it is above 0.99.
    assert cosine(gradient[0], expected.gradient) > 0.9


@pytest.mark.vgg16
def test_bfloat16_of_the_real_network_gives_nearly_the_same_loss_and_direction(pictures, vgg16):
    judged = pictures[2] * np.float32(255.0)
    results = []
    for precision in Precision:
        problem = posed("impasto", pictures, vgg16, precision)
        results.append(backend.current().compile_gradient(problem.objective)(judged[None], problem.arguments))
    (terms, gradient), (rough_terms, rough_gradient) = results
    np.testing.assert_allclose(rough_terms, terms, rtol=0.05)
    assert rough_terms.sum() == pytest.approx(terms.sum(), rel=0.02)
    assert cosine(rough_gradient, gradient) > 0.97


def test_bfloat16_can_paint(pictures, shallow_network):
    settings = Settings(size="original", evaluations=14, precision="bfloat16")
    losses = []
    painting = paint(
        pictures[0],
        [Style(pixels=pictures[1])],
        shallow_network,
        settings,
        on_progress=lambda progress: losses.append(progress.losses.loss),
    )
    assert painting.precision == "bfloat16"
    assert painting.pixels.dtype == np.float32
    assert painting.losses.loss < 0.5 * losses[0]


@pytest.mark.parametrize("precision", Precision)
def test_features_are_the_oracles_in_the_precision_asked_for(precision, pictures, network, kernels):
    extractor = network.extractor(
        ("block1_conv1", "block3_conv3"), pooling=Pooling.AVERAGE, edges=Edges.REPLICATE, precision=precision
    )
    judged = pictures[2] * np.float32(255.0)
    features = backend.current().forward(extractor, judged[None], extractor.parameters)
    expected = forward(kernels, judged, deepest="block3_conv3", replicate=True, pooling="average").features
    shapes = extractor.shapes(HEIGHT, WIDTH)
    assert set(features) == set(shapes) == {"block1_conv1", "block3_conv3"}
    for tap, array in features.items():
        assert keras.backend.standardize_dtype(array.dtype) == precision.value
        values = keras.ops.convert_to_numpy(array).astype(np.float64)[0]
        assert values.shape == (shapes[tap].height, shapes[tap].width, shapes[tap].channels)
        error = np.linalg.norm(values - expected[tap]) / np.linalg.norm(expected[tap])
        assert error < (1e-5 if precision is Precision.FLOAT32 else 0.02)


def test_one_compiled_function_serves_other_targets_and_weights_without_compiling_anew():
    calls = []

    def terms(picture, arguments):
        calls.append(1)
        return keras.ops.stack(
            [
                keras.ops.sum(keras.ops.square(picture - arguments["target"])) * arguments["scale"],
                keras.ops.sum(picture) * arguments["parts"][0][0],
            ]
        )

    compiled = backend.current().compile_gradient(terms)
    picture = np.ones((1, 2, 2, 3), np.float32)
    for target, scale, other in [(0.0, 1.0, 2.0), (3.0, 0.5, 1.0), (-1.0, 4.0, 7.0)]:
        values, gradient = compiled(
            picture,
            {
                "target": np.full((1, 2, 2, 3), target, np.float32),
                "scale": np.float32(scale),
                "parts": [(np.float32(other),)],
            },
        )
        np.testing.assert_allclose(values, [12 * (1 - target) ** 2 * scale, 12 * other])
        np.testing.assert_allclose(gradient, np.full(picture.shape, 2 * (1 - target) * scale + other))
    assert len(calls) == (3 if keras.backend.backend() == "torch" else 1), "PyTorch runs eagerly; the others compile"


def test_the_same_compiled_function_takes_pictures_of_several_sizes():
    compiled = backend.current().compile_gradient(lambda picture, _: keras.ops.reshape(keras.ops.sum(picture), (1,)))
    forward_only = backend.current().compile_forward(lambda picture, _: keras.ops.sum(picture))
    for height, width in [(1, 1), (4, 3), (3, 4), (4, 3)]:
        picture = np.full((1, height, width, 3), 2.0, np.float32)
        values, gradient = compiled(picture, {})
        np.testing.assert_allclose(values, [6.0 * height * width])
        np.testing.assert_allclose(gradient, np.ones_like(picture))
        assert float(forward_only(picture, {})) == 6.0 * height * width


def test_the_device_has_a_name_for_people():
    name = backend.current().device()
    assert name
    assert "\n" not in name


@pytest.mark.parametrize("sides", [(1, 1), (1, 7), (6, 5)])
@pytest.mark.parametrize("channels", [2, 64])
def test_a_convolution_and_its_gradient_are_sums_of_shifted_pictures(sides, channels):
    random = np.random.default_rng(7)
    picture = random.normal(size=(1, *sides, 3)).astype(np.float32)
    kernel = random.normal(size=(3, 3, 3, channels)).astype(np.float32)
    upstream = random.normal(size=(1, *sides, channels)).astype(np.float32)
    kernels = backend.current().kernels(keras.ops.convert_to_tensor(kernel))

    def terms(picture, arguments):
        convolved = backend.current().convolve(picture, arguments["kernels"])
        return keras.ops.stack([keras.ops.sum(convolved * arguments["upstream"])])

    arguments = {"kernels": kernels, "upstream": keras.ops.convert_to_tensor(upstream)}
    told, gradient = backend.current().compile_gradient(terms)(picture, arguments)
    around = ((0, 0), (1, 1), (1, 1), (0, 0))
    convolved, expected = 0.0, np.zeros_like(np.pad(picture, around))
    for row, column in np.ndindex(3, 3):
        there = np.s_[:, row : row + sides[0], column : column + sides[1]]
        convolved += np.pad(picture, around)[there] @ kernel[row, column]
        expected[there] += upstream @ kernel[row, column].T
    once = backend.current().forward(backend.current().convolve, picture, kernels)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(once), convolved, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(told, [np.sum(convolved * upstream)], rtol=1e-4)
    np.testing.assert_allclose(gradient, expected[:, 1:-1, 1:-1], rtol=1e-4, atol=1e-4)
