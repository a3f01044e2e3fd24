"""The schedule of sizes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from impasto_engine.scales import Scale, schedule

SIDES = st.integers(1, 5000)
EVALUATIONS = st.integers(1, 1000)


def of(height: int, width: int, evaluations: int, *, coarse_to_fine: bool = True, smallest_side: int = 1):
    return schedule(height, width, evaluations, coarse_to_fine=coarse_to_fine, smallest_side=smallest_side)


def test_the_default_size_is_painted_in_three_scales_with_half_a_third_and_a_sixth_of_the_evaluations():
    assert of(384, 512, 300) == (
        Scale(height=96, width=128, evaluations=150),
        Scale(height=192, width=256, evaluations=100),
        Scale(height=384, width=512, evaluations=50),
    )


def test_a_recipe_that_is_not_coarse_to_fine_has_one_scale():
    assert of(384, 512, 300, coarse_to_fine=False) == (Scale(height=384, width=512, evaluations=300),)


def test_a_small_picture_has_one_scale():
    assert len(of(191, 191, 300)) == 1
    assert len(of(192, 192, 300)) == 2


def test_a_narrow_picture_is_not_shrunk_to_a_line():
    assert len(of(47, 4000, 300)) == 1
    assert len(of(48, 4000, 300)) == 2


def test_no_scale_is_too_small_for_the_network():
    assert [scale.height for scale in of(512, 600, 300)] == [128, 256, 512]
    assert [scale.height for scale in of(512, 600, 300, smallest_side=129)] == [256, 512]
    assert [scale.height for scale in of(512, 600, 300, smallest_side=257)] == [512]


def test_with_fewer_evaluations_than_scales_the_coarsest_scales_go():
    assert of(384, 512, 2) == (
        Scale(height=192, width=256, evaluations=1),
        Scale(height=384, width=512, evaluations=1),
    )
    assert of(384, 512, 1) == (Scale(height=384, width=512, evaluations=1),)


@given(SIDES, SIDES, EVALUATIONS, st.booleans())
def test_the_evaluations_are_all_spent_and_never_more_on_a_larger_scale(height, width, evaluations, coarse_to_fine):
    spent = [s.evaluations for s in of(height, width, evaluations, coarse_to_fine=coarse_to_fine)]
    assert sum(spent) == evaluations
    assert min(spent) >= 1
    assert spent == sorted(spent, reverse=True)


@given(SIDES, SIDES, EVALUATIONS)
def test_the_last_scale_is_the_picture_and_each_one_before_half_of_the_next(height, width, evaluations):
    scales = of(height, width, evaluations)
    assert (scales[-1].height, scales[-1].width) == (height, width)
    for coarse, fine in pairwise(scales):
        assert abs(2 * max(coarse.height, coarse.width) - max(fine.height, fine.width)) <= 2
        assert abs(2 * min(coarse.height, coarse.width) - min(fine.height, fine.width)) <= 3
    if len(scales) > 1:
        assert max(scales[0].height, scales[0].width) >= 96
        assert min(scales[0].height, scales[0].width) >= 23
