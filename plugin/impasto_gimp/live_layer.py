"""The live layer: the canvas a painting appears on, inside a GIMP image. Imports gi.

Coming into being is the one undo step that a painting leaves. Everything after that is written without one: previews
into the layer's buffer directly, name and recipe while undo is frozen. Undoing the step takes away the layer whatever
has become of it; redoing it brings the finished picture back. The layer, its mask and its place are made ready before
the first preview comes, so that a selection the user changes meanwhile does not matter.
"""

from typing import Any

from gi.repository import Gegl, Gimp

from impasto_gimp.naming import kept_name
from impasto_gimp.pictures import Extent
from impasto_gimp.pixel_layout import babl_name
from impasto_gimp.recipe import PARASITE, Outcome, Recipe, recipe_text
from impasto_protocol.events import Fetched
from impasto_protocol.fields import Data
from impasto_protocol.messages import Preview
from impasto_protocol.pixels import PixelFormat

__all__ = ["LiveLayer"]

PERSISTENT = 1
"""A parasite that is saved with the image; and, without the flag 2, one that is no undo step."""


class LiveLayer:
    """See the module, and `painting.Canvas`.

    Args:
        image: The image.
        source: The layer that is painted.
        above: The layer above which the new one is put.
        extent: Which part of it.
        name: What the new layer is called.
        recipe: What it remembers.
        version: Of Impasto.
        keep_every: Every so many previews, one becomes a layer of its own; 0 for none.
    """

    def __init__(
        self,
        image: Any,
        source: Any,
        extent: Extent,
        *,
        above: Any,
        name: str,
        recipe: Recipe,
        version: str,
        keep_every: int,
    ) -> None:
        self._image = image
        self._above = above
        self._name = name
        self._recipe = recipe
        self._version = version
        self._keep_every = keep_every
        self._shown = 0
        self._is_shown = False
        self._group: Any = None
        self.layer = Gimp.Layer.new(
            image, name, extent.width, extent.height, source.type(), 100.0, image.get_default_new_layer_mode()
        )
        _, left, top = source.get_offsets()
        self.layer.set_offsets(left + extent.x, top + extent.y)
        if not Gimp.Selection.is_empty(image):
            self.layer.add_mask(self.layer.create_mask(Gimp.AddMaskType.SELECTION))

    @property
    def is_shown(self) -> bool:
        """See `Canvas`."""
        return self._is_shown and self._image.is_valid() and self._is_attached

    @property
    def _is_attached(self) -> bool:
        return bool(self.layer.is_valid() and self.layer.get_id() in _ids(self._image.get_layers()))

    def trouble(self) -> str | None:
        """See `Canvas`."""
        if not self._image.is_valid():
            return "The image was closed, and the painting has ended."
        if not self._is_shown:
            return None if self.layer.is_valid() else "The new layer is gone, and the painting has ended."
        if not self._is_attached:
            return "The layer was deleted, and the painting has ended."
        if self.layer.get_lock_content():
            return "The layer was locked, and the painting has ended with the last picture."
        return None

    def show(self, preview: Preview) -> None:
        """See `Canvas`."""
        self._write(preview.format, preview.data, Gegl.SamplerType.LINEAR)
        if not self._is_shown:
            self._insert()
        self._redraw()
        self._shown += 1
        if self._keep_every and self._shown % self._keep_every == 0:
            self._keep(preview.evaluation)
        Gimp.displays_flush()

    def finish(self, fetched: Fetched | None, outcome: Outcome) -> None:
        """See `Canvas`."""
        if fetched is not None:
            self._write(fetched.result.picture.format, fetched.pixels, Gegl.SamplerType.CUBIC)
        if not self._is_shown:
            self._insert()
        text = recipe_text(self._recipe, outcome, version=self._version)
        self._image.undo_freeze()
        self.layer.attach_parasite(Gimp.Parasite.new(PARASITE, PERSISTENT, text.encode("ascii")))
        self._image.undo_thaw()
        self._redraw()
        Gimp.displays_flush()

    def discard(self) -> None:
        """See `Canvas`."""
        if not self._image.is_valid() or not self.layer.is_valid():
            return
        if not self._is_shown:
            self.layer.delete()
            return
        made = self._group if self._group is not None and self._group.is_valid() else self.layer
        if self._is_attached:
            self._image.undo_group_start()
            self._image.remove_layer(made)
            self._image.undo_group_end()
        Gimp.displays_flush()

    def _insert(self) -> None:
        """The undo step. The user's layers stay selected."""
        image, above = self._image, self._above
        selected = image.get_selected_layers()
        is_there = above.is_valid() and above.get_id() in _ids(image.get_layers())
        parent = above.get_parent() if is_there else None
        position = image.get_item_position(above) if is_there else 0
        image.undo_group_start()
        if self._keep_every:
            self._group = Gimp.GroupLayer.new(image, self._name)
            image.insert_layer(self._group, parent, position)
            parent, position = self._group, 0
        image.insert_layer(self.layer, parent, position)
        image.undo_group_end()
        image.set_selected_layers(selected)
        self._is_shown = True

    def _keep(self, evaluation: int) -> None:
        """A copy below the live layer, in the group that was made for it; undoing the one step takes it away, too."""
        if self._group is None or not self._group.is_valid():
            return
        selected = self._image.get_selected_layers()
        self._image.undo_freeze()
        kept = self.layer.copy()
        kept.set_name(kept_name(self._name, evaluation))
        kept.set_visible(False)
        self._image.insert_layer(kept, self._group, self._image.get_item_position(self.layer) + 1)
        self._image.undo_thaw()
        self._image.set_selected_layers(selected)

    def _write(self, form: PixelFormat, data: Data, sampler: Any) -> None:
        """Enlarges a picture to the whole layer; selection, undo and the image's being dirty are not touched."""
        width, height = self.layer.get_width(), self.layer.get_height()
        target, name = self.layer.get_buffer(), babl_name(form)
        assert memoryview(data).nbytes == form.size_bytes  # noqa: S101 -- GEGL would ignore it without a word
        if (form.width, form.height) == (width, height):
            target.set(Gegl.Rectangle.new(0, 0, width, height), name, bytes(data))
        else:
            small = Gegl.Buffer.new(name, 0, 0, form.width, form.height)
            small.set(Gegl.Rectangle.new(0, 0, form.width, form.height), name, bytes(data))
            graph = Gegl.Node()
            source = graph.create_child("gegl:buffer-source")
            source.set_property("buffer", small)
            scaled = graph.create_child("gegl:scale-size")
            for key, value in (("x", float(width)), ("y", float(height)), ("sampler", sampler)):
                scaled.set_property(key, value)
            scaled.set_property("abyss-policy", Gegl.AbyssPolicy.CLAMP)
            written = graph.create_child("gegl:write-buffer")
            written.set_property("buffer", target)
            source.link(scaled)
            scaled.link(written)
            written.process()
        target.flush()

    def _redraw(self) -> None:
        self.layer.update(0, 0, self.layer.get_width(), self.layer.get_height())


def _ids(layers: list[Any]) -> set[int]:
    """The ids of layers and of all in their groups."""
    found: set[int] = set()
    for layer in layers:
        found.add(layer.get_id())
        if layer.is_group():
            found |= _ids(layer.get_children())
    return found
