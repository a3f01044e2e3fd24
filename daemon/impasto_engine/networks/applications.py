"""Networks out of `keras.applications`: VGG with its kernels taken out, the others as the Keras models they are.

The others are for experiments. ResNet50, InceptionV3 and Xception see zeros outside the picture whatever the recipe
says, and how much of a region a position of theirs sees is taken from the region's area in its cell alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from impasto_engine.errors import SettingsError
from impasto_engine.networks import weights as weight_files
from impasto_engine.networks.network import Edges, Extractor, Geometry, Network, Pooling, Precision, TapShape
from impasto_engine.networks.reading import Reading
from impasto_engine.networks.vgg import BGR_MEAN, BLOCKS, Vgg, layer_names
from impasto_engine.resample import resize_mask
from impasto_engine.types import Mask, Tensor, Tree

__all__ = ["load_application", "load_vgg"]


def load_vgg(name: str, file: Path | None) -> Network:
    """VGG16 or VGG19 with the kernels of the Keras application of that name."""
    model, source = weight_files.load(name, getattr(keras.applications, name.upper()), file)
    kernels = {}
    for layer in layer_names(BLOCKS[name]):
        kernel, bias = model.get_layer(layer).get_weights()
        kernels[layer] = (kernel, bias)
    return Vgg(name, kernels, source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Experiment:
    """What has to be known of a Keras application to paint with it.

    Attributes:
        constructor: Its name in `keras.applications`.
        caffe: Takes BGR with the mean subtracted; else RGB in [-1, 1].
        smallest_side: Pixels that its unpadded convolutions need.
        content_taps: Its layer for the content.
        style_taps: Its layers for the style, one at each resolution.
    """

    constructor: str
    caffe: bool
    smallest_side: int
    content_taps: tuple[str, ...]
    style_taps: tuple[str, ...]


_EXPERIMENTS: Mapping[str, _Experiment] = {
    "resnet50": _Experiment(
        constructor="ResNet50",
        caffe=True,
        smallest_side=32,
        content_taps=("conv4_block2_out",),
        style_taps=("conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out"),
    ),
    "inception_v3": _Experiment(
        constructor="InceptionV3",
        caffe=False,
        smallest_side=75,
        content_taps=("mixed4",),
        style_taps=("mixed0", "mixed1", "mixed2", "mixed3", "mixed5"),
    ),
    "xception": _Experiment(
        constructor="Xception",
        caffe=False,
        smallest_side=71,
        content_taps=("block5_sepconv2_bn",),
        style_taps=("block1_conv1_act", "block2_sepconv2_act", "block3_sepconv1_act", "block4_sepconv1_act"),
    ),
}


def load_application(name: str, file: Path | None) -> Network:
    """ResNet50, InceptionV3 or Xception."""
    experiment = _EXPERIMENTS[name]
    model, source = weight_files.load(name, getattr(keras.applications, experiment.constructor), file)
    return _Application(name, experiment, model, source)


class _Application:
    """See `Network`."""

    distilled = False

    def __init__(self, name: str, experiment: _Experiment, model: Any, weights: str) -> None:
        self.name = name
        self.weights = weights
        self.content_taps = experiment.content_taps
        self.style_taps = experiment.style_taps
        self.smallest_side = experiment.smallest_side
        self.parameter_bytes = 4 * model.count_params()
        self.taps = tuple(layer.name for layer in model.layers[1:])
        self._caffe = experiment.caffe
        self._model = model

    def extractor(self, taps: Sequence[str], *, pooling: Pooling, edges: Edges, precision: Precision) -> Extractor:
        """See `Network.extractor`."""
        del edges  # the published models pad their own convolutions
        for tap in taps:
            if tap not in self.taps:
                raise SettingsError(
                    f"{self.name} has no layer {tap!r}; its layers are those of Keras, for example "
                    f"{', '.join((*self.style_taps, *self.content_taps))}."
                )
        cut = keras.Model(self._model.inputs, [self._model.get_layer(tap).output for tap in taps])

        def convert(layer: Any) -> Any:
            config = {**layer.get_config(), "dtype": precision.value}
            if isinstance(layer, keras.layers.MaxPooling2D) and pooling is Pooling.AVERAGE:
                return keras.layers.AveragePooling2D.from_config(config)
            return type(layer).from_config(config)

        model = keras.models.clone_model(cut, clone_function=convert)
        model.set_weights(cut.get_weights())
        return _ApplicationExtractor(model, tuple(taps), caffe=self._caffe, precision=precision)


class _ApplicationExtractor:
    """See `Extractor`."""

    def __init__(self, model: Any, taps: tuple[str, ...], *, caffe: bool, precision: Precision) -> None:
        self.taps = taps
        self.readings: Mapping[str, Reading] = {}
        self.geometry: Geometry | None = None
        self.parameters: Tree = {
            "trainable": [variable.value for variable in model.trainable_variables],
            "fixed": [variable.value for variable in model.non_trainable_variables],
        }
        self._model = model
        self._caffe = caffe
        self._dtype = precision.value

    def __call__(self, picture: Tensor, parameters: Tree) -> dict[str, Tensor]:
        """See `Extractor.__call__`."""
        if self._caffe:
            x = ops.flip(picture, axis=-1) - ops.convert_to_tensor(BGR_MEAN, "float32")
        else:
            x = picture / 127.5 - 1.0
        outputs, _ = self._model.stateless_call(
            parameters["trainable"], parameters["fixed"], ops.cast(x, self._dtype), training=False
        )
        return dict(zip(self.taps, outputs if isinstance(outputs, list | tuple) else [outputs], strict=True))

    def shapes(self, height: int, width: int) -> dict[str, TapShape]:
        """See `Extractor.shapes`."""
        shapes = self._model.compute_output_shape((1, height, width, 3))
        listed = shapes if isinstance(shapes, list) else [shapes]
        return {
            tap: TapShape(height=h, width=w, channels=c) for tap, (_, h, w, c) in zip(self.taps, listed, strict=True)
        }

    def flops(self, height: int, width: int) -> int:
        """See `Extractor.flops`."""
        return sum(
            2 * h * w * sum(int(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) == 4)
            for layer, (_, h, w, _) in self._convolutions(height, width)
        )

    def feature_bytes(self, height: int, width: int, taps: Sequence[str] | None = None) -> int:
        """See `Extractor.feature_bytes`; a convolution here is followed by a normalisation and an activation."""
        if taps is None:
            values = sum(3 * h * w * c for _, (_, h, w, c) in self._convolutions(height, width))
        else:
            shapes = self.shapes(height, width)
            values = sum(shapes[tap].height * shapes[tap].width * shapes[tap].channels for tap in taps)
        return values * (4 if self._dtype == "float32" else 2)

    def _convolutions(self, height: int, width: int) -> list[tuple[Any, tuple[int, int, int, int]]]:
        kinds = keras.layers.Conv2D | keras.layers.SeparableConv2D
        layers = [layer for layer in self._model.layers if isinstance(layer, kinds)]
        outputs = keras.Model(self._model.inputs, [layer.output for layer in layers])
        return list(zip(layers, outputs.compute_output_shape((1, height, width, 3)), strict=True))

    def sight(self, mask: Mask) -> dict[str, Mask]:
        """See `Extractor.sight`."""
        return {tap: resize_mask(mask, s.height, s.width) for tap, s in self.shapes(*mask.shape).items()}
