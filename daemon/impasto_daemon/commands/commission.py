"""One painting, from the sentence that says what will happen to the finished file; the commands that paint share it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from impasto_daemon.commands.destinations import Destinations
from impasto_daemon.commands.display import Display
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.interruption import Interruption
from impasto_daemon.commands.result import write_result
from impasto_daemon.commands.witnesses import Previews, Spared, Trace
from impasto_daemon.commands.wording import counted, duration, losses_in_words, memory, sides

if TYPE_CHECKING:
    from impasto_engine import Estimate, Painting, Progress, Settings
    from impasto_engine.files.picture_file import PictureFile
    from impasto_engine.networks.network import Network

__all__ = ["Commission", "carry_out", "check_memory", "print_estimate", "retrospect"]

OnProgress = Callable[["Progress"], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """A painting that is ready to be painted.

    Attributes:
        content: The picture whose size, depth, colour profile and EXIF the painting takes over.
        network: What it is painted with.
        polisher: What it is polished with; None for nothing.
        settings: How.
        styles: Number of style images.
        paint: Paints it.
        record: What to store with it.
        stop_at: The evaluation at which to stop; None to go to the end.
        memory_budget_bytes: What painting may take; None for the engine's own.
    """

    content: "PictureFile"
    network: "Network"
    settings: "Settings"
    styles: int
    paint: Callable[[OnProgress, ShouldStop], "Painting"]
    record: Callable[["Painting"], dict[str, Any]]
    polisher: "Network | None" = None
    stop_at: int | None = None
    memory_budget_bytes: int | None = None

    def estimate(self) -> "Estimate":
        """What it will cost.

        Raises:
            SettingsError: The network has no such layer.
        """
        from impasto_engine import estimate

        height, width = self.content.pixels.shape[:2]
        return estimate(
            height,
            width,
            self.network,
            self.settings,
            polisher=self.polisher,
            styles=self.styles,
            memory_budget_bytes=self.memory_budget_bytes,
        )

    def prospect(self, estimate: "Estimate") -> str:
        """What will happen, on one line."""
        from impasto_engine import backend, machine

        precision = machine.resolve_precision(self.settings.precision).value
        polished = "" if self.polisher is None else f" and then {self.polisher.name}"
        return (
            f"{sides(estimate.height, estimate.width)} with {self.network.name}{polished} ({precision}, "
            f"{backend.current().device()}): {counted(estimate.evaluations, 'evaluation')}, "
            f"about {duration(estimate.seconds)} and {memory(estimate.memory_bytes)} of memory"
        )


def print_estimate(commission: Commission) -> None:
    """Says what a painting will cost, on stdout."""
    typer.echo(commission.prospect(commission.estimate()))


def carry_out(commission: Commission, destinations: Destinations, display: Display) -> None:
    """Paints, shows how it goes, and writes the result.

    Raises:
        EngineError: It cannot be painted.
        Refused: It cannot be written where it should go.
    """
    from impasto_engine.files.picture_file import check_writable

    output = destinations.output
    if output is None:
        raise ValueError("a painting without an output")
    estimate = commission.estimate()
    check_writable(output, size=(estimate.width, estimate.height))
    display.say(f"Painting {commission.prospect(estimate)}.")
    check_memory(estimate, commission.memory_budget_bytes, display)
    painting = _paint(commission, destinations, display)
    display.say(retrospect(painting, estimate.evaluations))
    place = write_result(output, painting, commission.content, commission.record(painting))
    if not destinations.quiet:
        typer.echo(bytes(place) + b"\n", nl=False)


def check_memory(
    estimate: "Estimate", budget_bytes: int | None, display: Display, *, machine_bytes: int | None = None
) -> None:
    """Says so where a painting cannot keep to its budget.

    Args:
        estimate: What it will cost.
        budget_bytes: What it may take; None for half of the machine's memory.
        display: Where to say it.
        machine_bytes: The machine's memory; None to ask.

    Raises:
        Refused: It needs more than the machine has.
    """
    import psutil

    from impasto_engine.budget import default_budget_bytes

    needed, machine_bytes = estimate.memory_bytes, machine_bytes or psutil.virtual_memory().total
    if needed > machine_bytes:
        raise Refused(
            f"Painting {sides(estimate.height, estimate.width)} takes {memory(needed)} of memory at the least, and "
            f"this machine has {memory(machine_bytes)}; choose a smaller --size."
        )
    if needed > (budget_bytes or default_budget_bytes()):
        budget = "half of this machine's" if budget_bytes is None else f"the budget of {memory(budget_bytes)}"
        display.say(f"That is more than {budget}, and the least for this size; a smaller --size needs less.")


def _paint(commission: Commission, destinations: Destinations, display: Display) -> "Painting":
    evaluation = 0
    with ExitStack() as stack:
        interruption = stack.enter_context(
            Interruption(on_first=display.stopping, on_second=lambda: display.__exit__(None, None, None))
        )
        witnesses: list[OnProgress] = [display.told]
        if destinations.trace is not None:
            witnesses.append(Spared("a trace", stack.enter_context(Trace(destinations.trace)), display.warn))
        if destinations.previews is not None:
            previews = Previews(destinations.previews, destinations.preview_every, interruption.at_leisure)
            witnesses.append(Spared("previews", previews, display.warn))

        def on_progress(progress: "Progress") -> None:
            nonlocal evaluation
            evaluation = progress.evaluation
            for witness in witnesses:
                witness(progress)

        def should_stop() -> bool:
            return interruption.requested or evaluation == commission.stop_at

        stack.enter_context(display)
        return commission.paint(on_progress, should_stop)


def retrospect(painting: "Painting", planned: int) -> str:
    """What has happened, on one line; `planned` are the evaluations that were expected."""
    spent = (
        f"Stopped at evaluation {painting.evaluations} of {planned}"
        if painting.stopped
        else f"Painted with {counted(painting.evaluations, 'evaluation')}"
    )
    size = sides(*painting.pixels.shape[:2])
    rollbacks = f", {counted(painting.rollbacks, 'rollback')}" if painting.rollbacks else ""
    return f"{spent} in {duration(painting.seconds)}, {size}: {losses_in_words(painting.losses)}{rollbacks}."
