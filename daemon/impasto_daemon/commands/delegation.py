"""A painting that the daemon paints: what is ordered of it, and what becomes of the result."""

import json
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from impasto_daemon.commands.attendance import Attendance
from impasto_daemon.commands.commission import retrospect
from impasto_daemon.commands.destinations import Destinations
from impasto_daemon.commands.display import Display
from impasto_daemon.commands.failures import INTERRUPTED, Refused
from impasto_daemon.commands.interruption import Interruption
from impasto_daemon.commands.left_jobs import SUBMIT_S, LeftJob
from impasto_daemon.commands.order import Order
from impasto_daemon.commands.reading import ReadPictures, read_pictures
from impasto_daemon.commands.record import order_record
from impasto_daemon.commands.result import write_result
from impasto_daemon.commands.starting import reached
from impasto_daemon.commands.witnesses import Previews, Spared, Trace
from impasto_daemon.commands.wording import counted, duration, memory, sides

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from impasto_engine.settings import Settings
    from impasto_protocol import Client, Picture, orders
    from impasto_protocol import messages as m

__all__ = ["Delegation", "delegate"]

ESTIMATE_S = 240.0
"""Seconds for which an estimate is waited for: a daemon that was just started imports TensorFlow first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delegation:
    """What the daemon is to paint.

    Attributes:
        order: As the command line has it.
        settings: The engine's.
        pictures: All that the order names.
        sources: As `order_record` gives them.
        memory_budget_bytes: What painting may take; None for the daemon's own.
    """

    order: Order
    settings: "Settings"
    pictures: ReadPictures
    sources: dict[str, Any]
    memory_budget_bytes: int | None = None

    @classmethod
    def of(cls, order: Order, *, memory_budget_bytes: int | None = None) -> "Delegation":
        """Reads what an order names.

        Raises:
            EngineError: A setting is impossible, or a picture cannot be read.
            Refused: The daemon cannot do it.
        """
        from impasto_engine.settings import Settings

        if order.weights is not None:
            raise Refused(
                f"The weights {str(order.weights)!r} are a file, and the daemon knows networks by name; add them to "
                "these with 'impasto weights add', or leave out --daemon."
            )
        settings = Settings.from_dict(order.settings)
        pictures = read_pictures(order)
        return cls(
            order=order,
            settings=settings,
            pictures=pictures,
            sources=order_record(order),
            memory_budget_bytes=memory_budget_bytes,
        )

    def check_understood(self, capabilities: Collection[str]) -> None:
        """Raises `Refused` where a daemon without these capabilities would pass over a part of the order."""
        from impasto_protocol.version import BUDGET_CAPABILITY, STOP_CAPABILITY

        for wish, capability, words in (
            (self.memory_budget_bytes, BUDGET_CAPABILITY, "a memory budget for one painting"),
            (self.order.stop_at, STOP_CAPABILITY, f"to stop at evaluation {self.order.stop_at}, as the picture did"),
        ):
            if wish is not None and capability not in capabilities:
                raise Refused(
                    f"The daemon is older than this command and does not know {words}; restart it with 'impasto daemon "
                    "stop' and 'impasto daemon start', or leave out --daemon."
                )

    def question(self) -> "m.Estimate":
        """What it would cost."""
        from impasto_protocol import messages as m

        height, width = self.pictures.content.pixels.shape[:2]
        return m.Estimate(
            width=width,
            height=height,
            styles=len(self.pictures.styles),
            network=self.order.network,
            polish=self.order.polish,
            settings=_wire_settings(self.settings),
            memory_budget_bytes=self.memory_budget_bytes,
        )

    def on_the_wire(
        self, previews: "orders.PreviewWish | None", when_detached: "orders.WhenDetached"
    ) -> "tuple[orders.Order, list[Picture]]":
        """The order as it is submitted, and all its pictures, exactly as they were read."""
        from impasto_protocol import ColourSpace
        from impasto_protocol import orders as o

        content = _picture(self.pictures.content.pixels)
        start = None if self.pictures.start is None else _picture(self.pictures.start)
        pictures = [content] if start is None else [content, start]
        styles = []
        for style in self.pictures.styles:
            picture = _picture(style.pixels)
            region = None if style.region is None else _picture(style.region[..., None], ColourSpace.MASK)
            pictures += [picture] if region is None else [picture, region]
            styles.append(
                o.Style(picture=picture.blob, weight=style.weight, region=None if region is None else region.blob)
            )
        order = o.Order(
            content=content.blob,
            styles=tuple(styles),
            start=None if start is None else start.blob,
            network=self.order.network,
            polish=self.order.polish,
            settings=_wire_settings(self.settings),
            previews=previews,
            when_detached=when_detached,
            memory_budget_bytes=self.memory_budget_bytes,
            stop_at=self.order.stop_at,
        )
        return order, pictures


def delegate(
    delegation: Delegation, destinations: Destinations, display: Display, *, estimate: bool, detach: bool
) -> None:
    """Has the daemon paint, shows how it goes, and writes the result; or leaves the job to the daemon.

    Raises:
        EngineError: The picture cannot be written where it should go.
        Refused: There is no daemon, or it refuses.
    """
    with reached("stylize", start=True, say=display.say) as client:
        delegation.check_understood(() if client.welcome is None else client.welcome.capabilities)
        expected = client.estimate(delegation.question(), timeout_s=ESTIMATE_S)
        prospect = _prospect(expected, client.status(timeout_s=ESTIMATE_S).device)
        budget_bytes = expected.memory_budget_bytes
        if estimate:
            typer.echo(prospect)
        if budget_bytes is not None and expected.memory_bytes > budget_bytes:
            raise Refused(
                f"The memory budget is {memory(budget_bytes)}, and at the least it would take {prospect}; give a "
                "smaller --size, or a larger --memory-budget here or to the daemon."
            )
        if estimate:
            return
        if detach:
            typer.echo(_left(delegation, client))
        else:
            display.say(f"Painting {prospect}.")
            _attended(delegation, client, expected, destinations, display)


def _left(delegation: Delegation, client: "Client") -> str:
    """Submits a job and remembers what its result will be made into."""
    from impasto_protocol import WhenDetached

    order, pictures = delegation.on_the_wire(None, WhenDetached.KEEP)
    left = LeftJob(sources=delegation.sources, settings=delegation.settings.as_dict())
    job = left.keep()
    try:
        return client.submit(order, pictures, timeout_s=SUBMIT_S, job=job)
    except BaseException:
        LeftJob.forget(job)
        raise


def _attended(
    delegation: Delegation, client: "Client", expected: "m.Estimated", destinations: Destinations, display: Display
) -> None:
    from impasto_engine.files.picture_file import check_writable
    from impasto_protocol import WhenDetached

    output = destinations.output
    if output is None:
        raise ValueError("a painting without an output")
    check_writable(output, size=(expected.width, expected.height))
    order, pictures = delegation.on_the_wire(_preview_wish(destinations, expected), WhenDetached.CANCEL)
    with ExitStack() as stack:
        interruption = stack.enter_context(
            Interruption(on_first=display.stopping, on_second=lambda: display.__exit__(None, None, None))
        )
        attendance = Attendance(client, display, interruption)
        if destinations.trace is not None:
            trace = stack.enter_context(Trace(destinations.trace))
            attendance.on_progress.append(Spared("a trace", trace, display.warn))
        if destinations.previews is not None:
            previews = Previews(destinations.previews, destinations.preview_every, interruption.at_leisure)
            attendance.on_preview.append(Spared("previews", previews, display.warn))
        stack.enter_context(display)
        job = client.submit(order, pictures, timeout_s=SUBMIT_S)
        painted = attendance.painted(job)
    if painted is None:
        display.say("Cancelled before there was a picture.")
        raise typer.Exit(INTERRUPTED)
    painting, result = painted
    display.say(retrospect(painting, expected.evaluations))
    left = LeftJob(sources=delegation.sources, settings=delegation.settings.as_dict())
    place = write_result(output, painting, delegation.pictures.content, left.record(painting, result))
    attendance.acknowledge(job)
    if not destinations.quiet:
        typer.echo(bytes(place) + b"\n", nl=False)


def _preview_wish(destinations: Destinations, expected: "m.Estimated") -> "orders.PreviewWish | None":
    """Previews twice as often as they are written, so that each that is written is of nearly its evaluation."""
    from impasto_protocol import PreviewWish
    from impasto_protocol.limits import MAX_SIDE

    if destinations.previews is None:
        return None
    evaluation_s = expected.duration_s / max(expected.evaluations, 1)
    return PreviewWish(interval_s=evaluation_s * destinations.preview_every / 2.0, longer_side=MAX_SIDE)


def _prospect(expected: "m.Estimated", device: str) -> str:
    return (
        f"{sides(expected.height, expected.width)} by the daemon ({device}): "
        f"{counted(expected.evaluations, 'evaluation')}, about {duration(expected.duration_s)} and "
        f"{memory(expected.memory_bytes)} of memory"
    )


def _wire_settings(settings: "Settings") -> "orders.Settings":
    from impasto_engine.settings import ORIGINAL
    from impasto_protocol import orders as o
    from impasto_protocol.schema import built

    values: dict[str, Any] = json.loads(json.dumps(settings.as_dict()))  # as it travels: no enumerations, no tuples
    if values.get("size") == ORIGINAL:
        values["size"] = 0
    return built(o.Settings, values, name="settings")


def _picture(pixels: "NDArray[np.float32]", space: Any = None) -> "Picture":
    """Pixels in float32, so that the daemon paints from the same numbers; in 16 bits where they would be too many."""
    from impasto_daemon.worker.pictures import samples_of
    from impasto_protocol import ColourSpace, Picture, PixelFormat, SampleType
    from impasto_protocol.limits import MAX_PICTURE_BYTES

    samples = SampleType.FLOAT32 if pixels.nbytes <= MAX_PICTURE_BYTES else SampleType.UINT16
    form, data = samples_of(pixels, samples)
    space = space or ColourSpace.SRGB
    form = PixelFormat(
        width=form.width, height=form.height, channels=form.channels, samples=samples, colour_space=space
    )
    return Picture(format=form, data=data)
