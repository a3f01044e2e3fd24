"""An engine without an engine: what it does is the order's network, and how often its evaluations."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from impasto_daemon.server.painter import Assignment
from impasto_daemon.worker.easel import Easel
from impasto_daemon.worker.keeper import Cadence
from impasto_daemon.worker.studio import Canvas
from impasto_protocol.errors import InvalidOrderError
from impasto_protocol.messages import Estimate, Estimated, Progress
from impasto_protocol.pixels import PixelFormat

BEHAVIOURS = ("usual", "crash", "crash_once", "hang", "deaf_once", "refuse", "bug", "exhaust")
EVALUATION_S = 0.01

ALWAYS = Cadence(interval_s=0.0, share=float("inf"))
NEVER = Cadence(interval_s=3600.0)
"""Of checkpoints."""


class FakeStudio:
    """Paints the negative of the content.

    Its behaviours: `crash` dies at the second evaluation, `crash_once` does so the first time; `hang` falls silent
    there, `deaf_once` does the first time; `refuse` refuses the order; `bug` and `exhaust` raise what no engine should.
    """

    device = "a fake process"
    devices = 1
    networks = BEHAVIOURS

    def estimate(self, question: Estimate) -> Estimated:
        if question.network == "refuse":
            raise InvalidOrderError("There is nothing to estimate; ask otherwise.")
        return Estimated(
            width=question.width, height=question.height, evaluations=5, duration_s=0.1, memory_bytes=os.getpid()
        )

    def paint(self, assignment: Assignment, easel: Easel) -> Canvas:
        order = assignment.order
        behaviour = order.network or "usual"
        if behaviour == "refuse":
            raise InvalidOrderError("The recipe is not to my taste; choose another.")
        content = assignment.pictures[order.content.digest].read_bytes()
        evaluations = order.settings.evaluations or 5
        easel.begin()
        spent = int(assignment.checkpoint.read_text()) if assignment.checkpoint.exists() else 0
        for evaluation in range(spent + 1, evaluations + 1):
            time.sleep(EVALUATION_S)
            if evaluation == 2:
                misbehave(behaviour, assignment.result.parent.parent / "has_misbehaved")
            if easel.wants_preview():
                easel.show(evaluation, PixelFormat(width=1, height=1, channels=3), bytes([evaluation % 256] * 3))
            easel.told(
                Progress(
                    job=assignment.job,
                    evaluation=evaluation,
                    evaluations=evaluations,
                    scale=1,
                    scales=1,
                    width=order.content.format.width,
                    height=order.content.format.height,
                    losses={"style_weight": easel.adjustment.style_weight or 0.0},
                    elapsed_s=evaluation * EVALUATION_S,
                ),
                keep=partial(write_down, evaluation),
            )
            if easel.should_stop():
                break
        return Canvas(
            format=order.content.format,
            data=bytes(255 - value for value in content),
            losses={"tv": 1.0},
            evaluations=evaluation,
            duration_s=evaluation * EVALUATION_S,
            stopped=evaluation < evaluations,
            rollbacks=0,
            network=behaviour,
            precision="float32",
        )


def write_down(evaluation: int, file: Path) -> None:
    beside = file.with_name(f".{file.name}.tmp")
    beside.write_text(str(evaluation))
    beside.replace(file)


def misbehave(behaviour: str, marker: Path) -> None:
    if behaviour.endswith("_once") and marker.exists():
        return
    marker.touch()
    match behaviour.removesuffix("_once"):
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang" | "deaf":
            time.sleep(3600)
        case "bug":
            raise ZeroDivisionError("a bug")
        case "exhaust":
            raise MemoryError


def open_fake() -> FakeStudio:
    return FakeStudio()


def open_unfit() -> FakeStudio:
    raise InvalidOrderError("There is no engine; install one.")


def open_dying() -> FakeStudio:
    os._exit(3)
