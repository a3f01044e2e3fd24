"""Where weights come from, and what is said when there are none."""

from pathlib import Path

import keras
import numpy as np
import pytest

from impasto_engine.errors import NetworkError
from impasto_engine.networks import AUTO, NAMES, available, load_network
from impasto_engine.networks import weights as weight_files


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights anywhere: neither in a folder of the environment nor in Keras's cache, which is `tmp_path/keras`."""
    monkeypatch.delenv(weight_files.WEIGHTS_DIR_VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


def touched(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"weights")
    return file


def small_vgg16(include_top: bool, weights: str | None) -> keras.Model:
    """A stand-in for a constructor in `keras.applications` that has nothing to download."""
    assert not include_top
    if weights is not None:
        raise ConnectionError("no network")
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(2, 3, name="block1_conv1")(inputs))


def test_the_given_file_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = touched(nowhere / "mine.h5")
    touched(nowhere / "folder" / "vgg16_notop.weights.h5")
    monkeypatch.setenv(weight_files.WEIGHTS_DIR_VARIABLE, str(nowhere / "folder"))
    assert weight_files.find("vgg16", given) == given


def test_the_folder_of_the_environment_comes_before_the_cache_of_keras(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched(nowhere / "keras" / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
    own = touched(nowhere / "folder" / "vgg16_imagenet_notop.weights.h5")
    monkeypatch.setenv(weight_files.WEIGHTS_DIR_VARIABLE, str(nowhere / "folder"))
    assert weight_files.find("vgg16") == own


def test_the_cache_of_keras_is_found_without_the_environment(nowhere: Path) -> None:
    cached = touched(nowhere / "keras" / "models" / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert weight_files.find("vgg19") == cached
    assert weight_files.find("vgg16") is None


def test_a_folder_of_the_environment_that_lacks_a_network_leaves_it_to_the_cache(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = touched(nowhere / "keras" / "models" / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    touched(nowhere / "folder" / "vgg16_imagenet_notop.weights.h5")
    monkeypatch.setenv(weight_files.WEIGHTS_DIR_VARIABLE, str(nowhere / "folder"))
    assert weight_files.find("vgg19") == cached


def test_a_given_file_that_is_missing_is_refused_by_its_name(nowhere: Path) -> None:
    with pytest.raises(NetworkError, match=r"no weights file '.*absent\.h5'"):
        weight_files.find("vgg16", nowhere / "absent.h5")


def test_a_folder_of_the_environment_that_is_missing_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weight_files.WEIGHTS_DIR_VARIABLE, str(nowhere / "absent"))
    with pytest.raises(NetworkError, match="does not exist"):
        weight_files.find("vgg16")


@pytest.mark.usefixtures("nowhere")
def test_a_download_that_fails_says_how_to_do_without_it() -> None:
    with pytest.raises(NetworkError, match=r"could not be downloaded; .*--weights.*IMPASTO_WEIGHTS_DIR") as caught:
        weight_files.load("vgg16", small_vgg16)
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_weights_are_read_as_they_were_written(nowhere: Path) -> None:
    written = small_vgg16(include_top=False, weights=None)
    file = nowhere / "vgg16_notop.weights.h5"
    written.save_weights(file)
    model, source = weight_files.load("vgg16", small_vgg16, file)
    assert source == str(file)
    np.testing.assert_array_equal(model.get_weights()[0], written.get_weights()[0])


@pytest.mark.parametrize("name", ["vgg16_notop.weights.h5", "vgg16_notop.h5"])
def test_a_damaged_file_is_named(nowhere: Path, name: str) -> None:
    written = small_vgg16(include_top=False, weights=None)
    whole = nowhere / "whole.weights.h5"
    written.save_weights(whole)
    damaged = nowhere / name
    damaged.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(NetworkError, match=f"{name}.*is damaged"):
        weight_files.load("vgg16", small_vgg16, damaged)


def test_every_network_is_listed_whether_or_not_its_weights_are_there(nowhere: Path) -> None:
    cached = touched(nowhere / "keras" / "models" / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    listed = {each.name: each for each in available()}
    assert tuple(listed) == NAMES
    assert listed["vgg19"].file == cached
    assert listed["vgg19"].size_bytes == len(b"weights")
    assert listed["vgg16"].file is None
    assert listed["vgg16"].size_bytes > 50_000_000
    assert [each.name for each in listed.values() if each.experimental] == ["resnet50", "inception_v3", "xception"]


def test_auto_takes_the_recommended_network_that_is_there(nowhere: Path) -> None:
    touched(nowhere / "keras" / "models" / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    with pytest.raises(NetworkError, match=r"vgg19_weights.*damaged"):
        load_network(AUTO)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NetworkError, match=r"no network 'vgg17'; choose one of auto, vgg16, vgg19"):
        load_network("vgg17")
