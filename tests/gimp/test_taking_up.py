"""Paintings that the daemon has and whose GIMP, or plug-in, is gone: taken up where they were, or brought home."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gimp.running import Daemon, Gimp, jobs_of, own_daemon, painting_jobs, plugin_process, until
from gimp.shown import CALL, DIALOG, PAINTING, Shown, paint
from impasto_protocol.states import TERMINAL_STATES

PAINTINGS, BRING, WATCH = "Impasto: Paintings", "^Bring into GIMP$", "^Watch$"

NAME = "Ink (strength 80%, {} px, lite)"

LONG, SHORT = (512, 100_000), (128, 60)
"""Sizes and evaluations of paintings that go on, and that are soon over."""

ORDER = """
image = new_image(120, 90, precision={precision!r}); layer = new_layer(image, at=(10, 5))
image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 50, 40); Gimp.Selection.feather(image, 8.0)
file = Gio.File.new_for_path({file!r})
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None); image.delete()
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file); layer = image.get_layers()[0]
_, _, x1, y1, x2, y2 = Gimp.Selection.bounds(image)
mask = pixels(layer.create_mask(Gimp.AddMaskType.SELECTION), "Y u8", (x1 - 10, y1 - 5, x2 - x1, y2 - y1))
tell([[x1, y1, x2 - x1, y2 - y1], mask])
stylize(image, layer, size={size}, evaluations={evaluations}, strength=0.8, style_name="ink")
"""
"""Paints into a feathered selection of a layer that lies askew, in an image that has a file."""

DESCRIBE = """
def everything(layer):
    kept = recipe(layer)
    marked = layer.get_parasite("impasto-job") is not None
    mask = layer.get_mask()
    return [describe(layer), None if mask is None else pixels(mask, "Y u8"), kept and kept["settings"]["strength"],
            marked, len(set(pixels(layer)))]
"""


@pytest.fixture
def at_work(
    new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path
) -> Iterator[tuple[Gimp, Daemon, Callable[..., Any]]]:
    """A GIMP, its daemon, and what orders a painting in another GIMP and kills that."""
    gimp, daemon = own_daemon(new_gimp, shared, tmp_path)
    daemon.start()

    def order(size: int, evaluations: int, precision: str = "U8_NON_LINEAR") -> Any:
        file = str(gimp.folder / "ordered.xcf")
        before = len(jobs_of(daemon))
        dying = new_gimp(**daemon.environment)
        process, result = dying.launch(ORDER.format(file=file, size=size, evaluations=evaluations, precision=precision))
        until(lambda: len(jobs_of(daemon)) > before, "it is ordered")
        process.kill()
        process.communicate()
        until(lambda: not any(job.attached for job in jobs_of(daemon)), "the daemon misses it")
        return file, json.loads(result.read_text())

    yield gimp, daemon, order
    daemon.stop()


def test_a_running_painting_whose_gimp_is_gone_is_watched_again_in_its_image(
    at_work: tuple[Gimp, Daemon, Callable[..., Any]], show: Callable[[Gimp, str], Shown]
) -> None:
    gimp, daemon, order = at_work
    order(*SHORT)
    file, (bounds, selected) = order(*LONG)
    until(lambda: painting_jobs(daemon), "it is painted")
    gimp_shown = show(
        gimp,
        f"""
{DESCRIBE}
other = new_image(120, 90)
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({file!r})); layer = image.get_layers()[0]
Gimp.Selection.none(image); Gimp.Display.new(image); given, image = image, other; layer = new_layer(other)
{CALL.format(name="jobs", arguments="")}
tell([status, len(other.get_layers()), [each.get_name() for each in given.get_layers()],
      everything(given.get_layers()[0])])
