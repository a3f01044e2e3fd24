"""L-BFGS on the device: against the one on the host, against linear algebra, and when things go wrong.

Runs on every backend.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from keras import ops

from impasto_engine import Checkpoint, Progress, Settings, Style, paint
from impasto_engine.descent import Descent
from impasto_engine.device_descent import descend_on_device
from impasto_engine.device_lbfgs import ENDED, begin, step
from impasto_engine.errors import CheckpointError, PaintingError
from impasto_engine.optimisers import optimizer_for
from impasto_engine.projected_lbfgs import begin as begin_on_host
from impasto_engine.projected_lbfgs import step as step_on_host

BOUNDS = (0.0, 255.0)
SIZE = 60
SHAPE = (4, 5, 3)
_random = np.random.default_rng(0)
_factor = _random.normal(size=(SIZE, SIZE))
CURVED = (_factor @ _factor.T / SIZE + 0.05 * np.eye(SIZE)).astype(np.float32)
GOAL = _random.uniform(-60.0, 320.0, SIZE).astype(np.float32)
START = _random.uniform(0.0, 255.0, SIZE).astype(np.float32)


def hilly(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A bowl with its bottom outside the bounds in places, and hills in it; two terms."""
    off = point.reshape(-1) - GOAL
    slope = CURVED @ off
    terms = np.array([0.5 * off @ slope, 10.0 * np.sum(1.0 + np.cos(off / 9.0))], np.float32)
    return terms, (slope - 10.0 / 9.0 * np.sin(off / 9.0)).astype(np.float32)


class Evaluated:
    """An `Advance` over a function on the host, with a fault at some evaluations, counted from one."""

    def __init__(self, faults=(), function=hilly, bounds=BOUNDS):
        self.faults = set(faults)
        self.function = function
        self.bounds = bounds
        self.points = []

    def __call__(self, state, arguments):
        point = ops.convert_to_numpy(state["trial"])
        self.points.append(point)
        terms, gradient = self.function(point)
        if len(self.points) in self.faults:
            terms = np.array([np.nan, 1.0], np.float32)
        return step(state, ops.convert_to_tensor(terms * arguments), ops.convert_to_tensor(gradient), self.bounds)


def run(advance, evaluations=40, *, start=None, told=lambda *_: False, seconds=1.0, weights=lambda: 1.0, **others):
    """Descends; every look at the clock finds it `seconds` later, so that one second makes batches of one."""
    times = itertools.count()
    return descend_on_device(
        advance,
        np.float32,
        START.reshape(SHAPE) if start is None else start,
        evaluations,
        terms=2,
        bounds=BOUNDS,
        first_step=0.25,
        weights=weights,
        on_evaluation=told,
        clock=lambda: seconds * next(times),
        **{"round_evaluations": None, **others},
    )


def losses_of(points) -> list[float]:
    return [float(hilly(point)[0].sum()) for point in points]


@pytest.mark.parametrize("bounds", [BOUNDS, None])
@pytest.mark.parametrize("first_step", [0.25, None])
def test_it_goes_the_way_of_the_one_on_the_host(bounds, first_step):
    host = begin_on_host(START, bounds, first_step)
    device = begin(START, 2, first_step=first_step, bounds=bounds)
    for _ in range(30):
        terms, gradient = hilly(host.trial)
        step_on_host(host, float(terms.sum()), gradient, bounds)
        terms, gradient = hilly(ops.convert_to_numpy(device["trial"]))
        device = step(device, ops.convert_to_tensor(terms), ops.convert_to_tensor(gradient), bounds)
        assert float(device["loss"]) == pytest.approx(host.loss, rel=2e-3)
    assert float(device["loss"]) < 0.05 * hilly(START)[0].sum()


