"""How `paint` behaves: what it returns, where it starts, how it stops, and what it tells on the way."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from impasto_engine import PaintingError, PictureError, Progress, Settings, SettingsError, Style, evaluate, paint
from impasto_engine.recipes import RECIPES
from impasto_engine.resample import resize

HEIGHT, WIDTH = 24, 30


@pytest.fixture(scope="module")
def content(smooth, noisy):
    return 0.8 * smooth(HEIGHT, WIDTH, 1) + 0.2 * noisy(HEIGHT, WIDTH, 1)


@pytest.fixture(scope="module")
def style(smooth, noisy):
    return Style(pixels=0.4 * smooth(28, 20, 2) + 0.6 * noisy(28, 20, 2))


@pytest.fixture
def painted(content, style, shallow_network):
    """Paints with few evaluations at the content's own size; keywords go to the settings."""

    def run(*, of=content, with_=(style,), seen: Callable[[Progress], None] = lambda _: None, start=None,
            should_stop=lambda: False, **chosen):  # fmt: skip
        settings = Settings(**({"size": "original", "evaluations": 8, "precision": "float32"} | chosen))
        return paint(of, with_, shallow_network, settings, start=start, on_progress=seen, should_stop=should_stop)

    return run


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_loss_falls_and_the_picture_is_an_srgb_picture_of_the_size(recipe, painted):
    losses = []
    painting = painted(recipe=recipe, evaluations=12, seen=lambda p: losses.append(p.losses.loss))
    assert painting.pixels.shape == (HEIGHT, WIDTH, 3)
    assert painting.pixels.dtype == np.float32
    assert painting.pixels.min() >= 0.0
    assert painting.pixels.max() <= 1.0
    assert painting.losses.loss == pytest.approx(min(losses), rel=1e-6)
    assert painting.losses.loss < 0.6 * losses[0]
    assert painting.evaluations == len(losses) == 12
    assert not painting.stopped
    assert painting.rollbacks == 0
    assert painting.precision == "float32"
    assert painting.seconds > 0.0


def test_the_losses_returned_are_those_that_evaluate_gives_the_picture(painted, content, style, shallow_network):
    painting = painted()
    square = Style(pixels=style.pixels)
    # `paint` resizes the style so that its longer side is the picture's; 28 rows become 30 here and 20 columns 21.
    judged = evaluate(content, [square], painting.pixels, shallow_network)
    assert judged.layers.keys() == painting.losses.layers.keys()
    assert judged.layers["content/block2_conv1"] == pytest.approx(
        painting.losses.layers["content/block2_conv1"], rel=1e-3
    )
    assert judged.layers["tv"] == pytest.approx(painting.losses.layers["tv"], rel=1e-3)


@pytest.mark.parametrize(
    ("size", "shape"), [(12, (10, 12)), (45, (36, 45)), ("original", (HEIGHT, WIDTH)), (1, (1, 1))]
)
def test_the_size_is_the_longer_side_of_the_result(size, shape, painted):
    assert painted(size=size, evaluations=1).pixels.shape == (*shape, 3)


def test_a_style_is_seen_at_the_picture_size_times_its_scale(content, shallow_network, smooth):
    # One colour wave across the style: doubled, it changes half as fast, and so does what is painted.
    losses = {}
    for scale in (0.5, 1.0, 2.0):
        settings = Settings(size="original", evaluations=1, precision="float32", style_scale=scale)
        fine = np.tile(np.array([0.2, 0.8], np.float32), (60, 30))[..., None].repeat(3, axis=-1)
        losses[scale] = paint(content, [Style(pixels=fine)], shallow_network, settings).losses.layers
    assert len({round(layers["style/block1_conv1"], 3) for layers in losses.values()}) == 3
    assert losses[0.5]["content/block2_conv1"] == losses[2.0]["content/block2_conv1"] == 0.0


