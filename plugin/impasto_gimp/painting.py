"""One painting, from the order to the finished layer: what follows from the daemon's news and the user's wishes.

A state machine between a courier, a canvas and a view, each behind an interface: it is tested without GIMP and without
a daemon. No gi. Everything is called in the main thread; nothing waits.

```
ORDERING ─▶ WAITING ─▶ PAINTING ⇄ PAUSED          the daemon's word
     └─────────┴──────────┴─────────┴─▶ ENDING    stopped by the user, or the result is on its way
                                           └─▶ KEPT | DISCARDED | FAILED
```
"""

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from impasto_gimp.courier import Accepted, Courier, Happened, News, Reached, Refused, Starting, Unreachable
from impasto_gimp.recipe import Outcome, outcome_of_progress, outcome_of_result
from impasto_gimp.wish import Wish
from impasto_protocol.events import Answered, Disconnected, Fetched, JobLost, Reconnected
from impasto_protocol.messages import Preview, Progress, Result, State
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.pixels import Picture
from impasto_protocol.states import JobState

__all__ = ["Canvas", "Painting", "Phase"]

PATIENCE_S = 6.0
"""Seconds without the daemon after which a painting that was stopped is given up, and its last preview kept.

While there is a connection, there is no limit: the daemon, too, ends the evaluation it is in, however long that takes,
and sends the picture. Whoever does not want to wait for it can discard.
"""

ADJUST_S = 0.4
"""Seconds for which a slider must rest before the daemon is told."""


class Phase(Enum):
    """Where a painting stands."""

    ORDERING = auto()
    WAITING = auto()
    PAINTING = auto()
    PAUSED = auto()
    ENDING = auto()
    KEPT = auto()
    DISCARDED = auto()
    FAILED = auto()

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self in (Phase.KEPT, Phase.DISCARDED, Phase.FAILED)


class Canvas(Protocol):
    """Where the painting appears."""

    def trouble(self) -> str | None:
        """Why nothing can be painted there any more; None if it can."""
        ...

    def show(self, preview: Preview) -> None:
        """Shows a picture; the first time, it comes into being."""
        ...

    @property
    def is_shown(self) -> bool:
        """Whether there is a picture, which may be one that must not be painted on."""
        ...

    def finish(self, fetched: Fetched | None, outcome: Outcome) -> None:
        """Puts the result in place of the last preview, or leaves that, and writes down how it was painted."""
        ...

    def discard(self) -> None:
        """Takes away whatever there is of it."""
        ...


