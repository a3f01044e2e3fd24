"""What is on the screen, in a GIMP with windows: dialogs, the painting window, undo, and pictures of them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gimp.running import PATIENCE_S, Daemon, Gimp, painting_jobs, plugin_process, until
from gimp.shown import CALL, DIALOG, PAINTING, PICTURES, Shown, paint
from gimp.test_procedures import break_protocol

PAINTED = "2 layers"
"""In the title of the image's window when there is something of the painting to see; before, it says "1 layer"."""

SIZE, EVALUATIONS, FAR = (448, 500, r"^Evaluation [34]\d\d ") if PICTURES else (256, 4000, r"^Evaluation [1-9]\d ")
"""A picture to be shown is painted larger, and nearly to its end."""


def test_a_layer_is_painted_from_the_dialog_and_undone_in_one_step(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    photograph = gimp.shared / "photograph.png"
    make_photograph(photograph)
    gimp_shown = show(
        gimp,
        f"""
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({str(photograph)!r}))
layer = image.get_layers()[0]; Gimp.Display.new(image); layer.set_name("the step before")
{paint(size=SIZE, evaluations=EVALUATIONS)}
told = [status, error, len(image.get_layers())]
look = lambda: [len(image.get_layers()), layer.get_name()]
for state in ([1, "the step before"], [1, "Background"], [1, "the step before"], [2, "the step before"]):
    say(f"before {{state}}")
    until(lambda: look() == state)
    told.append(look())
told.append(recipe(image.get_layers()[0]) is not None); told.append(len(set(pixels(image.get_layers()[0]))) > 100)
tell(told)
""",
    )
    screen = gimp_shown.screen
    dialog = screen.window(DIALOG)
    for text in (r" evaluations: .* of memory$", "^Ready on "):
        gimp_shown.reads(text)
    gimp_shown.picture("gimp-dialog", dialog)
    screen.press(dialog, "Return")
    window, main = screen.window(PAINTING), screen.window(PAINTED)
    gimp_shown.reads(FAR)
    gimp_shown.picture("gimp-painting", window, moves=True)
    screen.do("xdotool", "windowmove", "--sync", window, "500", "350")
    gimp_shown.picture("gimp-screen", moves=True)
    screen.press(window, "alt+s")
    screen.until_gone(PAINTING)
    steps = {
        "ctrl+z": ([1, "the step before"], [1, "Background"]),
        "ctrl+y": ([1, "the step before"], [2, "the step before"]),
    }
    for keys, states in steps.items():
        for state in states:
            gimp_shown.hears(f"before {state}")
            gimp_shown.rests()
            screen.press(main, keys)
    status, error, layers, undone, before, redone_before, redone, has_recipe, has_picture = gimp_shown.told()
    assert (status, error, layers) == ("success", "success", 2)
    assert undone == [1, "the step before"]
    assert before == [1, "Background"]  # the second step back is the one before: there was no other between them
    assert redone_before == [1, "the step before"]
    assert redone == [2, "the step before"]
    assert has_recipe
    assert has_picture


MENU = ("alt+r", "a", *["Up"] * 4)
"""Keys to Filters > Artistic > Neural Style Transfer: from the end of that menu, before Repeat, Van Gogh and Weave."""


def test_the_menu_leads_to_the_dialog(gimp: Gimp, show: Callable[[Gimp, str], Shown]) -> None:
    photograph, done = gimp.shared / "photograph.png", gimp.folder / "looked-at"
    make_photograph(photograph)
    gimp_shown = show(
        gimp,
        f"""
from pathlib import Path
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path({str(photograph)!r}))
Gimp.Display.new(image)
until(Path({str(done)!r}).exists)
tell(True)
""",
    )
    screen = gimp_shown.screen
    main = screen.window("448x448")
    screen.press(main, *MENU)
    gimp_shown.picture("gimp-menu")
    screen.do("xdotool", "key", "Return")
    screen.press(screen.window(DIALOG), "Escape")
    screen.until_gone(DIALOG)
    done.touch()
    assert gimp_shown.told()


def make_photograph(place: Path) -> None:
    """A photograph that may be shown: one that scikit-image ships, in the public domain."""
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()).resize((448, 448)).save(place)