def test_the_same_seed_gives_the_same_picture_and_another_seed_another(painted):
    first, again, other = (painted(init="noise", seed=seed, evaluations=5).pixels for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.1


def test_the_seed_is_of_no_consequence_where_there_is_no_noise(painted):
    np.testing.assert_array_equal(painted(seed=1).pixels, painted(seed=2).pixels)


def first_picture(painted, **chosen) -> np.ndarray:
    """The picture that painting started from: the only one evaluated, hence the best."""
    return painted(evaluations=1, **chosen).pixels


def test_painting_starts_from_the_content_unless_told_otherwise(painted, content):
    np.testing.assert_allclose(first_picture(painted), content, atol=1e-6)
    np.testing.assert_allclose(first_picture(painted, init="content"), content, atol=1e-6)


def test_the_paper_starts_from_noise_and_the_article_from_the_content(painted, content):
    np.testing.assert_allclose(first_picture(painted, recipe="article"), content, atol=1e-6)
    noise = first_picture(painted, recipe="gatys", seed=3)
    np.testing.assert_array_equal(noise, first_picture(painted, recipe="gatys", init="noise", seed=3))
    assert np.abs(noise - content).mean() > 0.1


def test_noise_is_uniform_over_all_colours(painted):
    noise = first_picture(painted, init="noise")
    assert noise.mean() == pytest.approx(0.5, abs=0.03)
    assert noise.std() == pytest.approx(np.sqrt(1.0 / 12.0), abs=0.02)
    assert np.corrcoef(noise.reshape(-1, 3).T)[0, 1] == pytest.approx(0.0, abs=0.15)


def test_painting_can_start_from_the_style_enlarged_to_cover_the_picture_and_cropped_to_its_middle(painted, content):
    columns = np.linspace(0.0, 1.0, 2 * WIDTH, dtype=np.float32)
    ramp = np.tile(columns[None, :, None], (HEIGHT, 1, 3))
    started = first_picture(painted, with_=[Style(pixels=ramp)], init="style")
    middle = ramp[:, WIDTH // 2 : WIDTH // 2 + WIDTH]
    np.testing.assert_allclose(started, middle, atol=1e-6)
    np.testing.assert_allclose(
        first_picture(painted, with_=[Style(pixels=ramp[::2, ::2])], init="style"), middle, atol=0.05
    )


def test_painting_can_start_from_any_picture_of_any_size(painted, noisy):
    start = noisy(HEIGHT, WIDTH, 77)
    np.testing.assert_allclose(first_picture(painted, init="picture", start=start), start, atol=1e-6)
    flat = np.full((5, 9, 3), 0.25, np.float32)
    np.testing.assert_allclose(first_picture(painted, init="picture", start=flat), 0.25, atol=1e-6)


def test_a_picture_to_start_from_must_be_given_and_sound(painted):
    with pytest.raises(SettingsError, match="start from a picture, but none is given"):
        painted(init="picture")
    with pytest.raises(PictureError, match="shape"):
        painted(init="picture", start=np.zeros((4, 4), np.float32))


def test_without_a_style_there_is_nothing_to_paint(painted):
    with pytest.raises(SettingsError, match="No style image"):
        painted(with_=[])


@pytest.mark.parametrize("layers", [("block9_conv1",), ("block1_conv1", "pool")])
@pytest.mark.parametrize("which", ["content_layers", "style_layers"])
def test_a_layer_that_the_network_lacks_is_refused_with_those_it_has(which, layers, painted):
    with pytest.raises(SettingsError, match=rf"{layers[-1]}.*block2_conv1"):
        painted(**{which: layers})


def test_a_network_with_damaged_weights_is_named_as_the_cause(content, style, damaged_network):
    settings = Settings(size="original", evaluations=5, precision="float32")
    with pytest.raises(PaintingError, match="weights may be damaged"):
        paint(content, [style], damaged_network, settings)


@pytest.mark.parametrize("stop_at", [1, 5, 12])
def test_stopped_after_any_evaluation_the_result_is_the_best_picture_so_far(stop_at, painted):
    seen: list[Progress] = []
    painting = painted(evaluations=12, seen=seen.append, should_stop=lambda: len(seen) == stop_at)
    assert painting.stopped
    assert painting.evaluations == len(seen) == stop_at
    best = min(seen, key=lambda progress: progress.losses.loss)
    assert painting.losses == best.losses
    np.testing.assert_array_equal(painting.pixels, seen[-1].preview())
    np.testing.assert_array_equal(painting.pixels, best.preview())


def test_stopped_at_a_coarse_scale_the_result_is_that_scales_best_picture_enlarged(painted, smooth):
    seen: list[Progress] = []
    painting = painted(of=smooth(100, 200, 1), evaluations=12, seen=seen.append, should_stop=lambda: len(seen) == 3)
    assert (seen[-1].scale, seen[-1].scales) == (1, 2)
    assert painting.stopped
    assert painting.losses == min((progress.losses for progress in seen), key=lambda losses: losses.loss)
    np.testing.assert_allclose(painting.pixels, resize(seen[-1].preview(), 100, 200), atol=1e-5)


def test_the_preview_is_the_best_picture_so_far_and_stays_what_it_was(painted, content, style, shallow_network):
    seen: list[Progress] = []
    painted(evaluations=12, seen=seen.append)
    losses = [progress.losses.loss for progress in seen]
    assert [progress.best_loss for progress in seen] == pytest.approx(list(itertools.accumulate(losses, min)))
    assert max(losses) > losses[0], "the line search tried a worse picture, which must not be shown"
    judged_first, judged_last = (
        evaluate(content, [style], progress.preview(), shallow_network).loss for progress in (seen[0], seen[-1])
    )
    assert judged_last < 0.7 * judged_first
    for progress in seen:
        unchanged = progress.best_loss == seen[0].best_loss
        assert np.array_equal(progress.preview(), seen[0].preview()) == unchanged


def test_progress_counts_every_evaluation_of_every_scale(painted, smooth):
    seen: list[Progress] = []
    painted(of=smooth(100, 200, 1), evaluations=10, seen=seen.append)
    assert [progress.evaluation for progress in seen] == list(range(1, len(seen) + 1))
    assert {progress.evaluations for progress in seen} == {10}
    assert len(seen) == 10
    assert [progress.scale for progress in seen] == sorted(progress.scale for progress in seen)
    assert {(p.scale, p.scales, p.height, p.width) for p in seen} == {(1, 2, 50, 100), (2, 2, 100, 200)}
    for progress in seen:
        assert progress.preview().shape == (progress.height, progress.width, 3)


def test_time_left_is_told_from_the_pixels_still_to_be_painted(content, style, shallow_network, smooth):
    clock = itertools.count(100.0)
    seen: list[Progress] = []
    settings = Settings(size="original", evaluations=12, precision="float32")
    painting = paint(
        smooth(100, 200, 1), [style], shallow_network, settings, on_progress=seen.append, clock=lambda: next(clock)
    )
    # The clock goes on by one second each time it is read, and it is read once an evaluation: each takes one second.
    coarse = sum(progress.scale == 1 for progress in seen)
    assert seen[0].remaining_s is None, "most of the first evaluation went into compiling"
    for progress in seen[1:]:
        if progress.scale == 1:
            left = coarse - progress.evaluation + 4.0 * (12 - coarse)  # a pixel-for-pixel guess: four times as many
        elif progress.evaluation == coarse + 1:
            left = 4.0 * (12 - progress.evaluation)  # this one compiled, so the guess still holds
        else:
            left = 12 - progress.evaluation
        assert progress.remaining_s == pytest.approx(left)
    assert seen[-1].remaining_s == 0.0
    times = [progress.seconds for progress in seen]
    assert times[0] > 0.0
    assert times == sorted(times)
    assert painting.seconds >= times[-1]


def test_each_scale_starts_from_the_last_ones_picture(painted, smooth):
    seen: list[Progress] = []
    painted(of=smooth(100, 200, 1), evaluations=30, seen=seen.append)
    first_of_fine = next(progress for progress in seen if progress.scale == 2)
    # The content itself would be far from the style; the coarse painting, enlarged, is not.
    assert first_of_fine.losses.terms["style"] < 0.5 * seen[0].losses.terms["style"]
    assert first_of_fine.losses.terms["content"] > 0.0


def test_strength_sets_how_much_of_the_content_stays(painted):
    contents = [painted(strength=strength, evaluations=1, init="noise").losses.terms for strength in (0.0, 0.5, 1.0)]
    weak, own, strong = (terms["content"] for terms in contents)
    assert weak == pytest.approx(10.0 * own, rel=1e-5)
    assert strong == pytest.approx(own / 10.0, rel=1e-5)
    assert len({terms["style"] for terms in contents}) == 1


@pytest.mark.parametrize("term", ["content", "style", "tv"])
def test_each_weight_scales_its_own_term_alone(term, painted):
    own = painted(evaluations=1, init="noise").losses.terms
    default = {"content": 100.0, "style": 100.0, "tv": 0.005}[term]
    doubled = painted(evaluations=1, init="noise", **{f"{term}_weight": 2.0 * default}).losses.terms
    for name, value in own.items():
        assert doubled[name] == pytest.approx((2.0 if name == term else 1.0) * value, rel=1e-5)


def test_the_article_starts_its_optimiser_anew_about_every_twenty_evaluations(painted):
    def repeats(recipe: str) -> list[int]:
        """Where the best picture so far was evaluated over again, as every round begins."""
        losses = []
        painted(recipe=recipe, evaluations=50, seen=lambda progress: losses.append(progress.losses.loss))
        return [i for i in range(1, len(losses)) if losses[i] == min(losses[:i])]

    first, second = repeats("article")  # SciPy looks at its budget only between line searches
    assert 20 <= first <= 25
    assert 20 <= second - first <= 25
    assert repeats("impasto") == []


def test_neither_content_nor_style_nor_start_is_changed(painted, content, style, noisy):
    start = noisy(9, 9, 1)
    before = [array.copy() for array in (content, style.pixels, start)]
    painted(init="picture", start=start)
    for array, copy in zip((content, style.pixels, start), before, strict=True):
        np.testing.assert_array_equal(array, copy)
