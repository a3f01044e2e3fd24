"""The minimisation at one scale, on functions that misbehave when told to."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto_engine.descent import Descent, descend
from impasto_engine.errors import PaintingError
from impasto_engine.optimisers import OPTIMISERS, scipy_lbfgs

GOAL = np.random.default_rng(0).uniform(20.0, 230.0, (5, 4, 3))
STEEPNESS = np.geomspace(1.0, 300.0, GOAL.size).reshape(GOAL.shape)
START = np.full(GOAL.shape, 100.0, np.float32)

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Fault = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def bowl(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A long narrow bowl in two terms."""
    assert picture.dtype == np.float32
    off = picture.astype(np.float64) - GOAL
    return (
        np.array([0.3, 0.7], np.float32) * np.float32(np.sum(STEEPNESS * off**2)),
        (2.0 * STEEPNESS * off).astype(np.float32),
    )


def loss_of(picture: np.ndarray) -> float:
    return float(np.sum(bowl(picture)[0], dtype=np.float64))


def nan_loss(terms, gradient):
    return np.array([terms[0], np.nan], np.float32), gradient


def infinite_loss(terms, gradient):
    return np.array([np.inf, terms[1]], np.float32), gradient


def nan_in_the_gradient(terms, gradient):
    spoilt = gradient.copy()
    spoilt[2, 1, 0] = np.nan
    return terms, spoilt


def infinite_gradient(terms, gradient):
    return terms, np.full_like(gradient, np.inf)


def tempting_nan_gradient(terms, gradient):
    return terms * np.float32(1e-6), np.full_like(gradient, np.nan)


def explosion(terms, gradient):
    return terms * np.float32(1e12), gradient


FAULTS = [nan_loss, infinite_loss, nan_in_the_gradient, infinite_gradient, tempting_nan_gradient, explosion]


def faulty(faults: dict[int, Fault]) -> Evaluate:
    """The bowl with a fault at some evaluations, counted from one."""
    count = 0

    def evaluate(picture):
        nonlocal count
        count += 1
        terms, gradient = bowl(picture)
        return faults[count](terms, gradient) if count in faults else (terms, gradient)

    return evaluate


def run(
    evaluate: Evaluate = bowl,
    evaluations: int = 30,
    *,
    start=START,
    told=lambda state, terms: False,
    weights=lambda: None,
    **options,
):
    return descend(
        lambda picture, weights: evaluate(picture),
        start,
        evaluations,
        **(
            {
                "minimise": scipy_lbfgs,
                "bounds": None,
                "first_step": None,
                "round_evaluations": None,
                "weights": weights,
                "on_evaluation": lambda state, terms, resumable: told(state, terms),
            }
            | options
        ),
    )


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_it_finds_the_bottom_of_a_bowl(optimiser):
    outcome = run(evaluations=200, minimise=OPTIMISERS[optimiser])
    np.testing.assert_allclose(outcome.picture, GOAL, atol=0.05)
    assert outcome.loss == pytest.approx(loss_of(outcome.picture))
    assert outcome.picture.dtype == np.float32
    assert outcome.rollbacks == 0
    assert not outcome.stopped


@pytest.mark.parametrize("evaluations", [1, 2, 7, 30])
def test_it_spends_no_evaluation_more_than_it_may(evaluations):
    calls = []
    outcome = run(lambda picture: calls.append(1) or bowl(picture), evaluations)
    assert len(calls) == outcome.evaluations == evaluations


def test_it_keeps_the_best_picture_and_the_terms_that_go_with_it():
    seen = []
    outcome = run(told=lambda state, terms: seen.append((float(np.sum(terms, dtype=np.float64)), state.loss)) or False)
    losses = [loss for loss, _ in seen]
    assert outcome.loss == min(losses) == seen[-1][1]
    np.testing.assert_array_equal(outcome.terms, bowl(outcome.picture)[0])