def test_its_direction_is_that_of_the_inverse_hessian_built_pair_by_pair():
    state = begin(START, 2, first_step=0.25, bounds=None)
    points, slopes = [], []
    for _ in range(9):
        point = ops.convert_to_numpy(state["trial"])
        terms, gradient = hilly(point)
        before = float(state["loss"])
        state = step(state, ops.convert_to_tensor(terms), ops.convert_to_tensor(gradient), None)
        if float(state["loss"]) < before:
            points.append(point.astype(np.float64))
            slopes.append(gradient.astype(np.float64))
    pairs = list(zip(np.diff(points, axis=0), np.diff(slopes, axis=0), strict=True))
    s, y = pairs[-1]
    inverse = (s @ y) / (y @ y) * np.eye(SIZE)
    for s, y in pairs:  # equation 6.17 of Nocedal & Wright
        shift = np.eye(SIZE) - np.outer(s, y) / (s @ y)
        inverse = shift @ inverse @ shift.T + np.outer(s, s) / (s @ y)
    expected = -inverse @ slopes[-1]
    off = ops.convert_to_numpy(state["direction"]) - expected
    assert np.linalg.norm(off) <= 1e-3 * np.linalg.norm(expected)


def test_no_point_leaves_the_bounds():
    advance = Evaluated()
    run(advance)
    assert min(point.min() for point in advance.points) >= 0.0
    assert max(point.max() for point in advance.points) <= 255.0


@pytest.mark.parametrize("seconds", [1.0, 0.0], ids=["one by one", "in batches"])
def test_it_keeps_the_best_picture_and_tells_of_every_evaluation(seconds):
    advance, told = Evaluated(), []
    outcome = run(advance, 40, seconds=seconds, told=lambda now, terms, _: told.append((now.evaluations, terms.sum())))
    losses = losses_of(advance.points)
    assert [evaluation for evaluation, _ in told] == list(range(1, 41))
    np.testing.assert_allclose([loss for _, loss in told], losses, rtol=1e-5)
    assert outcome.loss == pytest.approx(min(losses))
    np.testing.assert_array_equal(outcome.picture.reshape(-1), advance.points[int(np.argmin(losses))])
    assert outcome.terms.sum() == pytest.approx(min(losses))


def test_batches_are_as_long_as_a_person_does_not_notice():
    advance, sizes = Evaluated(), []

    def told(now, terms, resumable):
        sizes.append(len(advance.points))

    run(advance, 40, seconds=0.02, told=told)
    assert sorted(set(sizes)) == [
        1,
        6,
        31,
        40,
    ]  # batches of 1, 5 and 25, the fifth of what a batch should take, and what is left


@pytest.mark.parametrize("fault", [2, 5, 11])
@pytest.mark.parametrize("seconds", [1.0, 0.0], ids=["one by one", "in batches"])
def test_a_fault_costs_evaluations_and_painting_goes_on_from_the_best_picture(fault, seconds):
    advance = Evaluated(faults=[fault])
    outcome = run(advance, 60, seconds=seconds)
    assert outcome.rollbacks == 1
    assert outcome.rollbacks_in_a_row == 0
    assert np.isfinite(outcome.picture).all()
    assert outcome.loss < 0.05 * losses_of([START])[0]


def test_when_nothing_but_faults_follow_it_ends_with_what_it_has():
    outcome = run(Evaluated(faults=range(4, 100)), 60)
    assert outcome.rollbacks == 5
    assert np.isfinite(outcome.loss)


def test_the_very_first_evaluation_must_be_sound():
    with pytest.raises(PaintingError, match="weights may be damaged"):
        run(Evaluated(faults=[1]))


def test_it_stops_when_told_to():
    outcome = run(Evaluated(), told=lambda now, *_: now.evaluations == 7)
    assert outcome.stopped
    assert outcome.evaluations == 7


def test_other_weights_start_it_anew_from_the_best_picture():
    weights = iter([*[1.0] * 14, *[2.0] * 100])
    advance = Evaluated()
    outcome = run(advance, 30, weights=lambda: next(weights))
    assert outcome.weights == 2.0
    assert outcome.loss == pytest.approx(2.0 * min(losses_of(advance.points)), rel=1e-4)


def test_in_rounds_the_curvature_is_forgotten():
    halves = run(Evaluated(), 40, round_evaluations=5)
    whole = run(Evaluated(), 40)
    assert whole.loss < halves.loss < losses_of([START])[0]


def test_it_ends_where_there_is_nothing_to_gain():
    def flat(point):
        return np.array([1.0, 2.0], np.float32), np.zeros(SIZE, np.float32)

    advance = Evaluated(function=flat)
    outcome = run(advance, 50)
    assert outcome.evaluations < 5
    state = begin(START, 2, first_step=None, bounds=BOUNDS)
    assert float(advance(state, np.float32(1.0))["halted"]) == ENDED


