"""What may happen while it paints: the user stops, discards, pauses, adjusts; layers and images go; processes die.

The painting runs in the script itself, through the plug-in's own `paint_layer`, with a view of the test's that is
called ten times a second, and does what a user might do. Where a process is to be killed, the procedure is called as
always.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gimp.running import (
    RUN_S,
    Gimp,
    Ran,
    jobs_of,
    own_daemon,
    painting_jobs,
    plant,
    plugin_process,
    product_python,
    until,
)
from gimp.shown import Shown
from impasto_protocol.states import TERMINAL_STATES

LONG = "size=1024, evaluations=4000, network='lite'"

NAME = "Ink (strength 50%, 1024 px, lite)"

STAGE = """
import sys, time
from pathlib import Path
folder = Path({folder!r})
sys.path.insert(0, str(folder))
from impasto_gimp.installation import find_installation
from impasto_gimp.painting import Phase
from impasto_gimp.stylize import ChosenStyle, paint_layer
from impasto_gimp.wish import StyleChoice, Wish

installation = find_installation(folder)
STYLE = ChosenStyle(choice=StyleChoice(kind="built_in", title="Ink", name="ink", path=str(folder / "styles/ink.jpg")))

class View:
    def __init__(self, act, at):
        self.act, self.at, self.phases, self.is_done, self.began = act, at, [], False, time.monotonic()
    def show(self, painting):
        name = painting.phase.name
        if not self.phases or self.phases[-1] != name:
            self.phases.append(name)
        if not self.is_done and painting.previews >= self.at:
            self.is_done = True
            self.act(painting)

def painted(image, layer, act, at=2, **wish):
    view = View(act, at)
    wish = Wish(**{{**dict({long}), **wish}})
    painting, result = paint_layer(image, layer, STYLE, wish, installation, open_view=lambda _: view)
    return painting, result, view
"""


def staged(gimp: Gimp, script: str) -> Ran:
    return gimp.run(STAGE.format(folder=str(gimp.plugin), long=LONG) + script)


def clean(ran: Ran) -> Any:
    assert ran.complaints == [], ran.output
    assert ran.told is not None, ran.output
    return ran.told


def test_stopping_keeps_the_picture_and_its_recipe(gimp: Gimp) -> None:
    phase, name, layers, recipe, seconds = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
stopped = []
painting, result, view = painted(image, layer, lambda p: (stopped.append(time.monotonic()), p.stop()))
tell([painting.phase.name, result.get_name(), len(tree(image)), recipe(result), time.monotonic() - stopped[0]])
image.delete()
""",
        )
    )
    assert (phase, name, layers) == ("KEPT", NAME, 2)
    assert recipe["stopped"] is True
    assert 0 < recipe["evaluations"] < 4000
    assert seconds < 30.0  # all evaluations would take many minutes


def test_discarding_leaves_the_image_as_it_was(gimp: Gimp) -> None:
    phase, result, layers, selected = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
painting, result, view = painted(image, layer, lambda p: p.discard(), keep_every=1)
tell([painting.phase.name, result, [each["name"] for each in tree(image)],
      [each.get_name() for each in image.get_selected_layers()]])
image.delete()
""",
        )
    )
    assert (phase, result, layers, selected) == ("DISCARDED", None, ["source"], ["source"])


def test_discarding_before_the_first_preview_leaves_nothing_and_no_dirt(gimp: Gimp) -> None:
    phase, layers, is_dirty = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image); image.clean_all()
painting, result, view = painted(image, layer, lambda p: p.discard(), at=0)
tell([painting.phase.name, len(tree(image)), image.is_dirty()])
image.delete()
""",
        )
    )
    assert (phase, layers, is_dirty) == ("DISCARDED", 1, False)


