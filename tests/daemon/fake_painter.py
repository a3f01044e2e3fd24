"""A painter in the server's own thread that does what a test tells it, and nothing by itself."""

from pathlib import Path
from zlib import crc32

from impasto_daemon.server.painter import Answer, Assignment, Painted, Patron
from impasto_protocol.errors import RefusalError
from impasto_protocol.messages import Estimate, Estimated, Progress
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import Picture, PixelFormat


class FakePainter:
    """Records what it is asked; its other methods make it say something to its patron.

    Attributes:
        assignments: All it was given, in order.
        asked: What else it was asked.
    """

    def __init__(self, *, is_ready: bool = True, devices: int = 1) -> None:
        self.is_ready = is_ready
        self.devices = devices
        self.assignments: list[Assignment] = []
        self.asked: list[object] = []
        self._patron: Patron | None = None

    device = "a fake"
    networks = ("vgg16",)
    memory_bytes = 3_000_000

    @property
    def patron(self) -> Patron:
        assert self._patron is not None
        return self._patron

    @property
    def at(self) -> Assignment:
        return self.assignments[-1]

    def start(self, patron: Patron) -> None:
        self._patron = patron
        if self.is_ready:
            patron.ready()

    def paint(self, assignment: Assignment) -> None:
        self.assignments.append(assignment)

    def pause(self) -> None:
        self.asked.append("pause")

    def unpause(self) -> None:
        self.asked.append("unpause")

    def stop(self, *, keep_picture: bool) -> None:
        self.asked.append(("stop", keep_picture))

    def lay_down(self) -> None:
        self.asked.append("lay down")
        self.patron.laid_down(self.at.number)

    def adjust(self, adjustment: Adjustment) -> None:
        self.asked.append(adjustment)

    def estimate(self, question: Estimate, answer: Answer) -> None:
        self.asked.append(question)
        answer(
            Estimated(width=question.width, height=question.height, evaluations=300, duration_s=9.0, memory_bytes=10**9)
        )

    def tend(self) -> None:
        pass

    def close(self) -> None:
        self._patron = None

    # What a test makes it do, in the daemon's thread

    def becomes_ready(self) -> None:
        self.is_ready = True
        self.patron.ready()

    def begins(self) -> None:
        self.patron.began(self.at.number)

    def progresses(self, evaluation: int = 1) -> None:
        self.patron.progressed(
            self.at.number,
            Progress(
                job=self.at.job,
                evaluation=evaluation,
                evaluations=300,
                scale=1,
                scales=3,
                width=8,
                height=4,
                losses={"tv": 1.0},
                elapsed_s=1.0,
            ),
        )

    def shows(self, evaluation: int, side: int = 2) -> None:
        form = PixelFormat(width=side, height=side, channels=4)
        self.patron.showed(self.at.number, evaluation, form, bytes([evaluation % 256]) * form.size_bytes)

    def finishes(self, picture: Picture, *, stopped: bool = False) -> None:
        self.at.result.write_bytes(picture.data)
        self.patron.finished(self.at.number, painted(picture, self.at.result, stopped=stopped))

    def fails(self, why: RefusalError) -> None:
        self.patron.failed(self.at.number, why)

    def dies(self) -> None:
        self.is_ready = False
        self.patron.lost()


def painted(picture: Picture, file: Path, *, stopped: bool = False) -> Painted:
    """What a painter says of a picture in a file."""
    return Painted(
        picture=picture.blob,
        crc32=crc32(picture.data),
        file=file,
        losses={"tv": 1.0},
        evaluations=300,
        duration_s=2.0,
        stopped=stopped,
        rollbacks=0,
        network="vgg16",
        precision="float32",
    )
