"""VGG19 and the networks for experiments, with random weights, since theirs are not to be had without a download."""

from pathlib import Path

import keras
import numpy as np
import pytest

from impasto_engine import Settings, SettingsError, Style, load_network, paint
from impasto_engine.networks.network import Edges, Network, Pooling, Precision

SMALLEST_SIDES = {"vgg19": 1, "resnet50": 32, "inception_v3": 75, "xception": 71}
CONSTRUCTORS = {"vgg19": "VGG19", "resnet50": "ResNet50", "inception_v3": "InceptionV3", "xception": "Xception"}


@pytest.fixture(scope="module", params=list(SMALLEST_SIDES))
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Network:
    name: str = request.param
    file = tmp_path_factory.mktemp("weights") / f"{name}_notop.weights.h5"
    keras.utils.set_random_seed(1)
    getattr(keras.applications, CONSTRUCTORS[name])(include_top=False, weights=None).save_weights(file)
    return load_network(name, Path(file))


def colours(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


pytestmark = pytest.mark.slow


def test_a_painting_lowers_the_loss(network: Network) -> None:
    losses = []
    painting = paint(
        colours(80, 96, 1),
        [Style(pixels=colours(90, 80, 2))],
        network,
        Settings(size="original", evaluations=6, precision="float32"),
        on_progress=lambda progress: losses.append(progress.losses.loss),
    )
    assert painting.pixels.shape == (80, 96, 3)
    assert painting.losses.loss < losses[0]


def test_the_shapes_foretold_are_those_of_the_features(network: Network) -> None:
    taps = (*network.style_taps, *network.content_taps)
    extractor = network.extractor(taps, pooling=Pooling.MAX, edges=Edges.ZERO, precision=Precision.FLOAT32)
    features = extractor(keras.ops.convert_to_tensor(colours(97, 90, 3)[None] * 255), extractor.parameters)
    for tap, shape in extractor.shapes(97, 90).items():
        assert tuple(features[tap].shape) == (1, shape.height, shape.width, shape.channels)
    assert extractor.flops(97, 90) > 1e8
    assert extractor.feature_bytes(97, 90) > 1e6


def test_average_pooling_and_bfloat16_give_other_but_like_features(network: Network) -> None:
    picture = keras.ops.convert_to_tensor(colours(96, 96, 4)[None] * 255)
    tap = network.style_taps[-1]
    found = {}
    for pooling, precision in (
        (Pooling.MAX, Precision.FLOAT32),
        (Pooling.AVERAGE, Precision.FLOAT32),
        (Pooling.MAX, Precision.BFLOAT16),
    ):
        extractor = network.extractor((tap,), pooling=pooling, edges=Edges.ZERO, precision=precision)
        features = extractor(picture, extractor.parameters)[tap]
        found[pooling, precision] = keras.ops.convert_to_numpy(keras.ops.cast(features, "float32"))
    exact = found[Pooling.MAX, Precision.FLOAT32]
    rounded = found[Pooling.MAX, Precision.BFLOAT16]
    assert 0 < np.linalg.norm(rounded - exact) < 0.2 * np.linalg.norm(exact)
    if network.name != "resnet50":
        assert not np.allclose(found[Pooling.AVERAGE, Precision.FLOAT32], exact, rtol=1e-2)


def test_a_region_is_seen_in_the_size_of_each_tap(network: Network) -> None:
    extractor = network.extractor(
        network.style_taps, pooling=Pooling.MAX, edges=Edges.ZERO, precision=Precision.FLOAT32
    )
    mask = np.zeros((128, 96), np.float32)
    mask[:, :48] = 1.0
    for tap, seen in extractor.sight(mask).items():
        shape = extractor.shapes(128, 96)[tap]
        assert seen.shape == (shape.height, shape.width)
        assert seen[:, 0].min() > 0.9 > 0.1 > seen[:, -1].max()


def test_a_picture_too_small_for_the_network_is_refused(network: Network) -> None:
    side = SMALLEST_SIDES[network.name] - 1
    if side == 0:
        return
    with pytest.raises(SettingsError, match=f"needs {side + 1} on each side"):
        paint(colours(side, 100, 1), [Style(pixels=colours(100, 100, 2))], network, Settings(size="original"))


def test_a_layer_that_is_not_there_is_refused(network: Network) -> None:
    with pytest.raises(SettingsError, match=r"no layer 'block9_conv9'"):
        network.extractor(("block9_conv9",), pooling=Pooling.MAX, edges=Edges.ZERO, precision=Precision.FLOAT32)
