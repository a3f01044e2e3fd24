"""The studio with the engine: paints orders with networks that stay loaded. Imported in the painting process only."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from impasto_daemon.commands.quiet_start import start_keras

start_keras()

from impasto_daemon.server.painter import Assignment  # noqa: E402 -- Keras is to be silent from its first import on
from impasto_daemon.worker.easel import Easel  # noqa: E402
from impasto_daemon.worker.pictures import mask_of, pixels_of, preview_of, samples_of  # noqa: E402
from impasto_daemon.worker.studio import Canvas  # noqa: E402
from impasto_engine import backend, networks  # noqa: E402
from impasto_engine.choice import NO_POLISH, load_networks  # noqa: E402
from impasto_engine.cost import estimate  # noqa: E402
from impasto_engine.errors import EngineError, NetworkError, PaintingError  # noqa: E402
from impasto_engine.networks.network import Network  # noqa: E402
from impasto_engine.painting import paint, reconstruct_content, reconstruct_style  # noqa: E402
from impasto_engine.progress import Losses, Painting, Progress  # noqa: E402
from impasto_engine.recipes import Start  # noqa: E402
from impasto_engine.settings import ORIGINAL, Settings, Style  # noqa: E402
from impasto_engine.types import Pixels  # noqa: E402
from impasto_protocol import messages as m  # noqa: E402
from impasto_protocol import orders  # noqa: E402
from impasto_protocol.errors import (  # noqa: E402
    BusyError,
    InvalidOrderError,
    NetworkUnavailableError,
    PaintingFailedError,
    RefusalError,
)
from impasto_protocol.orders import Adjustment, OrderKind  # noqa: E402
from impasto_protocol.schema import plain  # noqa: E402

__all__ = ["EngineStudio", "refusing"]

SIGNS_OF_EXHAUSTION = ("resourceexhausted", "resource_exhausted", "outofmemory", "out of memory", "memoryerror")
"""How the exceptions of TensorFlow, JAX, PyTorch and Python say that memory is not enough; they share no class."""


class EngineStudio:
    """See the module, and `Studio`.

    The networks of an order that names none are loaded at once, so that the first painting need not wait for them.
    """

    def __init__(self) -> None:
        with refusing():
            self.device = backend.current().device()
            found = networks.available()
        self.networks = tuple(each.name for each in found)
        self._loaded: dict[str, Network] = {}
        with refusing():
            self._networks(None, None, Settings())

    def estimate(self, question: m.Estimate) -> m.Estimated:
        """See `Studio`."""
        with refusing():
            settings = _engine_settings(question.settings)
            network, polisher = self._networks(question.network, question.polish, settings)
            found = estimate(
                question.height, question.width, network, settings, polisher=polisher, styles=question.styles
            )
        return m.Estimated(
            width=found.width,
            height=found.height,
            evaluations=found.evaluations,
            duration_s=found.seconds,
            memory_bytes=found.memory_bytes,
        )

    def paint(self, assignment: Assignment, easel: Easel) -> Canvas:
        """See `Studio`."""
        order = assignment.order
        with refusing():
            polish = order.polish if order.kind is OrderKind.TRANSFER else NO_POLISH
            network, polisher = self._networks(order.network, polish, _engine_settings(order.settings))
            commission = _Commission(assignment, easel, network, polisher)
            easel.begin()
            painting = commission.carried_out()
        form, data = samples_of(painting.pixels, assignment.order.content.format.samples)
        return Canvas(
            format=form,
            data=data,
            losses=_finite(painting.losses),
            evaluations=painting.evaluations,
            duration_s=painting.seconds,
            stopped=painting.stopped,
            rollbacks=painting.rollbacks,
            network=network.name,
            precision=painting.precision,
        )

    def _networks(self, network: str | None, polish: str | None, settings: Settings) -> tuple[Network, Network | None]:
        return load_networks(network, polish, settings, load=lambda name, _: self._network(name))

    def _network(self, key: str) -> Network:
        if key not in self._loaded:
            network = networks.load_network(key)
            self._loaded[key] = self._loaded[network.name] = self._loaded.get(network.name, network)
        return self._loaded[key]


class _Commission:
    """One order on its way through the engine."""

    def __init__(self, assignment: Assignment, easel: Easel, network: Network, polisher: Network | None) -> None:
        order, files = assignment.order, assignment.pictures
        self._job = assignment.job
        self._order = order
        self._easel = easel
        self._network = network
        self._polisher = polisher
        self._settings = _engine_settings(order.settings)
        self._content = pixels_of(order.content, files[order.content.digest])
        self._start = None if order.start is None else pixels_of(order.start, files[order.start.digest])
        self._styles = [
            Style(
                pixels=pixels_of(style.picture, files[style.picture.digest]),
                weight=style.weight,
                region=None if style.region is None else mask_of(style.region, files[style.region.digest]),
            )
            for style in order.styles
        ]
        self._began_at = time.monotonic()
        self._spent = 0
        self._rollbacks = 0

    def carried_out(self) -> Painting:
        """Paints; with new weights, paints anew from the best picture so far.

        The engine has its coarsest scale first again. With fewer evaluations than at first, the finest would have too
        few to bring the details back that this costs.
        """
        while True:
            painting = self._painted()
            self._spent += painting.evaluations
            self._rollbacks += painting.rollbacks
            if self._easel.should_stop() or not painting.stopped:
                break
            self._adjust(self._easel.take_adjustments(), painting.pixels)
        return replace(
            painting,
            evaluations=self._spent,
            rollbacks=self._rollbacks,
            seconds=time.monotonic() - self._began_at,
        )

    def _painted(self) -> Painting:
        told: dict[str, Any] = {"on_progress": self._told, "should_stop": self._should_stop}
        order = self._order
        if order.kind is OrderKind.TRANSFER:
            return paint(
                self._content,
                self._styles,
                self._network,
                self._settings,
                polisher=self._polisher,
                start=self._start,
                **told,
            )
        assert order.layer is not None  # noqa: S101
        reconstruct = reconstruct_content if order.kind is OrderKind.CONTENT_RECONSTRUCTION else reconstruct_style
        return reconstruct(self._content, order.layer, self._network, self._settings, **told)

    def _should_stop(self) -> bool:
        return self._easel.should_stop() or self._easel.is_to_be_adjusted

    def _adjust(self, adjustments: Sequence[Adjustment], best: Pixels) -> None:
        self._start = best
        self._settings = replace(self._settings, init=Start.PICTURE)
        for adjustment in adjustments:
            self._settings = replace(self._settings, **_changes(adjustment))
            if adjustment.style_weights is not None:
                self._styles = [
                    replace(style, weight=weight)
                    for style, weight in zip(self._styles, adjustment.style_weights, strict=True)
                ]

    def _told(self, progress: Progress) -> None:
        evaluation = self._spent + progress.evaluation
        wish = self._order.previews
        if wish is not None and self._easel.wants_preview():
            self._easel.show(evaluation, *preview_of(progress.preview(), wish.longer_side))
        self._easel.told(
            m.Progress(
                job=self._job,
                evaluation=evaluation,
                evaluations=self._spent + progress.evaluations,
                scale=progress.scale,
                scales=progress.scales,
                width=progress.width,
                height=progress.height,
                losses=_finite(progress.losses),
                best_loss=progress.best_loss if math.isfinite(progress.best_loss) else None,
                elapsed_s=time.monotonic() - self._began_at,
                remaining_s=progress.remaining_s,
                rollbacks=self._rollbacks + progress.rollbacks,
            )
        )


def _engine_settings(settings: orders.Settings) -> Settings:
    values: dict[str, Any] = plain(settings)
    if values.get("size") == 0:
        values["size"] = ORIGINAL
    return Settings.from_dict(values)


def _changes(adjustment: Adjustment) -> dict[str, Any]:
    """The fields of the settings that an adjustment changes; a strength and a content weight exclude each other."""
    names = ("strength", "content_weight", "style_weight", "tv_weight")
    given: dict[str, Any] = {name: getattr(adjustment, name) for name in names if getattr(adjustment, name) is not None}
    if "strength" in given:
        given["content_weight"] = None
    elif "content_weight" in given:
        given["strength"] = None
    return given


def _finite(losses: Losses) -> Mapping[str, float]:
    return {name: value for name, value in losses.layers.items() if math.isfinite(value)}


@contextmanager
def refusing() -> Iterator[None]:
    """Says what the engine refuses in the protocol's words."""
    try:
        yield
    except EngineError as error:
        kind: type[RefusalError] = InvalidOrderError
        if isinstance(error, NetworkError):
            kind = NetworkUnavailableError
        elif isinstance(error, PaintingError):
            kind = PaintingFailedError
        raise kind(str(error)) from error
    except Exception as error:
        if not any(sign in f"{type(error).__name__} {error}".lower() for sign in SIGNS_OF_EXHAUSTION):
            raise
        raise BusyError("There is not enough memory for this painting; paint it smaller.") from error
