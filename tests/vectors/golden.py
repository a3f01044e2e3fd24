"""Golden messages: the bytes beside this file, and the messages they stand for.

`python tests/vectors/golden.py` writes the bytes anew. They are version 1 of the protocol: a change here is a change
of the protocol, and old bytes must stay readable. Those in `later/` are what a later version might say.

A file holds the frames of a message one after the other, each behind its length as four bytes, big-endian.
"""

from pathlib import Path

import msgpack

from impasto_protocol import (
    Adjustment,
    Blob,
    ColourSpace,
    Failure,
    JobState,
    Order,
    OrderKind,
    PixelFormat,
    PreviewWish,
    SampleType,
    Settings,
    Style,
    WhenDetached,
    encode,
)
from impasto_protocol import messages as m
from impasto_protocol.version import MAGIC

FOLDER = Path(__file__).parent

JOB = "0123456789abcdef0123456789abcdef"
SESSION = "fedcba9876543210fedcba9876543210"
TOKEN = bytes(range(32))
PHOTOGRAPH = Blob(digest=bytes([1]) * 32, format=PixelFormat(width=640, height=480, channels=4))
PAINTING = Blob(
    digest=bytes([2]) * 32, format=PixelFormat(width=300, height=200, channels=3, samples=SampleType.FLOAT32)
)
SKY = Blob(digest=bytes([3]) * 32, format=PixelFormat(width=64, height=48, channels=1, colour_space=ColourSpace.MASK))
FAILURE = Failure(
    code="INVALID_ORDER",
    text="The strength is 2.0; give a number from 0 to 1.",
    field="order.settings.strength",
    retry_after_s=1.5,
    log_id="7f3a",
)
EVERY_SETTING = Settings(
    recipe="impasto",
    size=512,
    evaluations=300,
    polish_evaluations=30,
    strength=0.5,
    content_weight=100.0,
    style_weight=100.0,
    tv_weight=0.005,
    content_layers=("block4_conv2",),
    style_layers=("block1_conv1", "block2_conv1"),
    style_scale=1.5,
    color="luminance",
    init="noise",
    pooling="average",
    optimizer="scipy",
    precision="float32",
    seed=2**63 - 1,
)
LOSSES = {"content/block4_conv2": 12.5, "style/block1_conv1": 0.25, "tv": 0.0}

