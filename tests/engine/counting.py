"""A network that counts how often it is spelled out: once for each function that is compiled."""

from typing import Any

from impasto_engine.networks.vgg import Vgg


class CountingVgg(Vgg):
    content_taps = ("block2_conv1",)
    style_taps = ("block1_conv1", "block2_conv1")
    spelled_out = 0

    def extractor(self, taps, **options):
        return _Counting(super().extractor(taps, **options), self)


class _Counting:
    def __init__(self, extractor: Any, network: CountingVgg) -> None:
        self._extractor = extractor
        self._network = network

    def __call__(self, picture, parameters):
        self._network.spelled_out += 1
        return self._extractor(picture, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)
