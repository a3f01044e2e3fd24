"""The small window while it paints: where it stands, the loss curve, and what can be done about it. Imports gi."""

from typing import Any

from gi.repository import GimpUi, Gtk

from impasto_gimp.curve import curve_points
from impasto_gimp.naming import time_text
from impasto_gimp.painting import Painting, Phase
from impasto_gimp.wish import Wish

__all__ = ["PaintingWindow"]

CURVE_WIDTH, CURVE_HEIGHT = 320, 90


class PaintingWindow:
    """See the module, and `stylize.View`. Closing it is the same as Stop.

    Args:
        painting: What it shows.
        wish: The settings it began with.
        title: The layer's name.
        note: A sentence to show besides, if there is one.
    """

    def __init__(self, painting: Painting, wish: Wish, title: str, note: str = "") -> None:
        self._painting = painting
        self._drawn = -1
        self._is_open = True
        self.window = Gtk.Window(title=title, resizable=False, border_width=12)
        self.window.set_focus_on_map(False)  # the user goes on working on the image
        self.window.set_type_hint(_utility())
        GimpUi.window_set_transient(self.window)
        self._text = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=44)
        self._note = Gtk.Label(label=note, xalign=0.0, wrap=True, max_width_chars=44)
        self._note.set_no_show_all(not note)
        self._details = Gtk.Label(xalign=0.0)
        self._details.get_style_context().add_class("dim-label")
        self._bar = Gtk.ProgressBar()
        self._curve = Gtk.DrawingArea(width_request=CURVE_WIDTH, height_request=CURVE_HEIGHT)
        self._curve.set_tooltip_text("The loss: the lower, the closer the picture is to the style and to the layer")
        self._curve.connect("draw", self._draw)
        self._pause = Gtk.Button(label="_Pause", use_underline=True)
        self._pause.connect("clicked", self._pause_clicked)
        self._discard = Gtk.Button(
            label="_Discard",
            use_underline=True,
            tooltip_text="End it, and leave nothing, not even previews that were kept",
        )
        self._discard.connect("clicked", lambda _: painting.discard())
        self._stop = Gtk.Button(label="_Stop and Keep", use_underline=True, tooltip_text="End it; the picture stays")
        self._stop.connect("clicked", lambda _: painting.stop())
        self._strength = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0.0, 1.0, 0.01)
        self._strength.set_value(wish.strength)
        self._strength.set_hexpand(True)
        self._strength.set_value_pos(Gtk.PositionType.RIGHT)
        self._strength.set_tooltip_text("How much of the style: the painting goes on from where it is")
        self._strength.connect("value-changed", lambda scale: painting.strengthen(scale.get_value()))
        self.window.connect("delete-event", self._closed)
        self.window.add(self._content())
        self.show(painting)
        self.window.show_all()

    def show(self, painting: Painting) -> None:
        """See `View`."""
        if not self._is_open:
            return
        if painting.phase.is_over:
            self._is_open = False
            self.window.destroy()
            return
        self._text.set_text(painting.text)
        fraction = painting.fraction
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)
        self._details.set_text(_details(painting))
        is_paused = painting.phase is Phase.PAUSED
        self._pause.set_label("_Resume" if is_paused else "_Pause")
        self._pause.set_sensitive(painting.phase in (Phase.PAINTING, Phase.PAUSED))
        self._strength.set_sensitive(painting.phase in (Phase.PAINTING, Phase.PAUSED))
        self._stop.set_sensitive(painting.phase is not Phase.ENDING)
        if len(painting.losses) != self._drawn:
            self._drawn = len(painting.losses)
            self._curve.queue_draw()

    def _content(self) -> Any:
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        strength = Gtk.Box(spacing=8)
        label = Gtk.Label(label="Stren_gth", use_underline=True, mnemonic_widget=self._strength)
        strength.pack_start(label, False, False, 0)
        strength.pack_start(self._strength, True, True, 0)
        buttons = Gtk.ButtonBox(layout_style=Gtk.ButtonBoxStyle.END, spacing=6)
        for button in (self._pause, self._discard, self._stop):
            buttons.add(button)
        frame = Gtk.Frame(shadow_type=Gtk.ShadowType.IN)
        frame.add(self._curve)
        for widget in (self._note, self._text, self._bar, frame, self._details, strength, buttons):
            box.pack_start(widget, False, False, 0)
        return box

    def _pause_clicked(self, _button: Any) -> None:
        if self._painting.phase is Phase.PAUSED:
            self._painting.resume()
        else:
            self._painting.pause()

    def _closed(self, *_event: Any) -> bool:
        self._painting.stop()
        return True  # it goes when the painting is over

    def _draw(self, area: Any, context: Any) -> None:
        progress = self._painting.progress
        points = curve_points(self._painting.losses, 0 if progress is None else progress.evaluations)
        if not points or not hasattr(context, "move_to"):  # without pycairo there is no curve, and no harm
            return
        width, height, margin = area.get_allocated_width(), area.get_allocated_height(), 6
        color = area.get_style_context().get_color(Gtk.StateFlags.NORMAL)
        context.set_source_rgba(color.red, color.green, color.blue, 0.9)
        context.set_line_width(1.5)
        for number, (x, y) in enumerate(points):
            place = margin + x * (width - 2 * margin), margin + y * (height - 2 * margin)
            if number:
                context.line_to(*place)
            else:
                context.move_to(*place)
        context.stroke()


def _details(painting: Painting) -> str:
    progress = painting.progress
    if progress is None:
        return ""
    said = [f"Evaluation {progress.evaluation} of {progress.evaluations}", f"{progress.width} × {progress.height} px"]
    if progress.remaining_s is not None and painting.phase is Phase.PAINTING:
        said.append(f"{time_text(progress.remaining_s)} left")
    return " · ".join(said)


def _utility() -> Any:
    from gi.repository import Gdk

    return Gdk.WindowTypeHint.DIALOG
