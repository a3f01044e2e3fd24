"""The weights that Keras publishes: a table of files, and where they are kept.

Addresses, sizes and MD5 sums are those of `keras.applications`, which checks the same sums. Nothing slow may be
imported here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PUBLISHED", "Published", "keras_folder"]

_HOST = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The weights of a network without its top, trained on ImageNet.

    Attributes:
        url: Where they are.
        size_bytes: How long they are.
        md5: Their checksum, in hexadecimal.
    """

    url: str
    size_bytes: int
    md5: str

    @property
    def file_name(self) -> str:
        """What Keras calls the file."""
        return self.url.rpartition("/")[2]


def _published(folder: str, file: str, size_bytes: int, md5: str) -> Published:
    url = f"{_HOST}/{folder}/{file}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return Published(url=url, size_bytes=size_bytes, md5=md5)


PUBLISHED: Mapping[str, Published] = {
    "vgg16": _published("vgg16", "vgg16", 58_889_256, "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": _published("vgg19", "vgg19", 80_134_624, "253f8cb515780f3b799900260a226db6"),
    "resnet50": _published("resnet", "resnet50", 94_765_736, "4d473c1dd8becc155b73f8504c6f6626"),
    "inception_v3": _published("inception_v3", "inception_v3", 87_910_968, "bcbd6486424b2319ff4ef7d526e38f63"),
    "xception": _published("xception", "xception", 83_683_744, "b0042744bf5b25fce3cb969f33bebb97"),
}


def keras_folder() -> Path:
    """The folder in which Keras keeps weights, and looks for them before it downloads any."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