def test_a_plateau_ends_the_scale_where_it_is_asked_to():
    def high(point):
        terms, gradient = hilly(point)
        return terms + np.float32(1e7), gradient

    assert run(Evaluated(function=high), 400, ends_on_plateau=True).evaluations == 50


@pytest.mark.parametrize("cut", [1, 6, 17])
def test_left_after_any_evaluation_it_goes_on_as_if_it_had_not_been(cut):
    kept: list[Descent[float]] = []

    def told(now, terms, resumable):
        kept.append(resumable())
        return now.evaluations == cut

    whole = run(Evaluated(), 30)
    run(Evaluated(), 30, told=told)
    resumed = run(Evaluated(), 30, start=kept[-1])
    np.testing.assert_array_equal(resumed.picture, whole.picture)
    assert resumed.evaluations == whole.evaluations


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(lambda memory: memory.pop("steps"), "lacks"), (lambda memory: memory.update(known=np.zeros(3)), "holds float64")],
)
def test_a_memory_that_is_not_its_own_is_refused(spoil, word):
    kept: list[Descent[float]] = []
    run(Evaluated(), 5, told=lambda now, terms, resumable: kept.append(resumable()))
    memory = dict(kept[-1].memory or {})
    spoil(memory)
    with pytest.raises(CheckpointError, match=word):
        run(Evaluated(), 30, start=Descent(picture=START.reshape(SHAPE), weights=1.0, evaluations=5, memory=memory))


@pytest.fixture(scope="module")
def pictures(smooth, noisy):
    """A content and a style image."""
    return 0.7 * smooth(48, 40, 1) + 0.3 * noisy(48, 40, 1), 0.7 * smooth(40, 40, 2) + 0.3 * noisy(40, 40, 2)


def painted(pictures, network, optimizer, *, evaluations=40, **attendance):
    settings = Settings(size="original", evaluations=evaluations, precision="float32", optimizer=optimizer)
    return paint(pictures[0], [Style(pixels=pictures[1])], network, settings, **attendance)


def test_a_painting_has_the_loss_that_scipy_reaches_with_as_many_evaluations(pictures, network):
    told = []
    ours = painted(pictures, network, "device", on_progress=lambda progress: told.append(progress.evaluation))
    theirs = painted(pictures, network, "scipy")
    assert ours.losses.loss <= 1.02 * theirs.losses.loss
    assert told == list(range(1, 41))


@pytest.mark.parametrize(("first", "then"), [("lbfgs", "device"), ("device", "lbfgs")])
def test_a_painting_begun_on_one_machine_goes_on_from_its_best_picture_on_another(first, then, pictures, network):
    checkpoints: dict[str, Checkpoint] = {}

    def left_by(optimizer: str, evaluations: int) -> Checkpoint:
        def note(progress: Progress) -> None:
            if progress.evaluation == 20:
                checkpoints[optimizer] = progress.checkpoint()

        painted(pictures, network, optimizer, evaluations=evaluations, on_progress=note)
        return checkpoints[optimizer]

    # The device's checkpoint is of the end of its batch, which must not be that of the painting it goes on in.
    there = replace(left_by(first, 20), identity=left_by(then, 40).identity)
    resumed = painted(pictures, network, then, checkpoint=there)
    assert resumed.evaluations == 40
    assert resumed.losses.loss < there.descent.loss < there.descent.first_loss


@pytest.mark.parametrize(
    ("wanted", "device", "tiled", "chosen"),
    [
        ("lbfgs", "CPU", False, "lbfgs"),
        ("lbfgs", "NVIDIA H200", False, "device"),
        ("lbfgs", "NVIDIA H200", True, "lbfgs"),
        ("device", "CPU", False, "device"),
        ("device", "CPU", True, "lbfgs"),
        ("scipy", "NVIDIA H200", False, "scipy"),
    ],
)
def test_a_gpu_keeps_the_vectors_where_they_are_used(wanted, device, tiled, chosen):
    assert optimizer_for(wanted, device=device, tiled=tiled) == chosen