MESSAGES: dict[str, m.Message] = {
    "HELLO": m.Hello(protocol_min=1, protocol_max=1, client="impasto-gimp 0.1.0"),
    "HELLO-again": m.Hello(
        protocol_min=1, protocol_max=1, client="impasto-gimp 0.1.0", session=SESSION, resume_token=TOKEN
    ),
    "WELCOME": m.Welcome(
        protocol=1,
        daemon="impasto 0.1.0",
        session=SESSION,
        resume_token=TOKEN,
        resumed=False,
        device="CPU, 2 cores",
        networks=("vgg16", "vgg19"),
        capabilities=("regions",),
        max_picture_bytes=2**30,
        max_jobs=16,
    ),
    "PING": m.Ping(),
    "PONG": m.Pong(),
    "STATUS": m.Status(),
    "REPORT": m.Report(
        daemon="impasto 0.1.0",
        device="CPU, 2 cores",
        uptime_s=3600.5,
        sessions=2,
        queued=1,
        painting=1,
        memory_bytes=1_234_567_890,
    ),
    "ESTIMATE": m.Estimate(width=640, height=480, styles=2, network="vgg16", settings=Settings(size=512)),
    "ESTIMATED": m.Estimated(width=512, height=384, evaluations=300, duration_s=90.0, memory_bytes=2_000_000_000),
    "UPLOAD": m.Upload(digest=PHOTOGRAPH.digest, size_bytes=640 * 480 * 4),
    "WANTED": m.Wanted(digest=PHOTOGRAPH.digest, offset_bytes=1_048_576),
    "BLOB_OK": m.BlobOk(digest=PHOTOGRAPH.digest),
    "CHUNK": m.Chunk(digest=PHOTOGRAPH.digest, offset_bytes=1_048_576, data=(bytes(range(256)),)),
    "SUBMIT": m.Submit(job=JOB, order=Order(content=PHOTOGRAPH, styles=(Style(picture=PAINTING),))),
    "SUBMIT-everything": m.Submit(
        job=JOB,
        order=Order(
            content=PHOTOGRAPH,
            styles=(Style(picture=PAINTING, weight=2.0, region=SKY), Style(picture=PHOTOGRAPH, weight=0.5)),
            start=PAINTING,
            network="lite",
            polish="vgg19",
            settings=EVERY_SETTING,
            previews=PreviewWish(interval_s=0.5, longer_side=256),
            when_detached=WhenDetached.CANCEL,
        ),
    ),
    "SUBMIT-reconstruction": m.Submit(
        job=JOB,
        order=Order(kind=OrderKind.STYLE_RECONSTRUCTION, content=PAINTING, layer="block3_conv1", previews=None),
    ),
    "ACCEPTED": m.Accepted(job=JOB, ahead=3),
    "STATE": m.State(job=JOB, seq=2, state=JobState.STARTING),
    "STATE-failed": m.State(job=JOB, seq=3, state=JobState.FAILED, failure=FAILURE),
    "PROGRESS": m.Progress(
        job=JOB,
        evaluation=151,
        evaluations=300,
        scale=2,
        scales=3,
        width=256,
        height=192,
        losses=LOSSES,
        best_loss=12.75,
        elapsed_s=20.5,
        remaining_s=60.0,
        rollbacks=1,
    ),
    "PREVIEW": m.Preview(
        job=JOB, evaluation=151, format=PixelFormat(width=3, height=2, channels=3), data=bytes(range(18))
    ),
    "RESULT": m.Result(
        job=JOB,
        seq=4,
        picture=PHOTOGRAPH,
        crc32=0xCBF43926,
        losses=LOSSES,
        evaluations=300,
        duration_s=88.25,
        stopped=False,
        rollbacks=0,
        network="vgg16",
        precision="bfloat16",
    ),
    "RESULT-polished": m.Result(
        job=JOB,
        seq=4,
        picture=PHOTOGRAPH,
        crc32=0xCBF43926,
        losses=LOSSES,
        evaluations=330,
        duration_s=88.25,
        stopped=False,
        rollbacks=0,
        network="lite",
        precision="bfloat16",
        polisher="vgg16",
        versions={"impasto": "0.1.0", "keras": "3.15.0", "tensorflow": "2.21.0"},
    ),
    "RESULT-of-known-weights": m.Result(
        job=JOB,
        seq=4,
        picture=PHOTOGRAPH,
        crc32=0xCBF43926,
        losses=LOSSES,
        evaluations=330,
        duration_s=88.25,
        stopped=False,
        rollbacks=0,
        network="lite",
        precision="bfloat16",
        polisher="vgg16",
        network_digest=bytes([4]) * 32,
        polisher_digest=bytes([5]) * 32,
    ),
    "FETCH": m.Fetch(job=JOB, offset_bytes=1_048_576, length_bytes=180_224),
    "CREDIT": m.Credit(size_bytes=1_500_000),
    "ACK": m.Ack(job=JOB),
    "ADJUST": m.Adjust(job=JOB, adjustment=Adjustment(strength=0.75, style_weights=(1.0, 2.0))),
    "PAUSE": m.Pause(job=JOB),
    "UNPAUSE": m.Unpause(job=JOB),
    "CANCEL": m.Cancel(job=JOB, keep_picture=True),
    "DONE": m.Done(),
    "RESUME": m.Resume(seen={JOB: 3}),
    "SNAPSHOT": m.Snapshot(jobs=(m.JobSummary(job=JOB, state=JobState.RUNNING, seq=3),)),
    "LIST": m.ListJobs(after=17),
    "JOBS": m.Jobs(
        jobs=(
            m.JobEntry(
                number=18,
                job=JOB,
                state=JobState.RUNNING,
                seq=3,
                kind=OrderKind.TRANSFER,
                width=640,
                height=480,
                attached=True,
                has_result=False,
                changed_s=20.5,
                evaluation=150,
                evaluations=300,
                remaining_s=60.0,
            ),
            m.JobEntry(
                number=19,
                job=SESSION,
                state=JobState.FAILED,
                seq=4,
                kind=OrderKind.STYLE_RECONSTRUCTION,
                width=300,
                height=200,
                attached=False,
                has_result=False,
                ahead=0,
                changed_s=90.0,
                trouble="The style is a mask; send a picture.",
            ),
        ),
        more=True,
    ),
    "FOLLOW": m.Follow(job=JOB),
    "BYE": m.Bye(text="The daemon is being updated; it will be back."),
    "ERROR": m.Error(failure=FAILURE),
}
"""What each file stands for. All have the id 7 and answer the message 5."""

MESSAGE_ID, REPLY_TO = 7, 5

LATER = {
    "STATE-with-more": {
        "type": "STATE",
        "id": 7,
        "colour": "blue",
        "payload": {"job": JOB, "seq": 2, "state": "STARTING", "mood": {"good": [1, 2.5, None, b"x"]}},
    },
    "HELLO-of-version-2": {
        "type": "HELLO",
        "id": 1,
        "payload": {"protocol_min": 2, "protocol_max": 3, "client": "new"},
    },
    "an-unknown-type": {"type": "WEATHER", "id": 7, "payload": {"sun": True}},
    "ERROR-of-an-unknown-code": {
        "type": "ERROR",
        "id": 7,
        "payload": {
            "failure": {"code": "OUT_OF_PAINT", "text": "There is no more paint; buy some.", "retryable": True}
        },
    },
}
"""Envelopes of a later version."""


def packed(frames: list[bytes]) -> bytes:
    """Frames as a file holds them."""
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def unpacked(data: bytes) -> list[bytes]:
    """The frames that a file holds."""
    frames = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        frames.append(data[4:end])
        data = data[end:]
    return frames


def files() -> dict[Path, bytes]:
    """What every file must hold."""
    made = {
        FOLDER / f"{name}.bin": packed(
            [bytes(frame) for frame in encode(message, message_id=MESSAGE_ID, reply_to=REPLY_TO)]
        )
        for name, message in MESSAGES.items()
    }
    return made | {
        FOLDER / "later" / f"{name}.bin": packed([MAGIC, msgpack.packb(head)]) for name, head in LATER.items()
    }


if __name__ == "__main__":
    for path, data in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
