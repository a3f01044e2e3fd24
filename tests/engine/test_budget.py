"""What painting takes in memory, and how it keeps within a budget."""

import pytest

from impasto_engine import Settings, Style, estimate, paint
from impasto_engine.budget import Demand, Room, default_budget_bytes, peak_bytes, room_within, work
from impasto_engine.networks.lite import load_lite
from impasto_engine.networks.network import Edges, Pooling, Precision


@pytest.fixture(scope="module")
def lite():
    return load_lite()


@pytest.fixture(scope="module")
def extractor(lite):
    taps = (*lite.content_taps, *lite.style_taps)
    return lite.extractor(taps, pooling=Pooling.MAX, edges=Edges.REPLICATE, precision=Precision.FLOAT32)


def demanded(extractor, height, width, **changes):
    own = {"content_taps": ("block4_conv2",), "held_bytes": 10_000_000, **changes}
    return Demand(extractor=extractor, height=height, width=width, **own)


def room_and_peak(extractor, height, width, budget_bytes):
    demand = demanded(extractor, height, width)
    room = room_within(demand, budget_bytes)
    return room, peak_bytes(demand, room)


@pytest.mark.parametrize("megapixels", [1, 4, 12, 24])
@pytest.mark.parametrize("budget_bytes", [int(gigabytes * 1e9) for gigabytes in (2, 4, 12, 400)])
def test_the_largest_crop_that_keeps_within_the_budget_is_taken(megapixels, budget_bytes, extractor):
    height, width = int(800 * megapixels**0.5), int(1250 * megapixels**0.5)
    room, peak = room_and_peak(extractor, height, width, budget_bytes)
    if room.crop is None:
        assert peak <= budget_bytes
        return
    grid, least = extractor.geometry.grid, 2 * extractor.geometry.halo + 256
    assert room.crop % grid == 0
    assert room.crop >= least
    larger = peak_bytes(demanded(extractor, height, width), room._replace(crop=room.crop + grid))
    assert peak <= budget_bytes < larger or room.crop == least, "the vectors alone may exceed a budget; then the least"


def test_the_history_is_as_long_as_leaves_room_for_large_tiles(extractor):
    rooms = [room_and_peak(extractor, 4000, 6000, int(gigabytes * 1e9))[0] for gigabytes in (400, 12, 8, 6, 5)]
    assert rooms[0] == Room()
    histories = [room.history for room in rooms]
    assert histories == sorted(histories, reverse=True)
    assert histories[-1] == 2
    large = 2 * extractor.geometry.halo + 512
    assert all(room.crop >= large for room in rooms[1:] if room.history > 2)


def test_a_network_that_cannot_be_cut_sees_the_whole_picture(extractor):
    class Uncut:
        geometry = None

        def __getattr__(self, name):
            return getattr(extractor, name)

    assert room_and_peak(Uncut(), 4000, 3000, 2**30)[0] == Room(None, 2)


def test_a_small_picture_is_not_cut_where_that_would_take_more(extractor):
    assert room_and_peak(extractor, 300, 400, 1)[0] == Room(None, 2)


def test_tiles_cost_more_than_the_whole_and_small_tiles_more_than_large_ones(extractor):
    whole, large, small = (work(extractor, 2000, 3000, crop) for crop in (None, 1024, 320))
    assert whole < large < small


def test_half_of_the_machine_is_the_budget_unless_another_is_given():
    assert 2**28 < default_budget_bytes() < 2**46


def test_a_painting_in_tiles_is_as_good_as_one_made_at_once_and_is_estimated_longer_and_smaller(lite, smooth, noisy):
    content, style = smooth(680, 840, 1), noisy(120, 150, 2)
    settings = Settings(size="original", evaluations=6, precision="float32", style_scale=0.3)
    budget = 1  # the smallest crops there are, and the shortest history
    whole, tiled = (
        paint(content, [Style(pixels=style)], lite, settings, memory_budget_bytes=bytes_) for bytes_ in (10**15, budget)
    )
    assert tiled.losses != whole.losses, "sums over tiles are rounded otherwise"
    assert tiled.losses.loss <= 1.1 * whole.losses.loss
    at_once, in_tiles = (estimate(680, 840, lite, settings, memory_budget_bytes=bytes_) for bytes_ in (10**15, budget))
    assert in_tiles.memory_bytes < at_once.memory_bytes
    assert in_tiles.seconds > at_once.seconds