def test_discarding_while_the_layer_is_sent_leaves_no_painting_with_the_daemon(
    new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path
) -> None:
    gimp, daemon = own_daemon(new_gimp, shared, tmp_path)
    daemon.start()
    try:
        phase, phases, layers = clean(
            staged(
                gimp,
                """
image = new_image(6000, 4000); layer = new_layer(image, 6000, 4000)
painting, result, view = painted(image, layer, lambda p: p.discard(), at=0)
tell([painting.phase.name, view.phases, len(tree(image))])
image.delete()
""",
            )
        )
        assert (phase, phases, layers) == ("DISCARDED", ["ORDERING"], 1)
        until(lambda: all(job.state in TERMINAL_STATES for job in jobs_of(daemon)), "nothing is painted")
    finally:
        daemon.stop()


def test_a_painting_is_paused_and_resumed_and_follows_the_strength(gimp: Gimp) -> None:
    phase, phases, before, after = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
steps = []
class Steps(View):
    def show(self, painting):
        super().show(painting)
        if painting.phase is Phase.PAUSED and not steps:
            steps.append(len(painting.losses)); painting.resume()
        elif len(steps) == 1 and painting.phase is Phase.PAINTING and len(painting.losses) > steps[0]:
            steps.append(painting.progress.losses["content/block4_conv2"]); painting.strengthen(0.0)
        elif len(steps) == 2 and painting.progress.losses["content/block4_conv2"] > 3 * steps[1]:
            steps.append(painting.progress.losses["content/block4_conv2"]); painting.stop()
view = Steps(lambda p: p.pause(), 2)
painting, result = paint_layer(image, layer, STYLE, Wish(size=1024, evaluations=20000, network="lite"), installation,
                               open_view=lambda _: view)
tell([painting.phase.name, view.phases, *steps[1:]])
image.delete()
""",
        )
    )
    assert phase == "KEPT"
    assert [each for each in phases if each in ("PAINTING", "PAUSED")][:3] == ["PAINTING", "PAUSED", "PAINTING"]
    assert after > 3 * before


@pytest.mark.parametrize(
    ("act", "phase", "layers"),
    [
        ("image.remove_layer(image.get_layers()[0])", "DISCARDED", ["source"]),
        ("image.get_layers()[0].set_lock_content(True)", "KEPT", [NAME, "source"]),
        ("image.remove_layer(layer)", "KEPT", [NAME]),
        ("image.delete()", "DISCARDED", None),
        ("image.resize(300, 300, 50, 60)", "KEPT", [NAME, "source"]),
        ("image.convert_grayscale()", "KEPT", [NAME, "source"]),
        (
            "image.convert_precision(Gimp.Precision.FLOAT_LINEAR)",
            "KEPT",
            [NAME, "source"],
        ),
        ("image.get_layers()[0].scale(40, 20, False)", "KEPT", [NAME, "source"]),
    ],
    ids=["delete layer", "lock layer", "delete source", "close image", "resize", "to grey", "to float", "scale layer"],
)
def test_whatever_the_user_does_to_the_image_the_painting_ends_cleanly(
    gimp: Gimp, act: str, phase: str, layers: list[str] | None
) -> None:
    found_phase, found = clean(
        staged(
            gimp,
            f"""
image = new_image(); layer = new_layer(image)
painting, result, view = painted(image, layer, lambda p: {act}, evaluations=60)
tell([painting.phase.name, [each["name"] for each in tree(image)] if image.is_valid() else None])
if image.is_valid():
    image.delete()
""",
        )
    )
    assert (found_phase, found) == (phase, layers)


@pytest.mark.parametrize(
    ("act", "phase", "kind", "layers"),
    [
        ("image.convert_grayscale()", "KEPT", "graya-image", [NAME, "source"]),
        ("image.convert_indexed(0, 0, 16, False, False, '')", "KEPT", "indexeda-image", [NAME, "source"]),
        ("image.convert_precision(Gimp.Precision.FLOAT_LINEAR)", "KEPT", "rgba-image", [NAME, "source"]),
        ("image.remove_layer(layer)", "KEPT", "rgba-image", [NAME]),
        ("image.delete()", "DISCARDED", None, None),
    ],
    ids=["to grey", "to indexed", "to float", "delete source", "close image"],
)
def test_what_the_user_does_before_the_first_preview_does_not_matter(
    gimp: Gimp, act: str, phase: str, kind: str | None, layers: list[str] | None
) -> None:
    found_phase, found_kind, has_mask, colours, found, place = clean(
        staged(
            gimp,
            f"""
