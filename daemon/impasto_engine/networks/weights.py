"""Where a network's weights come from, in this order.

1. The path given by the caller.
2. The package itself, for `lite`.
3. The folder named by `IMPASTO_WEIGHTS_DIR`: a file `NAME*notop*.h5`.
4. Keras's own cache, and else Keras's download, with its checksum.
"""

import os
from importlib import resources
from pathlib import Path
from typing import Any

from impasto_engine.errors import NetworkError
from impasto_engine.networks.published import keras_folder

__all__ = ["LITE", "LITE_FILE", "WEIGHTS_DIR_VARIABLE", "find", "keras_cache", "load"]

LITE = "lite"
"""The network whose weights ship with the package."""

LITE_FILE = Path(str(resources.files("impasto_engine.networks") / "lite.npz"))

WEIGHTS_DIR_VARIABLE = "IMPASTO_WEIGHTS_DIR"


def keras_cache(name: str) -> Path | None:
    """Keras's cached file of a network's weights, or None where there is none."""
    return next(iter(sorted(keras_folder().glob(f"{name}*notop*.h5"))), None)


def find(name: str, given: Path | None = None) -> Path | None:
    """The file that holds a network's weights on this machine, or None where they would have to be downloaded.

    Raises:
        NetworkError: The given path, or the folder that the environment names, does not hold them.
    """
    if given is not None:
        if not given.is_file():
            raise NetworkError(f"There is no weights file {str(given)!r}; check --weights or leave it out.")
        return given
    if name == LITE:
        return LITE_FILE
    folder = os.environ.get(WEIGHTS_DIR_VARIABLE)
    if folder:
        if not Path(folder).is_dir():
            raise NetworkError(
                f"{WEIGHTS_DIR_VARIABLE} names the folder {folder!r}, which does not exist; correct or unset it."
            )
        own = next(iter(sorted(Path(folder).glob(f"{name}*notop*.h5"))), None)
        if own is not None:
            return own
    return keras_cache(name)


def load(name: str, build: Any, given: Path | None = None) -> tuple[Any, str]:
    """A Keras application without its top, with ImageNet weights, and where those came from.

    Args:
        name: The network.
        build: Its constructor in `keras.applications`.
        given: A weights file to take rather than look for one.

    Raises:
        NetworkError: No weights can be had, or the file does not hold this network's weights.
    """
    import keras

    file = find(name, given)
    if file is None:
        try:
            return build(include_top=False, weights="imagenet"), "downloaded by Keras"
        except Exception as error:
            raise NetworkError(
                f"The weights of {name} are not on this machine and could not be downloaded; connect to the internet "
                f"once, or give their file with --weights, or its folder in {WEIGHTS_DIR_VARIABLE}."
            ) from error
    keras.utils.disable_interactive_logging()
    model = build(include_top=False, weights=None)
    try:
        model.load_weights(str(file))
    except Exception as error:
        raise NetworkError(
            f"The file {str(file)!r} does not hold the weights of {name}, or is damaged; "
            "delete it and fetch it again, or give another with --weights."
        ) from error
    return model, str(file)
