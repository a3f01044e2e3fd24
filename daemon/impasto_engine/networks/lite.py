"""`lite`, the network that ships with the package: small, fast, and never to be downloaded.

It has the shape of VGG with fewer channels, and one layer more before the deepest. It was distilled from the ImageNet
VGG16 of the Visual Geometry Group, University of Oxford (CC BY 4.0; K. Simonyan, A. Zisserman, 2014) by the programs in
`training/`, whose README tells how and with what result. Its file holds for each layer

- `LAYER/kernel` `(3, 3, c_in, c_out)` int8, to be multiplied by `LAYER/scale` `(c_out,)`, and `LAYER/bias` `(c_out,)`;
- `LAYER/reading` `(c_out, c_out)` float16 and `LAYER/channels`, its teacher's, for the layers that have a teacher: see
  `reading`;

and `about`, how it was made, as JSON.
"""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from impasto_engine.errors import NetworkError
from impasto_engine.networks.lite_file import checked_content, content_of, remedy
from impasto_engine.networks.network import Network
from impasto_engine.networks.reading import Reading
from impasto_engine.networks.vgg import Vgg
from impasto_engine.networks.weights import LITE, LITE_FILE

__all__ = ["load_lite"]


def load_lite(file: Path | None = None) -> Network:
    """`lite`, or a student that was trained anew.

    Args:
        file: A file that `training` wrote; None for the one in the package.

    Raises:
        NetworkError: The file is missing, damaged, or of another kind.
    """
    own = file is None
    path = file or LITE_FILE
    content = checked_content(path) if own else content_of(path, own=False)
    kernels, readings = {}, {}
    try:
        with np.load(io.BytesIO(content)) as arrays:
            for layer in (name.removesuffix("/kernel") for name in arrays.files if name.endswith("/kernel")):
                kernel = arrays[f"{layer}/kernel"] * arrays[f"{layer}/scale"]
                kernels[layer] = (kernel.astype(np.float32), arrays[f"{layer}/bias"])
            for layer in (name.removesuffix("/reading") for name in arrays.files if name.endswith("/reading")):
                readings[layer] = Reading(
                    matrix=arrays[f"{layer}/reading"].astype(np.float32), channels=int(arrays[f"{layer}/channels"])
                )
        if not kernels:
            raise ValueError("no kernels")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise NetworkError(f"The file {str(path)!r} does not hold a network of this kind; {remedy(own)}") from error
    return Vgg(LITE, kernels, str(path), readings)