other.delete()
""",
    )
    screen = gimp_shown.screen
    window = screen.window(PAINTINGS)
    for button in (BRING, WATCH):
        gimp_shown.reads(button)
    gimp_shown.picture("gimp-jobs", window)
    screen.press(window, "alt+w")
    painting = screen.window(PAINTING)
    assert not screen.is_there(PAINTINGS)
    before = jobs_of(daemon)[-1].evaluation or 0
    until(lambda: (jobs_of(daemon)[-1].evaluation or 0) > before + 20, "it goes on")
    screen.window("2 layers")
    gimp_shown.picture("gimp-watched", painting, moves=True)
    screen.press(painting, "alt+s")
    screen.until_gone(PAINTING)
    status, in_other, layers, (told, mask, strength, is_marked, colours) = gimp_shown.told()
    assert (status, in_other, layers) == ("success", 1, [NAME.format(512), "source"])
    assert [*told["offsets"], *told["size"]] == bounds
    assert mask == selected
    assert (strength, is_marked) == (0.8, False)
    assert colours > 100
    until(lambda: len(jobs_of(daemon)) == 1, "the daemon forgets it")


def test_a_painting_whose_plug_in_was_killed_goes_on_in_the_very_layer(
    new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path, show: Callable[[Gimp, str], Shown]
) -> None:
    gimp, daemon = own_daemon(new_gimp, shared, tmp_path)
    daemon.start()
    try:
        gimp_shown = show(
            gimp,
            f"""
{DESCRIBE}
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 60, 40)
{paint(size=512, evaluations=100_000, keep_every=2)}
group = image.get_layers()[0]
told = [status, everything(group.get_children()[0])[3]]
Gimp.Selection.none(image)
{CALL.format(name="jobs", arguments="")}
told += [status, [each.get_name() for each in image.get_layers()], everything(group.get_children()[0]),
         [each.get_parasite("impasto-job") is None for each in group.get_children()]]
tell(told)
""",
        )
        screen = gimp_shown.screen
        screen.press(screen.window(DIALOG), "Return")
        screen.window(PAINTING)
        until(lambda: painting_jobs(daemon), "it is painted")
        pid = plugin_process(gimp)
        assert pid is not None
        screen.window("[5-9] layers")  # the source, a group, what is painted, and previews that are kept
        os.kill(pid, signal.SIGKILL)
        window = screen.window(PAINTINGS)
        gimp_shown.reads(WATCH)
        screen.press(window, "alt+w")
        screen.press(screen.window(PAINTING), "alt+s")
        screen.until_gone(PAINTING)
        killed, was_marked, status, layers, (live, mask, strength, is_marked, colours), unmarked = gimp_shown.told(
            in_peace=False
        )
        assert killed != "success"
        assert was_marked
        assert (status, len(layers), layers[1:]) == ("success", 2, ["source"])
        assert live["size"] == [60, 40]
        assert mask is not None
        assert (strength, is_marked) == (0.5, False)
        assert all(unmarked)
        assert colours > 100
    finally:
        daemon.stop()


@pytest.mark.parametrize("has_image", [False, True], ids=["into an image of its own", "into one of its size"])
def test_a_finished_painting_whose_image_is_not_open_is_brought_with_its_place_its_mask_and_its_recipe(
    at_work: tuple[Gimp, Daemon, Callable[..., Any]], show: Callable[[Gimp, str], Shown], has_image: bool
) -> None:
    gimp, daemon, order = at_work
    _, (bounds, selected) = order(*SHORT, precision="U16_NON_LINEAR")
    until(lambda: all(job.state in TERMINAL_STATES for job in jobs_of(daemon)), "it is finished")
    size = (120, 90) if has_image else (96, 64)
    gimp_shown = show(
        gimp,
        f"""
{DESCRIBE}
image = new_image(*{size}); layer = new_layer(image, *{size}); Gimp.Display.new(image)
{CALL.format(name="jobs", arguments="")}
found = [each for each in Gimp.get_images() if each.get_layers()[0].get_name() != "source"]
tell([status, len(Gimp.get_images()), [[each.get_name() for each in one.get_layers()] for one in found],
      [one.get_width() for one in found], [one.get_precision().value_nick for one in found],
      everything(found[0].get_layers()[0])])
