"""Painting: the loop over scales that turns a content image and style images into a picture.

Reads no clock but the one it is given and no random state but the seed's, and does no I/O, but for
`precision="auto"`, which asks `machine` for what it measured once.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from impasto_engine import backend, machine
from impasto_engine.descent import Descent, descend
from impasto_engine.errors import SettingsError
from impasto_engine.materials import Materials, prepare
from impasto_engine.networks.network import Network, Precision, evaluation_work
from impasto_engine.optimisers import OPTIMISERS
from impasto_engine.progress import Painting, Progress
from impasto_engine.recipes import Recipe, Start, recipe_named
from impasto_engine.resample import fit, resize
from impasto_engine.scales import Scale
from impasto_engine.settings import ORIGINAL, Settings, Style
from impasto_engine.stages import Stage, stages
from impasto_engine.targets import Problem, Weights, pose
from impasto_engine.types import Pixels

__all__ = ["paint", "painting_size", "reconstruct_content", "reconstruct_style", "weights_of"]

OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]
Clock = Callable[[], float]

Colours = NDArray[np.float32]


def paint(
    content: Pixels,
    styles: Sequence[Style],
    network: Network,
    settings: Settings | None = None,
    *,
    polisher: Network | None = None,
    start: Pixels | None = None,
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    clock: Clock = time.monotonic,
) -> Painting:
    """Paints the content image in the style of the style images.

    Args:
        content: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1].
        styles: One or more.
        network: The feature network.
        settings: How to paint.
        polisher: A slower and better network that paints on, at full size, where `network` has ended; None for none.
        start: The picture to start from, for `init="picture"`; any size.
        on_progress: Called after each evaluation.
        should_stop: Asked after each evaluation; once it says True, the best picture so far is the result.
        clock: Gives seconds.

    Raises:
        PictureError: A picture has an impossible shape or holds numbers that are not finite.
        SettingsError: The settings contradict each other or the network.
        PaintingError: The network gives no finite number for the starting picture.
    """
    settings = settings or Settings()
    if not styles:
        raise SettingsError("No style image is given; give at least one.")

    def taps_of(network: Network) -> _Taps:
        return _Taps(
            content=network.content_taps if settings.content_layers is None else settings.content_layers,
            style=network.style_taps if settings.style_layers is None else settings.style_layers,
        )

    painter = _Painter(
        materials=prepare(content, styles, settings.color),
        network=network,
        polisher=polisher,
        settings=settings,
        taps_of=taps_of,
        init=settings.init or recipe_named(settings.recipe).start,
        start=start,
        on_progress=on_progress,
        should_stop=should_stop,
        clock=clock,
    )
    return painter.paint()


def reconstruct_content(
    picture: Pixels,
    layer: str,
    network: Network,
    settings: Settings | None = None,
    *,
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    clock: Clock = time.monotonic,
) -> Painting:
    """Paints, from noise, a picture with the same features at one layer (Gatys et al. 2015, figure 1, below).

    Args and errors are those of `paint`.
    """
    settings = settings or Settings()
    painter = _Painter(
        materials=prepare(picture, (), settings.color),
        network=network,
        polisher=None,
        settings=settings,
        taps_of=lambda _: _Taps(content=(layer,), style=()),
        init=settings.init or Start.NOISE,
        start=None,
        on_progress=on_progress,
        should_stop=should_stop,
        clock=clock,
    )
    return painter.paint()


def reconstruct_style(
    picture: Pixels,
    layer: str,
    network: Network,
    settings: Settings | None = None,
    *,
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    clock: Clock = time.monotonic,
) -> Painting:
    """Paints, from noise, a picture with the same style up to a layer (Gatys et al. 2015, figure 1, above).

    The style is taken at the network's style taps that are no deeper than `layer`, and at `layer` itself.
    Args and errors are those of `paint`.
    """
    settings = settings or Settings()
    if layer not in network.taps:
        raise SettingsError(f"{network.name} has no layer {layer!r}; choose among {', '.join(network.taps)}.")
    depth = network.taps.index(layer)
    shallower = tuple(tap for tap in network.style_taps if network.taps.index(tap) < depth)
    painter = _Painter(
        materials=prepare(picture[..., :3], (Style(pixels=picture),), settings.color),
        network=network,
        polisher=None,
        settings=settings,
        taps_of=lambda _: _Taps(content=(), style=(*shallower, layer)),
        init=settings.init or Start.NOISE,
        start=None,
        on_progress=on_progress,
        should_stop=should_stop,
        clock=clock,
    )
    return painter.paint()


def painting_size(height: int, width: int, settings: Settings) -> tuple[int, int]:
    """The height and width in which a content image of `height` × `width` will be painted."""
    recipe = recipe_named(settings.recipe)
    if settings.size == ORIGINAL:
        return height, width
    if settings.size is not None:
        return fit(height, width, int(settings.size))
    if recipe.rows is not None:
        return recipe.rows, max(1, int(width * recipe.rows / height))
    return fit(height, width, recipe.longer_side)


def weights_of(settings: Settings) -> Weights:
    """The weights of the three losses that the settings come to."""
    recipe = recipe_named(settings.recipe)
    return Weights(
        content=settings.content_weight_in(recipe),
        style=recipe.style_weight if settings.style_weight is None else settings.style_weight,
        tv=recipe.tv_weight if settings.tv_weight is None else settings.tv_weight,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taps:
    """Where a network's features are compared."""

    content: tuple[str, ...]
    style: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Painter:
    """One painting while it is being made."""

    materials: Materials
    network: Network
    polisher: Network | None
    settings: Settings
    taps_of: Callable[[Network], _Taps]
    init: Start
    start: Pixels | None
    on_progress: OnProgress
    should_stop: ShouldStop
    clock: Clock
    _began: float = field(init=False, default=0.0)
    _spent: int = field(init=False, default=0)
    _rollbacks: int = field(init=False, default=0)
    _compiled_at: float = field(init=False, default=0.0)
    _work_s: float | None = field(init=False, default=None)

    def paint(self) -> Painting:
        recipe = recipe_named(self.settings.recipe)
        height, width = painting_size(self.materials.content.shape[0], self.materials.content.shape[1], self.settings)
        precision = machine.resolve_precision(self.settings.precision)
        plan = stages(height, width, self.network, self.polisher, self.settings)
        work = [self._work_of(stage, precision) for stage in plan]
        self._began = self.clock()
        picture = self._start_at(plan[0].scale)
        for index, stage in enumerate(plan):
            scale = stage.scale
            if picture.shape[:2] != (scale.height, scale.width):
                picture = resize(picture, scale.height, scale.width)
            problem = self._pose(stage, recipe, precision)
            descent = self._descend(problem, picture, plan, work, index)
            picture = descent.picture
            self._spent += descent.evaluations
            self._rollbacks += descent.rollbacks
            if descent.stopped:
                picture = resize(picture, height, width)
                break
        return Painting(
            pixels=self.materials.finished(picture),
            losses=problem.losses(descent.terms),
            evaluations=self._spent,
            seconds=self.clock() - self._began,
            stopped=descent.stopped,
            rollbacks=self._rollbacks,
            precision=precision.value,
        )

    def _work_of(self, stage: Stage, precision: Precision) -> float:
        """What an evaluation costs, for comparison with another stage's."""
        recipe, taps = recipe_named(self.settings.recipe), self.taps_of(stage.network)
        cut = stage.network.extractor(
            (*taps.content, *taps.style), pooling=self.settings.pooling, edges=recipe.edges, precision=precision
        )
        return evaluation_work(cut, stage.scale.height, stage.scale.width)

    def _start_at(self, scale: Scale) -> Colours:
        height, width = scale.height, scale.width
        if self.init is Start.NOISE:
            noise = np.random.default_rng(self.settings.seed).uniform(0.0, 255.0, (height, width, 3))
            return noise.astype(np.float32)
        if self.init is Start.STYLE:
            return self.materials.style_covering(height, width)
        if self.init is Start.PICTURE:
            if self.start is None:
                raise SettingsError("Painting is to start from a picture, but none is given; give one.")
            return prepare(self.start, (), self.settings.color).content_at(height, width)[0]
        return self.materials.content_at(height, width)[0]

    def _pose(self, stage: Stage, recipe: Recipe, precision: Precision) -> Problem:
        height, width = stage.scale.height, stage.scale.width
        content, alpha = self.materials.content_at(height, width)
        taps = self.taps_of(stage.network)
        return pose(
            content=content,
            alpha=alpha,
            styles=self.materials.sources_at(
                height, width, self.settings.style_scale, as_content=recipe.style_as_content
            ),
            network=stage.network,
            recipe=recipe,
            weights=weights_of(self.settings),
            content_taps=taps.content,
            style_taps=taps.style,
            pooling=self.settings.pooling,
            precision=precision,
        )

    def _descend(
        self, problem: Problem, picture: Colours, plan: Sequence[Stage], work: Sequence[float], index: int
    ) -> Descent:
        recipe = recipe_named(self.settings.recipe)
        scale = plan[index].scale
        compiled = backend.current().compile_gradient(problem.objective)
        evaluations = sum(stage.scale.evaluations for stage in plan)
        to_come = sum(s.scale.evaluations * w for s, w in zip(plan[index + 1 :], work[index + 1 :], strict=True))

        def evaluate(point: Colours) -> tuple[NDArray[np.float32], Colours]:
            terms, gradient = compiled(point[None], problem.arguments)
            return terms, gradient[0]

        def told(state: Descent, terms: NDArray[np.float32]) -> bool:
            now = self.clock()
            if state.evaluations == 1:
                self._compiled_at = now
            else:
                self._work_s = (now - self._compiled_at) / ((state.evaluations - 1) * work[index])
            left = (scale.evaluations - state.evaluations) * work[index] + to_come
            best = state.picture
            self.on_progress(
                Progress(
                    evaluation=self._spent + state.evaluations,
                    evaluations=evaluations,
                    scale=index + 1,
                    scales=len(plan),
                    height=scale.height,
                    width=scale.width,
                    network=plan[index].network.name,
                    losses=problem.losses(terms),
                    best_loss=state.loss,
                    seconds=now - self._began,
                    remaining_s=None if self._work_s is None else self._work_s * left,
                    rollbacks=self._rollbacks + state.rollbacks,
                    preview=lambda: self.materials.finished(best),
                )
            )
            return self.should_stop()

        return descend(
            evaluate,
            picture,
            scale.evaluations,
            minimise=OPTIMISERS[self.settings.optimizer or recipe.optimizer],
            bounds=(0.0, 255.0) if recipe.bounded else None,
            first_step=recipe.first_step,
            round_evaluations=recipe.round_evaluations,
            on_evaluation=told,
        )
