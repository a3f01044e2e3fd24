"""What a caller may choose, and the one sentence with which anything else is refused."""

import json
import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_engine import Settings, SettingsError, Style
from impasto_engine.recipes import RECIPES, content_weight_at

OUT_OF_RANGE = [
    ("recipe", "watercolor", "watercolor"),
    ("recipe", "", "''"),
    ("size", 0, "size is 0"),
    ("size", -5, "size is -5"),
    ("size", 32769, "size is 32769"),
    ("size", float("nan"), "size is nan"),
    ("size", "huge", "size is 'huge'"),
    ("evaluations", 0, "number of evaluations is 0"),
    ("evaluations", -1, "number of evaluations is -1"),
    ("evaluations", 100_001, "number of evaluations is 100001"),
    ("polish_evaluations", 0, "number of polish evaluations is 0"),
    ("polish_evaluations", 100_001, "number of polish evaluations is 100001"),
    ("strength", -0.01, "strength is -0.01"),
    ("strength", 1.01, "strength is 1.01"),
    ("strength", float("nan"), "strength is nan"),
    ("content_weight", -1.0, "content weight is -1.0"),
    ("content_weight", float("inf"), "content weight is inf"),
    ("style_weight", -1.0, "style weight is -1.0"),
    ("style_weight", float("nan"), "style weight is nan"),
    ("tv_weight", -0.1, "tv weight is -0.1"),
    ("tv_weight", 2e12, "tv weight is 2"),
    ("style_scale", 0.04, "style scale is 0.04"),
    ("style_scale", 8.1, "style scale is 8.1"),
    ("style_scale", float("nan"), "style scale is nan"),
    ("color", "sepia", "color is 'sepia'"),
    ("init", "chaos", "init is 'chaos'"),
    ("pooling", "median", "pooling is 'median'"),
    ("optimizer", "adam", "optimizer is 'adam'"),
    ("precision", "float8", "precision is 'float8'"),
    ("seed", -1, "seed is -1"),
    ("seed", 2**63, "seed is 9223372036854775808"),
]

AT_THE_EDGE = [
    {"size": 1},
    {"size": 32768},
    {"size": "original"},
    {"evaluations": 1},
    {"evaluations": 100_000},
    {"strength": 0.0},
    {"strength": 1.0},
    {"content_weight": 0.0},
    {"style_weight": 0.0},
    {"tv_weight": 1e12},
    {"style_scale": 0.05},
    {"style_scale": 8.0},
    {"seed": 0},
    {"seed": 2**63 - 1},
]


def assert_one_sentence(text: str) -> None:
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
    assert not re.search(r"[a-z]\. [A-Z]", text), "more than one sentence"


@pytest.mark.parametrize(("name", "value", "said"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_with_one_sentence_that_names_it(name, value, said):
    with pytest.raises(SettingsError) as refused:
        Settings(**{name: value})
    assert said in str(refused.value)
    assert_one_sentence(str(refused.value))


@pytest.mark.parametrize("chosen", AT_THE_EDGE)
def test_the_ends_of_a_range_belong_to_it(chosen):
    Settings(**chosen)


def test_the_table_of_refusals_has_every_setting_but_the_layers():
    assert {name for name, *_ in OUT_OF_RANGE} | {"content_layers", "style_layers"} == {
        f.name for f in fields(Settings)
    }


def test_strength_and_content_weight_exclude_each_other():
    with pytest.raises(SettingsError, match=r"strength \(0.3\) and a content weight \(7.0\)"):
        Settings(strength=0.3, content_weight=7.0)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_style_without_a_finite_weight_above_zero_is_refused(weight):
    with pytest.raises(SettingsError, match="weight is") as refused:
        Style(pixels=np.zeros((2, 2, 3), np.float32), weight=weight)
    assert_one_sentence(str(refused.value))


def test_a_region_that_is_black_everywhere_is_refused():
    with pytest.raises(SettingsError, match="black everywhere") as refused:
        Style(pixels=np.zeros((2, 2, 3), np.float32), region=np.zeros((4, 4), np.float32))
    assert_one_sentence(str(refused.value))


@pytest.mark.parametrize(
    "region",
    [
        np.full((4, 4), np.nan, np.float32),
        np.full((4, 4), -1.0, np.float32),
        np.full((4, 4), 255.0, np.float32),
        np.ones((4, 4, 3), np.float32),
        np.ones((0, 4), np.float32),
    ],
    ids=["nan", "negative", "up to 255", "three channels", "empty"],
)
def test_a_region_that_is_no_mask_is_refused(region):
    with pytest.raises(SettingsError, match="region") as refused:
        Style(pixels=np.zeros((2, 2, 3), np.float32), region=region)
    assert_one_sentence(str(refused.value))


def test_half_strength_is_the_recipes_own_balance_and_each_end_a_factor_of_ten():
    for recipe in RECIPES.values():
        assert Settings().content_weight_in(recipe) == pytest.approx(recipe.content_weight)
        assert Settings(strength=0.5).content_weight_in(recipe) == pytest.approx(recipe.content_weight)
        assert Settings(strength=0.0).content_weight_in(recipe) == pytest.approx(10.0 * recipe.content_weight)
        assert Settings(strength=1.0).content_weight_in(recipe) == pytest.approx(recipe.content_weight / 10.0)
        assert Settings(content_weight=0.0).content_weight_in(recipe) == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_strength_never_means_more_content(one, other):
    weaker, stronger = sorted((one, other))
    assert content_weight_at(stronger, 100.0) <= content_weight_at(weaker, 100.0)


@given(
    st.builds(
        Settings,
        recipe=st.sampled_from(list(RECIPES)),
        size=st.none() | st.just("original") | st.integers(1, 32768),
        evaluations=st.none() | st.integers(1, 100_000),
        polish_evaluations=st.none() | st.integers(1, 100_000),
        strength=st.none() | st.floats(0.0, 1.0),
        style_weight=st.none() | st.floats(0.0, 1e12),
        tv_weight=st.none() | st.floats(0.0, 1e12),
        content_layers=st.none() | st.lists(st.text()).map(tuple),
        style_layers=st.none() | st.lists(st.text()).map(tuple),
        style_scale=st.floats(0.05, 8.0),
        color=st.sampled_from(["style", "luminance", "match"]),
        init=st.none() | st.sampled_from(["content", "noise", "style", "picture"]),
        pooling=st.sampled_from(["max", "average"]),
        precision=st.sampled_from(["auto", "float32", "bfloat16"]),
        seed=st.integers(0, 2**63 - 1),
    )
)
def test_settings_survive_json(settings):
    assert Settings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


def test_settings_of_a_later_version_are_read_as_far_as_they_are_known():
    assert Settings.from_dict({"seed": 4, "brush": "badger"}) == Settings(seed=4)


@pytest.mark.parametrize(
    "values",
    [
        {"size": [512]},
        {"evaluations": "ten"},
        {"evaluations": 10.5},
        {"seed": 1.5},
        {"seed": "4"},
        {"strength": {}},
        {"recipe": ["impasto"]},
        {"color": 7},
        {"color": None},
        {"style_scale": None},
        {"style_layers": 5},
        {"style_layers": [1, 2]},
        {"style_layers": "block1_conv1"},
    ],
    ids=str,
)
def test_settings_of_the_wrong_kind_are_refused_and_not_half_read(values):
    with pytest.raises(SettingsError) as refused:
        Settings.from_dict(values)
    assert_one_sentence(str(refused.value))