class Painting:
    """See the module.

    Args:
        courier: Brings it to the daemon, started.
        canvas: Where it appears.
        wish: How to paint.
        clock: Gives seconds.

    Attributes:
        phase: Where it stands.
        text: A sentence about that.
        is_cut_short: Whether it is over, kept or discarded, but by neither user nor finished picture; `text` says why.
        progress: The last that was heard.
        losses: The loss at each evaluation heard of, as (evaluation, loss).
        previews: How many have been shown.
    """

    def __init__(
        self, courier: Courier, canvas: Canvas, wish: Wish, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.phase = Phase.ORDERING
        self.text = "Looking for the daemon…"
        self.is_cut_short = False
        self.progress: Progress | None = None
        self.losses: list[tuple[int, float]] = []
        self.previews = 0
        self._courier = courier
        self._canvas = canvas
        self._wish = wish
        self._clock = clock
        self._job = ""
        self._wants_picture = True
        self._result: Result | None = None
        self._is_connected = True
        self._give_up_at: float | None = None
        self._strength: tuple[float, float] | None = None

    @property
    def fraction(self) -> float | None:
        """How much is done, from 0 to 1, if that is known."""
        if self.phase is Phase.KEPT:
            return 1.0
        if self.progress is None or not self.progress.evaluations:
            return None
        return min(1.0, self.progress.evaluation / self.progress.evaluations)

    def begin(self, job: str, order: Order, pictures: list[Picture]) -> None:
        """Orders it."""
        self._job = job
        self._courier.submit(job, order, pictures)

    def take_up(self, job: str) -> None:
        """Goes on with one that the daemon has already: all that has happened to it is told once more."""
        self._job = job
        self._courier.follow(job)

    # What the user wants

    def stop(self) -> None:
        """Ends it, and keeps what there is."""
        if self.phase.is_over or self.phase is Phase.ENDING:
            return
        if self._canvas.is_shown or self.phase in (Phase.PAINTING, Phase.PAUSED):
            self._is(Phase.ENDING, "Finishing…")
            self._set_patience()
            self._courier.cancel(self._job, keep_picture=True)
        else:
            self.discard()

    def discard(self) -> None:
        """Ends it, and leaves nothing."""
        if self.phase.is_over:
            return
        self._courier.cancel(self._job, keep_picture=False)
        self._canvas.discard()
        self._is(Phase.DISCARDED, "Discarded.")

    def leave(self) -> None:
        """Leaves it to the daemon, and whatever is there as it is."""
        if not self.phase.is_over:
            self._keep_last("The painting is left to the daemon.")

    def pause(self) -> None:
        """Stops painting for now."""
        if self.phase is Phase.PAINTING:
            self._courier.pause(self._job)

    def resume(self) -> None:
        """Goes on painting."""
        if self.phase is Phase.PAUSED:
            self._courier.unpause(self._job)

    def strengthen(self, strength: float) -> None:
        """Paints with another strength, as soon as no other follows."""
        self._strength = (strength, self._clock() + ADJUST_S)

    # What happens

    def tick(self) -> None:
        """To be called a few times a second."""
        if self.phase.is_over:
            return
        trouble = self._canvas.trouble()
        if trouble is not None:
            self._courier.cancel(self._job, keep_picture=False)
            self._keep_last(trouble)
        elif self._give_up_at is not None and self._clock() >= self._give_up_at:
            self._courier.cancel(self._job, keep_picture=False)
            self._keep_last("The daemon did not send the finished picture; the last preview is kept.")
        elif self._strength is not None and self._clock() >= self._strength[1]:
            (strength, _), self._strength = self._strength, None
            if self.phase in (Phase.PAINTING, Phase.PAUSED):
                self._courier.adjust(self._job, Adjustment(strength=strength))

    def heard(self, news: News) -> None:
        """Takes a piece of news."""
        if self.phase.is_over:
            return
        match news:
            case Starting():
                self.text = "Starting the daemon…"
            case Reached():
                self._connected(True)
                if self.phase is Phase.ORDERING:
                    self.text = "Sending the layer…"
            case Unreachable(text=text, is_final=True):
                self._fail(text)
            case Unreachable(text=text):
                self.text = text
            case Refused(job=job, text=text) if job == self._job:
                self._fail(text)
            case Accepted(job=job) if job == self._job:
                if self.phase is Phase.ORDERING:
                    self._is(Phase.WAITING, "Waiting for the painting process…")
            case Happened(event=event) if getattr(event, "job", self._job) == self._job:
                self._happened(event)

    def _happened(self, event: object) -> None:
        match event:
            case Preview():
                self._show(event)
            case Progress():
                self._progressed(event)
            case Result():
                self._result = event
                self._is(Phase.ENDING, "Fetching the finished picture…")
                self._set_patience()
                self._courier.fetch(self._job)
            case Fetched():
                self._finish(event)
            case State():
                self._entered(event)
            case Answered(request="FETCH", refusal=refusal) if refusal is not None:
                self._keep_last(f"The finished picture could not be fetched: {refusal}")
            case Answered(request="FOLLOW", refusal=refusal) if refusal is not None:
                self._keep_last(f"The painting cannot be taken up: {refusal}")
            case Answered(refusal=refusal) if refusal is not None and self.phase is not Phase.ENDING:
                self.text = str(refusal)
            case JobLost():
                self._keep_last("The daemon no longer knows this painting; the last picture is kept.")
            case Disconnected(error=error):
                self.text = str(error)
                self._connected(False)
            case Reconnected():
                self.text = "The daemon is back."
                self._connected(True)

    def _entered(self, state: State) -> None:
        if state.state is JobState.FAILED:
            assert state.failure is not None  # noqa: S101
            self._fail(state.failure.text)
        elif state.state is JobState.CANCELLED:
            self._keep_last("The painting was cancelled.", is_cut_short=self.phase is not Phase.ENDING)
        elif self.phase is Phase.ENDING:
            return
        elif state.state is JobState.RUNNING:
            self._is(Phase.PAINTING, "Painting…")
        elif state.state is JobState.PAUSED:
            self._is(Phase.PAUSED, "Paused.")
        elif state.state is JobState.STARTING:
            self._is(Phase.WAITING, "Preparing…")
        elif state.state is JobState.QUEUED:
            self._is(Phase.WAITING, "Waiting in the queue…")
        elif state.state is JobState.INTERRUPTED:
            self._is(Phase.WAITING, "The painting was interrupted, and begins anew…")

    def _progressed(self, progress: Progress) -> None:
        self.progress = progress
        if progress.losses:
            self.losses.append((progress.evaluation, sum(progress.losses.values())))

    def _show(self, preview: Preview) -> None:
        if self.phase is Phase.ENDING:
            return
        trouble = self._canvas.trouble()
        if trouble is None:
            self._canvas.show(preview)
            self.previews += 1
        else:
            self.tick()

    def _finish(self, fetched: Fetched) -> None:
        trouble = self._canvas.trouble()
        if trouble is not None:
            self._courier.acknowledge(self._job)
            self._keep_last(trouble)
            return
        self._canvas.finish(fetched, outcome_of_result(fetched.result))
        self._courier.acknowledge(self._job)
        self._is(Phase.KEPT, "Finished." if not fetched.result.stopped else "Stopped; the picture so far is kept.")

    def _fail(self, text: str) -> None:
        """Ends it for a reason that is not the user's; a picture that is there stays."""
        if self._canvas.is_shown:
            self._canvas.finish(None, outcome_of_progress(self.progress, self._wish))
        else:
            self._canvas.discard()
        self._is(Phase.FAILED, text)

    def _keep_last(self, text: str, *, is_cut_short: bool = True) -> None:
        """Ends it with the last preview."""
        self.is_cut_short = is_cut_short
        if self._canvas.is_shown:
            self._canvas.finish(None, outcome_of_progress(self.progress, self._wish))
            self._is(Phase.KEPT, text)
        else:
            self._canvas.discard()
            self._is(Phase.DISCARDED, text)

    def _connected(self, is_connected: bool) -> None:
        if is_connected is not self._is_connected:
            self._is_connected = is_connected
            self._set_patience()

    def _set_patience(self) -> None:
        """See `PATIENCE_S`; a result that is on its way is always waited for."""
        is_limited = self.phase is Phase.ENDING and self._result is None and not self._is_connected
        self._give_up_at = self._clock() + PATIENCE_S if is_limited else None

    def _is(self, phase: Phase, text: str) -> None:
        self.phase, self.text = phase, text
