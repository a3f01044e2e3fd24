"""What `plug-in-impasto-doctor` does. Imports gi."""

import json
import threading
from typing import Any

from gi.repository import Gimp, GLib, GObject

from impasto_gimp.checkup import Check, as_text, examined
from impasto_gimp.installation import Installation
from impasto_gimp.procedures import succeeded

__all__ = ["run"]

SIGNS = {"ok": "object-select-symbolic", "warning": "dialog-warning-symbolic"}
"""The icon of each status; every other is an error's."""


def run(procedure: Any, run_mode: Any, _image: Any, _drawables: Any, _config: Any, installation: Installation) -> Any:
    """Examines everything, and shows or returns what was found."""
    is_silent = run_mode == Gimp.RunMode.NONINTERACTIVE
    checks = examined(installation, Gimp.version()) if is_silent else _shown(installation)
    return succeeded(procedure, (GObject.TYPE_STRING, json.dumps({"checks": checks})))


def _shown(installation: Installation) -> list[Check]:
    import gi

    gi.require_version("Gdk", "3.0")
    gi.require_version("Gtk", "3.0")
    gi.require_version("GimpUi", "3.0")
    from gi.repository import Gdk, GimpUi, Gtk

    GimpUi.init("impasto")
    dialog = Gtk.Dialog(title="Impasto: Doctor")
    dialog.set_default_size(620, 380)
    copying = dialog.add_button("Copy _Diagnostics", 1)
    copying.set_sensitive(False)
    dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
    content = dialog.get_content_area()
    content.set_border_width(12)
    waiting = Gtk.Label(label="Examining…")
    content.pack_start(waiting, True, True, 0)
    dialog.show_all()
    found: list[Check] = []
    version = Gimp.version()

    def show() -> bool:
        waiting.destroy()
        grid = Gtk.Grid(column_spacing=10, row_spacing=8)
        for row, each in enumerate(found):
            icon = Gtk.Image.new_from_icon_name(SIGNS.get(each["status"], "dialog-error-symbolic"), Gtk.IconSize.BUTTON)
            icon.set_valign(Gtk.Align.START)
            text = each["message"] if not each["cure"] else f"{each['message']}\n{each['cure']}"
            name = Gtk.Label(label=each["name"], xalign=0.0, yalign=0.0)
            for column, widget in enumerate(
                (icon, name, Gtk.Label(label=text, xalign=0.0, wrap=True, selectable=True))
            ):
                grid.attach(widget, column, row, 1, 1)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER)
        scrolled.add(grid)
        content.pack_start(scrolled, True, True, 0)
        content.show_all()
        copying.set_sensitive(True)
        return bool(GLib.SOURCE_REMOVE)

    def examine() -> None:
        found.extend(examined(installation, version))
        GLib.idle_add(show)

    threading.Thread(target=examine, daemon=True).start()
    while dialog.run() == 1:
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        clipboard.set_text(as_text(found), -1)
        clipboard.store()
    dialog.destroy()
    return found
