"""Checkpoints: a painting that was left goes on as if it never had been, and only where it belongs."""

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from impasto_engine import (
    Checkpoint,
    CheckpointError,
    Painting,
    Progress,
    Settings,
    Style,
    Weights,
    paint,
    read_checkpoint,
    reconstruct_content,
    reconstruct_style,
)
from impasto_engine.descent import Descent, descend
from impasto_engine.networks.vgg import Vgg
from impasto_engine.optimisers import OPTIMISERS

SETTINGS = Settings(size="original", evaluations=16, polish_evaluations=5, precision="float32")


class Polisher(Vgg):
    content_taps = ("block2_conv1",)
    style_taps = ("block1_conv1",)


@pytest.fixture(scope="module")
def polisher(shallow_kernels) -> Vgg:
    return Polisher("polisher", {name: (1.5 * k, b) for name, (k, b) in shallow_kernels.items()}, "random")


@pytest.fixture(scope="module")
def pictures(smooth, noisy):
    """A content image of two scales and a style image."""
    return 0.8 * smooth(50, 200, 1) + 0.2 * noisy(50, 200, 1), 0.4 * smooth(28, 20, 2) + 0.6 * noisy(28, 20, 2)


@pytest.fixture(scope="module")
def painted(pictures, shallow_network, polisher):
    """Paints two scales and polishes; collects progress."""

    def run(seen: list[Progress] | None = None, settings: Settings = SETTINGS, styles=None, content=None, **attendance):
        told = [] if seen is None else seen
        return paint(
            pictures[0] if content is None else content,
            styles or [Style(pixels=pictures[1])],
            shallow_network,
            settings,
            polisher=polisher,
            on_progress=told.append,
            **attendance,
        )

    return run


@pytest.fixture(scope="module")
def uninterrupted(painted) -> tuple[Painting, list[Progress]]:
    seen: list[Progress] = []
    return painted(seen), seen


def left_at(evaluation: int, painted, **options) -> Checkpoint:
    """Where a painting stood when it was stopped after so many evaluations."""
    seen: list[Progress] = []
    painting = painted(seen, should_stop=lambda: len(seen) == evaluation, **options)
    assert painting.stopped
    return seen[-1].checkpoint()


def same(a: Progress, b: Progress) -> bool:
    fields = ("evaluation", "evaluations", "scale", "scales", "height", "width", "network", "losses", "best_loss")
    return all(getattr(a, name) == getattr(b, name) for name in fields) and np.array_equal(a.preview(), b.preview())


# Going on


def test_the_painting_has_two_scales_and_a_polisher(uninterrupted):
    _, seen = uninterrupted
    assert [(each.scale, each.network) for each in seen[:11] + seen[-5:]] == [
        *[(1, "shallow")] * 11,
        *[(3, "polisher")] * 5,
    ]
    assert len(seen) == 21


@pytest.mark.parametrize("cut", [1, 2, 6, 11, 12, 14, 16, 17, 19, 20])
def test_a_painting_left_after_any_evaluation_goes_on_bit_for_bit(cut, painted, uninterrupted, tmp_path):
    whole, seen = uninterrupted
    left_at(cut, painted).write(tmp_path / "checkpoint")
    rest: list[Progress] = []
    painting = painted(rest, checkpoint=read_checkpoint(tmp_path / "checkpoint"))
    assert len(rest) == len(seen) - cut
    assert all(same(a, b) for a, b in zip(rest, seen[cut:], strict=True))
    np.testing.assert_array_equal(painting.pixels, whole.pixels)
    assert (painting.losses, painting.evaluations, painting.stopped) == (whole.losses, whole.evaluations, False)


def test_left_after_its_last_evaluation_a_painting_is_finished_without_another(painted, uninterrupted):
    whole, seen = uninterrupted
    rest: list[Progress] = []
    painting = painted(rest, checkpoint=seen[-1].checkpoint())
    assert rest == []
    np.testing.assert_array_equal(painting.pixels, whole.pixels)
    assert painting.losses == whole.losses


def test_a_painting_can_be_left_again_and_again(painted, uninterrupted, tmp_path):
    whole, _ = uninterrupted
    checkpoint, spent = None, 0
    for _ in range(100):
        seen: list[Progress] = []
        painting = painted(seen, checkpoint=checkpoint, should_stop=lambda seen=seen: len(seen) == 4)
        spent += len(seen)
        if not painting.stopped:
            break
        seen[-1].checkpoint().write(tmp_path / "checkpoint")
        checkpoint = read_checkpoint(tmp_path / "checkpoint")
    np.testing.assert_array_equal(painting.pixels, whole.pixels)
    assert spent == painting.evaluations == whole.evaluations


def test_a_checkpoint_taken_earlier_is_what_it_was_when_it_is_asked_for_later(painted, uninterrupted):
    whole, seen = uninterrupted
    np.testing.assert_array_equal(painted(checkpoint=seen[4].checkpoint()).pixels, whole.pixels)


