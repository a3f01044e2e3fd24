"""Settings, names, formats, the recipe, the curve, what the installer left, and which transport is taken."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from impasto_engine.settings import Settings
from impasto_gimp.checkup import as_text, examined, own_checks
from impasto_gimp.choices import COLORS, NETWORKS
from impasto_gimp.curve import curve_points
from impasto_gimp.installation import find_installation
from impasto_gimp.job_list import (
    can_be_brought,
    can_be_ended,
    can_be_followed,
    daemon_line,
    described,
    is_listed,
)
from impasto_gimp.left_painting import LeftPainting
from impasto_gimp.libraries import LibraryError, chosen_dial
from impasto_gimp.naming import layer_name, memory_text, time_text
from impasto_gimp.pixel_layout import LayoutError, babl_name, content_format
from impasto_gimp.product import ProductError, run_product
from impasto_gimp.recipe import Outcome, Recipe, outcome_of_result, read_recipe, recipe_text
from impasto_gimp.starting import StartError, start_daemon
from impasto_gimp.wish import StyleChoice, Wish
from impasto_protocol.messages import JobEntry, Report, Result
from impasto_protocol.orders import OrderKind
from impasto_protocol.pixels import Picture, PixelFormat, SampleType
from impasto_protocol.states import TERMINAL_STATES, JobState

SWIRL = StyleChoice(kind="built_in", title="Swirl", name="swirl", path="/nowhere/swirl.jpg")
JOB = "0" * 32
OUTCOME = Outcome(
    network="lite", precision="float32", evaluations=9, stopped=True, seconds=1.5, losses={"style/a": 2.0, "tv": 1.0}
)

wishes = st.builds(
    Wish,
    strength=st.floats(0.0, 1.0),
    size=st.integers(0, 32768),
    evaluations=st.integers(0, 100_000),
    network=st.sampled_from(sorted(NETWORKS)),
    color=st.sampled_from(sorted(COLORS)),
    style_scale=st.floats(0.05, 8.0),
    seed=st.integers(0, 2**31 - 1),
    keep_every=st.integers(0, 1000),
    previews=st.booleans(),
)


@given(wishes)
def test_whatever_can_be_chosen_makes_an_order_that_the_engine_takes(wish: Wish) -> None:
    picture = Picture(format=PixelFormat(width=2, height=1, channels=3), data=bytes(6))
    order = wish.order(picture, picture)
    assert order.settings == wish.settings()
    assert (order.previews is None) == (not wish.previews and not wish.keep_every)
    recipe = Recipe(wish=wish, style=SWIRL, source=3)
    told = json.loads(recipe_text(recipe, OUTCOME, version="1"))
    settings = Settings.from_dict({**told["settings"], "precision": told["precision"]})
    assert settings.strength == wish.strength
    assert settings.size == (wish.size or "original")
    assert settings.color == wish.color


@given(wishes, st.text(max_size=30))
def test_a_recipe_is_read_back_as_it_was(wish: Wish, title: str) -> None:
    recipe = Recipe(wish=wish, style=StyleChoice(kind="file", title=title, path=title), source=7)
    text = recipe_text(recipe, OUTCOME, version="1")
    assert text.isascii()
    assert read_recipe(text) == recipe


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"gimp": {}}', '{"gimp": {"wish": {"strength": "much"}}}', "null"])
def test_what_is_no_recipe_is_none(text: str) -> None:
    assert read_recipe(text) is None


def test_losses_are_summed_by_their_terms() -> None:
    told = json.loads(recipe_text(Recipe(wish=Wish(), style=SWIRL, source=1), OUTCOME, version="1"))
    assert told["losses"] == {"loss": 3.0, "terms": {"style": 2.0, "tv": 1.0}, "layers": {"style/a": 2.0, "tv": 1.0}}


def test_a_recipe_tells_the_weights_that_the_daemon_tells() -> None:
    recipe = Recipe(wish=Wish(), style=SWIRL, source=1)
    told = json.loads(recipe_text(recipe, OUTCOME, version="1"))
    assert (told["network"], told["polish"]) == ({"name": "lite", "weights": None}, None)
    picture = Picture(format=PixelFormat(width=2, height=1, channels=3), data=bytes(6))
    result = Result(
        job=JOB,
        seq=4,
        picture=picture.blob,
        crc32=0,
        losses={},
        evaluations=9,
        duration_s=1.5,
        stopped=False,
        rollbacks=0,
        network="lite",
        precision="float32",
        polisher="vgg16",
        network_digest=bytes([4]) * 32,
        polisher_digest=bytes([5]) * 32,
    )
    told = json.loads(recipe_text(recipe, outcome_of_result(result), version="1"))
    assert told["network"] == {"name": "lite", "weights": {"sha256": "04" * 32}}
    assert told["polish"] == {"name": "vgg16", "weights": {"sha256": "05" * 32}}


def test_previews_of_a_large_layer_come_less_often() -> None:
    small = Picture(format=PixelFormat(width=10, height=10, channels=3), data=bytes(300))
    large = Picture(format=PixelFormat(width=6000, height=4000, channels=1), data=bytes(24_000_000))
    assert Wish().order(small, small).previews.interval_s == 0.2
    assert Wish().order(large, small).previews.interval_s == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Swirl (strength 50%, 512 px)"),
        ({"size": 0, "network": "vgg16"}, "Swirl (strength 50%, full size, vgg16)"),
        ({"color": "luminance", "style_scale": 2.0}, "Swirl (strength 50%, 512 px, own colors, strokes ×2)"),
    ],
)
def test_a_layer_is_named_after_style_and_settings(changes: dict[str, Any], name: str) -> None:
    assert layer_name(SWIRL, Wish(**changes)) == name


def test_times_and_amounts_are_said_as_people_say_them() -> None:
    assert [time_text(each) for each in (0.4, 45.2, 600.0, 9000.0)] == [
        "about a second", "45 seconds", "10 minutes", "2.5 hours",
    ]  # fmt: skip
    assert [memory_text(each) for each in (600 * 2**20, 3 * 2**29)] == ["600 MB", "1.5 GB"]


# Formats


@given(
    st.integers(1, 40000), st.integers(1, 40000), st.booleans(), st.booleans(), st.booleans()
)  # fmt: skip
@example(13355, 13400, False, False, True)
def test_every_layer_has_a_format_or_is_refused(
    width: int, height: int, is_grey: bool, has_alpha: bool, is_deep: bool
) -> None:
    if max(width, height) > 32768 or width * height > 200_000_000:
        with pytest.raises(LayoutError, match=f"{width} × {height}"):
            content_format(width, height, is_grey=is_grey, has_alpha=has_alpha, is_deep=is_deep)
        return
    if is_deep and width * height * ((1 if is_grey else 3) + has_alpha) * 2 > 2**30:
        with pytest.raises(LayoutError, match="convert the image to 8 bits"):
            content_format(width, height, is_grey=is_grey, has_alpha=has_alpha, is_deep=is_deep)
        return
    form = content_format(width, height, is_grey=is_grey, has_alpha=has_alpha, is_deep=is_deep)
    assert form.channels == (1 if is_grey else 3) + has_alpha
    assert (form.samples is SampleType.UINT8) == (not is_deep)


def test_formats_have_babls_names() -> None:
    assert babl_name(PixelFormat(width=1, height=1, channels=4)) == "R'G'B'A u8"
    assert babl_name(PixelFormat(width=1, height=1, channels=1, samples=SampleType.FLOAT32)) == "Y' float"


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(allow_nan=True, allow_infinity=True))), st.integers(0, 500))
def test_the_curve_stays_in_its_square(losses: list[tuple[int, float]], evaluations: int) -> None:
    ordered = sorted(losses, key=lambda each: each[0])
    for x, y in curve_points(ordered, evaluations):
        assert 0.0 <= x <= 1.0
        assert math.isfinite(y)
        assert 0.0 <= y <= 1.0


# What the installer left


def installed(folder: Path, python: str = sys.executable) -> Path:
    styles = folder / "styles"
    styles.mkdir(parents=True)
    (styles / "styles.json").write_text('[{"name": "ink", "description": "Ink"}, {"name": "gone", "description": ""}]')
    (styles / "ink.jpg").write_bytes(b"a picture")
    (folder / "installation.json").write_text(json.dumps({"version": "1.2", "python": python}))
    return folder


def test_what_the_installer_left_is_found(tmp_path: Path) -> None:
    found = find_installation(installed(tmp_path))
    assert (found.version, found.python, found.trouble) == ("1.2", sys.executable, None)
    assert [style.name for style in found.styles] == ["ink"]
    assert found.style("ink") is found.styles[0]
    assert found.style("gone") is None


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"version": 1}', '{"version": "1", "python": "/nowhere"}'])
def test_what_the_installer_did_not_leave_is_told_with_the_remedy(text: str | None, tmp_path: Path) -> None:
    installed(tmp_path)
    file = tmp_path / "installation.json"
    file.unlink() if text is None else file.write_text(text)
    found = find_installation(tmp_path)
    assert found.trouble is not None
    assert "impasto install" in found.trouble
    assert found.styles
    for act in (lambda: start_daemon(found, {}), lambda: run_product(found, "doctor")):
        with pytest.raises((StartError, ProductError), match="impasto install"):
            act()


def test_from_a_flatpak_nothing_is_started_and_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLATPAK_ID", "org.gimp.GIMP")
    for place, python in (("seen", sys.executable), ("hidden", "/nowhere")):
        found = find_installation(installed(tmp_path / place, python))
        assert (found.trouble, found.is_confined) == (None, True)
        assert chosen_dial(found, tmp_path / "connection.json", {})[0] == "zmq"
        with pytest.raises(StartError, match="'impasto service install', which starts it now"):
            start_daemon(found, {})
        with pytest.raises(ProductError, match="run 'impasto jobs --json' in a terminal"):
            run_product(found, "jobs", "--json")
        checks = {check["name"]: check for check in examined(found, "3.0.4")}
        assert "Installation" not in checks
        assert (checks["Doctor"]["status"], checks["Doctor"]["cure"]) == (
            "warning",
            "Run 'impasto doctor' in a terminal.",
        )


# The transport


def test_pyzmq_is_taken_where_it_loads_and_a_bridge_where_it_is_wished(tmp_path: Path) -> None:
    found = find_installation(installed(tmp_path))
    assert chosen_dial(found, tmp_path / "connection.json", {})[0] == "zmq"
    assert chosen_dial(found, tmp_path / "connection.json", {"IMPASTO_TRANSPORT": "bridge"})[0] == "bridge"


BARE = """
import os, sys
from pathlib import Path

