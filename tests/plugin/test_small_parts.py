"""Settings, names, formats, the recipe, the curve, what the installer left, and which transport is taken."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto_engine.settings import Settings
from impasto_gimp.checkup import as_text, own_checks
from impasto_gimp.choices import COLORS, NETWORKS
from impasto_gimp.curve import curve_points
from impasto_gimp.installation import find_installation
from impasto_gimp.job_list import can_be_brought, can_be_ended, daemon_line, described
from impasto_gimp.libraries import LibraryError, chosen_dial
from impasto_gimp.naming import layer_name, memory_text, time_text
from impasto_gimp.pixel_layout import LayoutError, babl_name, content_format
from impasto_gimp.product import ProductError, run_product
from impasto_gimp.recipe import Outcome, Recipe, read_recipe, recipe_text
from impasto_gimp.starting import StartError, start_daemon
from impasto_gimp.wish import StyleChoice, Wish
from impasto_protocol.pixels import Picture, PixelFormat, SampleType

SWIRL = StyleChoice(kind="built_in", title="Swirl", name="swirl", path="/nowhere/swirl.jpg")
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
def test_every_layer_has_a_format_or_is_refused(
    width: int, height: int, is_grey: bool, has_alpha: bool, is_deep: bool
) -> None:
    if max(width, height) > 32768 or width * height > 200_000_000:
        with pytest.raises(LayoutError, match=f"{width} × {height}"):
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


def test_jobs_and_the_daemon_are_described() -> None:
    job = {"width": 30, "height": 20, "state": "RUNNING", "evaluation": 3, "evaluations": 9, "remaining_s": 12.0}
    assert described(job) == "30 × 20 pixels · being painted · evaluation 3 of 9 · 12 seconds left"
    assert can_be_ended(job)
    assert not can_be_brought(job)
    assert can_be_brought({"state": "SUCCEEDED"})
    assert not can_be_brought({"state": "SUCCEEDED", "has_result": False})
    report = {"daemon": "Impasto 1", "device": "CPU", "painting": 1, "queued": 2}
    assert daemon_line(report, None) == "Impasto 1 runs on CPU: 1 painting, 2 waiting."
    assert "No daemon is running" in daemon_line(None, None)


def test_the_plug_ins_own_checks_find_what_is_missing_and_do_not_name_the_user(tmp_path: Path) -> None:
    checks = own_checks(find_installation(tmp_path / "nothing"), "3.0.4")
    failing = {each["name"] for each in checks if each["status"] == "error"}
    assert {"Installation", "Styles"} <= failing
    assert all(each["cure"] for each in checks if each["status"] == "error")
    told = as_text([{"name": "x", "status": "ok", "message": f"in {Path.home()}/.config", "cure": ""}])
    assert str(Path.home()) not in told