def test_the_time_painted_before_counts(painted, pictures):
    ticks = iter(range(10**6))
    checkpoint = left_at(9, painted, clock=lambda: float(next(ticks)))
    assert checkpoint.seconds > 0.0
    later: list[Progress] = []
    painting = painted(later, checkpoint=checkpoint, clock=lambda: 1000.0 + next(ticks))
    assert checkpoint.seconds < later[0].seconds < checkpoint.seconds + 20.0
    assert later[0].remaining_s is None, "the first evaluation after coming back compiles, too"
    assert painting.seconds > later[-1].seconds


@pytest.mark.parametrize("cut", [3, 9])
def test_with_scipys_optimiser_it_starts_anew_from_the_best_picture(cut, painted):
    settings = replace(SETTINGS, optimizer="scipy")
    seen: list[Progress] = []
    painted(seen, settings, should_stop=lambda: len(seen) == cut)
    rest: list[Progress] = []
    painting = painted(rest, settings, checkpoint=seen[-1].checkpoint())
    assert rest[0].losses.loss == pytest.approx(seen[-1].best_loss, rel=1e-5)
    assert rest[0].evaluation == cut + 1
    assert painting.evaluations == 21


@pytest.mark.parametrize("which", [reconstruct_content, reconstruct_style])
def test_a_reconstruction_goes_on_too(which, pictures, shallow_network):
    settings = Settings(size=40, evaluations=10, precision="float32", seed=3)
    seen: list[Progress] = []
    whole = which(pictures[1], "block2_conv1", shallow_network, settings, on_progress=seen.append)
    painting = which(pictures[1], "block2_conv1", shallow_network, settings, checkpoint=seen[5].checkpoint())
    np.testing.assert_array_equal(painting.pixels, whole.pixels)


# Faults and line searches, on a function that misbehaves when told to

GOAL = np.random.default_rng(0).uniform(20.0, 230.0, (5, 4, 3))
STEEPNESS = np.geomspace(1.0, 300.0, GOAL.size).reshape(GOAL.shape)


def bowl(picture, evaluation, faults):
    off = picture.astype(np.float64) - GOAL
    terms = np.array([np.sum(STEEPNESS * off**2) + 1e4 * np.sum(np.cos(off / 9.0))], np.float32)
    gradient = (2.0 * STEEPNESS * off - 1e4 / 9.0 * np.sin(off / 9.0)).astype(np.float32)
    return terms * np.float32(np.nan if evaluation in faults else 1.0), gradient


def fallen(faults, start, cut=None):
    """Descends; returns the outcome, the pictures evaluated, and where it stood after evaluation `cut`."""
    states, pictures = [], []
    spent = start.evaluations if isinstance(start, Descent) else 0

    def evaluate(picture, weights):
        pictures.append(picture.copy())
        return bowl(picture, spent + len(pictures), faults)

    def told(state, terms, resumable):
        if state.evaluations == cut:
            states.append(resumable())
        return state.evaluations == cut

    outcome = descend(
        evaluate,
        start,
        40,
        minimise=OPTIMISERS["lbfgs"],
        bounds=(60.0, 200.0),
        first_step=8.0,
        round_evaluations=None,
        weights=lambda: None,
        on_evaluation=told,
    )
    return outcome, pictures, states[0] if states else None


