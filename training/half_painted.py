"""Pictures that the student itself is painting while it learns.

An optimiser follows the student's gradient into whatever the student does not see, so that is where the student has to
be corrected: on half-painted pictures, and on the steps that its own loss takes (the thought of S. Ross et al., "A
Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", 2011). A few pictures are
always on the easel; each batch takes one step of Adam on every one of them, and after some steps a new crop takes its
place.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from keras import ops
from numpy.typing import NDArray

from impasto_engine import backend
from impasto_engine.networks.network import Extractor
from impasto_engine.types import Tensor, Tree
from training.pictures import Colours, crops

__all__ = ["Easel"]

STYLE_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
CONTENT_LAYER = "block4_conv2"

MOST_STEPS = 100
"""Steps after which a painting is taken off the easel, at the latest."""

STEP = (1.5, 12.0)
"""Grey levels that a value moves in one step, at least and at most."""

STRENGTHS = (0.03, 3.0)
"""What the content loss counts beside the style loss, at least and at most."""

DECAY, SQUARE_DECAY, FLOOR = 0.8, 0.95, 1e-12
"""Of Adam (D. Kingma, J. Ba, 2014), quicker to forget than usual since a painting takes few steps."""


class Easel:
    """The pictures being painted.

    Args:
        student: The student, cut at its deepest layer.
        pool: Pictures to take crops from.
        count: Pictures on the easel.
        side: Pixels of their sides.
        rng: Draws crops, strengths and steps.
    """

    def __init__(
        self,
        student: Extractor,
        pool: Sequence[NDArray[np.uint8]],
        *,
        count: int,
        side: int,
        rng: np.random.Generator,
    ) -> None:
        self._pool, self._side, self._rng = pool, side, rng
        self._pictures, self._mean, self._square = np.zeros((3, count, side, side, 3), np.float32)
        self._targets: list[Tree] = [{} for _ in range(count)]
        self._strengths = np.zeros(count, np.float32)
        self._steps, self._most = np.zeros((2, count), np.int64)
        self._look = backend.current().compile_forward(lambda p, a: _targets(student, p, a))
        self._gradient = backend.current().compile_gradient(lambda p, a: losses(student, p, a))

    def step(self, parameters: Tree, readings: Mapping[str, Tensor]) -> tuple[Colours, Colours]:
        """Paints on by one step: the pictures before and after it, each `(n, H, W, 3)` float32, sRGB, 0-255.

        Args:
            parameters: The student's kernels as they are now.
            readings: Its reading matrices.
        """
        for n in np.flatnonzero(self._steps == self._most):
            self._begin(int(n), parameters)
        targets = {name: np.concatenate([each[name] for each in self._targets]) for name in self._targets[0]}
        arguments = {
            "parameters": parameters,
            "readings": readings,
            "targets": targets,
            "strengths": self._strengths,
        }
        _, gradient = self._gradient(self._pictures, arguments)
        self._steps += 1
        self._mean = DECAY * self._mean + (1 - DECAY) * gradient
        self._square = SQUARE_DECAY * self._square + (1 - SQUARE_DECAY) * np.square(gradient)
        age = self._steps[:, None, None, None].astype(np.float32)
        mean, square = self._mean / (1 - DECAY**age), self._square / (1 - SQUARE_DECAY**age)
        length = np.exp(self._rng.uniform(*np.log(STEP), (len(age), 1, 1, 1)))
        before = self._pictures
        after = np.clip(before - length * mean / np.sqrt(square + FLOOR), 0.0, 255.0)
        self._pictures = after.astype(np.float32)
        return before, self._pictures

    def _begin(self, n: int, parameters: Tree) -> None:
        both = crops(self._pool, self._rng, count=2, side=self._side)
        self._targets[n] = {name: ops.convert_to_numpy(each) for name, each in self._look(both, parameters).items()}
        self._pictures = self._pictures.copy()
        self._pictures[n] = both[0]
        self._mean[n] = self._square[n] = 0.0
        self._strengths[n] = np.exp(self._rng.uniform(*np.log(STRENGTHS)))
        self._steps[n], self._most[n] = 0, self._rng.integers(1, MOST_STEPS + 1)


def _targets(student: Extractor, pictures: Tensor, parameters: Tree) -> Tree:
    """What the student sees of a content image and a style image, the two `pictures`."""
    seen = student(pictures, parameters)
    targets = {CONTENT_LAYER: ops.cast(seen[CONTENT_LAYER][:1], "float32")}
    for layer in STYLE_LAYERS:
        targets[f"{layer}/mean"], targets[f"{layer}/covariance"] = _statistics(seen[layer][1:])
    return targets


def losses(student: Extractor, pictures: Tensor, arguments: Tree) -> Tensor:
    """For each picture the loss of the recipe `impasto` as the student sees it, `(n,)`, but for total variation.

    Args:
        student: The student.
        pictures: `(n, H, W, 3)` float32, sRGB, 0-255.
        arguments: See `Easel.step`.
    """
    seen, targets = student(pictures, arguments["parameters"]), arguments["targets"]
    reading = arguments["readings"][CONTENT_LAYER]
    loss = arguments["strengths"] * _relative(
        ops.matmul(ops.cast(seen[CONTENT_LAYER], "float32"), reading), ops.matmul(targets[CONTENT_LAYER], reading)
    )
    for layer in STYLE_LAYERS:
        reading = arguments["readings"][layer]
        mean, covariance = _read(_statistics(seen[layer]), reading)
        her_mean, her_covariance = _read((targets[f"{layer}/mean"], targets[f"{layer}/covariance"]), reading)
        loss = loss + _relative(mean, her_mean) + _relative(covariance, her_covariance)
    return loss


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Means `(n, 1, c)` and covariances `(n, c, c)`, float32."""
    count, height, width, channels = features.shape
    flat = ops.cast(ops.reshape(features, (count, height * width, channels)), "float32")
    mean = ops.mean(flat, axis=1, keepdims=True)
    covariance = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (height * width)
    return mean, covariance - ops.matmul(ops.transpose(mean, (0, 2, 1)), mean)


def _read(seen: tuple[Tensor, Tensor], reading: Tensor) -> tuple[Tensor, Tensor]:
    """The statistics in the teacher's space."""
    mean, covariance = seen
    return ops.matmul(mean, reading), ops.matmul(ops.transpose(reading), ops.matmul(covariance, reading))


def _relative(value: Tensor, target: Tensor) -> Tensor:
    axes = tuple(range(1, len(value.shape)))
    return ops.sum(ops.square(value - target), axis=axes) / (ops.sum(ops.square(target), axis=axes) + FLOOR)