class Without:  # a finder that has no msgpack
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] == "msgpack" else self.finder.find_spec(name, path, target)

sys.modules["zmq"] = None
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from impasto_gimp.installation import find_installation
from impasto_gimp.libraries import chosen_dial
name, dial = chosen_dial(find_installation(Path(sys.argv[1])), Path("nowhere"), os.environ)
import msgpack
from impasto_protocol.client import Client
print(name, type(msgpack.__spec__.loader).__name__, msgpack.unpackb(msgpack.packb({"a": b"1"})))
"""


def test_without_any_library_msgpack_is_borrowed_from_the_product(tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", BARE, installed(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ran.stdout.split(maxsplit=2) == ["bridge", "_Borrowed", "{'a': b'1'}\n"], ran.stderr


def test_a_product_that_does_not_work_is_named_with_what_it_said(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    python.chmod(0o755)
    found = find_installation(installed(tmp_path / "plug-in", str(python)))
    with pytest.raises(ProductError, match="no such library"):
        run_product(found, "doctor")
    with pytest.raises(StartError, match="no such library"):
        start_daemon(found, {})


def test_pyzmq_that_is_demanded_and_does_not_load_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zmq", None)
    with pytest.raises(LibraryError, match="unset it"):
        chosen_dial(find_installation(installed(tmp_path)), tmp_path, {"IMPASTO_TRANSPORT": "zmq"})


# Words for people


def entry(state: JobState, **more: Any) -> JobEntry:
    given = {"attached": False, "has_result": False, **more}
    return JobEntry(
        number=1, job=JOB, state=state, seq=1, kind=OrderKind.TRANSFER, width=30, height=20, changed_s=1.0, **given
    )  # fmt: skip


def test_jobs_and_the_daemon_are_described() -> None:
    job = entry(JobState.RUNNING, evaluation=3, evaluations=9, remaining_s=12.0)
    assert described(job, None) == "30 × 20 pixels · being painted · evaluation 3 of 9 · 12 seconds left"
    assert described(entry(JobState.SUCCEEDED, attached=True), "Ink") == "Ink\n30 × 20 pixels · finished"
    assert "window that is open" in described(entry(JobState.PAUSED, attached=True), "Ink")
    assert described(entry(JobState.FAILED, trouble="It broke."), None).endswith("failed · It broke.")
    report = Report(
        daemon="Impasto 1", device="CPU", uptime_s=1.0, sessions=1, queued=2, painting=1, memory_bytes=1
    )  # fmt: skip
    assert daemon_line(report) == "Impasto 1 runs on CPU: 1 painting, 2 waiting."


def test_what_can_be_done_with_a_job_goes_with_where_it_stands_and_who_looks_at_it() -> None:
    assert [state for state in JobState if not is_listed(entry(state))] == [JobState.CANCELLED]
    over = {*TERMINAL_STATES, JobState.CANCELLING}
    assert {state for state in JobState if not can_be_ended(entry(state))} == over
    assert {state for state in JobState if not can_be_followed(entry(state))} == over
    assert not any(can_be_followed(entry(state, attached=True)) for state in JobState)
    assert [state for state in JobState if can_be_brought(entry(state, has_result=True))] == [
        state for state in JobState if state in TERMINAL_STATES
    ]
    assert not can_be_brought(entry(JobState.SUCCEEDED))
    assert not can_be_brought(entry(JobState.SUCCEEDED, has_result=True, attached=True))


# What is remembered of a painting that the daemon has


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is remembered."""
    monkeypatch.setenv("IMPASTO_CONNECTION", str(tmp_path / "state" / "connection.json"))
    return tmp_path / "state" / "left"


