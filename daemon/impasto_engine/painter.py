"""The painter: one painting while it is being made, from stage to stage."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property, lru_cache
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from impasto_engine import backend, machine
from impasto_engine.budget import Demand, default_budget_bytes, held_bytes, room_within, work
from impasto_engine.checkpoint import Checkpoint
from impasto_engine.descent import Descent, Origin, descend
from impasto_engine.device_descent import compile_descent, descend_on_device, is_memory_of_device
from impasto_engine.errors import CheckpointError, SettingsError
from impasto_engine.fingerprint import fingerprint
from impasto_engine.materials import Materials, prepare
from impasto_engine.networks.network import Extractor, Network
from impasto_engine.optimisers import DEVICE, OPTIMISERS, optimizer_for
from impasto_engine.pace import Pace
from impasto_engine.progress import Losses, Painting, Progress
from impasto_engine.recipes import Start, recipe_named
from impasto_engine.resample import resize
from impasto_engine.scales import Scale
from impasto_engine.settings import Settings
from impasto_engine.stages import Stage, painting_size, stages
from impasto_engine.targets import Problem, pose
from impasto_engine.types import Pixels
from impasto_engine.version import __version__
from impasto_engine.weighing import Weights
from impasto_engine.workshop import Workshop

__all__ = ["Attendance", "Painter", "Taps"]

Colours = NDArray[np.float32]

WEIGHTS = ("strength", "content_weight", "style_weight", "tv_weight")
"""The settings that may change while a picture is being painted."""


class Attendance(TypedDict, total=False):
    """What a caller may have to do with a painting while it is being made.

    Attributes:
        on_progress: Called after each evaluation.
        should_stop: Asked after each evaluation; once it says True, the best picture so far is the result.
        weights: Asked before each evaluation for the weights of the losses; those of the settings and styles unless
            given. When they change, painting goes on from the best picture, at the scale it has come to.
        checkpoint: Where the same painting stood once (see `Progress`), to go on from there rather than to begin; or
            what gives that, so that its vectors are not kept in memory for as long as painting takes. With the
            optimiser `lbfgs` it goes on as if it had never stopped; SciPy's starts anew from the best picture.
        workshop: Where compiled functions and statistics of earlier paintings may be at hand.
        memory_budget_bytes: What the process may take at its peak, as far as that can be had (see `budget`); half of
            the machine's memory unless given.
        clock: Gives seconds.
    """

    on_progress: Callable[[Progress], None]
    should_stop: Callable[[], bool]
    weights: Callable[[], Weights]
    checkpoint: Checkpoint | Callable[[], Checkpoint] | None
    workshop: Workshop | None
    memory_budget_bytes: int | None
    clock: Callable[[], float]


class Taps(NamedTuple):
    """Where a network's features are compared."""

    content: tuple[str, ...]
    style: tuple[str, ...]


