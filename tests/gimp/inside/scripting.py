"""For scripts that run inside GIMP: images to paint, calls of the plug-in, and writing down what came of it."""

import json
import os
import time
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")

from gi.repository import Gegl, Gimp, Gio, GLib, GObject  # noqa: E402, F401

__all__ = [
    "GLib",
    "Gegl",
    "Gimp",
    "Gio",
    "call",
    "describe",
    "new_image",
    "new_layer",
    "pattern",
    "pixels",
    "recipe",
    "say",
    "stylize",
    "tell",
    "tree",
    "until",
]

QUICK = {"size": 64, "evaluations": 6, "network": "lite"}
"""What paints in a second."""

PATIENCE_S = 60.0
"""Seconds for which a script waits; a test waits longer for the script."""

LOOK_S = 0.05
"""Seconds between looks."""


def tell(value):
    """Writes down what the test wants to know."""
    path = Path(os.environ["IMPASTO_TOLD"])
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.replace(path)


def say(word):
    """Tells the test how far the script is."""
    with Path(os.environ["IMPASTO_TOLD"]).with_suffix(".said").open("a") as said:
        said.write(f"{word}\n")


def until(come_true):
    """Waits, with a deadline, for something to be true; what has come of it is for the test to judge."""
    deadline = time.monotonic() + PATIENCE_S
    while not come_true() and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def pattern(width, height, channels=4):
    """Bytes of a smooth picture with some structure, opaque."""
    row = []
    for x in range(width):
        pixel = [(x * 5) % 256, (x * 3 + 80) % 256, 255 - (x * 2) % 256]
        row += (pixel[:1] if channels < 3 else pixel) + ([255] if channels in (2, 4) else [])
    stride = len(row)
    rows = []
    for y in range(height):
        shift = (y // 8 * channels * 3) % stride
        rows.append(bytes(row[shift:] + row[:shift]))
    return b"".join(rows)


def new_image(width=96, height=64, base="RGB", precision="U8_NON_LINEAR"):
    """An image."""
    return Gimp.Image.new_with_precision(
        width, height, getattr(Gimp.ImageBaseType, base), getattr(Gimp.Precision, precision)
    )


def new_layer(image, width=96, height=64, alpha=True, name="source", at=(0, 0), parent=None, position=0):
    """A layer with a picture."""
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = ("GRAY" if grey else "RGB") + ("A" if alpha else "")
    layer = Gimp.Layer.new(
        image, name, width, height, getattr(Gimp.ImageType, kind + "_IMAGE"), 100.0, Gimp.LayerMode.NORMAL
    )
    layer.set_offsets(*at)
    image.insert_layer(layer, parent, position)
    channels = (1 if grey else 3) + alpha
    form = {1: "Y' u8", 2: "Y'A u8", 3: "R'G'B' u8", 4: "R'G'B'A u8"}[channels]
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), form, pattern(width, height, channels))
    buffer.flush()
    layer.update(0, 0, width, height)
    return layer


def pixels(drawable, form="R'G'B'A u8", rectangle=None):
    """A drawable's pixels as a list of tuples."""
    x, y, width, height = rectangle or (0, 0, drawable.get_width(), drawable.get_height())
    data = drawable.get_buffer().get(Gegl.Rectangle.new(x, y, width, height), 1.0, form, Gegl.AbyssPolicy.CLAMP)
    channels = {"Y": 1, "Y'": 1, "Y'A": 2, "R'G'B'": 3, "R'G'B'A": 4}[form.split()[0]]
    return [tuple(data[i : i + channels]) for i in range(0, len(data), channels)]


def call(name, image, drawables, **arguments):
    """Calls a procedure; gives its status, its error, and its values."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", arguments.pop("run_mode", Gimp.RunMode.NONINTERACTIVE))
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    result = procedure.run(config)
    status = result.index(0)
    values = [result.index(i) for i in range(1, result.length())]
    return status.value_nick, str(Gimp.get_pdb().get_last_error()), values


def stylize(image, layer, **arguments):
    """Paints a layer quickly."""
    status, error, values = call("plug-in-impasto-stylize", image, [layer], **{**QUICK, **arguments})
    return status, error, values[0] if status == "success" else None


def describe(layer):
    """What there is to know about a layer."""
    _, x, y = layer.get_offsets()
    parent = layer.get_parent()
    mask = layer.get_mask()
    return {
        "name": layer.get_name(),
        "offsets": [x, y],
        "size": [layer.get_width(), layer.get_height()],
        "type": layer.type().value_nick,
        "parent": None if parent is None else parent.get_name(),
        "position": layer.get_image().get_item_position(layer),
        "mask": mask is not None,
        "visible": layer.get_visible(),
        "children": [describe(child) for child in layer.get_children()] if layer.is_group() else None,
    }


def tree(image):
    """All layers."""
    return [describe(layer) for layer in image.get_layers()]


def recipe(layer):
    """The recipe that a layer keeps."""
    parasite = layer.get_parasite("impasto-recipe")
    return None if parasite is None else json.loads(bytes(parasite.get_data()).decode("ascii"))