def test_discarding_leaves_nothing_the_last_settings_are_kept_and_an_indexed_image_may_be_converted(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{paint()}
told = [[status, len(image.get_layers())]]
{paint()}
told.append([status, len(image.get_layers())])
{CALL.format(name="stylize", arguments="").replace("INTERACTIVE", "WITH_LAST_VALS")}
told.append([status, [each.get_name() for each in image.get_layers()]])
image.remove_layer(image.get_layers()[0])
image.convert_indexed(0, 0, 8, False, False, ""); Gimp.displays_flush()
{paint()}
told.append([status, image.get_base_type().value_nick, len(image.get_layers())])
tell(told)
""",
    )
    screen = gimp_shown.screen
    screen.press(screen.window(DIALOG), "Return")
    screen.window(PAINTED)
    screen.press(screen.window(PAINTING), "alt+d")
    screen.until_gone(PAINTING)
    screen.press(screen.window(DIALOG), "Escape")
    screen.until_gone(DIALOG)
    again = screen.window(r"\(strength 50%, 512 px, lite\)")  # as the last time, and without a dialog
    assert not screen.is_there(DIALOG)
    screen.window(PAINTED)
    screen.press(again, "alt+s")
    offer = screen.window(DIALOG)
    gimp_shown.picture("gimp-indexed", offer)
    screen.press(offer, "alt+o")
    until(lambda: screen.window(DIALOG) != offer, "the dialog after the offer")
    screen.press(screen.window(DIALOG), "Escape")
    assert gimp_shown.told() == [
        ["success", 1],
        ["cancel", 1],
        ["success", ["Swirl (strength 50%, 512 px, lite)", "source"]],
        ["cancel", "rgb", 1],
    ]


def test_the_dialog_opens_at_once_on_the_page_of_the_style_that_is_given_and_while_the_daemon_starts(
    new_gimp: Callable[..., Gimp], show: Callable[[Gimp, str], Shown], tmp_path: Path
) -> None:
    """The daemon is one of the test's own, which starts only when the test lets it: the dialog must not wait."""
    daemon = Daemon((gimp := new_gimp()).shared / f"{tmp_path.name}-daemon")
    gimp.environment.update(daemon.environment)
    slow, told, let = gimp.folder / "slow-python", gimp.plugin / "installation.json", gimp.folder / "let"
    installation = json.loads(told.read_text())
    until_let = f"for _ in $(seq {round(PATIENCE_S) * 20}); do [ -e {let} ] && break; sleep 0.05; done"
    slow.write_text(f'#!/bin/sh\n{until_let}\nexec {installation["python"]} "$@"\n')
    slow.chmod(0o755)
    told.write_text(json.dumps({**installation, "python": str(slow)}))
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); other = new_layer(image, name="a style"); Gimp.Display.new(image)
file = Gio.File.new_for_path({str(gimp.plugin / "styles" / "mosaic.jpg")!r})
told = []
for given in (dict(style_file=file), dict(style_layer=other)):
    told.append(call("plug-in-impasto-stylize", image, [layer], run_mode=Gimp.RunMode.INTERACTIVE, **given)[0])
tell(told)
""",
    )
    screen = gimp_shown.screen
    try:
        first = screen.window(DIALOG)
        gimp_shown.reads("^Starting the daemon")
        gimp_shown.picture("gimp-dialog-file", first)
        screen.press(first, "Escape")
        screen.until_gone(DIALOG)
        second = screen.window(DIALOG)
        gimp_shown.reads("^Starting the daemon")
        screen.press(second, "alt+a")
        gimp_shown.reads("^Evaluations")  # which is among the advanced
        gimp_shown.picture("gimp-dialog-layer", second)
        assert not daemon.connection.exists(), "The daemon has started before it was let."
        screen.press(second, "Escape")
        assert gimp_shown.told() == ["cancel", "cancel"]
    finally:
        let.touch()
        until(lambda: not is_being_started(daemon), "both dialogs' starting of the daemon ends")
        daemon.stop()


def test_a_preset_turns_to_the_page_of_its_style(gimp: Gimp, show: Callable[[Gimp, str], Shown]) -> None:
    gimp_shown = show(
        gimp,
        f"""
import gi, sys
from pathlib import Path
from types import SimpleNamespace
gi.require_version("Gtk", "3.0"); gi.require_version("GimpUi", "3.0")
from gi.repository import GimpUi, Gtk
GimpUi.init("a test")
folder = Path({str(gimp.plugin)!r}); sys.path.insert(0, str(folder))
from impasto_gimp.installation import find_installation
from impasto_gimp.style_chooser import StyleChooser
image = new_image(); layer = new_layer(image)
config = Gimp.get_pdb().lookup_procedure("plug-in-impasto-stylize").create_config()
dialog = SimpleNamespace(get_widget=lambda *_: Gtk.Label())
chooser = StyleChooser(dialog, config, find_installation(folder), lambda: None)
file = Gio.File.new_for_path(str(folder / "styles" / "mosaic.jpg"))
told = [chooser._stack.get_visible_child_name()]
for name, value in (("file", file), ("layer", layer), ("layer", None), ("file", None)):
    config.set_property(f"style-{{name}}", value)
    told.append(chooser._stack.get_visible_child_name())