def test_with_bounds_no_picture_leaves_them():
    seen = []
    outcome = run(
        lambda picture: seen.append((picture.min(), picture.max())) or bowl(picture),
        bounds=(60.0, 180.0),
        evaluations=60,
    )
    assert min(low for low, _ in seen) >= 60.0
    assert max(high for _, high in seen) <= 180.0
    np.testing.assert_allclose(outcome.picture, np.clip(GOAL, 60.0, 180.0), atol=0.5)


def test_without_bounds_a_picture_may_leave_the_range_of_colours():
    outcome = run(lambda picture: bowl(picture + np.float32(150.0)), evaluations=100)
    assert outcome.picture.min() < -50.0


def test_it_stops_when_told_to():
    outcome = run(told=lambda state, terms: state.evaluations == 4)
    assert outcome.stopped
    assert outcome.evaluations == 4


def test_the_very_first_evaluation_must_be_sound():
    for fault in (nan_loss, infinite_loss, nan_in_the_gradient, infinite_gradient):
        with pytest.raises(PaintingError, match="starting picture"):
            run(faulty({1: fault}))


@given(faults=st.dictionaries(st.integers(2, 30), st.sampled_from(FAULTS), max_size=8))
@settings(max_examples=50)
def test_whatever_goes_wrong_on_the_way_the_result_is_sound_and_no_worse_than_the_start(faults):
    rollbacks = []
    outcome = run(faulty(faults), told=lambda state, terms: rollbacks.append(state.rollbacks) or False)
    assert np.isfinite(outcome.picture).all()
    assert np.isfinite(outcome.terms).all()
    assert outcome.loss == loss_of(outcome.picture)
    assert outcome.loss <= loss_of(START)
    met = sum(number <= outcome.evaluations for number in faults)
    assert outcome.rollbacks == met
    assert rollbacks == sorted(rollbacks)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [2, 5, 11])
def test_a_single_fault_costs_an_evaluation_and_painting_goes_on(fault, at):
    outcome = run(faulty({at: fault}), evaluations=120)
    assert outcome.rollbacks == 1
    assert outcome.evaluations > at
    np.testing.assert_allclose(outcome.picture, GOAL, atol=0.5)


def test_after_a_fault_it_goes_back_to_the_best_picture():
    pictures = []

    def evaluate(picture):
        pictures.append(picture)
        return faulted(picture)

    faulted = faulty({9: nan_loss})
    run(evaluate)
    best = min(pictures[:8], key=loss_of)
    np.testing.assert_array_equal(pictures[9], best)


def test_when_nothing_but_faults_follow_it_ends_with_what_it_has():
    outcome = run(faulty(dict.fromkeys(range(6, 1000), nan_loss)), evaluations=900)
    assert outcome.evaluations < 50
    assert 0 < outcome.loss < loss_of(START)


def test_a_line_searchs_overshoot_is_no_explosion():
    outcome = run(faulty({3: lambda terms, gradient: (terms * np.float32(50.0), gradient)}), evaluations=60)
    assert outcome.rollbacks == 0


def test_in_rounds_the_curvature_is_forgotten_but_not_the_best_picture():
    losses = []
    outcome = run(
        evaluations=40, round_evaluations=8, told=lambda state, terms: losses.append(float(terms.sum())) or False
    )
    restarts = [i for i in range(1, len(losses)) if losses[i] == min(losses[:i])]
    assert len(restarts) >= 3
    assert outcome.evaluations == 40


def test_what_was_told_stays_as_it_was():
    told: list[tuple[np.ndarray, np.ndarray]] = []

    def keep(state: Descent, terms: np.ndarray) -> bool:
        told.append((state.picture, state.picture.copy()))
        return False

    run(told=keep)
    for picture, copy in told:
        np.testing.assert_array_equal(picture, copy)
    assert not any(np.shares_memory(picture, START) for picture, _ in told)
    np.testing.assert_array_equal(START, 100.0)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("first_step", [None, 0.25])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_an_optimiser_goes_as_far_whatever_unit_the_loss_is_in(optimiser, scale, first_step):
    # Relative losses have gradients that fall with the number of pixels: 1e-9 is what a large picture asks for.
    losses = []

    def evaluate(point: np.ndarray, following=None) -> tuple[float, np.ndarray]:
        off = point.reshape(GOAL.shape) - GOAL
        losses.append(float(np.sum(STEEPNESS * off**2)))
        return scale * losses[-1], scale * (2.0 * STEEPNESS * off).reshape(-1)

    OPTIMISERS[optimiser](
        evaluate, START.reshape(-1).astype(np.float64), 60, bounds=(0.0, 255.0), first_step=first_step
    )
    assert min(losses) < 1e-4 * losses[0]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("scale", [1e-6, 1.0])
