"""The other procedures, broken installations, and the examples of the documentation."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gimp.running import Gimp
from gimp.test_layers import run
from impasto_engine.files.picture_file import read_picture, read_recipe

DOCUMENT = Path(__file__).parents[2] / "docs" / "GIMP.md"


def test_the_procedures_are_documented_and_in_the_menu(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
found = {}
for name in ("stylize", "repeat", "jobs", "doctor"):
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-impasto-" + name)
    found[name] = [procedure.get_menu_label(), procedure.get_menu_paths(), procedure.get_blurb(),
                   [each.name for each in procedure.get_arguments()]]
tell(found)
""",
    ).told
    assert told["stylize"][:2] == ["_Neural Style Transfer...", ["<Image>/Filters/Artistic"]]
    assert told["stylize"][3] == [
        "run-mode", "image", "drawables", "style-file", "style-layer", "style-name", "strength", "size", "evaluations",
        "network", "color", "style-scale", "seed", "keep-every", "previews",
    ]  # fmt: skip
    assert all(blurb for _, _, blurb, _ in told.values())


def test_a_painted_layer_is_painted_again_from_what_it_was_painted_from(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(); layer = new_layer(image); other = new_layer(image, name="other")
status, error, painted = stylize(image, layer, strength=0.8, style_name="ink")
status, error, values = call("plug-in-impasto-repeat", image, [painted])
again = values[0]
same = pixels(again) == pixels(painted)
status2, error2, values = call("plug-in-impasto-repeat", image, [other])
tell([status, error, same, recipe(again)["settings"], status2, error2, tree(image)])
image.delete()
""",
    ).told
    status, error, is_same, settings, status2, error2, layers = told
    assert (status, error, status2, error2) == ("success",) * 4
    assert is_same
    assert settings["strength"] == 0.8
    name = "Ink (strength 80%, 64 px, lite)"
    assert [layer["name"].split("#")[0].strip() for layer in layers] == [name, "other", name, name, "source"]


def test_the_recipe_survives_saving_and_opening(gimp: Gimp) -> None:
    file = str(gimp.folder / "saved.xcf")
    told = run(
        gimp,
        f"""
image = new_image(); layer = new_layer(image)
status, error, painted = stylize(image, layer)
kept = recipe(painted); file = Gio.File.new_for_path({file!r})
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None); image.delete()
image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
status, error, values = call("plug-in-impasto-repeat", image, [image.get_layers()[0]])
tell([status, error, recipe(image.get_layers()[1]) == kept, len(tree(image))])
image.delete()
""",
    ).told
    assert told == ["success", "success", True, 3]
    assert read_recipe(file)["styles"][0]["file"]["built_in"] == "swirl"


def test_the_command_paints_a_saved_layer_again_and_the_same(gimp: Gimp) -> None:
    """What GIMP's layer became and what the command makes of its recipe are the same picture."""
    saved, photograph, painted = (gimp.folder / name for name in ("saved.xcf", "photograph.png", "painted.png"))
    run(
        gimp,
        f"""
image = new_image(96, 64); layer = new_layer(image, alpha=False)
def save(path):
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path), None)
save({str(photograph)!r})
status, error, painted = stylize(image, layer, size=0, style_name="mosaic")
save({str(saved)!r}); save({str(painted)!r}); image.delete()
tell([status, error])
""",
    )
    again = gimp.folder / "again.png"
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "impasto_daemon", "stylize", photograph, "--replay", saved, "-o", again],
        capture_output=True,
        text=True,
        env={**os.environ, **gimp.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    difference = np.abs(read_picture(again).pixels[..., :3] - read_picture(painted).pixels[..., :3])
    assert difference.mean() < 0.02


def test_repeating_without_a_recipe_says_what_to_do(gimp: Gimp) -> None:
    status, error = gimp.run(
        "image = new_image(); layer = new_layer(image)\n"
        "tell(call('plug-in-impasto-repeat', image, [layer])[:2]); image.delete()"
    ).told
    assert status == "execution-error"
    assert "paint one with Neural Style Transfer first" in error


def test_the_jobs_are_told_as_json(gimp: Gimp) -> None:
    status, report = run(
        gimp,
        "status, error, values = call('plug-in-impasto-jobs', None, []); tell([status, values and values[0]])",
    ).told
    assert status == "success"
    told = json.loads(report)
    assert told["daemon"]["painting"] == 0
    assert isinstance(told["jobs"], list)


def test_the_doctor_tells_what_the_plug_in_knows_and_asks_the_products(gimp: Gimp) -> None:
    status, report = run(
        gimp,
        "status, error, values = call('plug-in-impasto-doctor', None, []); tell([status, values and values[0]])",
    ).told
    assert status == "success"
    checks = {each["name"]: each for each in json.loads(report)["checks"]}
    assert checks["GIMP"]["message"].startswith(f"GIMP {gimp.root.version}")
    assert checks["Transport"] == {
        "name": "Transport", "status": "ok", "message": "The daemon is reached by zmq.", "cure": "",
    }  # fmt: skip


# Broken installations


def break_protocol(plugin: Path) -> None:
    shutil.rmtree(plugin / "impasto_protocol")


def break_package(plugin: Path) -> None:
    (plugin / "impasto_gimp" / "stylize_run.py").unlink()


def break_installation(plugin: Path) -> None:
    shutil.rmtree(plugin / "vendored")
    (plugin / "installation.json").write_text('{"version": "0.1.0", "python": "/nowhere/python"}')


def break_vendored(plugin: Path) -> None:
    for file in (plugin / "vendored").rglob("*.so"):
        file.write_bytes(b"not a library")
    (plugin / "installation.json").unlink()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (break_protocol, "impasto_protocol"),
        (break_installation, "Impasto is no longer at '/nowhere/python'"),
        (break_vendored, "installation.json"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False], ids=["registered before", "registered after"])
def test_a_broken_installation_stays_in_the_menu_and_tells_how_to_mend_it(
    gimp: Gimp, damage: Callable[[Path], None], why: str, is_known: bool
) -> None:
    damage(gimp.plugin)
    if not is_known:
        (gimp.folder / "pluginrc").unlink()
    status, error, label = gimp.run(
        """
image = new_image(); layer = new_layer(image)
name = "plug-in-impasto-stylize"
label = Gimp.get_pdb().lookup_procedure(name).get_menu_label()
status, error, values = call(name, image, [layer])
tell([status, error, label])
image.delete()
"""
    ).told
    assert label == "_Neural Style Transfer..."
    assert status == "execution-error"
    assert why in error
    assert "impasto install" in error


# The documentation's examples


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("language", ["python", "scheme"])
def test_the_examples_for_scripters_work(gimp: Gimp, language: str) -> None:
    photograph, result = gimp.folder / "photograph.png", gimp.folder / "result.png"
    run(
        gimp,
        f"""
image = new_image(); layer = new_layer(image)
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path({str(photograph)!r}), None)
image.delete(); tell(True)
""",
    )
    script = example(language).replace("/home/me/photograph.png", str(photograph))
    script = script.replace("/home/me/result.png", str(result))
    output = gimp.batch(script, "python-fu-eval" if language == "python" else "plug-in-script-fu-eval")
    assert result.exists(), output
    assert result.read_bytes() != photograph.read_bytes()