LEFT = LeftPainting(
    name="Swirl (½)", recipe=Recipe(wish=Wish(strength=0.8), style=SWIRL, source=7), offsets=(-3, 5), size=(3, 2),
    mask=bytes(range(24)), has_alpha=True, image_size=(40, 30), image_uri="file:///tmp/%C3%A4.xcf", is_grey=False,
    precision=150,
)  # fmt: skip


@pytest.mark.parametrize("left", [LEFT, replace(LEFT, mask=None, image_uri="")], ids=["with a mask", "without"])
def test_a_painting_that_is_left_is_remembered_as_it_was_and_for_its_user_only(
    beside: Path, left: LeftPainting
) -> None:
    left.keep(JOB)
    assert LeftPainting.of(JOB) == left
    assert (beside / f"{JOB}.json").stat().st_mode & 0o077 == 0
    LeftPainting.forget(JOB)
    LeftPainting.forget(JOB)
    assert LeftPainting.of(JOB) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: text.replace('"offsets": [-3, 5]', '"offsets": [1]'),
        lambda text: text.replace('"size": [3, 2]', '"size": [3, 3]'),
        lambda text: re.sub(r'"mask": "[^"]*"', '"mask": "AAAA"', text),
        lambda _: '{"sources": {}, "settings": {}}',
        lambda _: "[]",
    ],
    ids=["cut short", "offsets", "mask of another size", "mask", "a command's", "no object"],
)
def test_what_is_damaged_or_a_commands_is_not_taken_for_a_painting_of_ours(
    beside: Path, damage: Callable[[str], str]
) -> None:
    LEFT.keep(JOB)
    place = beside / f"{JOB}.json"
    damaged = damage(place.read_text())
    assert damaged != place.read_text()
    place.write_text(damaged)
    assert LeftPainting.of(JOB) is None


def test_what_is_remembered_of_jobs_that_are_gone_for_long_is_removed(beside: Path) -> None:
    for job in ("listed", "lately", "long ago"):
        LEFT.keep(job)
        if job != "lately":
            os.utime(beside / f"{job}.json", (1.0, 1.0))
    LeftPainting.forget_all_but({"listed"})
    assert {place.stem for place in beside.iterdir()} == {"listed", "lately"}


def test_a_painting_is_not_kept_from_being_painted_by_a_place_that_cannot_be_written_to(beside: Path) -> None:
    beside.parent.mkdir(parents=True)
    beside.write_text("a file where the folder should be")
    LEFT.keep(JOB)
    assert LeftPainting.of(JOB) is None


def test_the_plug_ins_own_checks_find_what_is_missing_and_do_not_name_the_user(tmp_path: Path) -> None:
    checks = own_checks(find_installation(tmp_path / "nothing"), "3.0.4")
    failing = {each["name"] for each in checks if each["status"] == "error"}
    assert {"Installation", "Styles"} <= failing
    assert all(each["cure"] for each in checks if each["status"] == "error")
    told = as_text([{"name": "x", "status": "ok", "message": f"in {Path.home()}/.config", "cure": ""}])
    assert str(Path.home()) not in told