image = new_image(); layer = new_layer(image, at=(5, 3))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 60, 40)
from gi.repository import Babl
painting, result, view = painted(image, layer, lambda p: {act}, at=0, evaluations=60)
tell([painting.phase.name, result and result.type().value_nick, result and result.get_mask() is not None,
      result and len(set(pixels(result))), [each["name"] for each in tree(image)] if image.is_valid() else None,
      result and [describe(result)["offsets"], describe(result)["size"],
                  Babl.format_get_encoding(result.get_format()) == Babl.format_get_encoding(other.get_format())
                  if (other := layer if layer.is_valid() else new_layer(image)) else None]])
if image.is_valid():
    image.delete()
""",
        )
    )
    assert (found_phase, found_kind, found) == (phase, kind, layers)
    fewest = 4 if kind == "indexeda-image" else 10  # a palette has sixteen at most
    assert kind is None or (has_mask and colours > fewest and place == [[10, 10], [60, 40], True])


def test_of_the_previews_every_third_is_kept(gimp: Gimp) -> None:
    previews, kept, phase = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
painting, result, view = painted(image, layer, lambda p: p.stop(), at=7, keep_every=3)
group = image.get_layers()[0]
tell([painting.previews, len(group.get_children()) - 1, painting.phase.name]); image.delete()
""",
        )
    )
    assert phase == "KEPT"
    assert previews >= 7
    assert kept == previews // 3


def test_discarding_takes_away_no_layer_that_the_user_has_put_into_the_group(gimp: Gimp) -> None:
    told = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
def act(painting):
    new_layer(image, name="the user's", parent=image.get_layers()[0], position=1); painting.discard()
painting, result, view = painted(image, layer, act, at=3, keep_every=1)
tell([painting.phase.name, [[each["name"], [one["name"] for one in each["children"] or []]] for each in tree(image)]])
image.delete()
""",
        )
    )
    assert told == ["DISCARDED", [[NAME, ["the user's"]], ["source", []]]]


def test_the_image_stays_clean_but_for_the_new_layer_while_previews_come(gimp: Gimp) -> None:
    (dirt, selection_mask), phase = clean(
        staged(
            gimp,
            """
image = new_image(); layer = new_layer(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 30, 20)
found = []
class Watch(View):
    def show(self, painting):
        super().show(painting)
        if painting.previews == 2 and not found:
            Gimp.Selection.none(image); image.clean_all(); found.append(painting.previews)
        elif painting.previews >= 5 and len(found) == 1:
            found[:] = [image.is_dirty(), None]; painting.stop()
view = Watch(lambda p: None, 10**9)
painting, result = paint_layer(image, layer, STYLE, Wish(size=1024, evaluations=20000, network="lite"), installation,
                               open_view=lambda _: view)
tell([[found[0], sorted(set(pixels(result.get_mask(), "Y' u8")))], painting.phase.name])
image.delete()
""",
        )
    )
    assert phase == "KEPT"
    assert not dirt
    assert selection_mask == [[255]]  # that of the beginning, though the user has selected something else since


def test_the_first_preview_comes_soon(gimp: Gimp) -> None:
    """Of a megapixel, painted in the usual size: from the order to the pixels in the layer, once the daemon is warm."""
    cold, *warm = clean(
        staged(
            gimp,
            """
image = new_image(1000, 1000); layer = new_layer(image, 1000, 1000)
seconds = []
for _ in range(6):
    began = time.monotonic()
    painted(image, layer, lambda p: (seconds.append(time.monotonic() - began), p.stop()), at=1, size=512)
