"""The studio with the engine: paints orders with networks that stay loaded. Imported in the painting process only."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from impasto_daemon.commands.quiet_start import start_keras
from impasto_daemon.commands.record import sha256_of
from impasto_daemon.versions import versions

start_keras()

from impasto_daemon.server.painter import Assignment  # noqa: E402 -- Keras is to be silent from its first import on
from impasto_daemon.worker.affordable import check_affordable  # noqa: E402
from impasto_daemon.worker.easel import Easel  # noqa: E402
from impasto_daemon.worker.pictures import mask_of, pixels_of, preview_of, samples_of  # noqa: E402
from impasto_daemon.worker.studio import Canvas  # noqa: E402
from impasto_engine import backend, networks  # noqa: E402
from impasto_engine.checkpoint import Checkpoint, read_checkpoint  # noqa: E402
from impasto_engine.choice import NO_POLISH, load_networks  # noqa: E402
from impasto_engine.cost import estimate  # noqa: E402
from impasto_engine.errors import CheckpointError, EngineError, NetworkError, PaintingError  # noqa: E402
from impasto_engine.networks.network import Network  # noqa: E402
from impasto_engine.painting import Attendance, paint, reconstruct_content, reconstruct_style  # noqa: E402
from impasto_engine.progress import Losses, Painting, Progress  # noqa: E402
from impasto_engine.settings import ORIGINAL, Settings, Style  # noqa: E402
from impasto_engine.weighing import Weights, weights_of  # noqa: E402
from impasto_engine.workshop import Workshop  # noqa: E402
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

_log = logging.getLogger(__name__)

SIGNS_OF_EXHAUSTION = ("resourceexhausted", "resource_exhausted", "outofmemory", "out of memory", "memoryerror")
"""How the exceptions of TensorFlow, JAX, PyTorch and Python say that memory is not enough; they share no class."""


class EngineStudio:
    """See the module, and `Studio`.

    The networks of an order that names none are loaded at once, so that the first painting need not wait for them.
    Compiled functions and the statistics of styles are kept from one painting to the next.

    Args:
        device: Which of this machine's devices it computes on.
        memory_budget_bytes: What the process may take; None for the engine's own rule.
        workshop: Where these are kept; None for a new one.
    """

    def __init__(
        self, device: int = 0, *, memory_budget_bytes: int | None = None, workshop: Workshop | None = None
    ) -> None:
        self._budget_bytes = memory_budget_bytes
        with refusing():
            self.devices = backend.current().use_device(device)
            self.device = backend.current().device()
            found = networks.available()
        self.networks = tuple(each.name for each in found)
        self._loaded: dict[str, Network] = {}
        self._digests: dict[str, bytes | None] = {}
        self._workshop = Workshop() if workshop is None else workshop
        with refusing():
            self._networks(None, None, Settings())

    def estimate(self, question: m.Estimate) -> m.Estimated:
        """See `Studio`."""
        with refusing():
            settings = _engine_settings(question.settings)
            network, polisher = self._networks(question.network, question.polish, settings)
            budget_bytes = self._budget(question.memory_budget_bytes)
            found = estimate(
                question.height,
                question.width,
                network,
                settings,
                polisher=polisher,
                styles=question.styles,
                memory_budget_bytes=budget_bytes,
            )
        return m.Estimated(
            width=found.width,
            height=found.height,
            evaluations=found.evaluations,
            duration_s=found.seconds,
            memory_bytes=found.memory_bytes,
            memory_budget_bytes=budget_bytes,
        )

    def paint(self, assignment: Assignment, easel: Easel) -> Canvas:
        """See `Studio`."""
        order = assignment.order
        with refusing():
            polish = order.polish if order.kind is OrderKind.TRANSFER else NO_POLISH
            network, polisher = self._networks(order.network, polish, _engine_settings(order.settings))
            budget_bytes = self._budget(order.memory_budget_bytes)
            if budget_bytes is not None:
                check_affordable(order, network, polisher, _engine_settings(order.settings), budget_bytes)
            commission = _Commission(assignment, easel, network, polisher, self._workshop, budget_bytes)
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
            polisher=None if polisher is None else polisher.name,
            versions=versions(),
            network_digest=self._digests[network.name],
            polisher_digest=None if polisher is None else self._digests[polisher.name],
        )

    def _budget(self, asked_bytes: int | None) -> int | None:
        """The smaller of what an order asks for and what the daemon was given."""
        return min((each for each in (asked_bytes, self._budget_bytes) if each is not None), default=None)

    def _networks(self, network: str | None, polish: str | None, settings: Settings) -> tuple[Network, Network | None]:
        return load_networks(network, polish, settings, load=lambda name, _: self._network(name))

    def _network(self, key: str) -> Network:
        if key not in self._loaded:
            network = networks.load_network(key)
            self._loaded[key] = self._loaded[network.name] = self._loaded.get(network.name, network)
            if network.name not in self._digests:  # now, as the file may be another when a painting ends
                self._digests[network.name] = _digest_of(Path(network.weights))
        return self._loaded[key]


class _Commission:
    """One order on its way through the engine."""

    def __init__(
        self,
        assignment: Assignment,
        easel: Easel,
        network: Network,
        polisher: Network | None,
        workshop: Workshop,
        budget_bytes: int | None,
    ) -> None:
        order, files = assignment.order, assignment.pictures
        self._assignment = assignment
        self._order = order
        self._easel = easel
        self._network = network
        self._polisher = polisher
        self._workshop = workshop
        self._budget_bytes = budget_bytes
        self._evaluation = 0
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

    def carried_out(self) -> Painting:
        """Paints, from the checkpoint on where there is one that is sound.

        Raises:
            PaintingFailedError: Only the picture in the checkpoint was wanted, and there is no sound one.
        """
        if self._assignment.checkpoint.exists():
            try:
                return self._painted(self._checkpoint)
            except CheckpointError as error:
                follows = "has no picture" if self._assignment.is_cancelled else "begins anew"
                _log.warning("The job %s %s: %s", self._assignment.job, follows, error)
        if self._assignment.is_cancelled:
            raise PaintingFailedError("The picture so far cannot be read any more; paint it anew.")
        return self._painted(None)

    def _checkpoint(self) -> Checkpoint:
        checkpoint = read_checkpoint(self._assignment.checkpoint)
        _log.info("The job %s goes on after %d evaluations.", self._assignment.job, checkpoint.evaluation)
        return checkpoint

    def _painted(self, checkpoint: Callable[[], Checkpoint] | None) -> Painting:
        order = self._order
        attendance: Attendance = {
            "on_progress": self._told,
            "should_stop": self._should_stop,
            "checkpoint": checkpoint,
            "workshop": self._workshop,
            "memory_budget_bytes": self._budget_bytes,
        }
        if order.kind is OrderKind.TRANSFER:
            attendance["weights"] = lambda: self._weights(self._easel.adjustment)
            return paint(
                self._content,
                self._styles,
                self._network,
                self._settings,
                polisher=self._polisher,
                start=self._start,
                **attendance,
            )
        assert order.layer is not None  # noqa: S101
        reconstruct = reconstruct_content if order.kind is OrderKind.CONTENT_RECONSTRUCTION else reconstruct_style
        return reconstruct(self._content, order.layer, self._network, self._settings, **attendance)

    def _weights(self, adjustment: Adjustment) -> Weights:
        own = weights_of(replace(self._settings, **_changes(adjustment)), self._styles)
        return own if adjustment.style_weights is None else replace(own, styles=adjustment.style_weights)

    def _should_stop(self) -> bool:
        stop_at = self._order.stop_at
        return self._easel.should_stop() or (stop_at is not None and self._evaluation >= stop_at)

    def _told(self, progress: Progress) -> None:
        self._evaluation = progress.evaluation
        wish = self._order.previews
        if wish is not None and self._easel.wants_preview():
            self._easel.show(progress.evaluation, *preview_of(progress.preview(), wish.longer_side))
        self._easel.told(
            m.Progress(
                job=self._assignment.job,
                evaluation=progress.evaluation,
                evaluations=progress.evaluations,
                scale=progress.scale,
                scales=progress.scales,
                width=progress.width,
                height=progress.height,
                losses=_finite(progress.losses),
                best_loss=progress.best_loss if math.isfinite(progress.best_loss) else None,
                elapsed_s=progress.seconds,
                remaining_s=progress.remaining_s,
                rollbacks=progress.rollbacks,
            ),
            keep=lambda file: progress.checkpoint().write(file),
        )


def _digest_of(weights: Path) -> bytes | None:
    """Of a file of weights; None where Keras has downloaded them, or they can no longer be read."""
    try:
        return bytes.fromhex(sha256_of(weights))
    except OSError:
        return None


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