config.set_property("style-file", file)
chooser.apply()
told.append(config.get_property("style-file") is not None)
tell(told); image.delete()
""",
    )
    assert gimp_shown.told() == ["built_in", "file", "layer", "file", "built_in", True]


def is_being_started(daemon: Daemon) -> bool:
    """Whether a process is about to start that daemon; one that starts after it was stopped would stay."""
    mark = f"IMPASTO_CONNECTION={daemon.connection}".encode()
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if words[-2:-1] == [b"start"] and mark in (entry / "environ").read_bytes():
                return True
        except OSError:
            continue  # it has ended
    return False


def test_the_doctor_and_the_list_of_paintings_have_windows(gimp: Gimp, show: Callable[[Gimp, str], Shown]) -> None:
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{CALL.format(name="doctor", arguments="")}
told = [status]
{CALL.format(name="jobs", arguments="")}
tell([*told, status])
""",
    )
    screen = gimp_shown.screen
    for title, text, name in (
        ("Doctor", "^The daemon is reached by zmq", "gimp-doctor"),
        ("Paintings", " runs on .* waiting", "gimp-jobs-none"),
    ):
        window = screen.window(f"Impasto: {title}")
        gimp_shown.reads(text)
        gimp_shown.picture(name, window)
        screen.press(window, "Escape")
        screen.until_gone(f"Impasto: {title}")
    assert gimp_shown.told() == ["success", "success"]


def test_a_broken_plug_in_opens_a_window_that_tells_how_to_mend_it(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    break_protocol(gimp.plugin)
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{paint()}
tell([status, len(image.get_layers())])
""",
    )
    window = gimp_shown.screen.window("Impasto")
    gimp_shown.picture("gimp-broken", window)
    gimp_shown.screen.press(window, "Escape")
    assert gimp_shown.told() == ["cancel", 1]


def test_quitting_gimp_while_it_paints_leaves_no_process_and_no_window(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    gimp_shown = show(gimp, f"image = new_image(); layer = new_layer(image); Gimp.Display.new(image)\n{paint()}")
    screen = gimp_shown.screen
    screen.press(screen.window(DIALOG), "Return")
    screen.window(PAINTING)
    screen.window(PAINTED)
    gimp_shown.process.terminate()
    try:
        gimp_shown.process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.fail("GIMP does not quit.")
    until(lambda: plugin_process(gimp) is None, "the plug-in's end")
    screen.until_gone(PAINTING)


def test_a_painting_with_previews_that_are_kept_is_one_undo_step(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image); layer.set_name("the step before")
{paint(keep_every=2)}
look = lambda: [len(image.get_layers()), layer.get_name(), len(image.get_layers()[0].get_children())
                if image.get_layers()[0].is_group() else 0]
told = [status, look()]
for step in range(2):
    before = look()
    say(f"step {{step}}")
    until(lambda: look() != before)
    told.append(look())
tell(told)
""",
    )
    screen = gimp_shown.screen
    screen.press(screen.window(DIALOG), "Return")
    main = screen.window(r"[5-9] layers")  # a group, what is painted, previews that are kept, and the source
    screen.press(screen.window(PAINTING), "alt+s")
    screen.until_gone(PAINTING)
    for step in range(2):
        gimp_shown.hears(f"step {step}")
        gimp_shown.rests()
        screen.press(main, "ctrl+z")
    status, (layers, name, children), undone, before = gimp_shown.told()
    assert (status, layers, name) == ("success", 2, "the step before")
    assert children >= 3
    assert undone == [1, "the step before", 0]
    assert before == [1, "source", 0]


