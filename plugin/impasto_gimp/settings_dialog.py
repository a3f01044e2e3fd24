"""The dialog before painting: style and settings, what they will cost, and how the daemon is. Imports gi.

It opens at once. The daemon is looked for, or started, while the user looks at the dialog; nothing here waits for it.
"""

from typing import Any

from gi.repository import GimpUi, GLib, Gtk

from impasto_gimp.arguments import wish_of
from impasto_gimp.courier import Courier, Estimated, News, NotEstimated, Reached, Reported, Starting, Unreachable
from impasto_gimp.installation import Installation
from impasto_gimp.naming import memory_text, time_text
from impasto_gimp.pictures import Extent
from impasto_gimp.style_chooser import StyleChooser

__all__ = ["SettingsDialog"]

ADVANCED = ("color", "style-scale", "network", "evaluations", "seed", "keep-every", "previews")

REST_MS = 250
"""Milliseconds for which the settings must rest before their cost is asked for."""

AGAIN_MS = 1500
"""Milliseconds after which a daemon that was busy is asked again."""


class SettingsDialog:
    """See the module.

    Args:
        procedure: The procedure.
        config: Its arguments.
        extent: What would be painted.
        installation: Where the built-in styles are.
        courier: Started; its news is to be given to `heard`.
    """

    def __init__(
        self, procedure: Any, config: Any, extent: Extent, installation: Installation, courier: Courier
    ) -> None:
        self._config = config
        self._extent = extent
        self._courier = courier
        self._asking = 0
        self.dialog = GimpUi.ProcedureDialog.new(procedure, config, "Neural Style Transfer")
        self.dialog.set_ok_label("_Paint")
        self._cost = _line("")
        self._daemon = _line("Looking for the daemon…")
        self._chooser = StyleChooser(self.dialog, config, installation, self._changed)
        self._fill()
        config.connect("notify", lambda *_: self._changed())
        if installation.trouble is not None:
            self._daemon.set_text(installation.trouble)
        self._changed()

    def run(self) -> bool:
        """Lets the user choose; says whether to paint."""
        wanted = bool(self.dialog.run())
        if self._asking:
            GLib.source_remove(self._asking)
            self._asking = 0
        if wanted:
            self._chooser.apply()
        self.dialog.destroy()
        return wanted

    def heard(self, news: News) -> None:
        """Takes a piece of news."""
        match news:
            case Starting():
                self._daemon.set_text("Starting the daemon…")
            case Reached(welcome=welcome):
                self._daemon.set_text(_device_text(welcome.device))
                self._changed()
            case Reported(report=report):
                self._daemon.set_text(_device_text(report.device, waiting=report.queued + report.painting))
            case Unreachable(text=text):
                self._daemon.set_text(text)
            case Estimated(question=question, estimated=estimated) if question == self._question():
                self._cost.set_text(
                    f"{estimated.width} × {estimated.height} pixels, {estimated.evaluations} evaluations: "
                    f"{time_text(estimated.duration_s)}, {memory_text(estimated.memory_bytes)} of memory"
                )
            case NotEstimated(question=question, text=text, is_final=is_final) if question == self._question():
                self._cost.set_text(text if is_final else "Estimating…")
                if not is_final:
                    self._ask_in(AGAIN_MS)

    def _fill(self) -> None:
        dialog = self.dialog
        dialog.get_scale_entry("strength", 1.0)
        dialog.get_label("advanced-title", "_Advanced", False, True)
        dialog.fill_box("advanced-box", list(ADVANCED))
        dialog.fill_expander("advanced", "advanced-title", False, "advanced-box")
        dialog.fill(["strength", "size", "advanced"])
        content = dialog.get_content_area()
        content.pack_start(self._chooser.widget, False, False, 0)
        content.reorder_child(self._chooser.widget, 0)
        lines = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=4, margin_top=4)
        lines.pack_start(self._cost, False, False, 0)
        lines.pack_start(self._daemon, False, False, 0)
        lines.show_all()
        content.pack_start(lines, False, False, 0)

    def _changed(self) -> None:
        if hasattr(self, "_chooser"):
            self.dialog.set_response_sensitive(Gtk.ResponseType.OK, self._chooser.is_complete)
            self._ask_in(REST_MS)

    def _ask_in(self, rest_ms: int) -> None:
        if self._asking:
            GLib.source_remove(self._asking)
        self._asking = GLib.timeout_add(rest_ms, self._ask)

    def _ask(self) -> bool:
        self._asking = 0
        if not self._cost.get_text():
            self._cost.set_text("Estimating…")
        self._courier.estimate(self._question())
        return False  # GLib.SOURCE_REMOVE

    def _question(self) -> Any:
        return wish_of(self._config).question(self._extent.width, self._extent.height)


def _line(text: str) -> Any:
    label = Gtk.Label(label=text, xalign=0.0, wrap=True, max_width_chars=60)
    label.get_style_context().add_class("dim-label")
    return label


def _device_text(device: str, *, waiting: int = 0) -> str:
    """The daemon's state in a line."""
    if device.startswith("unknown"):
        return "The daemon is loading its network…"
    if device.startswith("none"):
        return "The daemon cannot paint; Impasto's doctor tells why."
    queue = "" if not waiting else f"; {waiting} painting{'s' if waiting > 1 else ''} before this one"
    return f"Ready on {device}{queue}"
