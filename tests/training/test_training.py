"""How the embedded network is made, with a teacher of a few random channels."""

import keras
import numpy as np
import pytest
from PIL import Image

from impasto_engine import load_network
from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.networks.vgg import Vgg
from training.beginning import begin, least_squares, most_telling
from training.checkpoint import restore, save
from training.distillation import Distillation
from training.half_painted import Easel
from training.pictures import crops_with_neighbours, read_pool
from training.student_file import square_root, write_student

LAYERS = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1", "block3_conv2")
LAYERS += ("block3_conv3", "block4_conv1", "block4_conv2", "block4_conv3", "block5_conv1")
SIDE = 64


def random_teacher() -> Vgg:
    random = np.random.default_rng(1)
    kernels, into = {}, 3
    for layer in LAYERS:
        out = 4 + 2 * int(layer[5])
        kernel = random.normal(0.0, np.sqrt(2.0 / (9 * into)), (3, 3, into, out)).astype(np.float32)
        kernels[layer] = (kernel, random.normal(0.0, 0.5, out).astype(np.float32))
        into = out
    return Vgg("teacher", kernels, "random")


@pytest.fixture(scope="module")
def teacher() -> Vgg:
    return random_teacher()


@pytest.fixture(scope="module")
def pool() -> list[np.ndarray]:
    """Three pictures with smooth parts and edges."""
    y, x = np.mgrid[0:96, 0:128]
    return [
        np.stack([127 + 120 * np.sin((x * a + y * b) / 9.0), 2 * y, 255 * ((x // 16 + y // 16 + a) % 2)], -1).astype(
            np.uint8
        )
        for a, b in ((1, 0), (1, 2), (3, 1))
    ]


def batch(pool: list[np.ndarray], number: int) -> np.ndarray:
    return crops_with_neighbours(pool, np.random.default_rng(number), count=3, side=SIDE)


def widths(teacher: Vgg, share: float) -> dict[str, int]:
    cut = teacher.extractor(LAYERS, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32)
    return {layer: max(2, round(share * s.channels)) for layer, s in cut.shapes(SIDE, SIDE).items()}


def distillation(teacher: Vgg, pool: list[np.ndarray], share: float) -> Distillation:
    kernels, readings = begin(teacher, widths(teacher, share), batch(pool, 0), seed=1)
    model = Distillation(
        teacher, kernels, readings, dict.fromkeys(readings, 1.0), precision=Precision.FLOAT32, changes=0.5
    )
    compiled = {"jit_compile": False} if keras.backend.backend() == "tensorflow" else {}
    model.compile(optimizer=keras.optimizers.Adam(1e-3), **compiled)
    model.optimizer.build(model.trainable_variables)
    return model


def test_batches_follow_from_their_number_and_stay_in_range(pool):
    crops = batch(pool, 5)
    assert crops.shape == (6, SIDE, SIDE, 3)
    assert crops.dtype == np.float32
    assert 0.0 <= crops.min() < crops.max() <= 255.0
    np.testing.assert_array_equal(crops, batch(pool, 5))
    assert not np.array_equal(crops, batch(pool, 6))


def test_a_neighbour_is_another_picture_but_a_near_one(pool):
    crops = np.concatenate([batch(pool, n)[:3] for n in range(20)])
    neighbours = np.concatenate([batch(pool, n)[3:] for n in range(20)])
    steps = np.sqrt(np.mean((crops - neighbours) ** 2, axis=(1, 2, 3)))
    assert steps.min() > 0.5
    apart = np.sqrt(np.mean((crops - np.roll(crops, 1, axis=0)) ** 2, axis=(1, 2, 3)))
    assert np.median(steps) < 0.5 * np.median(apart)


def test_pictures_are_found_in_folders_and_reduced(tmp_path):
    (tmp_path / "deep").mkdir()
    Image.new("L", (1000, 40), 7).save(tmp_path / "deep" / "grey.png")
    Image.new("RGB", (30, 40), (1, 2, 3)).save(tmp_path / "small.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    assert [picture.shape for picture in read_pool([tmp_path])] == [(26, 640, 3), (40, 30, 3)]
    with pytest.raises(SystemExit, match="no picture in"):
        read_pool([tmp_path / "absent"])


def test_channels_that_say_the_same_are_chosen_once():
    random = np.random.default_rng(0)
    loud, quiet = 10.0 * random.random(500), 3.0 * random.random(500)
    features = np.stack([loud, 2.0 * loud, quiet, 0.5 * quiet], axis=1).astype(np.float32)
    assert {int(c) // 2 for c in most_telling(features, 2)} == {0, 1}


def test_least_squares_finds_a_linear_map():
    random = np.random.default_rng(0)
    inputs, truth = random.normal(size=(400, 5)).astype(np.float32), random.normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(least_squares(inputs, inputs @ truth), truth, atol=0.01)


def test_the_square_root_of_a_reading_is_one():
    matrix = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    root = square_root(matrix @ matrix.T)
    np.testing.assert_allclose(root @ root, matrix @ matrix.T, atol=1e-5)
    np.testing.assert_allclose(root, root.T, atol=1e-6)


def test_a_student_as_wide_as_its_teacher_begins_as_its_teacher(teacher, pool):
    errors = distillation(teacher, pool, 1.0)(batch(pool, 1))
    assert {name.split("/")[1] for name in errors} == set(LAYERS)
    for name, error in errors.items():
        assert float(keras.ops.convert_to_numpy(error)) < 0.1, name


def test_a_narrow_student_begins_better_than_nothing_and_learns(teacher, pool):
    model = distillation(teacher, pool, 0.5)
    unseen = batch(pool, 1000)
    first = {name: float(keras.ops.convert_to_numpy(error)) for name, error in model(unseen).items()}
    assert first["features/block1_conv1"] < 0.5
    for number in range(1, 31):
        model.train_on_batch(batch(pool, number))
    after = {name: float(keras.ops.convert_to_numpy(error)) for name, error in model(unseen).items()}
    assert sum(after.values()) < 0.9 * sum(first.values())


def test_a_run_goes_on_from_its_checkpoint(teacher, pool, tmp_path):
    model = distillation(teacher, pool, 0.5)
    for number in range(1, 4):
        model.train_on_batch(batch(pool, number))
    save(tmp_path / "checkpoint.npz", model, 3)
    other = distillation(teacher, pool, 0.5)
    assert restore(tmp_path / "checkpoint.npz", other) == 3
    for number in range(4, 7):
        losses = []
        for each in (model, other):
            each.reset_metrics()
            losses.append(float(each.train_on_batch(batch(pool, number), return_dict=True)["loss"]))
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    with pytest.raises(SystemExit, match="student of other widths"):
        restore(tmp_path / "checkpoint.npz", distillation(teacher, pool, 0.8))


def test_the_engine_reads_what_was_trained(teacher, pool, tmp_path):
    model = distillation(teacher, pool, 0.7)
    file = tmp_path / "student.npz"
    write_student(file, model.kernels(), model.readings(), {"teacher": "random"})
    network = load_network("lite", file)
    cut = network.extractor(
        ("block1_conv1", "block5_conv1"), pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32
    )
    picture = batch(pool, 1)[:1]
    expected = model.student(picture, model.student_parameters())
    for layer, features in cut(picture, cut.parameters).items():
        want = keras.ops.convert_to_numpy(expected[layer])
        assert np.linalg.norm(keras.ops.convert_to_numpy(features) - want) < 0.06 * np.linalg.norm(want)
        assert cut.readings[layer].channels == model.readings()[layer].shape[1]
        reading = model.readings()[layer]
        np.testing.assert_allclose(
            cut.readings[layer].matrix @ cut.readings[layer].matrix, reading @ reading.T, rtol=0.01, atol=0.01
        )


def test_pictures_on_the_easel_are_painted_and_taken_off_again(teacher, pool):
    model = distillation(teacher, pool, 0.7)
    easel = Easel(model.student, pool, count=2, side=SIDE, rng=np.random.default_rng(2))
    taken_off = 0
    last = None
    for _ in range(120):
        before, after = easel.step(model.student_parameters(), model.readings())
        assert before.shape == after.shape == (2, SIDE, SIDE, 3)
        assert 0.0 <= after.min() < after.max() <= 255.0
        assert 0.1 < np.abs(after - before).mean() < 30.0
        taken_off += 0 if last is None else int(np.any(before != last, axis=(1, 2, 3)).sum())
        last = after
    assert 1 <= taken_off <= 60
