"""An evaluation of Impasto's default recipe against the same loss written plainly, side by side.

    python benchmarks/against_prototype.py CONTENT STYLE [--size 512] [--rounds 2]

`prototype` is what one writes first with Keras and TensorFlow: a Keras model with the taps as outputs, automatic
gradients, one `tf.function`. `pytorch` is the same in eager PyTorch, in float32, if PyTorch is installed. Every
measurement runs in a process of its own; the rivals take turns, so that a machine that slows down slows all of them.
The losses printed show that all compute the same thing, but for the rim (the plain ones pad with zeros).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

STYLE_TAPS = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT_TAP = "block4_conv2"
BGR_MEAN = (103.939, 116.779, 123.68)
EVALUATIONS = 6

Evaluate = Callable[[], float]


def picture(path: str, size: int) -> Any:
    """`(1, H, W, 3)` float32, 0-255, its longer side `size`."""
    image = Image.open(path).convert("RGB")
    scale = size / max(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(image, np.float32)[None]


def impasto(content: Any, style: Any, precision: str) -> Evaluate:
    """Impasto itself."""
    from impasto_engine import Settings, Style, backend, load_network
    from impasto_engine.materials import prepare
    from impasto_engine.networks.network import Pooling, Precision
    from impasto_engine.recipes import RECIPES
    from impasto_engine.targets import pose
    from impasto_engine.weighing import weights_of

    network = load_network("vgg16")
    height, width = content.shape[1:3]
    materials = prepare(content[0] / 255.0, [Style(pixels=style[0] / 255.0)], Settings().color)
    problem = pose(
        content=content[0],
        alpha=None,
        styles=materials.sources_as_they_are(height, width),
        network=network,
        recipe=RECIPES["impasto"],
        weights=weights_of(Settings()),
        content_taps=network.content_taps,
        style_taps=network.style_taps,
        pooling=Pooling.MAX,
        precision=Precision(precision),
    )
    compiled = backend.current().compile_gradient(problem.objective)
    return lambda: float(compiled(content, problem.arguments)[0].sum())


def prototype(content: Any, style: Any, precision: str) -> Evaluate:
    """Plain Keras and TensorFlow."""
    import keras
    import tensorflow as tf

    weights = next(Path(os.environ["IMPASTO_WEIGHTS_DIR"]).glob("vgg16*.h5"))
    keras.config.set_dtype_policy(precision)
    whole = keras.applications.VGG16(include_top=False, weights=str(weights))
    names = (*STYLE_TAPS, CONTENT_TAP)
    model = keras.Model(whole.inputs, [whole.get_layer(name).output for name in names])

    def features(x: Any) -> dict[str, Any]:
        return dict(zip(names, model(tf.cast(x[..., ::-1] - tf.constant(BGR_MEAN), precision)), strict=True))

    def moments(f: Any) -> tuple[Any, Any]:
        flat = tf.cast(tf.reshape(f, (-1, f.shape[-1])), tf.float32)
        mean = tf.reduce_mean(flat, 0)
        return mean, tf.matmul(flat, flat, transpose_a=True) / flat.shape[0] - mean[:, None] * mean[None]

    of_style, of_content = features(tf.constant(style)), features(tf.constant(content))
    targets = {name: moments(of_style[name]) for name in STYLE_TAPS}
    wanted = tf.cast(of_content[CONTENT_TAP], tf.float32)

    def total(x: Any) -> Any:
        found = features(x)
        difference = tf.cast(found[CONTENT_TAP], tf.float32) - wanted
        loss = 100.0 * tf.reduce_mean(difference**2) / tf.reduce_mean(wanted**2)
        for name in STYLE_TAPS:
            for ours, theirs in zip(moments(found[name]), targets[name], strict=True):
                loss += 100.0 * tf.reduce_sum((ours - theirs) ** 2) / tf.reduce_sum(theirs**2)
        down, right = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
        return loss + 0.005 * (tf.reduce_mean(down**2) + tf.reduce_mean(right**2))

    @tf.function
    def loss_and_gradient(x: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = total(x)
        return loss, tape.gradient(loss, x)

    def evaluate() -> float:
        loss, gradient = loss_and_gradient(tf.constant(content))
        gradient.numpy()
        return float(loss)

    return evaluate


def pytorch(content: Any, style: Any, precision: str) -> Evaluate:
    """Plain PyTorch; the weights are read through Keras."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch
    from torch.nn import functional

    if precision != "float32":
        raise SystemExit("plain PyTorch is measured in float32 only")
    weights = next(Path(os.environ["IMPASTO_WEIGHTS_DIR"]).glob("vgg16*.h5"))
    whole = keras.applications.VGG16(include_top=False, weights=str(weights))
    layers = []
    for layer in whole.layers[1:]:
        arrays = [torch.tensor(array) for array in layer.get_weights()]
        layers.append((layer.name, *([arrays[0].permute(3, 2, 0, 1).contiguous(), arrays[1]] if arrays else [])))
        if layer.name == STYLE_TAPS[-1]:
            break
    del whole
    mean = torch.tensor(BGR_MEAN)[None, :, None, None]

    def features(x: Any) -> dict[str, Any]:
        found = {}
        x = x.flip(1) - mean
        for name, *arrays in layers:
            x = functional.relu(functional.conv2d(x, *arrays, padding=1)) if arrays else functional.max_pool2d(x, 2)
            found[name] = x
        return {name: found[name] for name in (*STYLE_TAPS, CONTENT_TAP)}

    def moments(f: Any) -> tuple[Any, Any]:
        flat = f.flatten(2)[0]
        centre = flat.mean(1)
        return centre, flat @ flat.T / flat.shape[1] - torch.outer(centre, centre)

    def tensor(array: Any) -> Any:
        return torch.tensor(array).permute(0, 3, 1, 2).contiguous()

    with torch.no_grad():
        targets = {name: moments(f) for name, f in features(tensor(style)).items() if name in STYLE_TAPS}
        wanted = features(tensor(content))[CONTENT_TAP]
    x = tensor(content).requires_grad_()

    def evaluate() -> float:
        x.grad = None
        found = features(x)
        loss = 100.0 * (found[CONTENT_TAP] - wanted).square().mean() / wanted.square().mean()
        for name in STYLE_TAPS:
            for ours, theirs in zip(moments(found[name]), targets[name], strict=True):
                loss = loss + 100.0 * (ours - theirs).square().sum() / theirs.square().sum()
        down, right = x[:, :, 1:] - x[:, :, :-1], x[..., 1:] - x[..., :-1]
        loss = loss + 0.005 * (down.square().mean() + right.square().mean())
        loss.backward()
        return float(loss)

    return evaluate


