"""The part of the dialog in which a style is chosen: a grid of built-in ones, a file, or a layer. Imports gi."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gi.repository import GdkPixbuf, GLib, GObject, Gtk

from impasto_gimp.installation import Installation

__all__ = ["StyleChooser"]

THUMBNAIL = 104
"""Pixels of a side of a style's small picture."""

COLUMNS = 6


class StyleChooser:
    """See the module.

    Args:
        dialog: GIMP's dialog, which makes the widgets for the file and the layer.
        config: The procedure's arguments, which say what is chosen.
        installation: Where the built-in styles are.
        on_change: Called when something else is chosen.

    Attributes:
        widget: All of it.
    """

    def __init__(self, dialog: Any, config: Any, installation: Installation, on_change: Callable[[], None]) -> None:
        self._config = config
        self._on_change = on_change
        self._stack = Gtk.Stack(vhomogeneous=False)
        self._names: list[str] = []
        self._grid = self._built_in(installation)
        self._stack.add_titled(self._grid, "built_in", "Built-in Styles")
        self._stack.add_titled(self._file(dialog), "file", "Picture File")
        self._stack.add_titled(self._layer(dialog), "layer", "Layer or Open Image")
        switcher = Gtk.StackSwitcher(stack=self._stack, halign=Gtk.Align.CENTER)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        self.widget.pack_start(switcher, False, False, 0)
        self.widget.pack_start(self._stack, True, True, 0)
        self.widget.show_all()
        self._stack.set_visible_child_name(self._first_page())
        self._stack.connect("notify::visible-child", lambda *_: on_change())
        config.connect("notify::style-file", lambda *_: self._file_chosen())
        config.connect("notify::style-layer", lambda *_: on_change())
        for page in ("file", "layer"):
            config.connect(f"notify::style-{page}", lambda *_, page=page: self._turn_to(page))
        config.connect("notify::style-name", lambda *_: self._select())
        self._file_chosen()
        self._select()

    @property
    def is_complete(self) -> bool:
        """Whether a style is chosen on the page that is shown."""
        page = self._stack.get_visible_child_name()
        if page == "built_in":
            return bool(self._names)
        return self._config.get_property(f"style-{page}") is not None

    def apply(self) -> None:
        """Lets the arguments name the style of the page that is shown, and no other."""
        page = self._stack.get_visible_child_name()
        for other in {"file", "layer"} - {page}:
            self._config.set_property(f"style-{other}", None)

    def _first_page(self) -> str:
        if self._config.get_property("style-layer") is not None:
            return "layer"
        if self._config.get_property("style-file") is not None or not self._names:
            return "file"
        return "built_in"

    def _turn_to(self, page: str) -> None:
        """Shows the page of a style that a preset has brought, and leaves one whose style it has taken away.

        Else `apply` would clear what was brought. What `apply` itself clears is on no page that is shown.
        """
        if self._config.get_property(f"style-{page}") is not None:
            self._stack.set_visible_child_name(page)
        elif self._stack.get_visible_child_name() == page:
            self._stack.set_visible_child_name(self._first_page())

    def _built_in(self, installation: Installation) -> Any:
        grid = Gtk.FlowBox(
            selection_mode=Gtk.SelectionMode.SINGLE,
            max_children_per_line=COLUMNS,
            min_children_per_line=COLUMNS,
            homogeneous=True,
            valign=Gtk.Align.START,
            activate_on_single_click=True,
        )
        for style in installation.styles:
            box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2, tooltip_text=style.description)
            box.pack_start(Gtk.Image.new_from_pixbuf(_thumbnail(style.file)), False, False, 0)
            box.pack_start(Gtk.Label(label=style.name.capitalize()), False, False, 0)
            grid.add(box)
            self._names.append(style.name)
        grid.connect("selected-children-changed", self._clicked)
        return grid

    def _file(self, dialog: Any) -> Any:
        box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        self._preview = Gtk.Image(width_request=THUMBNAIL, height_request=THUMBNAIL)
        widget = dialog.get_widget("style-file", GObject.TYPE_NONE)
        widget.set_valign(Gtk.Align.CENTER)
        box.pack_start(self._preview, False, False, 0)
        box.pack_start(widget, True, True, 0)
        return box

    def _layer(self, dialog: Any) -> Any:
        widget = dialog.get_widget("style-layer", GObject.TYPE_NONE)
        widget.set_valign(Gtk.Align.CENTER)
        return widget

    def _clicked(self, grid: Any) -> None:
        for child in grid.get_selected_children():
            name = self._names[child.get_index()]
            if self._config.get_property("style-name") != name:
                self._config.set_property("style-name", name)
                self._on_change()

    def _select(self) -> None:
        """Shows in the grid what the arguments say, which presets may have changed."""
        name = self._config.get_property("style-name")
        if name in self._names:
            self._grid.select_child(self._grid.get_child_at_index(self._names.index(name)))

    def _file_chosen(self) -> None:
        file = self._config.get_property("style-file")
        path = None if file is None else file.get_path()
        pixbuf = None if path is None else _thumbnail(Path(path))
        if pixbuf is None:
            self._preview.set_from_icon_name("image-x-generic", Gtk.IconSize.DIALOG)
        else:
            self._preview.set_from_pixbuf(pixbuf)
        self._on_change()


def _thumbnail(file: Path) -> Any:
    """A small picture; None if GTK cannot read the file, which GIMP may yet."""
    try:
        return GdkPixbuf.Pixbuf.new_from_file_at_scale(str(file), THUMBNAIL, THUMBNAIL, True)
    except GLib.Error:
        return None