@pytest.mark.parametrize("bounds", [None, (0.0, 255.0)])
def test_the_first_step_has_the_root_mean_square_asked_for(optimiser, scale, bounds):
    points = []

    def evaluate(point: np.ndarray, following=None) -> tuple[float, np.ndarray]:
        points.append(point.copy())
        off = point.reshape(GOAL.shape) - GOAL
        return scale * float(np.sum(STEEPNESS * off**2)), scale * (2.0 * STEEPNESS * off).reshape(-1)

    start = START.reshape(-1).astype(np.float64)
    OPTIMISERS[optimiser](evaluate, start, 5, bounds=bounds, first_step=0.5)
    np.testing.assert_allclose(points[0], start, rtol=1e-12)
    assert np.sqrt(np.mean((points[1] - start) ** 2)) == pytest.approx(0.5, rel=1e-6)


def test_after_each_rollback_in_a_row_the_first_step_is_a_tenth():
    pictures = []
    faulted = faulty({2: explosion, 4: nan_loss})
    run(lambda picture: pictures.append(picture.astype(np.float64)) or faulted(picture), first_step=2.0, evaluations=6)
    steps = [np.sqrt(np.mean((picture - START) ** 2)) for picture in pictures]
    # A step, a rollback to the start, a smaller step, and again.
    np.testing.assert_allclose(steps[:6], [0.0, 2.0, 0.0, 0.2, 0.0, 0.02], rtol=1e-3)


def test_it_ends_where_there_is_nothing_to_gain():
    assert run(start=GOAL.astype(np.float32), evaluations=400).evaluations < 50


def test_an_optimiser_that_gives_up_is_started_anew_while_there_is_something_to_gain():
    starts = []

    def gives_up_after_three(evaluate, start, evaluations, *, bounds, first_step, **_):
        starts.append(start.copy())
        scipy_lbfgs(evaluate, start, min(3, evaluations), bounds=bounds, first_step=first_step)

    outcome = run(minimise=gives_up_after_three, evaluations=400)
    assert len(starts) > 5
    assert outcome.loss < 1e-2 * loss_of(START)
    for earlier, later in itertools.pairwise(starts):
        assert loss_of(later.reshape(GOAL.shape).astype(np.float32)) <= loss_of(
            earlier.reshape(GOAL.shape).astype(np.float32)
        )


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_history_of_two_pairs_finds_the_bottom_too(optimiser):
    outcome = run(minimise=OPTIMISERS[optimiser], history=2, first_step=0.25, evaluations=400)
    assert outcome.loss < 1e-2 * loss_of(START)


def test_no_more_pairs_are_remembered_than_asked_for():
    kept = []
    run(
        minimise=OPTIMISERS["lbfgs"],
        history=3,
        on_evaluation=lambda state, terms, resumable: kept.append(resumable().memory),
    )
    assert max(memory["products"].size for memory in kept) == 3


def flattening(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bowl on a hill so high that its depth is next to nothing."""
    terms, gradient = bowl(picture)
    return terms + np.float32(1e10), gradient


def test_a_plateau_ends_the_scale_where_it_is_asked_to():
    assert run(flattening, evaluations=400, ends_on_plateau=True).evaluations == 50
    assert run(flattening, evaluations=400).evaluations > 50
    steep = run(evaluations=48, ends_on_plateau=True)
    assert steep.evaluations == 48
    assert steep.plateaus == 0
