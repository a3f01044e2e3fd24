"""`lite`, the network that ships with the package."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from impasto_engine import NetworkError, Settings, Style, evaluate, load_network, paint
from impasto_engine.choice import NO_POLISH, choose
from impasto_engine.networks import available, lite, lite_file
from impasto_engine.networks import weights as weight_files
from impasto_engine.networks.network import Edges, Network, Pooling, Precision
from impasto_engine.recipes import RECIPES
from impasto_engine.stages import stages

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block4_conv2", "block5_conv1")


@pytest.fixture(scope="module")
def shipped() -> Network:
    return load_network("lite")


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any weights; gives the folder that Keras would keep them in."""
    monkeypatch.delenv(weight_files.WEIGHTS_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models"


def features(network: Network, picture: np.ndarray) -> dict[str, np.ndarray]:
    cut = network.extractor(LAYERS, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32)
    return {layer: np.asarray(f)[0] for layer, f in cut(255.0 * picture[None], cut.parameters).items()}


def test_it_has_the_layers_where_paintings_are_compared(shipped):
    assert set(LAYERS) <= set(shipped.taps)
    assert "block5_before" not in shipped.taps  # it has no teacher, and so cannot be compared
    assert shipped.content_taps == ("block4_conv2",)
    assert set(shipped.style_taps) == set(LAYERS) - {"block4_conv2"}


def test_it_is_a_few_megabytes_and_says_where_it_comes_from():
    assert weight_files.LITE_FILE.stat().st_size < 5_000_000
    with np.load(weight_files.LITE_FILE) as arrays:
        about = json.loads(str(arrays["about"]))
    assert about["teacher"] == "vgg16"
    assert "CC BY 4.0" in about["credit"]
    assert "Visual Geometry Group" in about["credit"]


def test_the_file_is_the_one_that_was_released():
    assert hashlib.sha256(weight_files.LITE_FILE.read_bytes()).hexdigest() == lite_file.SHA256


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone"])
def test_a_damaged_installation_is_told_and_how_to_mend_it(harm, tmp_path, monkeypatch):
    content = bytearray(weight_files.LITE_FILE.read_bytes())
    content[len(content) // 2] ^= 0xFF if harm == "flipped" else 0
    file = tmp_path / "lite.npz"
    if harm != "gone":
        file.write_bytes(content[:-1000] if harm == "cut" else content)
    monkeypatch.setattr(lite, "LITE_FILE", file)
    with pytest.raises(NetworkError, match="install Impasto anew"):
        load_network("lite")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + 18 * b"\0"])
def test_a_given_file_of_another_kind_is_named(content, tmp_path):
    file = tmp_path / "other.npz"
    file.write_bytes(content)
    with pytest.raises(NetworkError, match=r"other\.npz.*does not hold a network of this kind"):
        load_network("lite", file)


def test_a_given_student_is_taken(shipped, tmp_path):
    file = tmp_path / "mine.npz"
    file.write_bytes(weight_files.LITE_FILE.read_bytes())
    network = load_network("lite", file)
    assert network.weights == str(file)
    assert network.taps == shipped.taps


def test_it_paints_the_style_into_the_content(shipped, smooth, noisy):
    content, styles = smooth(48, 64, 1), [Style(pixels=smooth(64, 64, 7) * 0.5 + 0.5 * noisy(64, 64, 2))]
    settings = Settings(size=64, evaluations=30, precision="float32")
    painting = paint(content, styles, shipped, settings)
    assert painting.losses.terms["style"] < 0.2 * evaluate(content, styles, content, shipped, settings).terms["style"]


@pytest.mark.parametrize(("side", "scales", "evaluations"), [(64, 1, 80), (256, 2, 80), (512, 3, 150), (2048, 5, 150)])
def test_it_paints_small_pictures_with_fewer_evaluations_unless_told(side, scales, evaluations, shipped):
    usual = stages(side, side, shipped, None, Settings(size=side))
    assert len(usual) == scales
    assert sum(stage.scale.evaluations for stage in usual) == evaluations
    asked = stages(side, side, shipped, None, Settings(size=side, evaluations=37))
    assert sum(stage.scale.evaluations for stage in asked) == 37


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_it_is_chosen_where_there_are_no_weights_and_polished_where_there_are(no_weights: Path, name: str):
    recipe = RECIPES["impasto"]
    assert choose(None, None, recipe) == ("auto", None)
    assert load_network("auto").name == "lite"
    no_weights.mkdir()
    (no_weights / f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5").touch()
    assert choose(None, None, recipe) == choose("auto", None, recipe) == ("lite", name)
    assert choose(None, NO_POLISH, recipe) == ("auto", None)
    assert choose("vgg16", None, recipe) == ("vgg16", None)
    assert choose("lite", None, recipe) == ("lite", None)
    assert choose("lite", "vgg19", recipe) == ("lite", "vgg19")
    assert choose(None, None, RECIPES["gatys"]) == ("auto", None)
    assert choose(None, None, recipe, weights=Path("mine.h5")) == ("auto", None)


@pytest.mark.usefixtures("no_weights")
def test_it_is_always_on_the_machine():
    listed = {each.name: each for each in available()}
    assert listed["lite"].file == weight_files.LITE_FILE
    assert not listed["lite"].experimental


@pytest.mark.vgg16
def test_its_features_tell_most_of_what_vgg16_sees(shipped, vgg16):
    """Where its teacher is, the best linear map from its features explains most of the teacher's, on a picture that
    neither was trained on."""
    from skimage import data

    picture = (data.chelsea()[:256, :256] / 255.0).astype(np.float32)
    own, hers = features(shipped, picture), features(vgg16, picture)
    for layer, least in zip(LAYERS, (0.95, 0.8, 0.7, 0.55, 0.45, 0.4), strict=True):
        student = own[layer].reshape(-1, own[layer].shape[-1])
        teacher = hers[layer].reshape(-1, hers[layer].shape[-1])
        solution = np.linalg.lstsq(student, teacher, rcond=1e-4)[0]
        missed = np.mean((teacher - student @ solution) ** 2) / np.mean((teacher - teacher.mean(0)) ** 2)
        assert 1.0 - missed > least, layer


@pytest.mark.vgg16
def test_its_style_losses_rank_pictures_as_vgg16_does(shipped, vgg16):
    """Which of two styles a picture is nearer to: lite and VGG16 say the same of every pair of built-in styles."""
    from impasto_engine import built_in_styles, read_picture
    from impasto_engine.resample import resize

    styles = [np.clip(resize(read_picture(each.file).pixels, 192, 192), 0.0, 1.0) for each in built_in_styles()]
    for number, picture in enumerate(styles):
        turned = np.ascontiguousarray(picture[::-1, ::-1])
        for network in (shipped, vgg16):
            losses = [evaluate(turned, [Style(pixels=s)], turned, network).terms["style"] for s in styles]
            assert int(np.argmin(losses)) == number, network.name
