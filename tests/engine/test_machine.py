"""What is remembered of the machine, and the precision that follows from it."""

import json
from pathlib import Path

import pytest

from impasto_engine.machine import convolution_flops_per_s, resolve_precision
from impasto_engine.networks.network import Precision


class Speeds:
    """Stands in for the measurement, and counts how often it is taken."""

    def __init__(self, **flops_per_s: float) -> None:
        self.flops_per_s = flops_per_s
        self.measured: list[str] = []

    def __call__(self, precision: Precision) -> float:
        self.measured.append(precision.value)
        return self.flops_per_s[precision.value]


@pytest.mark.parametrize(
    ("bfloat16", "chosen"), [(2e11, Precision.BFLOAT16), (1.1e11, Precision.FLOAT32), (2e10, Precision.FLOAT32)]
)
def test_auto_takes_bfloat16_where_it_is_clearly_faster(tmp_path: Path, bfloat16: float, chosen: Precision) -> None:
    speeds = Speeds(float32=1e11, bfloat16=bfloat16)
    assert resolve_precision("auto", memory=tmp_path / "machine.json", measure=speeds) is chosen


def test_a_precision_that_is_named_is_not_measured(tmp_path: Path) -> None:
    speeds = Speeds()
    assert resolve_precision("float32", memory=tmp_path / "machine.json", measure=speeds) is Precision.FLOAT32
    assert speeds.measured == []


def test_each_precision_is_measured_once_and_then_remembered(tmp_path: Path) -> None:
    speeds = Speeds(float32=1e11, bfloat16=2e11)
    for _ in range(3):
        resolve_precision("auto", memory=tmp_path / "deep" / "machine.json", measure=speeds)
    assert sorted(speeds.measured) == ["bfloat16", "float32"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": "b"}', "\x00"])
def test_a_memory_that_cannot_be_read_is_measured_anew(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "machine.json"
    memory.write_text(text, encoding="utf-8")
    speeds = Speeds(float32=3e11)
    assert convolution_flops_per_s(Precision.FLOAT32, memory=memory, measure=speeds) == 3e11
    assert 3e11 in json.loads(memory.read_text(encoding="utf-8")).values()


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    speeds = Speeds(float32=3e11)
    assert convolution_flops_per_s(Precision.FLOAT32, memory=blocked / "machine.json", measure=speeds) == 3e11


def test_the_measurement_itself_gives_a_plausible_speed(tmp_path: Path) -> None:
    flops_per_s = convolution_flops_per_s(Precision.FLOAT32, memory=tmp_path / "machine.json")
    assert 1e8 < flops_per_s < 1e16