class Painter:
    """See the module.

    Args:
        materials: The pictures.
        network: The feature network.
        polisher: The one that paints on at full size; None for none.
        settings: How to paint.
        taps_of: Where features are compared.
        init: What painting starts from.
        start: The picture to start from, for `init="picture"`.
        weights, checkpoint, workshop, memory_budget_bytes, on_progress, should_stop, clock: See `Attendance`.
    """

    def __init__(
        self,
        *,
        materials: Materials,
        network: Network,
        settings: Settings,
        taps_of: Callable[[Network], Taps],
        init: Start,
        weights: Callable[[], Weights],
        polisher: Network | None = None,
        start: Pixels | None = None,
        checkpoint: Checkpoint | Callable[[], Checkpoint] | None = None,
        workshop: Workshop | None = None,
        memory_budget_bytes: int | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._materials = materials
        self._settings = settings
        self._recipe = recipe_named(settings.recipe)
        self._taps_of = taps_of
        self._init = init
        self._start = start
        self._weights = weights
        self._checkpoint = checkpoint
        self._workshop = workshop or Workshop()
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._clock = clock
        self._height, self._width = painting_size(materials.content.shape[0], materials.content.shape[1], settings)
        self._precision = machine.resolve_precision(settings.precision)
        self._plan = stages(self._height, self._width, network, polisher, settings)
        networks = [each for each in (network, polisher) if each is not None]
        held = held_bytes(networks, materials.content.shape[0] * materials.content.shape[1], settings.color)
        budget_bytes = memory_budget_bytes or default_budget_bytes()
        self._rooms = [
            room_within(
                Demand(
                    extractor=self._cut(each),
                    content_taps=taps_of(each.network).content,
                    height=each.scale.height,
                    width=each.scale.width,
                    held_bytes=held,
                    optimizer=settings.optimizer or self._recipe.optimizer,
                ),
                budget_bytes,
            )
            for each in self._plan
        ]
        self._work = [
            work(self._cut(each), each.scale.height, each.scale.width, room.crop)
            for each, room in zip(self._plan, self._rooms, strict=True)
        ]
        self._pace = Pace()
        self._began = 0.0
        self._spent = 0
        self._rollbacks = 0

    def paint(self) -> Painting:
        """Paints the picture.

        Raises:
            EngineError: As `painting.paint` says.
        """
        self._began = self._clock()
        first, held = self._begun()
        for index in range(first, len(self._plan)):
            losses, stopped = self._painted_stage(index, held)
            if stopped:
                break
        return Painting(
            pixels=self._materials.finished(resize(held.pop().picture, self._height, self._width)),
            losses=losses,
            evaluations=self._spent,
            seconds=self._clock() - self._began,
            stopped=stopped,
            rollbacks=self._rollbacks,
            precision=self._precision.value,
        )

    def _begun(self) -> "tuple[int, list[Descent[Weights]]]":
        """The stage to begin with, and what it begins from: its only holder, from which the optimiser takes it."""
        checkpoint, self._checkpoint = self._checkpoint, None
        if checkpoint is None:
            return 0, [Descent(picture=self._start_at(self._plan[0].scale), weights=self._weights())]
        first, descent = self._taken_up(checkpoint() if callable(checkpoint) else checkpoint)
        return first, [descent]

    def _painted_stage(self, index: int, held: "list[Descent[Weights]]") -> tuple[Losses, bool]:
        """Its losses, and whether it was stopped; what the next stage begins from is then where this one's was."""
        scale, problem = self._plan[index].scale, self._pose(index)

        def taken() -> Descent[Weights]:
            at = held.pop()
            return replace(at, picture=resize(at.picture, scale.height, scale.width))

        outcome = self._descend(problem, taken, index)
        held.append(Descent(picture=outcome.picture, weights=outcome.weights))
        self._spent += outcome.evaluations
        self._rollbacks += outcome.rollbacks
        return problem.losses(outcome.terms), outcome.stopped

    @cached_property
    def _identity(self) -> str:
        """What this painting has in common with one that may go on from its checkpoints."""
        settings = {name: value for name, value in asdict(self._settings).items() if name not in WEIGHTS}
        networks = [(each.network.name, self._taps_of(each.network), self._cut(each).parameters) for each in self._plan]
        own = self._materials
        pictures = (own.content, own.alpha, own.styles, own.regions, self._start)
        return fingerprint((__version__, settings, self._init, self._precision, networks, pictures))

    def _taken_up(self, checkpoint: Checkpoint) -> tuple[int, Descent[Weights]]:
        if checkpoint.identity != self._identity:
            raise CheckpointError(
                "The checkpoint is of another painting: pictures, networks, settings or version differ; paint anew."
            )
        stage = self._plan[checkpoint.stage] if 0 <= checkpoint.stage < len(self._plan) else None
        shape = checkpoint.descent.picture.shape
        if stage is None or shape != (stage.scale.height, stage.scale.width, 3):
            raise CheckpointError(f"The checkpoint has a picture of shape {shape} that fits no stage; paint anew.")
        taps, terms = self._taps_of(stage.network), checkpoint.descent.terms.size
        if terms != len(taps.content) + len(taps.style) + 1:
            raise CheckpointError(f"The checkpoint has {terms} terms that are not this painting's; paint anew.")
        self._began -= checkpoint.seconds
        self._spent = checkpoint.evaluations
        self._rollbacks = checkpoint.rollbacks
        descent, on_device = checkpoint.descent, self._optimizer(checkpoint.stage) == DEVICE
        if descent.memory is not None and is_memory_of_device(descent.memory) != on_device:
            descent = replace(descent, memory=None)  # begun on another machine: on from the best picture
        return checkpoint.stage, descent

    def _optimizer(self, index: int) -> str:
        wanted = self._settings.optimizer or self._recipe.optimizer
        return optimizer_for(wanted, device=backend.current().device(), tiled=self._rooms[index].crop is not None)

    def _start_at(self, scale: Scale) -> Colours:
        height, width = scale.height, scale.width
        if self._init is Start.NOISE:
            noise = np.random.default_rng(self._settings.seed).uniform(0.0, 255.0, (height, width, 3))
            return noise.astype(np.float32)
        if self._init is Start.STYLE:
            return self._materials.style_covering(height, width)
        if self._init is Start.PICTURE:
            if self._start is None:
                raise SettingsError("Painting is to start from a picture, but none is given; give one.")
            return prepare(self._start, (), self._settings.color).content_at(height, width)[0]
        return self._materials.content_at(height, width)[0]

    def _cut(self, stage: Stage) -> Extractor:
        taps = self._taps_of(stage.network)
        return stage.network.extractor(
            tuple(dict.fromkeys((*taps.content, *taps.style))),
            pooling=self._settings.pooling,
            edges=self._recipe.edges,
            precision=self._precision,
        )

    def _pose(self, index: int) -> Problem:
        stage = self._plan[index]
        height, width = stage.scale.height, stage.scale.width
        content, alpha = self._materials.content_at(height, width)
        taps = self._taps_of(stage.network)
        return pose(
            content=content,
            alpha=alpha,
            styles=self._materials.sources_at(
                height, width, self._settings.style_scale, as_content=self._recipe.style_as_content
            ),
            network=stage.network,
            recipe=self._recipe,
            weights=self._weights(),
            content_taps=taps.content,
            style_taps=taps.style,
            pooling=self._settings.pooling,
            precision=self._precision,
            crop=self._rooms[index].crop,
            workshop=self._workshop,
        )

    def _descend(self, problem: Problem, origin: Origin[Weights], index: int) -> Descent[Weights]:
        scale, recipe = self._plan[index].scale, self._recipe
        shape = (scale.height, scale.width, 3)
        bounds = (0.0, 255.0) if recipe.bounded else None
        weighed = lru_cache(maxsize=1)(problem.weighed)

        def told(
            state: Descent[Weights], terms: NDArray[np.float32], resumable: Callable[[], Descent[Weights]]
        ) -> bool:
            self._on_progress(self._progress(problem.losses(terms), state, resumable, index))
            return self._should_stop()

        self._pace.begin()
        optimizer = self._optimizer(index)
        if optimizer == DEVICE:
            return descend_on_device(
                self._workshop.function(
                    (problem.kind, bounds),
                    shape,
                    problem.arguments,
                    lambda: compile_descent(problem.objective, (1, *shape), bounds),
                ),
                weighed,
                origin,
                scale.evaluations,
                terms=len(problem.objective.term_names),
                bounds=bounds,
                first_step=recipe.first_step,
                round_evaluations=recipe.round_evaluations,
                weights=self._weights,
                on_evaluation=told,
                ends_on_plateau=recipe.ends_on_plateau,
                clock=self._clock,
            )
        compiled = self._workshop.function(problem.kind, shape, problem.arguments, problem.gradient)

        def evaluate(point: Colours, weights: Weights) -> tuple[NDArray[np.float32], Colours]:
            terms, gradient = compiled(point[None], weighed(weights))
            return terms, gradient[0]

        return descend(
            evaluate,
            origin,
            scale.evaluations,
            minimise=OPTIMISERS[optimizer],
            bounds=bounds,
            first_step=recipe.first_step,
            round_evaluations=recipe.round_evaluations,
            weights=self._weights,
            on_evaluation=told,
            ends_on_plateau=recipe.ends_on_plateau,
            history=self._rooms[index].history,
        )

    def _progress(
        self, losses: Losses, state: Descent[Weights], resumable: Callable[[], Descent[Weights]], index: int
    ) -> Progress:
        stage, now = self._plan[index], self._clock()
        seconds, spent, rollbacks = now - self._began, self._spent, self._rollbacks
        self._pace.evaluated(now, self._work[index])
        planned = [each.scale.evaluations for each in self._plan]
        left = [planned[index] - state.evaluations, *planned[index + 1 :]]
        return Progress(
            evaluation=spent + state.evaluations,
            evaluations=sum(planned),
            scale=index + 1,
            scales=len(self._plan),
            height=stage.scale.height,
            width=stage.scale.width,
            network=stage.network.name,
            losses=losses,
            best_loss=state.loss,
            seconds=seconds,
            remaining_s=self._pace.remaining_s(float(np.dot(left, self._work[index:]))),
            rollbacks=rollbacks + state.rollbacks,
            preview=lambda: self._materials.finished(state.picture),
            checkpoint=lambda: Checkpoint(
                identity=self._identity,
                stage=index,
                evaluations=spent,
                rollbacks=rollbacks,
                seconds=seconds,
                descent=resumable(),
            ),
        )