@given(faults=st.sets(st.integers(2, 40), max_size=6), cut=st.integers(1, 39))
@examples(max_examples=60, deadline=None)
def test_whatever_went_wrong_before_or_after_it_goes_on_the_same(faults, cut):
    start = np.full(GOAL.shape, 100.0, np.float32)
    whole, pictures, _ = fallen(faults, start)
    _, _, state = fallen(faults, start, cut)
    if state is None:
        return  # it ended before
    outcome, rest, _ = fallen(faults, state)
    assert len(rest) == len(pictures) - cut
    for one, other in zip(rest, pictures[cut:], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(outcome.picture, whole.picture)
    assert (outcome.loss, outcome.evaluations, outcome.rollbacks) == (whole.loss, whole.evaluations, whole.rollbacks)


# What is refused


@pytest.fixture(scope="module")
def checkpoint(uninterrupted) -> Checkpoint:
    return uninterrupted[1][5].checkpoint()


@pytest.mark.parametrize(
    "changes",
    [{"evaluations": 17}, {"color": "match"}, {"style_scale": 1.1}, {"seed": 1}, {"style_layers": ("block1_conv1",)}],
)
def test_a_checkpoint_of_other_settings_is_refused(changes, painted, checkpoint):
    with pytest.raises(CheckpointError, match="another painting"):
        painted(settings=replace(SETTINGS, **changes), checkpoint=checkpoint)


def test_a_checkpoint_of_other_pictures_is_refused(painted, checkpoint, pictures):
    touched = pictures[1].copy()
    touched[3, 3, 1] += np.float32(1e-3)
    with pytest.raises(CheckpointError, match="another painting"):
        painted(styles=[Style(pixels=touched)], checkpoint=checkpoint)
    with pytest.raises(CheckpointError, match="another painting"):
        painted(content=pictures[0][:, :-1], checkpoint=checkpoint)


def test_a_checkpoint_of_other_networks_is_refused(pictures, shallow_network, shallow_kernels, checkpoint):
    styles = [Style(pixels=pictures[1])]
    with pytest.raises(CheckpointError, match="another painting"):
        paint(pictures[0], styles, shallow_network, SETTINGS, checkpoint=checkpoint)
    kernels = {name: (k, b + np.float32(1e-3)) for name, (k, b) in shallow_kernels.items()}
    with pytest.raises(CheckpointError, match="another painting"):
        paint(
            pictures[0],
            styles,
            shallow_network,
            SETTINGS,
            polisher=Polisher("polisher", kernels, "random"),
            checkpoint=checkpoint,
        )


def test_a_stage_that_the_painting_does_not_have_is_refused(painted, checkpoint):
    with pytest.raises(CheckpointError, match="fits no stage"):
        painted(checkpoint=replace(checkpoint, stage=7))
    with pytest.raises(CheckpointError, match="fits no stage"):
        painted(checkpoint=replace(checkpoint, stage=1))
    with pytest.raises(CheckpointError, match="2 terms"):
        painted(checkpoint=replace(checkpoint, descent=replace(checkpoint.descent, terms=np.zeros(2, np.float32))))


@pytest.mark.parametrize("part", ["s0", "told_gradient"])
@pytest.mark.parametrize("spoil", ["missing", "short", "of another type"])
def test_a_memory_that_is_not_the_optimisers_is_refused(part, spoil, painted, checkpoint):
    memory = dict(checkpoint.descent.memory or {})
    if spoil == "missing":
        del memory[part]
    else:
        memory[part] = memory[part][:-1] if spoil == "short" else memory[part].astype(np.float64)
    with pytest.raises(CheckpointError, match="optimiser"):
        painted(checkpoint=replace(checkpoint, descent=replace(checkpoint.descent, memory=memory)))


# The file


@pytest.fixture(scope="module")
def content_of_file(checkpoint, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint"
    checkpoint.write(path)
    return path.read_bytes()


def test_a_file_gives_back_what_was_written(checkpoint, tmp_path):
    weighed = replace(
        checkpoint,
        descent=replace(checkpoint.descent, weights=Weights(content=1.5, style=2.0, tv=0.1, styles=(0.25, 3.0))),
    )
    weighed.write(tmp_path / "checkpoint")
    back = read_checkpoint(tmp_path / "checkpoint")
    for name in ("identity", "stage", "evaluations", "rollbacks", "seconds"):
        assert getattr(back, name) == getattr(weighed, name)
    for name in ("loss", "evaluations", "rollbacks", "first_loss", "round_began", "round_loss", "weights"):
        assert getattr(back.descent, name) == getattr(weighed.descent, name)
    assert back.descent.memory is not None
    assert weighed.descent.memory is not None
    assert back.descent.memory.keys() == weighed.descent.memory.keys()
    for name, array in weighed.descent.memory.items():
        np.testing.assert_array_equal(back.descent.memory[name], array)


@given(data=st.data())
@examples(max_examples=80, deadline=None)
def test_a_damaged_file_is_refused_or_gives_what_was_written(data, content_of_file, checkpoint, tmp_path_factory):
    content = bytearray(content_of_file)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    with suppress(CheckpointError):  # and nothing else
        back = read_checkpoint(path)
        assert back.identity == checkpoint.identity
        np.testing.assert_array_equal(back.descent.picture, checkpoint.descent.picture)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\5\6" + bytes(18)])
def test_what_is_no_checkpoint_is_refused(content, tmp_path):
    (tmp_path / "checkpoint").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "missing")


def rewritten(path: Path, content: bytes, **changes) -> None:
    """A sound archive whose `about` says something else."""
    path.write_bytes(content)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(bytes(arrays["about"]))
    for name, value in changes.items():
        (about["descent"] if name in about["descent"] else about)[name] = value
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": 2}, "version 2, not 3"),
        ({"evaluations": -1}, "evaluations is -1"),
        ({"loss": "low"}, "loss is 'low'"),
        ({"loss": float("nan")}, "loss is nan"),
        ({"weights": {"content": -1.0, "style": 1.0, "tv": 1.0, "styles": None}}, "content weight is -1"),
        ({"weights": {"content": 1.0}}, "damaged"),
        ({"stage": None}, "damaged"),
    ],
)
def test_a_sound_archive_with_nonsense_is_refused(changes, text, content_of_file, tmp_path):
    rewritten(tmp_path / "checkpoint", content_of_file, **changes)
    with pytest.raises(CheckpointError, match=text):
        read_checkpoint(tmp_path / "checkpoint")


def test_pickled_objects_are_not_loaded(tmp_path):
    fired = tmp_path / "fired"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(fired),)

    with (tmp_path / "checkpoint").open("wb") as file:
        np.savez(file, about=np.array([Bomb()], object))
    assert zipfile.is_zipfile(tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(tmp_path / "checkpoint")
    assert not fired.exists()


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be written"):
        checkpoint.write(tmp_path / "no folder" / "checkpoint")
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="cannot be written"):
        checkpoint.write(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
