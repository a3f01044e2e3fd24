"""How many arrays as large as the picture are held at once: what the estimate counts, and not one more.

`tracemalloc` sees what NumPy takes, so that a copy of the picture that comes back shows as one vector more.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize  # noqa: F401 -- or what its modules take would be counted with the vectors

from impasto_engine import Progress, Settings, Style, paint
from impasto_engine.budget import VECTORS, Demand, room_within
from impasto_engine.descent import Descent, descend
from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.networks.vgg import Vgg
from impasto_engine.optimisers import HOST, OPTIMISERS, SCIPY

SIZE = 100_000
GOAL = np.random.default_rng(0).uniform(-20.0, 275.0, SIZE).astype(np.float32)
STEEPNESS = np.geomspace(1.0, 300.0, SIZE, dtype=np.float32)
PIECE = SIZE // 50
SLACK = 0.6
"""Of a vector, for all that is smaller."""
SLACK_OF_SCIPY = 8.0
"""SciPy may count otherwise in another version."""


def bowl(point: np.ndarray) -> tuple[float, np.ndarray]:
    """A loss and its gradient that take one vector."""
    gradient, loss = np.empty(SIZE, np.float32), 0.0
    for begin in range(0, SIZE, PIECE):
        these = slice(begin, begin + PIECE)
        off = (point[these] - GOAL[these]).astype(np.float32)
        slope = STEEPNESS[these] * off
        gradient[these] = 2.0 * slope
        loss += float(np.dot(slope, off))
    return loss, gradient


def most_vectors(act: Callable[[], object], vector_bytes: int = GOAL.nbytes) -> float:
    """The most that were held at once."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1] / vector_bytes
    finally:
        tracemalloc.stop()


def minimised(optimizer: str, history: int, start=None) -> Descent[None]:
    def evaluate(picture, weights):
        loss, gradient = bowl(picture.reshape(-1))
        return np.array([loss], np.float32), gradient.reshape(picture.shape)

    kept: list[Descent[None]] = []

    def told(state, terms, resumable):
        last = state.evaluations == history + 3
        kept.extend([resumable()] if last else [])
        return last

    descend(
        evaluate,
        start or (lambda: np.full((1, 1, SIZE), 100.0, np.float32)),
        2 * history + 10,
        minimise=OPTIMISERS[optimizer],
        bounds=(0.0, 255.0),
        first_step=0.25,
        round_evaluations=None,
        weights=lambda: None,
        on_evaluation=(lambda *_: False) if start else told,
        history=history,
    )
    return kept[0] if kept else Descent(picture=GOAL, weights=None)


@pytest.mark.parametrize(("optimizer", "history"), [(HOST, 2), (HOST, 10), (SCIPY, 5)])
def test_a_minimisation_holds_as_many_vectors_as_are_counted(optimizer, history):
    vectors = VECTORS[optimizer]
    most, slack = most_vectors(lambda: minimised(optimizer, history)), SLACK if optimizer == HOST else SLACK_OF_SCIPY
    assert most == pytest.approx(vectors.alone + vectors.pair * history, abs=slack)


def test_one_that_is_taken_up_again_holds_no_more():
    left = minimised(HOST, 3)
    assert left.memory is not None

    def taken() -> Descent[None]:
        memory = {name: array.copy() for name, array in left.memory.items()}
        return replace(left, picture=left.picture.copy(), memory=memory)

    most = most_vectors(lambda: minimised(HOST, 3, start=taken))
    assert most <= VECTORS[HOST].alone + 6 + 1 + SLACK, "the best picture may be one of its own at first"


@pytest.fixture
def broad_network(shallow_network, shallow_kernels) -> Vgg:
    """One whose features take so much that tiles pay off."""
    (first, bias), (second, other) = shallow_kernels.values()
    kernels = {
        "block1_conv1": (np.tile(first, 5), np.tile(bias, 5)),
        "block2_conv1": (np.tile(second, (1, 1, 5, 1)) / 5.0, other),
    }
    return type(shallow_network)("broad", kernels, "random")


def test_a_painting_in_tiles_holds_what_is_estimated(broad_network, smooth, noisy):
    height, width = 900, 1200
    content = (0.9 * smooth(height, width, 1) + 0.1 * noisy(height, width, 2)).astype(np.float32)
    style = noisy(60, 80, 3)
    settings = Settings(size="original", evaluations=1, polish_evaluations=6, precision="float32", style_scale=0.05)

    def watched() -> None:
        def told(progress: Progress) -> None:
            progress.preview()
            progress.checkpoint()

        paint(
            content,
            [Style(pixels=style)],
            broad_network,
            settings,
            polisher=broad_network,
            memory_budget_bytes=1,
            on_progress=told,
        )

    most = most_vectors(watched, content.nbytes)
    taps = broad_network.content_taps
    extractor = broad_network.extractor(
        ("block1_conv1", "block2_conv1"), pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32
    )
    demand = Demand(extractor=extractor, content_taps=taps, height=height, width=width, held_bytes=0)
    room = room_within(demand, 1)
    assert room.crop is not None
    assert room.history == 2
    features = extractor.feature_bytes(height, width, taps) / content.nbytes
    assert features == pytest.approx(12 * 4 / 4 / 12, rel=1e-2)
    assert most == pytest.approx(features + VECTORS[HOST].alone + 4, abs=SLACK)
