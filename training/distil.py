"""Trains the embedded network: `python -m training.distil FOLDER... --run FOLDER`.

It may be stopped at any time and carries on when called again with the same `--run`. The crops of a batch follow from
the seed and the batch's number alone; the pictures that the student is painting begin anew with each call.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from impasto_engine import load_network
from impasto_engine.networks.network import Precision
from impasto_engine.networks.vgg import Vgg
from training.beginning import begin
from training.checkpoint import restore, save
from training.distillation import Distillation
from training.half_painted import Easel
from training.pictures import Colours, crops_with_neighbours, read_pool
from training.student_file import write_student

WIDTHS = {
    **{"block1_conv1": 24, "block1_conv2": 24, "block2_conv1": 48, "block2_conv2": 48},
    **{"block3_conv1": 96, "block3_conv2": 128, "block3_conv3": 128},
    **{"block4_conv1": 256, "block4_conv2": 256, "block4_conv3": 256},
    **{"block5_before": 256, "block5_conv1": 384},
}
"""The student's channels. Three eighths of VGG16's where positions are many, and half or more where they are few; one
layer more before the deepest."""

LAYER_WEIGHTS = {
    **{"block1_conv1": 0.5, "block2_conv1": 0.5, "block3_conv1": 1.0},
    **{"block4_conv1": 2.0, "block4_conv2": 1.5, "block5_conv1": 3.0},
}
"""What the layers count at which painting compares pictures, unless told otherwise. What a painting made with a young
student lacks, VGG16 misses in the deep layers."""

SIDE_WEIGHT = 0.1
"""What each other layer counts."""

CHANGES_WEIGHT = 0.5
"""What errors of changes count beside errors of features."""

SIDE = 128
"""Pixels of a crop's sides."""

PAIRS = 4
"""Crops in a batch; each comes with a neighbour."""

ON_EASEL = 4
"""Pictures in a batch that the student is painting, each before and after a step."""

FIRST_BATCHES = 3
"""Batches that the student begins from."""

WARMING_UP = 100
"""Steps over which the rate of learning rises to its highest; from there it falls along a cosine to nothing."""

CREDIT = (
    "Distilled from the ImageNet weights of VGG by K. Simonyan and A. Zisserman, Visual Geometry Group, "
    "University of Oxford, CC BY 4.0"
)
"""Stored with every student."""

REPORT_EVERY = 100
"""Steps from one line of the log and one checkpoint to the next."""


def main() -> None:
    """Reads the command line and trains."""
    asked = _arguments()
    asked.run.mkdir(parents=True, exist_ok=True)
    pool = read_pool(asked.pictures)
    teacher = load_network(asked.teacher)
    if not isinstance(teacher, Vgg):
        raise SystemExit(f"{asked.teacher} has no kernels to begin from; name vgg16 or vgg19.")

    def batch(number: int) -> Colours:
        return crops_with_neighbours(pool, np.random.default_rng([asked.seed, number]), count=PAIRS, side=SIDE)

    widths = {layer: max(8, round(width * asked.width)) for layer, width in WIDTHS.items()}
    first = np.concatenate([batch(2**31 + n) for n in range(FIRST_BATCHES)])
    kernels, readings = begin(teacher, widths, first, seed=asked.seed)
    model = Distillation(
        teacher,
        kernels,
        readings,
        {layer: LAYER_WEIGHTS.get(layer, SIDE_WEIGHT) for layer in readings},
        precision=Precision(asked.precision),
        changes=CHANGES_WEIGHT,
    )
    rate = keras.optimizers.schedules.CosineDecay(
        asked.rate / WARMING_UP, asked.steps - WARMING_UP, warmup_target=asked.rate, warmup_steps=WARMING_UP
    )
    # XLA is slower than the operations one by one on TensorFlow's CPU; the other backends have no choice to make.
    compiled = {"jit_compile": False} if keras.backend.backend() == "tensorflow" else {}
    model.compile(optimizer=keras.optimizers.Adam(rate), **compiled)
    model.optimizer.build(model.trainable_variables)
    checkpoint = asked.run / "checkpoint.npz"
    step = restore(checkpoint, model) if checkpoint.exists() else 0
    with _bar() as bar, ThreadPoolExecutor(1) as ahead, (asked.run / "log.jsonl").open("a", encoding="utf-8") as log:
        task = bar.add_task("training", total=asked.steps, completed=step)
        easel = Easel(
            model.student, pool, count=ON_EASEL, side=SIDE, rng=np.random.default_rng([asked.seed, step, ON_EASEL])
        )
        coming = [ahead.submit(batch, step + n) for n in range(2)]
        began, since = time.monotonic(), step
        while step < asked.steps:
            coming.append(ahead.submit(batch, step + len(coming)))
            found, beside = np.split(coming.pop(0).result(), 2)
            before, after = easel.step(model.student_parameters(), model.readings())
            errors = model.train_on_batch(np.concatenate([found, before, beside, after]), return_dict=True)
            step += 1
            bar.advance(task)
            if step % REPORT_EVERY and step != asked.steps:
                continue
            shares = {name: round(float(value), 4) for name, value in errors.items() if "/" in name}
            pace = round((time.monotonic() - began) / (step - since), 3)
            log.write(json.dumps({"step": step, "s_per_step": pace, **shares}) + "\n")
            log.flush()
            save(checkpoint, model, step)
            about = {
                "teacher": asked.teacher,
                "steps": step,
                "seed": asked.seed,
                "pictures": len(pool),
                "credit": CREDIT,
            }
            write_student(asked.run / "student.npz", model.kernels(), model.readings(), about)
            model.reset_metrics()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.distil", description="Train the embedded network.")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="FOLDER", help="folders with pictures")
    parser.add_argument("--run", type=Path, required=True, help="folder for the checkpoint, the log and the result")
    parser.add_argument("--teacher", default="vgg16", help="vgg16 or vgg19 (%(default)s)")
    parser.add_argument("--steps", type=int, default=8000, help="batches in all (%(default)s)")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest rate of learning (%(default)s)")
    parser.add_argument("--width", type=float, default=1.0, help="of the student beside lite's (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of batches and beginnings (%(default)s)")
    parser.add_argument(
        "--precision",
        choices=[each.value for each in Precision],
        default=Precision.BFLOAT16.value,
        help="of features while training; float32 where bfloat16 is slow (%(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
