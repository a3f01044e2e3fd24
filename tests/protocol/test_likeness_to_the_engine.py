"""The protocol repeats what the engine says, because it may not import it; here the two are compared."""

import json
from dataclasses import fields
from typing import get_type_hints

import pytest

pytest.importorskip("numpy", reason="the engine needs it; the protocol does not")

import impasto_engine.limits
from impasto_engine import Settings as EngineSettings
from impasto_engine.colour import Color
from impasto_engine.settings import LARGEST_SIDE, MOST_EVALUATIONS
from impasto_protocol import Settings, limits
from impasto_protocol.fields import Between
from impasto_protocol.orders import Adjustment
from impasto_protocol.schema import built, plain


def test_every_setting_of_the_engine_can_be_ordered_and_no_other() -> None:
    assert {field.name for field in fields(Settings)} == {field.name for field in fields(EngineSettings)}


def test_everything_that_can_be_adjusted_is_a_setting_or_the_styles_weights() -> None:
    assert {field.name for field in fields(Adjustment)} - {field.name for field in fields(Settings)} == {
        "style_weights"
    }


def test_the_limits_are_the_engines() -> None:
    assert limits.MAX_SIDE == LARGEST_SIDE
    assert limits.MAX_PICTURE_PIXELS == impasto_engine.limits.MAX_PICTURE_PIXELS
    hints = get_type_hints(Settings, include_extras=True)
    assert Between(1, MOST_EVALUATIONS) in hints["evaluations"].__args__[0].__metadata__


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"strength": 0.0, "seed": 2**63 - 1, "style_scale": 8.0},
        {"content_weight": 1e12, "tv_weight": 0.0, "evaluations": 100_000, "style_scale": 0.05},
        {"style_layers": ("block1_conv1",), "color": Color.MATCH, "pooling": "average", "init": "noise"},
        {"recipe": "article", "size": 32768, "optimizer": "scipy", "precision": "bfloat16"},
    ],
    ids=str,
)
def test_what_the_engine_accepts_survives_the_way_to_it(chosen: dict[str, object]) -> None:
    ordered = Settings(**{name: str(value) if isinstance(value, Color) else value for name, value in chosen.items()})
    arrived = built(Settings, json.loads(json.dumps(plain(ordered))))
    assert EngineSettings.from_dict(plain(arrived)) == EngineSettings(**chosen)