def test_settings_are_remembered_by_the_next_gimp_and_saved_ones_are_loaded_again(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    begin = "image = new_image(); layer = new_layer(image); Gimp.Display.new(image)"
    end = "tell([status, image.get_layers()[0].get_name()])"
    quick = {"size": 64, "evaluations": 3}
    first = show(gimp, f"{begin}{paint(strength=0.8, style_name='ink', **quick)}{end}")
    dialog = first.screen.window(DIALOG)
    first.screen.press(dialog, "alt+s")  # Save Settings
    until(lambda: [*gimp.folder.glob("plug-in-settings/*impasto-stylize*")], "the settings are saved")
    first.screen.press(dialog, "Return")
    assert first.told() == ["success", "Ink (strength 80%, 64 px, lite)"]
    again = CALL.format(name="stylize", arguments="")
    last = show(gimp, f"{begin}{again.replace('INTERACTIVE', 'WITH_LAST_VALS')}{end}")
    assert last.told() == ["success", "Ink (strength 80%, 64 px, lite)"]
    (kept,) = (gimp.folder / "plug-in-settings").glob("*impasto-stylize.last")
    kept.unlink()  # so that only what was saved in the dialog is there
    loaded = show(gimp, f"{begin}{again}{end}")
    dialog = loaded.screen.window(DIALOG)
    loaded.screen.press(dialog, "alt+l")  # Load Saved Settings
    loaded.reads(r"^0\.80")  # the strength
    loaded.screen.press(dialog, "Return")
    assert loaded.told() == ["success", "Ink (strength 80%, 64 px, lite)"]


def test_the_diagnostics_are_copied_whole(gimp: Gimp, show: Callable[[Gimp, str], Shown]) -> None:
    gimp_shown = show(
        gimp,
        f"""
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{CALL.format(name="doctor", arguments="")}
tell(status)
""",
    )
    screen = gimp_shown.screen
    window = screen.window("Impasto: Doctor")

    gimp_shown.reads("^The daemon is reached by zmq")
    screen.press(window, "alt+d")
    text = until(screen.clipboard, "the diagnostics are in the clipboard")
    screen.press(window, "Escape")
    assert gimp_shown.told() == "success"
    lines = text.splitlines()
    assert lines[0].startswith(f"ok       GIMP: GIMP {gimp.root.version}")
    assert [line for line in lines if line.startswith("ok       Transport: The daemon is reached by zmq.")]
    assert len(lines) > 5
    assert gimp.environment["HOME"] not in text


CANCEL = 620
"""Where the progress bar's button begins, in pixels from the left."""


def test_gimps_own_progress_bar_follows_the_painting_and_is_gone_after(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    """Looked at where it is on the screen: in the status bar, at the foot of the image's window.

    Its right end is a button to cancel it, which stands still as long as there is a bar.
    """
    ended = gimp.folder / "ended"
    gimp_shown = show(
        gimp,
        f"""
from pathlib import Path
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
{paint(size=1024, evaluations=3000)}
until(Path({str(ended)!r}).exists)
tell(status)
""",
    )
    screen = gimp_shown.screen

    def bar(begin: int = 300) -> bytes:
        place = gimp.folder / "bar.png"
        screen.picture(place)
        return Image.open(place).crop((begin, 610, 700, 640)).tobytes()

    dialog = screen.window(DIALOG)
    screen.do("xdotool", "windowsize", "--sync", screen.window("96x64"), "960", "640")  # to make room for the bar
    gimp_shown.reads("^Ready on ")
    gimp_shown.rests()
    before, in_its_place = bar(), bar(CANCEL)
    screen.press(dialog, "Return")
    window = screen.window(PAINTING)
    first = until(lambda: (now := bar()) != before and now, "the bar comes")
    until(lambda: bar() not in (before, first), "the bar moves")
    cancel = bar(CANCEL)
    assert cancel != in_its_place
    screen.press(window, "alt+s")
    screen.until_gone(PAINTING)
    until(lambda: bar(CANCEL) != cancel, "the bar goes")
    ended.touch()
    assert gimp_shown.told() == "success"


def test_quitting_gimp_from_its_menu_while_it_paints_asks_and_ends(
    gimp: Gimp, show: Callable[[Gimp, str], Shown]
) -> None:
    gimp_shown = show(gimp, f"image = new_image(); layer = new_layer(image); Gimp.Display.new(image)\n{paint()}")
    screen = gimp_shown.screen
    screen.press(screen.window(DIALOG), "Return")
    screen.window(PAINTING)
    screen.press(screen.window(PAINTED), "ctrl+q")
    screen.press(screen.window("Quit GIMP"), "alt+d")  # Discard Changes
    try:
        output, _ = gimp_shown.process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.fail("GIMP does not quit.")
    assert "Traceback" not in output
    until(lambda: plugin_process(gimp) is None, "the plug-in's end")
    screen.until_gone(PAINTING)


def test_closing_the_images_window_ends_the_painting_and_says_so(
    gimp: Gimp, daemon: Daemon, show: Callable[[Gimp, str], Shown]
) -> None:
    """Painted from the menu: as long as a script waits for the procedure, GIMP keeps the image that it was given."""
    closed = gimp.folder / "closed"
    gimp_shown = show(
        gimp,
        f"""
from pathlib import Path
image = new_image(); layer = new_layer(image); Gimp.Display.new(image)
until(Path({str(closed)!r}).exists)
tell(len(Gimp.get_images()))
""",
    )
    screen = gimp_shown.screen
    screen.press(screen.window("96x64"), *MENU, "Return")
    screen.press(screen.window(DIALOG), "Return")
    screen.window(PAINTING)
    screen.press(screen.window(PAINTED), "ctrl+w")
    screen.press(screen.window("Close"), "alt+d")  # Discard Changes
    screen.window("GIMP Message")
    screen.until_gone(PAINTING)
    until(lambda: not painting_jobs(daemon), "the daemon stops painting")
    closed.touch()
    assert gimp_shown.told() == 0
