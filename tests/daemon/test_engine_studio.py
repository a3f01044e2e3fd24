"""The studio with the engine, without a server and a process around it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemon.fake_studio import ALWAYS
from impasto_daemon.server.painter import Assignment
from impasto_daemon.worker.easel import Easel
from impasto_daemon.worker.keeper import Keeper
from impasto_daemon.worker.pictures import samples_of
from impasto_daemon.worker.said import Adjusted, StopWished, Told
from impasto_daemon.worker.studio import Canvas
from impasto_protocol import (
    Adjustment,
    ColourSpace,
    Order,
    OrderKind,
    Picture,
    PixelFormat,
    Progress,
    SampleType,
    Settings,
    Style,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import InvalidOrderError, NetworkUnavailableError, PaintingFailedError

JOB = "a" * 32
QUICK = Settings(size=48, evaluations=12, precision="float32")


def waves(height: int, width: int, channels: int = 3, samples: SampleType = SampleType.UINT8) -> Picture:
    rows, columns, depth = np.mgrid[:height, :width, :channels]
    pixels = np.float32(0.5) + np.float32(0.4) * np.sin(rows / 3 + columns / 5 + depth).astype(np.float32)
    form, data = samples_of(pixels, samples)
    return Picture(format=form, data=bytes(data))


CONTENT, STYLE = waves(30, 40), waves(36, 36)
ORDER = Order(
    content=CONTENT.blob,
    styles=(Style(picture=STYLE.blob),),
    network="lite",
    polish="none",
    settings=QUICK,
    previews=None,
)


@pytest.fixture(scope="module")
def studio() -> Any:
    from impasto_daemon.worker.engine_studio import EngineStudio

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("IMPASTO_WEIGHTS_DIR", raising=False)
        yield EngineStudio()


Wish = Callable[[Easel, Progress], None]


class NoWindow:
    is_free = False


class Sitting:
    """Has orders painted; remembers what was told."""

    def __init__(self, studio: Any, folder: Path) -> None:
        self._studio = studio
        self._folder = folder
        self.checkpoint = folder / "1.npz"
        self.told: list[Progress] = []

    def paint(
        self, order: Order, *pictures: Picture, then: Wish = lambda easel, progress: None, **assigned: Any
    ) -> Canvas:
        files = {}
        for picture in (*pictures, CONTENT, STYLE):
            files[picture.blob.digest] = self._folder / picture.blob.digest.hex()
            files[picture.blob.digest].write_bytes(picture.data)
        assignment = Assignment(
            number=1,
            job=JOB,
            order=order,
            pictures=files,
            result=self._folder / "result",
            checkpoint=self.checkpoint,
            **assigned,
        )
        self.told = []

        def say(news: object) -> None:
            if isinstance(news, Told):
                self.told.append(news.progress)
                then(easel, news.progress)

        keeper = Keeper(self.checkpoint, ALWAYS)
        easel = Easel(assignment, say=say, window=NoWindow(), keeper=keeper, at_leisure=lambda: None)  # type: ignore[arg-type]
        canvas: Canvas = self._studio.paint(assignment, easel)
        return canvas


@pytest.fixture
def sitting(studio: Any, tmp_path: Path) -> Sitting:
    return Sitting(studio, tmp_path)


def stop_at(evaluation: int) -> Wish:
    def wish(easel: Easel, progress: Progress) -> None:
        if progress.evaluation == evaluation:
            easel.heed(StopWished(1, keep_picture=True))

    return wish


# Within a budget


@pytest.fixture(scope="module")
def thrifty_studio() -> Any:
    from impasto_daemon.worker.engine_studio import EngineStudio

    return EngineStudio(memory_budget_bytes=4_000_000_000)


@pytest.mark.parametrize(("asked", "held"), [(None, 4 * 10**9), (3 * 10**9, 3 * 10**9), (10**12, 4 * 10**9)])
def test_the_smaller_of_the_daemons_budget_and_an_orders_holds(asked: int | None, held: int, thrifty_studio) -> None:
    question = m.Estimate(width=640, height=480, network="lite", polish="none", settings=QUICK)
    answer = thrifty_studio.estimate(replace(question, memory_budget_bytes=asked))
    assert answer.memory_budget_bytes == held


def test_without_any_budget_none_is_told_and_nothing_refused(studio: Any) -> None:
    question = m.Estimate(width=640, height=480, network="lite", polish="none", settings=QUICK)
    assert studio.estimate(question).memory_budget_bytes is None


def test_a_painting_that_fits_is_painted_and_one_that_does_not_is_refused_before_it_begins(
    thrifty_studio: Any, tmp_path: Path
) -> None:
    sitting = Sitting(thrifty_studio, tmp_path)
    assert sitting.paint(ORDER).evaluations == 12
    with pytest.raises(InvalidOrderError, match=r"40 × 30 takes .* the memory budget is 100 MB; paint it smaller"):
        sitting.paint(replace(ORDER, settings=replace(QUICK, size=40), memory_budget_bytes=100_000_000))
    assert sitting.told == []


def test_with_a_budget_a_painting_is_looked_at_in_tiles(tmp_path: Path) -> None:
    from impasto_daemon.worker.engine_studio import EngineStudio
    from impasto_engine import Workshop

    class SeenEnough(Exception):  # noqa: N818
        """Before anything that takes long."""

    crops: list[int | None] = []

    class Watched(Workshop):
        def function(self, kind: Any, shape: tuple[int, ...], arguments: Any, make: Any) -> Any:
            crops.append(kind.sight.crop)
            raise SeenEnough

    studio = EngineStudio(workshop=Watched())
    sitting, content = Sitting(studio, tmp_path), waves(96, 240)
    settings = Settings(recipe="gatys", size=1200, evaluations=1, precision="float32", style_scale=0.1)
    question = m.Estimate(width=240, height=96, network="lite", polish="none", settings=settings)
    least_bytes = studio.estimate(replace(question, memory_budget_bytes=1)).memory_bytes
    assert least_bytes < studio.estimate(question).memory_bytes
    order = replace(ORDER, content=content.blob, settings=settings, memory_budget_bytes=least_bytes)
    with pytest.raises(SeenEnough):
        sitting.paint(order, content)
    (crop,) = crops
    assert crop is not None
    assert crop < 1200


def test_an_order_to_stop_is_stopped_at_that_evaluation_with_the_picture_so_far(sitting: Sitting) -> None:
    whole = sitting.paint(replace(ORDER, stop_at=5))
    sitting.checkpoint.unlink()
    other = sitting.paint(ORDER, then=stop_at(5))
    assert (whole.evaluations, whole.stopped) == (other.evaluations, other.stopped) == (5, True)
    assert bytes(whole.data) == bytes(other.data)


# Going on


def test_a_painting_goes_on_from_its_checkpoint_to_the_picture_it_would_have_been(sitting: Sitting) -> None:
    whole = sitting.paint(ORDER)
    sitting.checkpoint.unlink()
    sitting.paint(ORDER, then=stop_at(5))
    spent_s = sitting.told[-1].elapsed_s
    resumed = sitting.paint(ORDER)
    assert [progress.evaluation for progress in sitting.told] == list(range(6, 13))
    assert sitting.told[0].elapsed_s > spent_s
    assert bytes(resumed.data) == bytes(whole.data)
    assert (resumed.losses, resumed.evaluations, resumed.stopped) == (whole.losses, 12, False)


def test_of_a_painting_that_was_cancelled_the_checkpoint_gives_the_picture(sitting: Sitting) -> None:
    sitting.paint(ORDER, then=stop_at(5))
    picture = sitting.paint(ORDER, is_cancelled=True)
    assert [progress.evaluation for progress in sitting.told] == [6]
    sitting.checkpoint.unlink()
    undisturbed = sitting.paint(ORDER, then=stop_at(6))
    assert (bytes(picture.data), picture.evaluations, picture.stopped) == (bytes(undisturbed.data), 6, True)


@pytest.mark.parametrize("is_damaged", [True, False])
def test_of_a_painting_that_was_cancelled_no_picture_is_better_than_one_begun_anew(
    is_damaged: bool, sitting: Sitting
) -> None:
    sitting.paint(ORDER, then=stop_at(5))
    if is_damaged:
        sitting.checkpoint.write_bytes(b"no checkpoint")
    else:
        sitting.checkpoint.unlink()
    with pytest.raises(PaintingFailedError, match="cannot be read any more; paint it anew"):
        sitting.paint(ORDER, is_cancelled=True)
    assert sitting.told == []


@pytest.mark.parametrize("damage", ["rubbish", "cut off", "of another painting"])
def test_a_checkpoint_that_is_no_use_costs_a_beginning_anew_and_a_line_in_the_log(
    damage: str, sitting: Sitting, caplog: pytest.LogCaptureFixture
) -> None:
    order = ORDER if damage != "of another painting" else replace(ORDER, settings=replace(QUICK, evaluations=13))
    sitting.paint(order, then=stop_at(5))
    if damage == "rubbish":
        sitting.checkpoint.write_bytes(b"no checkpoint")
    elif damage == "cut off":
        sitting.checkpoint.write_bytes(sitting.checkpoint.read_bytes()[:-100])
    with caplog.at_level(logging.WARNING):
        canvas = sitting.paint(ORDER)
    assert sitting.told[0].evaluation == 1
    assert canvas.evaluations == 12
    (record,) = (record for record in caplog.records if record.name.startswith("impasto"))
    assert f"The job {JOB} begins anew" in record.getMessage()


def test_a_reconstruction_goes_on_too(sitting: Sitting) -> None:
    order = Order(
        kind=OrderKind.STYLE_RECONSTRUCTION,
        content=CONTENT.blob,
        layer="block2_conv1",
        network="lite",
        settings=QUICK,
        previews=None,
    )
    whole = sitting.paint(order)
    sitting.checkpoint.unlink()
    sitting.paint(order, then=stop_at(4))
    assert bytes(sitting.paint(order).data) == bytes(whole.data)
    assert sitting.told[0].evaluation == 5


# New weights


def test_new_weights_count_at_once_and_the_scales_go_on(sitting: Sitting) -> None:
    def adjust(easel: Easel, progress: Progress) -> None:
        if progress.evaluation == 9:
            easel.heed(Adjusted(1, Adjustment(tv_weight=500.0)))

    order = replace(ORDER, settings=replace(QUICK, size=200, evaluations=12))
    canvas = sitting.paint(order, then=adjust)
    assert [progress.scale for progress in sitting.told] == [1] * 8 + [2] * 4
    assert {progress.evaluations for progress in sitting.told} == {canvas.evaluations} == {12}
    assert sitting.told[9].losses["tv"] > 1e4 * sitting.told[8].losses["tv"]


def test_weights_that_were_changed_before_count_from_the_first_evaluation(sitting: Sitting) -> None:
    own = sitting.paint(replace(ORDER, settings=replace(QUICK, evaluations=1))).losses
    sitting.checkpoint.unlink()
    adjustment = Adjustment(strength=0.0, style_weights=(3.0,))
    order = replace(ORDER, settings=replace(QUICK, evaluations=1, content_weight=100.0))
    adjusted = sitting.paint(order, adjustment=adjustment).losses
    assert adjusted["style/block1_conv1"] == pytest.approx(own["style/block1_conv1"], rel=1e-5)
    assert adjusted["tv"] == pytest.approx(own["tv"], rel=1e-5)


# What is refused

MASK = Picture(format=PixelFormat(width=2, height=2, channels=1, colour_space=ColourSpace.MASK), data=bytes(4))
NOT_A_NUMBER = Picture(
    format=PixelFormat(width=4, height=4, channels=3, samples=SampleType.FLOAT32),
    data=np.full((4, 4, 3), np.nan, "<f4").tobytes(),
)
INVISIBLE = Picture(format=PixelFormat(width=4, height=4, channels=4), data=bytes(64))


def with_settings(**changes: Any) -> Order:
    return replace(ORDER, settings=replace(QUICK, **changes))


def reconstruction(layer: str) -> Order:
    return Order(
        kind=OrderKind.CONTENT_RECONSTRUCTION, content=CONTENT.blob, layer=layer, network="lite", settings=QUICK
    )


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (with_settings(recipe="cubism"), "cubism"),
        (with_settings(color="purple"), "purple"),
        (with_settings(init="sideways"), "sideways"),
        (with_settings(init="picture"), "none is given"),
        (with_settings(pooling="minimum"), "minimum"),
        (with_settings(optimizer="adam"), "adam"),
        (with_settings(precision="float8"), "float8"),
        (with_settings(strength=0.5, content_weight=1.0), "each sets the other"),
        (with_settings(content_layers=("block9_conv1",)), "block9_conv1"),
        (with_settings(style_layers=("block1_conv1", "fc1")), "fc1"),
        (with_settings(style_layers=(), content_layers=()), "layer"),
        (reconstruction("fc1"), "fc1"),
        (replace(ORDER, content=NOT_A_NUMBER.blob), "not finite"),
        (replace(ORDER, content=INVISIBLE.blob), "transparent everywhere"),
        (replace(ORDER, styles=(Style(picture=NOT_A_NUMBER.blob),)), "not finite"),
        (replace(ORDER, styles=(Style(picture=STYLE.blob, weight=0.0),)), "weight is 0"),
        (replace(ORDER, styles=(Style(picture=STYLE.blob, region=MASK.blob),)), "black everywhere"),
        (replace(ORDER, start=NOT_A_NUMBER.blob, settings=replace(QUICK, init="picture")), "not finite"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_order_that_the_engine_refuses_is_an_invalid_order(order: Order, named: str, sitting: Sitting) -> None:
    with pytest.raises(InvalidOrderError, match=named):
        sitting.paint(order, MASK, NOT_A_NUMBER, INVISIBLE)
    assert sitting.told == []


def test_a_network_that_nobody_knows_is_unavailable(sitting: Sitting) -> None:
    with pytest.raises(NetworkUnavailableError, match="alexnet"):
        sitting.paint(replace(ORDER, network="alexnet"))


def test_what_the_engine_cannot_say_is_asked_in_vain_too(studio: Any) -> None:
    for settings in (replace(QUICK, style_layers=("fc1",)), replace(QUICK, recipe="cubism")):
        with pytest.raises(InvalidOrderError):
            studio.estimate(m.Estimate(width=40, height=30, network="lite", polish="none", settings=settings))


def test_a_painting_that_cannot_begin_is_no_invalid_order() -> None:
    from impasto_daemon.worker.engine_studio import refusing
    from impasto_engine import PaintingError

    with pytest.raises(PaintingFailedError, match="choose another network"), refusing():
        raise PaintingError("The network gave nan; choose another network.")