RIVALS = {"impasto": impasto, "prototype": prototype, "pytorch": pytorch}


def measure(rival: str, precision: str, content: str, style: str, size: int) -> dict[str, float]:
    """One rival in this process: seconds of an evaluation after the first, peak memory, and the loss."""
    evaluate = RIVALS[rival](picture(content, size), picture(style, size), precision)
    times = []
    for _ in range(EVALUATIONS):
        began = time.perf_counter()
        loss = evaluate()
        times.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": statistics.median(times[1:]), "peak_bytes": peak, "loss": loss}


def main() -> None:
    """Runs all rivals in turn and prints a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("content")
    parser.add_argument("style")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs=2, metavar=("RIVAL", "PRECISION"))
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(*given.only, given.content, given.style, given.size)))
        return
    pairs = [(rival, p) for p in ("float32", "bfloat16") for rival in ("prototype", "impasto")]
    if find_spec("torch"):
        pairs.insert(0, ("pytorch", "float32"))
    results: dict[tuple[str, str], list[dict[str, float]]] = {pair: [] for pair in pairs}
    for _ in range(given.rounds):
        for pair in pairs:
            command = [sys.executable, __file__, given.content, given.style, "--size", str(given.size), "--only", *pair]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- this very file
            results[pair].append(json.loads(done.stdout.splitlines()[-1]))
    print("| | precision | s/evaluation | peak memory | loss |\n|---|---|---:|---:|---:|")
    for (rival, precision), rounds in results.items():
        best = min(rounds, key=lambda r: r["seconds"])
        peak = f"{best['peak_bytes'] / 1e6:.0f} MB"
        print(f"| {rival} | {precision} | {best['seconds']:.3f} | {peak} | {best['loss']:.2f} |")


if __name__ == "__main__":
    main()
