"""The server, the painting process and the engine: pictures are really painted, with a network of random weights."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from daemon.counting_studio import open_counting
from daemon.fake_studio import ALWAYS
from daemon.serving import Serving
from impasto_daemon.server.worker_painter import WorkerPainter
from impasto_daemon.worker.pictures import mask_of, pixels_of, preview_of, samples_of
from impasto_engine.networks.weights import LITE_FILE
from impasto_protocol import (
    Adjustment,
    Client,
    ColourSpace,
    Fetched,
    JobState,
    Order,
    OrderKind,
    Picture,
    PixelFormat,
    Preview,
    PreviewWish,
    Progress,
    Result,
    SampleType,
    Settings,
    State,
    Style,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import BusyError, InvalidOrderError
from impasto_protocol.limits import WINDOW_BYTES
from protocol.following import until, until_a

LONG_S = 300.0
"""Importing TensorFlow on a busy machine."""

QUICK = Settings(
    size=32,
    evaluations=4,
    precision="float32",
    content_layers=("block2_conv1",),
    style_layers=("block1_conv1", "block2_conv1"),
)


def waves(height: int, width: int, channels: int, samples: SampleType = SampleType.UINT8) -> Picture:
    rows, columns, depth = np.mgrid[:height, :width, :channels]
    pixels = np.float32(0.5) + np.float32(0.4) * np.sin(rows / 3 + columns / 5 + depth).astype(np.float32)
    form, data = samples_of(pixels, samples)
    return Picture(format=form, data=bytes(data))


CONTENT, STYLE = waves(30, 40, 3), waves(36, 36, 3)


# Between bytes and arrays


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("samples", list(SampleType))
def test_a_picture_survives_its_way_to_the_engine_and_back(channels: int, samples: SampleType, tmp_path: Path) -> None:
    sent = waves(5, 7, channels, samples)
    (tmp_path / "picture").write_bytes(sent.data)
    pixels = pixels_of(sent.blob, tmp_path / "picture")
    assert pixels.dtype == np.float32
    assert pixels.shape == (5, 7, 4 if channels in (2, 4) else 3)
    form, data = samples_of(pixels, samples)
    kept = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    kind = {"uint8": "u1", "uint16": "<u2", "float16": "<f2", "float32": "<f4"}[samples]
    back = np.frombuffer(data, kind).reshape(5, 7, form.channels)[..., kept]
    assert back.tobytes() == sent.data


def test_a_mask_is_what_its_samples_say(tmp_path: Path) -> None:
    form = PixelFormat(width=3, height=1, channels=1, colour_space=ColourSpace.MASK)
    sent = Picture(format=form, data=bytes([0, 51, 255]))
    (tmp_path / "mask").write_bytes(sent.data)
    np.testing.assert_allclose(mask_of(sent.blob, tmp_path / "mask"), [[0.0, 0.2, 1.0]])


@pytest.mark.parametrize(
    ("height", "width", "longer_side", "expected"),
    [(60, 80, 40, (30, 40)), (60, 80, 100, (60, 80)), (1, 3000, 1500, (1, 1500)), (2000, 2000, 2000, None)],
)
def test_a_preview_fits_into_its_wish_and_into_one_message(
    height: int, width: int, longer_side: int, expected: tuple[int, int] | None
) -> None:
    form, data = preview_of(np.zeros((height, width, 4), np.float32), longer_side)
    assert len(data) == form.size_bytes <= WINDOW_BYTES
    assert form.size_bytes > WINDOW_BYTES * 0.99 if expected is None else (form.height, form.width) == expected


@pytest.mark.parametrize(
    "error",
    [
        type("ResourceExhaustedError", (Exception,), {})("failed to allocate"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes"),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."),
        MemoryError(),
    ],
    ids=["tensorflow", "jax", "torch", "python"],
)
def test_a_lack_of_memory_is_said_to_be_one_whichever_library_says_it(error: Exception) -> None:
    from impasto_daemon.worker.engine_studio import refusing

    with pytest.raises(BusyError, match="paint it smaller"), refusing():
        raise error


def test_other_faults_of_libraries_are_left_to_the_log() -> None:
    from impasto_daemon.worker.engine_studio import refusing

    with pytest.raises(RuntimeError, match="a bug"), refusing():
        raise RuntimeError("a bug")


# Painting


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the painting process has made anew, a line for each."""
    file = tmp_path_factory.mktemp("made") / "made"
    file.touch()
    return file


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights."""
    import keras

    file = tmp_path_factory.mktemp("weights") / "vgg16_random_notop.weights.h5"
    keras.utils.set_random_seed(1)
    keras.applications.VGG16(include_top=False, weights=None).save_weights(file)
    return file


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, made: Path, vgg16: Path) -> Iterator[Serving]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_WEIGHTS_DIR", str(vgg16.parent))
        server = Serving(
            tmp_path_factory.mktemp("state") / "impasto" / "connection.json",
            WorkerPainter(partial(open_counting, made), cadence=ALWAYS),
        )
        server.start()
        yield server
        server.stop()


def submitted(client: Client, order: Order, *pictures: Picture) -> str:
    return client.submit(order, pictures, timeout_s=LONG_S)


def digest_of(file: Path) -> bytes:
    return sha256(file.read_bytes()).digest()


def over(client: Client, job: str) -> list[object]:
    return until(
        client, lambda event: isinstance(event, State) and event.job == job and event.is_final, patience_s=LONG_S
    )


def fetched(client: Client, job: str) -> Fetched:
    client.fetch(job)
    return until_a(client, Fetched)[-1]


def test_a_transfer_is_painted_in_the_contents_format(client: Client) -> None:
    content = waves(30, 40, 4, SampleType.UINT16)
    region = Picture(
        format=PixelFormat(width=4, height=3, channels=1, colour_space=ColourSpace.MASK),
        data=bytes([255] * 6 + [0] * 6),
    )
    order = Order(
        content=content.blob,
        styles=(Style(picture=STYLE.blob, weight=2.0, region=region.blob), Style(picture=CONTENT.blob)),
        network="vgg16",
        settings=QUICK,
        previews=PreviewWish(interval_s=0.0, longer_side=16),
    )
    job = submitted(client, order, content, STYLE, CONTENT, region)
    events = over(client, job)
    told = [event for event in events if isinstance(event, Progress)]
    assert told[-1].losses.keys() == {"content/block2_conv1", "style/block1_conv1", "style/block2_conv1", "tv"}
    assert any(isinstance(event, Preview) and event.format.width == 16 for event in events)
    result = next(event for event in events if isinstance(event, Result))
    assert (result.network, result.precision, result.evaluations, result.stopped) == ("vgg16", "float32", 4, False)
    assert result.polisher is None
    picture = fetched(client, job)
    form = picture.result.picture.format
    assert (form.width, form.height, form.channels, form.samples) == (32, 24, 4, SampleType.UINT16)
    assert len(set(bytes(picture.pixels))) > 50


def test_an_order_that_names_no_network_is_painted_with_lite_and_polished_with_vgg16_and_both_are_told(
    client: Client, vgg16: Path
) -> None:
    settings = Settings(size=32, evaluations=2, polish_evaluations=1, precision="float32")
    order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),), settings=settings)
    result = next(
        event for event in over(client, submitted(client, order, CONTENT, STYLE)) if isinstance(event, Result)
    )
    assert (result.network, result.polisher, result.evaluations) == ("lite", "vgg16", 3)
    assert (result.network_digest, result.polisher_digest) == (digest_of(LITE_FILE), digest_of(vgg16))
    asked = m.Estimate(width=40, height=30, settings=settings)
    assert client.estimate(asked, timeout_s=LONG_S).evaluations == 3


def test_the_next_job_of_the_same_style_and_size_compiles_nothing_and_looks_at_no_style_again(
    client: Client, made: Path
) -> None:
    def made_for(content: Picture, style: Picture) -> list[str]:
        before = len(made.read_text().splitlines())
        order = Order(content=content.blob, styles=(Style(picture=style.blob),), network="vgg16", settings=QUICK)
        job = submitted(client, order, content, style)
        assert over(client, job)[-1].state is JobState.SUCCEEDED
        return sorted(made.read_text().splitlines()[before:])

    style, another, content = waves(28, 28, 3), waves(24, 28, 3), waves(60, 80, 3)
    assert made_for(CONTENT, style) == ["function", "statistics"]
    assert made_for(CONTENT, style) == []
    assert made_for(content, style) == []  # painted in the same size
    assert made_for(CONTENT, another) == ["statistics"]


@pytest.mark.parametrize("kind", [OrderKind.CONTENT_RECONSTRUCTION, OrderKind.STYLE_RECONSTRUCTION])
def test_a_reconstruction_is_painted(kind: OrderKind, client: Client) -> None:
    settings = Settings(size=32, evaluations=3, precision="float32", seed=3)
    order = Order(kind=kind, content=CONTENT.blob, layer="block1_conv2", settings=settings)
    job = submitted(client, order, CONTENT)
    over(client, job)
    form = fetched(client, job).result.picture.format
    assert (form.width, form.height) == (32, 24)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"settings": Settings(recipe="none")}, "recipe"),
        ({"settings": Settings(style_layers=("block9",))}, "block9"),
        ({"settings": Settings(init="picture")}, "none is given"),
        ({"network": "vgg99"}, "vgg99"),
    ],
    ids=["recipe", "layer", "start", "network"],
)
def test_an_order_that_the_engine_refuses_fails_with_the_engines_own_sentence(
    changes: dict[str, object], why: str, client: Client
) -> None:
    order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),), **changes)
    failure = over(client, submitted(client, order, CONTENT, STYLE))[-1].failure
    assert failure.code == ("NETWORK_UNAVAILABLE" if "network" in changes else "INVALID_ORDER")
    assert why in failure.text


def endless(client: Client) -> str:
    settings = Settings(
        size=32,
        evaluations=100_000,
        precision="float32",
        content_layers=("block1_conv1",),
        style_layers=("block1_conv1",),
    )
    order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),), settings=settings)
    job = submitted(client, order, CONTENT, STYLE)
    until(client, lambda event: isinstance(event, Progress) and event.evaluation >= 2, patience_s=LONG_S)
    return job


def test_a_painting_is_paused_adjusted_and_ended_with_its_picture(client: Client) -> None:
    job = endless(client)
    client.pause(job)
    until_a(client, State, job=job, state=JobState.PAUSED)
    client.unpause(job)
    before = until_a(client, Progress, job=job)[-1]
    client.adjust(job, Adjustment(tv_weight=before.losses["tv"] * 1e6 + 1e6))
    later = until(client, lambda event: isinstance(event, Progress) and event.losses["tv"] > 100 * before.losses["tv"])
    assert later[-1].evaluation > before.evaluation
    assert later[-1].evaluations == before.evaluations
    assert later[-1].scale == before.scale
    client.cancel(job, keep_picture=True)
    events = over(client, job)
    assert events[-1].state is JobState.SUCCEEDED
    assert next(event for event in events if isinstance(event, Result)).stopped


def test_a_painting_is_cancelled_without_its_picture_at_the_next_evaluation(client: Client, serving: Serving) -> None:
    job, process = endless(client), serving.painter.pid
    client.cancel(job)
    assert over(client, job)[-1].state is JobState.CANCELLED
    assert serving.painter.pid == process


def test_a_loaded_network_paints_the_next_job_soon_and_estimates_are_the_engines(client: Client) -> None:
    estimated = client.estimate(m.Estimate(width=80, height=60, network="vgg16", settings=QUICK), timeout_s=LONG_S)
    assert (estimated.width, estimated.height, estimated.evaluations) == (32, 24, 4)
    with pytest.raises(InvalidOrderError, match="block9"):
        client.estimate(m.Estimate(width=80, height=60, settings=Settings(style_layers=("block9",))), timeout_s=LONG_S)


def test_two_editors_at_once_each_hear_of_their_own_painting_and_get_their_own_picture(serving: Serving) -> None:
    with serving.client() as one, serving.client() as other:
        painted = {}
        for client, content in ((one, CONTENT), (other, waves(30, 40, 4))):
            client.connect(timeout_s=LONG_S)
            order = Order(content=content.blob, styles=(Style(picture=STYLE.blob),), network="vgg16", settings=QUICK)
            painted[client, content.format.channels] = submitted(client, order, content, STYLE)
        for (client, channels), job in painted.items():
            events = over(client, job)
            assert {event.job for event in events if isinstance(event, (State, Progress, Preview, Result))} == {job}
            assert fetched(client, job).result.picture.format.channels == channels


def test_a_painting_whose_process_was_killed_becomes_the_picture_it_would_have_been(
    client: Client, serving: Serving
) -> None:
    order = Order(
        content=CONTENT.blob,
        styles=(Style(picture=STYLE.blob),),
        network="lite",
        polish="none",
        settings=Settings(size=200, evaluations=60, precision="float32"),
    )
    undisturbed = submitted(client, order, CONTENT, STYLE)
    over(client, undisturbed)
    disturbed = submitted(client, order, CONTENT, STYLE)
    until(client, lambda event: isinstance(event, Progress) and event.evaluation >= 25, patience_s=LONG_S)
    client.pause(disturbed)  # which writes a checkpoint
    until_a(client, State, job=disturbed, state=JobState.PAUSED)
    os.kill(serving.painter.pid, signal.SIGKILL)
    after = over(client, disturbed)
    assert [str(event.state) for event in after if isinstance(event, State)] == [
        *("INTERRUPTED", "QUEUED", "STARTING", "RUNNING", "SUCCEEDED")
    ]
    resumed = [event.evaluation for event in after if isinstance(event, Progress)]
    assert resumed[0] > 25
    assert bytes(fetched(client, disturbed).pixels) == bytes(fetched(client, undisturbed).pixels)
