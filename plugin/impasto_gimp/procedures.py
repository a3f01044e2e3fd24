"""The procedures as GIMP's procedure database has them: names, arguments, documentation. Imports gi.

What each does is in a module of its own, imported when it is run; so a menu entry needs this module and few others,
and tells when what it needs beyond that is missing. A change of arguments reaches GIMP only when the main
file is newer than GIMP's `pluginrc`; the installer sees to that.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from gi.repository import Gimp, GLib, GObject

from impasto_gimp.choices import AUTO, COLORS, NETWORKS, USUAL_COLOR, USUAL_SIZE, USUAL_STRENGTH
from impasto_gimp.installation import Installation, find_installation

__all__ = ["created", "failed", "succeeded"]

Explain: TypeAlias = Callable[[Any, Any, Exception], Any]

SAVED = GObject.ParamFlags.READWRITE

FIRST_STYLE = "swirl"


def created(plug_in: Any, name: str, folder: Path, explain: Explain) -> Any:
    """The procedure of that name.

    Args:
        plug_in: GIMP's object.
        name: The procedure's.
        folder: The plug-in's.
        explain: Tells the user of an exception, and gives what the procedure then returns.
    """
    module, dress = _PROCEDURES[name]
    installation = find_installation(folder)

    def run(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, _data: Any) -> Any:
        try:
            call = import_module(f"impasto_gimp.{module}").run
            return call(procedure, run_mode, image, drawables, config, installation)
        except Exception as error:  # a procedure that says nothing is what people complain about most
            return explain(procedure, run_mode, error)

    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run, None)
    dress(procedure, name, installation)
    return procedure


def succeeded(procedure: Any, *values: tuple[Any, Any]) -> Any:
    """What a procedure returns that did its work, with its values as (type, value)."""
    if not values:
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    status = GObject.Value(Gimp.PDBStatusType, Gimp.PDBStatusType.SUCCESS)
    return Gimp.ValueArray.new_from_values([status, *(GObject.Value(kind, value) for kind, value in values)])


def failed(procedure: Any, text: str) -> Any:
    """What a procedure returns that could not do its work."""
    error = GLib.Error.new_literal(GLib.quark_from_string("impasto"), text, 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


def cancelled(procedure: Any) -> Any:
    """What a procedure returns that the user has called off."""
    return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)


def _stylize(procedure: Any, name: str, installation: Installation) -> None:
    procedure.set_image_types("*")  # an indexed image is offered to be converted
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_documentation(
        "Paint the layer in the style of a picture",
        "Paints the layer, or what the selection has of it, in the style of another picture, as a new layer above it. "
        "The style is style-layer if that is given, else style-file if that is given, else the built-in style "
        "style-name. The painting is done by Impasto's daemon, which is started if it does not run. It takes one undo "
        "step. Without interaction, the procedure returns when the painting is finished.",
        name,
    )
    procedure.add_file_argument(
        "style-file", "Style _file", "A picture file whose style to paint in", Gimp.FileChooserAction.OPEN, True, None,
        SAVED,
    )  # fmt: skip
    procedure.add_drawable_argument(
        "style-layer", "Style la_yer", "A layer, of any open image, whose style to paint in", True, SAVED
    )
    procedure.add_choice_argument(
        "style-name",
        "_Built-in style",
        "The built-in style to paint in",
        _choice({style.name: style.name.capitalize() for style in installation.styles} or {FIRST_STYLE: "Swirl"}),
        installation.styles[0].name if installation.styles else FIRST_STYLE,
        SAVED,
    )
    procedure.add_double_argument(
        "strength", "Stren_gth", "How much of the style: 0 is little, 1 is much", 0.0, 1.0, USUAL_STRENGTH, SAVED
    )
    procedure.add_int_argument(
        "size",
        "Si_ze in pixels",
        "Pixels of the longer side in which to paint, before that is enlarged to the layer; 0 for the layer's own",
        0,
        32768,
        USUAL_SIZE,
        SAVED,
    )
    procedure.add_int_argument(
        "evaluations",
        "_Evaluations",
        "How often to evaluate and improve the picture; 0 for as often as usual",
        0,
        100_000,
        0,
        SAVED,
    )
    procedure.add_choice_argument(
        "network", "_Network", "The feature network that judges the style", _choice(NETWORKS), AUTO, SAVED
    )
    procedure.add_choice_argument(
        "color", "_Whose colors", "Whose colors the painting has", _choice(COLORS), USUAL_COLOR, SAVED
    )
    procedure.add_double_argument("style-scale", "Stro_ke size", "Above 1 for larger strokes", 0.05, 8.0, 1.0, SAVED)
    procedure.add_int_argument("seed", "See_d", "Of the random numbers", 0, 2**31 - 1, 0, SAVED)
    procedure.add_int_argument(
        "keep-every",
        "Keep e_very",
        "Keep every so many previews as a layer of its own, in a group; 0 for none",
        0,
        1000,
        0,
        SAVED,
    )
    procedure.add_boolean_argument(
        "previews", "Show the pain_ting while it is painted", "Update the layer as it is painted", True, SAVED
    )
    _layer_returned(procedure)


def _repeat(procedure: Any, name: str, _installation: Installation) -> None:
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    procedure.set_documentation(
        "Paint once more with the settings that a painted layer keeps",
        "If the layer was painted by Impasto, what it was painted from is painted again. If not, the layer is painted "
        "with the settings of the topmost layer of the image that was.",
        name,
    )
    _layer_returned(procedure)


def _jobs(procedure: Any, name: str, _installation: Installation) -> None:
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.ALWAYS)
    procedure.set_documentation(
        "Show Impasto's daemon and its paintings",
        "Shows how the daemon is and which paintings it has, also those whose GIMP is gone, and lets them be watched "
        "again, brought into an image, or cancelled. Without interaction, returns the same as JSON.",
        name,
    )
    procedure.add_string_return_value("report", "Report", "The daemon and its paintings, as JSON", "", SAVED)


def _doctor(procedure: Any, name: str, _installation: Installation) -> None:
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.ALWAYS)
    procedure.set_documentation(
        "Find out why Impasto does not work",
        "Runs 'impasto doctor' and shows what it finds, each with its cure. Without interaction, returns it as JSON.",
        name,
    )
    procedure.add_string_return_value("report", "Report", "What was found, as JSON", "", SAVED)


_PROCEDURES: dict[str, tuple[str, Callable[[Any, str, Installation], None]]] = {
    "plug-in-impasto-stylize": ("stylize_run", _stylize),
    "plug-in-impasto-repeat": ("repeat_run", _repeat),
    "plug-in-impasto-jobs": ("jobs_run", _jobs),
    "plug-in-impasto-doctor": ("doctor_run", _doctor),
}
"""Each procedure's module and what declares its arguments."""


def _choice(labels: dict[str, str]) -> Any:
    choice = Gimp.Choice.new()
    for number, (name, label) in enumerate(labels.items()):
        choice.add(name, number, label, "")
    return choice


def _layer_returned(procedure: Any) -> None:
    procedure.add_layer_return_value(
        "layer", "Layer", "The painted layer; none if the painting was discarded", True, SAVED
    )