tell(seconds)
image.delete()
""",
        )
    )
    print(f"The first preview came after {cold:.2f} s, and then {', '.join(f'{each:.2f}' for each in warm)} s.")
    assert min(warm) < 5.0  # about one on an idle machine


def test_a_painting_that_something_else_cuts_short_without_a_picture_is_a_failure_that_says_why(gimp: Gimp) -> None:
    status, error = clean(
        staged(
            gimp,
            """
from types import SimpleNamespace
from impasto_gimp.returning import returned
image = new_image(); layer = new_layer(image)
painting, result, view = painted(image, layer, lambda p: image.remove_layer(image.get_layers()[0]))
made = []
procedure = SimpleNamespace(new_return_values=lambda status, error: made.append([status.value_nick, error.message]))
returned(procedure, Gimp.RunMode.NONINTERACTIVE, painting, result)
tell(made[0])
image.delete()
""",
        )
    )
    assert (status, error) == ("execution-error", "The layer was deleted, and the painting has ended.")


# Deaths


PAINT = """
image = new_image(); layer = new_layer(image)
status, error, painted = stylize(image, layer, size={size}, evaluations={evaluations})
tell([status, error, tree(image)])
image.delete()
"""


def test_a_killed_plug_in_leaves_its_last_picture_and_gimp_lives(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    """The image is shown, so that its window's title tells when the layer with the first preview is there."""
    script = PAINT.format(size=1024, evaluations=20000).replace("\nstatus", "; Gimp.Display.new(image)\nstatus")
    gimp_shown = show(gimp, script)
    gimp_shown.screen.window("2 layers")
    os.kill(until(lambda: plugin_process(gimp), "the plug-in's process"), signal.SIGKILL)
    status, _, layers = gimp_shown.told(in_peace=False)
    assert status != "success"
    assert [layer["name"] for layer in layers] == ["Swirl (strength 50%, 1024 px, lite)", "source"]


@pytest.mark.parametrize("transport", ["zmq", "bridge"])
def test_a_killed_daemon_is_started_again_and_the_painting_finished(
    new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path, transport: str
) -> None:
    gimp, daemon = own_daemon(new_gimp, shared, tmp_path)
    if transport == "bridge":
        plant(gimp, product_python(gimp.root, shared), None)
    daemon.start()
    try:
        process, result = gimp.launch(PAINT.format(size=128, evaluations=150))
        until(lambda: painting_jobs(daemon), "painting begins")
        daemon.kill()
        output, _ = process.communicate(timeout=RUN_S)
        status, error, layers = json.loads(result.read_text())
        assert (status, error) == ("success", "success"), output
        assert len(layers) == 2
        assert Ran(told=None, output=output).complaints == []
    finally:
        daemon.stop()


@pytest.mark.parametrize("transport", ["zmq", "bridge"])
def test_a_daemon_that_does_not_run_is_started_by_either_transport(
    new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path, transport: str
) -> None:
    gimp, daemon = own_daemon(new_gimp, shared, tmp_path)
    if transport == "bridge":  # as where nothing compiled can be had: no pyzmq, no msgpack
        plant(gimp, product_python(gimp.root, shared), None)
    try:
        status, error, layers = clean(gimp.run(PAINT.format(size=128, evaluations=5)))
        assert (status, error) == ("success", "success"), error
        assert len(layers) == 2
        assert daemon.connection.exists()
    finally:
        daemon.stop()


def test_two_gimps_paint_on_one_daemon_at_once(new_gimp: Callable[..., Gimp]) -> None:
    launched = [new_gimp().launch(PAINT.format(size=128, evaluations=40)) for _ in range(2)]
    for process, result in launched:
        output, _ = process.communicate(timeout=RUN_S)
        status, error, layers = json.loads(result.read_text())
        assert (status, error, len(layers)) == ("success", "success", 2), output
        assert Ran(told=None, output=output).complaints == []
