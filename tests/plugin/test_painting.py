"""A painting between a courier that remembers and a canvas that can go away: no GIMP, no daemon."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_gimp.courier import Accepted, Happened, Reached, Refused, Starting, Unreachable
from impasto_gimp.painting import ADJUST_S, PATIENCE_S, Painting, Phase
from impasto_gimp.recipe import Outcome
from impasto_gimp.wish import Wish
from impasto_protocol import messages as m
from impasto_protocol.errors import ConnectionLostError, WrongStateError
from impasto_protocol.events import Answered, Disconnected, Fetched, JobLost, Reconnected
from impasto_protocol.failures import Failure
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import Picture, PixelFormat
from impasto_protocol.states import JobState

JOB = "0" * 32
FORM = PixelFormat(width=2, height=1, channels=3)
PICTURE = Picture(format=FORM, data=bytes(6))


class FakeCourier:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *words, **named: self.asked.append((name, *words[1:], *named.values()))


class FakeCanvas:
    def __init__(self) -> None:
        self.why: str | None = None
        self.is_there = True
        self.shown = 0
        self.finished: list[tuple[Fetched | None, Outcome]] = []
        self.discarded = 0

    def trouble(self) -> str | None:
        return self.why

    @property
    def is_shown(self) -> bool:
        return self.shown > 0 and self.is_there

    def show(self, preview: m.Preview) -> None:
        assert self.why is None, "painted on what must not be painted on"
        self.shown += 1

    def finish(self, fetched: Fetched | None, outcome: Outcome) -> None:
        assert self.is_there
        self.finished.append((fetched, outcome))

    def discard(self) -> None:
        self.discarded += 1


class Scene:
    def __init__(self) -> None:
        self.courier, self.canvas, self.now = FakeCourier(), FakeCanvas(), 0.0
        self.painting = Painting(self.courier, self.canvas, Wish(), clock=lambda: self.now)  # type: ignore[arg-type]
        self.painting.begin(JOB, Wish().order(PICTURE, PICTURE), [PICTURE])

    def happens(self, *events: Any) -> None:
        for event in events:
            self.painting.heard(Happened(event))

    def goes_on_to_paint(self) -> None:
        self.painting.heard(Accepted(JOB))
        self.happens(state(JobState.STARTING), state(JobState.RUNNING), progress(1), preview(1))

    @property
    def asked(self) -> list[tuple[Any, ...]]:
        return self.courier.asked[1:]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def state(which: JobState, failure: Failure | None = None) -> m.State:
    return m.State(job=JOB, seq=1, state=which, failure=failure)


def progress(evaluation: int, loss: float = 5.0) -> m.Progress:
    return m.Progress(
        job=JOB, evaluation=evaluation, evaluations=10, scale=1, scales=1, width=2, height=1, losses={"tv": loss},
        elapsed_s=1.0,
    )  # fmt: skip


def preview(evaluation: int) -> m.Preview:
    return m.Preview(job=JOB, evaluation=evaluation, format=FORM, data=bytes(6))


def result(*, stopped: bool = False) -> m.Result:
    return m.Result(
        job=JOB, seq=3, picture=PICTURE.blob, crc32=0, losses={"tv": 4.0}, evaluations=10, duration_s=2.0,
        stopped=stopped, rollbacks=0, network="lite", precision="float32",
    )  # fmt: skip


def fetched(*, stopped: bool = False) -> Fetched:
    return Fetched(result=result(stopped=stopped), pixels=memoryview(bytes(6)))


def test_a_painting_goes_from_its_order_to_its_result(scene: Scene) -> None:
    assert scene.courier.asked[0][0] == "submit"
    assert scene.painting.phase is Phase.ORDERING
    scene.goes_on_to_paint()
    assert scene.painting.phase is Phase.PAINTING
    assert scene.painting.fraction == 0.1
    assert scene.painting.losses == [(1, 5.0)]
    scene.happens(result())
    assert scene.asked == [("fetch",)]
    scene.happens(state(JobState.SUCCEEDED), fetched())
    assert scene.painting.phase is Phase.KEPT
    assert scene.asked[-1] == ("acknowledge",)
    assert scene.canvas.finished[0][1].network == "lite"
    assert scene.painting.fraction == 1.0


def test_stopping_waits_for_the_result_and_keeps_it(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.painting.stop()
    assert scene.asked == [("cancel", True)]
    assert scene.painting.phase is Phase.ENDING
    scene.painting.stop()
    scene.happens(preview(2))
    assert scene.canvas.shown == 1
    scene.now = 100 * PATIENCE_S
    scene.painting.tick()
    scene.happens(result(stopped=True), fetched(stopped=True))
    assert scene.painting.phase is Phase.KEPT
    assert scene.canvas.finished[0][1].stopped


LOST, BACK = Disconnected(error=ConnectionLostError("Lost.")), Reconnected(resumed=True)


@pytest.mark.parametrize("is_lost_first", [False, True])
def test_a_daemon_that_stays_away_from_a_stopped_painting_leaves_the_last_preview(
    is_lost_first: bool, scene: Scene
) -> None:
    scene.goes_on_to_paint()
    scene.now = 50.0
    steps = [scene.painting.stop, lambda: scene.happens(LOST)]
    for step in reversed(steps) if is_lost_first else steps:
        scene.now += PATIENCE_S
        scene.painting.tick()
        step()
    scene.now += PATIENCE_S - 0.1
    scene.happens(LOST)
    scene.painting.tick()
    assert scene.painting.phase is Phase.ENDING
    scene.now += 0.1
    scene.painting.tick()
    assert scene.painting.phase is Phase.KEPT
    assert scene.canvas.finished[0][0] is None
    assert scene.canvas.finished[0][1].evaluations == 1


def test_a_daemon_that_comes_back_to_a_stopped_painting_is_waited_for(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.painting.stop()
    scene.happens(LOST)
    scene.now += PATIENCE_S - 0.1
    scene.happens(BACK)
    scene.now += 10 * PATIENCE_S
    scene.painting.tick()
    assert scene.painting.phase is Phase.ENDING
    scene.happens(result(stopped=True), fetched(stopped=True))
    assert scene.painting.phase is Phase.KEPT


def test_a_result_that_is_on_its_way_is_waited_for_however_long_it_takes(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.painting.stop()
    scene.happens(result(), LOST)
    scene.now = 10 * PATIENCE_S
    scene.painting.tick()
    assert scene.painting.phase is Phase.ENDING


def test_stopping_before_anything_is_painted_discards(scene: Scene) -> None:
    scene.painting.stop()
    assert scene.painting.phase is Phase.DISCARDED
    assert scene.asked == [("cancel", False)]
    assert scene.canvas.discarded == 1


def test_discarding_takes_effect_at_once_and_nothing_is_shown_after(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.painting.discard()
    scene.happens(preview(2), result(), fetched())
    assert scene.painting.phase is Phase.DISCARDED
    assert (scene.canvas.shown, scene.canvas.discarded, scene.canvas.finished) == (1, 1, [])


def test_a_locked_layer_keeps_its_picture_and_a_deleted_one_has_none(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.canvas.why = "locked"
    scene.happens(preview(2))
    assert (scene.painting.phase, scene.painting.text) == (Phase.KEPT, "locked")
    assert scene.asked == [("cancel", False)]
    other = Scene()
    other.goes_on_to_paint()
    other.canvas.why, other.canvas.is_there = "deleted", False
    other.painting.tick()
    assert (other.painting.phase, other.painting.text) == (Phase.DISCARDED, "deleted")


def test_a_result_for_a_layer_that_is_gone_is_acknowledged_all_the_same(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.happens(result())
    scene.canvas.why, scene.canvas.is_there = "deleted", False
    scene.happens(fetched())
    assert scene.asked[-1] == ("acknowledge",)
    assert scene.painting.phase is Phase.DISCARDED


@pytest.mark.parametrize(
    "news", [Refused(JOB, "No."), Unreachable("No.", is_final=True)], ids=["refused", "unreachable"]
)
def test_what_makes_painting_impossible_is_told_and_leaves_nothing(news: Any, scene: Scene) -> None:
    scene.painting.heard(news)
    assert (scene.painting.phase, scene.painting.text) == (Phase.FAILED, "No.")
    assert scene.canvas.discarded == 1


def test_a_painting_that_fails_keeps_the_picture_it_had(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.happens(state(JobState.FAILED, Failure(code="PAINTING_FAILED", text="It broke.")))
    assert (scene.painting.phase, scene.painting.text) == (Phase.FAILED, "It broke.")
    assert len(scene.canvas.finished) == 1


@pytest.mark.parametrize(
    ("news", "text"),
    [
        (Starting(), "Starting the daemon…"),
        (Unreachable("Waiting.", is_final=False), "Waiting."),
        (Happened(LOST), "Lost."),
        (Happened(BACK), "The daemon is back."),
        (Happened(Answered(job=JOB, request="PAUSE", refusal=WrongStateError("Not now."))), "Not now."),
        (Happened(state(JobState.QUEUED)), "Waiting in the queue…"),
        (Happened(state(JobState.INTERRUPTED)), "The painting was interrupted, and begins anew…"),
        (Refused("1" * 32, "Another's."), "Looking for the daemon…"),
    ],
)
def test_what_happens_meanwhile_is_told_and_ends_nothing(news: Any, text: str, scene: Scene) -> None:
    scene.painting.heard(news)
    assert scene.painting.text == text
    assert not scene.painting.phase.is_over


def test_reaching_the_daemon_once_more_does_not_start_over(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.painting.heard(Reached(None, "zmq"))  # type: ignore[arg-type]
    assert scene.painting.phase is Phase.PAINTING


def test_pausing_and_resuming_are_asked_for_in_their_states_only(scene: Scene) -> None:
    scene.painting.pause()
    scene.painting.resume()
    assert scene.asked == []
    scene.goes_on_to_paint()
    scene.painting.pause()
    scene.happens(state(JobState.PAUSED))
    scene.painting.resume()
    assert scene.asked == [("pause",), ("unpause",)]


def test_a_slider_that_moves_is_told_once_it_rests(scene: Scene) -> None:
    scene.goes_on_to_paint()
    for number in range(5):
        scene.painting.strengthen(number / 10)
        scene.now += ADJUST_S / 2
        scene.painting.tick()
    scene.now += ADJUST_S
    scene.painting.tick()
    scene.painting.tick()
    assert scene.asked == [("adjust", Adjustment(strength=0.4))]


def test_a_job_that_the_daemon_has_lost_leaves_what_there_is(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.happens(JobLost(job=JOB))
    assert scene.painting.phase is Phase.KEPT


def test_an_ending_is_cut_short_if_neither_the_user_nor_a_finished_picture_has_made_it(scene: Scene) -> None:
    scene.goes_on_to_paint()
    scene.happens(state(JobState.CANCELLED))
    assert scene.painting.is_cut_short, "cancelled by another program"
    refused, locked, finished, stopped, discarded = (Scene() for _ in range(5))
    for each in (refused, locked, finished, stopped, discarded):
        each.goes_on_to_paint()
    refused.happens(result(), Answered(job=JOB, request="FETCH", refusal=WrongStateError("Gone.")))
    assert (refused.painting.phase, refused.painting.is_cut_short) == (Phase.KEPT, True)
    assert "Gone." in refused.painting.text
    locked.canvas.why = "locked"
    locked.painting.tick()
    assert locked.painting.is_cut_short
    finished.happens(result(), fetched())
    stopped.painting.stop()
    stopped.happens(state(JobState.CANCELLED))
    discarded.painting.discard()
    for each in (finished, stopped, discarded):
        assert each.painting.phase.is_over
        assert not each.painting.is_cut_short


def test_a_painting_that_is_taken_up_follows_what_the_daemon_has(scene: Scene) -> None:
    taken = Scene.__new__(Scene)
    taken.courier, taken.canvas, taken.now = FakeCourier(), FakeCanvas(), 0.0
    taken.painting = Painting(taken.courier, taken.canvas, Wish(), clock=lambda: taken.now)  # type: ignore[arg-type]
    taken.painting.take_up(JOB)
    assert taken.courier.asked == [("follow",)]
    taken.happens(state(JobState.QUEUED), state(JobState.STARTING), state(JobState.RUNNING), progress(7), preview(7))
    assert (taken.painting.phase, taken.canvas.shown) == (Phase.PAINTING, 1)
    taken.happens(result(), state(JobState.SUCCEEDED), fetched())
    assert taken.painting.phase is Phase.KEPT
    assert taken.asked == [("fetch",), ("acknowledge",)]


def test_a_painting_that_cannot_be_taken_up_says_why(scene: Scene) -> None:
    scene.happens(Answered(job=JOB, request="FOLLOW", refusal=WrongStateError("It is gone.")))
    assert (scene.painting.phase, scene.canvas.discarded) == (Phase.DISCARDED, 1)
    assert scene.painting.is_cut_short
    assert "It is gone." in scene.painting.text


def test_a_painting_that_is_left_is_neither_cancelled_nor_acknowledged(scene: Scene) -> None:
    scene.painting.heard(Accepted(JOB))
    scene.happens(result())
    scene.painting.leave()
    assert scene.painting.phase is Phase.DISCARDED
    assert scene.asked == [("fetch",)]


ACTS = {
    "accepted": lambda s: s.painting.heard(Accepted(JOB)),
    "running": lambda s: s.happens(state(JobState.RUNNING)),
    "paused": lambda s: s.happens(state(JobState.PAUSED)),
    "cancelled": lambda s: s.happens(state(JobState.CANCELLED)),
    "progress": lambda s: s.happens(progress(2)),
    "preview": lambda s: s.happens(preview(2)),
    "result": lambda s: s.happens(result()),
    "fetched": lambda s: s.happens(fetched()),
    "lost": lambda s: s.happens(JobLost(job=JOB)),
    "away": lambda s: s.happens(LOST),
    "back": lambda s: s.happens(BACK),
    "stop": lambda s: s.painting.stop(),
    "discard": lambda s: s.painting.discard(),
    "leave": lambda s: s.painting.leave(),
    "tick": lambda s: s.painting.tick(),
    "time": lambda s: setattr(s, "now", s.now + PATIENCE_S),
    "lock": lambda s: setattr(s.canvas, "why", "locked"),
    "delete": lambda s: (setattr(s.canvas, "why", "deleted"), setattr(s.canvas, "is_there", False)),
}


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=25))
def test_in_whatever_order_things_happen_it_ends_once_and_as_it_should(acts: list[str]) -> None:
    scene = Scene()
    for act in acts:
        was_over, phase = scene.painting.phase.is_over, scene.painting.phase
        ACTS[act](scene)
        if was_over:
            assert scene.painting.phase is phase
    scene.painting.discard()
    assert scene.painting.phase.is_over
    assert len(scene.canvas.finished) + scene.canvas.discarded == 1
    assert (scene.painting.phase is Phase.KEPT) == bool(scene.canvas.finished)
