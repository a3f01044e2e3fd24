"""What the student is held to, as a Keras model, so that any backend trains it.

For each layer a reading matrix maps the student's features to the teacher's (H. Wang et al., "Collaborative
Distillation for Ultra-Resolution Universal Style Transfer", CVPR 2020, §3), and two errors are taken, each as the share
of what there is to explain:

- of the features: `Σ ‖T - S Q‖² / Σ ‖T - mean T‖²`;
- of how they change from a picture to its neighbour: `Σ ‖ΔT - ΔS Q‖² / Σ ‖ΔT‖²`, for each pair by itself. Painting
  follows the gradient of a loss, which is made of such changes.

A third, of the statistics that make a style, was tried and taken out: it made features and paintings worse.
"""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.networks.vgg import Parameters, Vgg
from impasto_engine.types import Tensor
from training.beginning import Kernels

__all__ = ["Distillation"]

STRIDES = {"block1": 4, "block2": 4, "block3": 2}
"""Of the positions at which features are compared: in fine layers, where there are many and neighbours are much alike,
only every fourth or second row and column."""

SMALLEST_CHANGE = 1e-2
"""Of the variance of a layer's features: changes smaller than that count as if they were so large."""


class Distillation(keras.Model):
    """The student and its reading matrices, with the teacher beside it.

    Args:
        teacher: The network to be like.
        kernels: What the student begins with.
        readings: For each layer the matrix `(student's channels, teacher's channels)` to begin with.
        weights: How much each layer counts.
        precision: In which the features are computed; kernels are float32.
        changes: How much errors of changes count beside errors of features.
    """

    def __init__(
        self,
        teacher: Vgg,
        kernels: Kernels,
        readings: Mapping[str, np.ndarray],
        weights: Mapping[str, float],
        *,
        precision: Precision,
        changes: float,
    ) -> None:
        super().__init__()
        layers = tuple(kernels)
        how = {"pooling": Pooling.MAX, "edges": Edges.REPLICATE, "precision": precision}
        self._teacher = teacher.extractor(tuple(weights), **how)
        self.student = Vgg("student", kernels, "in training").extractor(layers, **how)
        self._weights = weights
        self._dtype = precision.value
        self._changes_count = changes
        self._kernels = {
            layer: (self._variable(f"{layer}_kernel", kernel), self._variable(f"{layer}_bias", bias))
            for layer, (kernel, bias) in kernels.items()
        }
        self._readings = {layer: self._variable(f"{layer}_reading", q) for layer, q in readings.items()}
        self._means = {
            f"{what}/{layer}": keras.metrics.Mean(f"{what}/{layer}")
            for what in ("features", "changes")
            for layer in weights
        }

    def _variable(self, name: str, value: np.ndarray) -> keras.Variable:
        return self.add_weight(shape=value.shape, initializer=lambda *_, **__: ops.convert_to_tensor(value), name=name)

    def call(self, pictures: Tensor) -> dict[str, Tensor]:
        """The errors by name, each a share of what there is to explain.

        Args:
            pictures: `(2 n, H, W, 3)` float32, sRGB, 0-255: n pictures and then the neighbour of each.
        """
        hers = self._teacher(pictures, self._teacher.parameters)
        own = self.student(pictures, self.student_parameters())
        errors = {}
        for layer in self._weights:
            step = STRIDES.get(layer.partition("_")[0], 1)
            truth = ops.cast(ops.stop_gradient(hers[layer][:, ::step, ::step]), "float32")
            guess = ops.matmul(own[layer][:, ::step, ::step], ops.cast(self._readings[layer], self._dtype))
            missed = truth - ops.cast(guess, "float32")
            spread = ops.mean(ops.square(truth - ops.mean(truth, axis=(0, 1, 2), keepdims=True)))
            errors[f"features/{layer}"] = ops.mean(ops.square(missed)) / spread
            change, missed_change = (self._changes(each) for each in (truth, missed))
            errors[f"changes/{layer}"] = ops.mean(missed_change / (change + SMALLEST_CHANGE * spread))
        return errors

    def _changes(self, features: Tensor) -> Tensor:
        """The mean squared change from each picture to its neighbour."""
        before, after = ops.split(features, 2)
        return ops.mean(ops.square(after - before), axis=(1, 2, 3))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the errors (see `keras.Model.compute_loss`)."""
        del x, y, sample_weight, training
        loss = 0.0
        for name, error in y_pred.items():
            what, layer = name.split("/")
            self._means[name].update_state(error)
            loss = loss + self._weights[layer] * error * (self._changes_count if what == "changes" else 1.0)
        return loss

    def student_parameters(self) -> Parameters:
        """What the student is called with."""
        return {
            layer: ((ops.cast(kernel, self._dtype),), ops.cast(bias, self._dtype))
            for layer, (kernel, bias) in self._kernels.items()
        }

    def kernels(self) -> Kernels:
        """The student's kernels and biases as they are now."""
        return {
            layer: (ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias))
            for layer, (kernel, bias) in self._kernels.items()
        }

    def readings(self) -> dict[str, np.ndarray]:
        """The reading matrices as they are now, each `(student's channels, teacher's channels)`."""
        return {layer: ops.convert_to_numpy(reading) for layer, reading in self._readings.items()}