""",
    )
    screen = gimp_shown.screen
    window = screen.window(PAINTINGS)
    gimp_shown.reads(BRING)
    screen.press(window, "alt+b")
    until(lambda: not jobs_of(daemon), "the picture is brought")
    gimp_shown.picture("gimp-brought")
    screen.press(window, "Escape")
    status, images, layers, widths, precisions, (told, mask, strength, is_marked, colours) = gimp_shown.told()
    assert (status, images, widths) == ("success", 1 if has_image else 2, [120])
    assert layers == [[NAME.format(128), "source"] if has_image else [NAME.format(128)]]
    assert precisions == ["u8-non-linear" if has_image else "u16-non-linear"]
    assert [*told["offsets"], *told["size"]] == bounds
    assert mask == selected
    assert len({value for (value,) in mask}) > 20
    assert (strength, is_marked) == (0.8, False)
    assert colours > 100


def test_a_painting_that_a_command_has_left_is_brought_without_what_only_gimp_knows(
    at_work: tuple[Gimp, Daemon, Callable[..., Any]], show: Callable[[Gimp, str], Shown]
) -> None:
    gimp, daemon, order = at_work
    order(*SHORT)
    for note in daemon.connection.with_name("left").iterdir():
        note.unlink()
    until(lambda: all(job.state in TERMINAL_STATES for job in jobs_of(daemon)), "it is finished")
    gimp_shown = show(
        gimp,
        f"""
{DESCRIBE}
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{CALL.format(name="jobs", arguments="")}
found = [each for each in Gimp.get_images() if each.get_id() != image.get_id()]
tell([status, [each.get_width() for each in found], everything(found[0].get_layers()[0])])
""",
    )
    screen = gimp_shown.screen
    window = screen.window(PAINTINGS)
    gimp_shown.reads(BRING)
    screen.press(window, "alt+b")
    until(lambda: not jobs_of(daemon), "the picture is brought")
    screen.press(window, "Escape")
    status, widths, (told, mask, strength, is_marked, colours) = gimp_shown.told()
    assert (status, widths) == ("success", told["size"][:1])
    assert (told["name"], told["offsets"], mask, strength, is_marked) == ("Painting", [0, 0], None, None, False)
    assert colours > 100


def test_the_list_waits_for_a_picture_that_is_on_its_way_unless_it_is_closed_once_more(
    at_work: tuple[Gimp, Daemon, Callable[..., Any]], show: Callable[[Gimp, str], Shown]
) -> None:
    """The daemon is suspended meanwhile, so that the picture is on its way for long."""
    gimp, daemon, order = at_work
    file, _ = order(*SHORT)
    until(lambda: all(job.state in TERMINAL_STATES for job in jobs_of(daemon)), "it is finished")
    gimp_shown = show(
        gimp,
        f"""
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({file!r})); layer = image.get_layers()[0]
Gimp.Display.new(image); told = []
for time in range(2):
    {CALL.format(name="jobs", arguments="").strip()}
    told.append([status, [each.get_name() for each in image.get_layers()]])
tell(told)
""",
    )
    screen = gimp_shown.screen
    for closings in (2, 1):
        window = screen.window(PAINTINGS)
        gimp_shown.reads(BRING)
        daemon.suspend()
        screen.press(window, "alt+b")
        gimp_shown.reads("^The picture is on its way.$")
        screen.press(window, "Escape")
        gimp_shown.reads("; close once more")
        if closings == 2:
            screen.press(window, "Escape")
            screen.until_gone(PAINTINGS)
        daemon.resume()
    assert gimp_shown.told() == [["success", ["source"]], ["success", [NAME.format(128), "source"]]]


def test_a_painting_is_cancelled_from_the_list_and_forgotten(
    at_work: tuple[Gimp, Daemon, Callable[..., Any]], show: Callable[[Gimp, str], Shown]
) -> None:
    gimp, daemon, order = at_work
    order(*LONG)
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{CALL.format(name="jobs", arguments="")}
tell([status, len(image.get_layers())])
""",
    )
    screen = gimp_shown.screen
    window = screen.window(PAINTINGS)
    gimp_shown.reads("^Cancel$")
    screen.press(window, "alt+n")
    until(lambda: not jobs_of(daemon), "it is forgotten")
    screen.press(window, "Escape")
    assert gimp_shown.told() == ["success", 1]
