"""Measures how much less average pooling hands on than maximum pooling: `AVERAGE_POOLING_GAINS` in `networks/vgg.py`.

    python benchmarks/pooling_gain.py PICTURE...

Prints, for each pooling step of VGG16 and each picture, the ratio of the mean of the maxima to the mean of the
averages, over the features that maximum pooling would see.
"""

import sys
from pathlib import Path

import numpy as np
from keras import ops

from impasto_engine import load_network, read_picture
from impasto_engine.networks.network import Edges, Pooling, Precision
from impasto_engine.resample import fit, resize


def main(pictures: list[Path]) -> None:
    """Prints one line a picture and the mean over all."""
    taps = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")
    extractor = load_network("vgg16").extractor(
        taps, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32
    )
    ratios = []
    for path in pictures:
        pixels = read_picture(path).pixels[..., :3]
        sized = resize(pixels, *fit(pixels.shape[0], pixels.shape[1], 512)) * np.float32(255)
        features = extractor(sized[None], extractor.parameters)
        row = []
        for tap in taps:
            highest = ops.mean(ops.max_pool(features[tap], 2, 2, data_format="channels_last"))
            average = ops.mean(ops.average_pool(features[tap], 2, 2, data_format="channels_last"))
            row.append(float(highest) / float(average))
        ratios.append(row)
        print(path.name, " ".join(f"{ratio:.2f}" for ratio in row))
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.2f}")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
