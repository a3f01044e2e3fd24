#!/usr/bin/env python3
"""What GIMP runs: registers Impasto's procedures, whatever else is missing, and then says what is missing.

The installer copies this file beside the packages it imports. Only GIMP's own libraries are needed to get as far as the
menu; everything else is imported when a procedure is made, and what fails there is shown to the user.
"""

import sys
import traceback
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")

from gi.repository import Gimp, GLib  # noqa: E402 -- versions first

FOLDER = Path(__file__).resolve().parent

PROCEDURES = {
    "plug-in-impasto-stylize": ("_Neural Style Transfer...", "<Image>/Filters/Artistic"),
    "plug-in-impasto-repeat": ("Repeat Neural _Style Transfer", "<Image>/Filters/Artistic"),
    "plug-in-impasto-jobs": ("_Paintings and Daemon...", "<Image>/Filters/Artistic/Impasto"),
    "plug-in-impasto-doctor": ("_Doctor...", "<Image>/Filters/Artistic/Impasto"),
}
"""Each procedure's label and menu."""

MEND_IT = "Run 'impasto doctor' in a terminal to find the cause, and 'impasto install' to mend it."


class Impasto(Gimp.PlugIn):
    """The plug-in."""

    def do_set_i18n(self, _name: str) -> bool:
        """There are no translations yet."""
        return False

    def do_query_procedures(self) -> list[str]:
        """All of them, always."""
        return list(PROCEDURES)

    def do_create_procedure(self, name: str) -> Any:
        """One of them, or one of the same name that tells why it cannot do its work."""
        try:
            if str(FOLDER) not in sys.path:
                sys.path.insert(0, str(FOLDER))
            from impasto_gimp.procedures import created

            procedure = created(self, name, FOLDER, _explained)
        except Exception as error:  # whatever is broken: the menu entry has to stay, and to tell
            reason = error

            def run(procedure: Any, run_mode: Any, *_rest: Any) -> Any:
                return _explained(procedure, run_mode, reason)

            procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
            procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.ALWAYS)
            procedure.set_documentation("Paints a layer in the style of a picture", "Impasto is incomplete.", name)
        label, menu = PROCEDURES[name]
        procedure.set_menu_label(label)
        procedure.add_menu_path(menu)
        procedure.set_attribution("The Impasto authors", "MIT", "2026")
        return procedure


def _explained(procedure: Any, run_mode: Any, error: Exception) -> Any:
    """Tells the user why a procedure could not do its work, and gives what it returns."""
    details = "".join(traceback.format_exception(error))
    text = f"Impasto's plug-in in {str(FOLDER)!r} could not do its work ({error})."
    if run_mode == Gimp.RunMode.INTERACTIVE:
        try:
            _shown(text, details)
        except Exception:  # without GTK there is still GIMP's own way to say something
            Gimp.message(f"{text} {MEND_IT}")
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    told = GLib.Error.new_literal(GLib.quark_from_string("impasto"), f"{text} {MEND_IT}", 0)
    return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, told)


def _shown(text: str, details: str) -> None:
    gi.require_version("Gdk", "3.0")
    gi.require_version("Gtk", "3.0")
    gi.require_version("GimpUi", "3.0")
    from gi.repository import Gdk, GimpUi, Gtk

    GimpUi.init("impasto")
    dialog = Gtk.MessageDialog(message_type=Gtk.MessageType.ERROR, text=text, title="Impasto")
    dialog.format_secondary_text(MEND_IT)
    dialog.add_button("Copy _Diagnostics", 1)
    dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
    while dialog.run() == 1:
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        clipboard.set_text(f"{text}\n{details}".replace(str(Path.home()), "~"), -1)
        clipboard.store()
    dialog.destroy()


if __name__ == "__main__":
    Gimp.main(Impasto.__gtype__, sys.argv)
