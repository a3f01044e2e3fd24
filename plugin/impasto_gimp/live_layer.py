"""The live layer: the canvas a painting appears on, inside a GIMP image. Imports gi.

Coming into being is the one undo step that a painting leaves. Everything after that is written without one: previews
into the layer's buffer directly, name and recipe while undo is frozen. Undoing the step takes away the layer whatever
has become of it; redoing it brings the finished picture back. The layer, its mask and its place are made ready before
the first preview comes, so that a selection the user changes meanwhile does not matter. As long as it is painted, the
layer carries the id of its job, so that a plug-in that takes the job up paints on where another was killed.
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

__all__ = ["JOB", "LiveLayer", "all_layers", "new_layer"]

JOB = "impasto-job"
"""The name under which a layer keeps the id of its job, until the painting is over."""

KEPT = b" kept"
"""What follows the id on a preview that was kept."""

PERSISTENT = 1
"""A parasite that is saved with the image; and, without the flag 2, one that is no undo step."""


class LiveLayer:
    """See the module, and `painting.Canvas`.

    Args:
        image: The image.
        layer: The layer to paint on, with its place and its mask; it may be in the image already.
        job: The id of what is painted.
        above: The layer above which it is put; None for the top.
        name: What it is called.
        recipe: What it remembers; None if that is not known.
        version: Of Impasto.
        keep_every: Every so many previews, one becomes a layer of its own; 0 for none.
    """

    def __init__(
        self,
        image: Any,
        layer: Any,
        *,
        job: str,
        above: Any,
        name: str,
        recipe: Recipe | None,
        version: str,
        keep_every: int,
    ) -> None:
        self.layer = layer
        self._image = image
        self._job = job
        self._above = above
        self._name = name
        self._recipe = recipe
        self._version = version
        self._keep_every = keep_every
        self._shown = 0
        self._is_shown = self._is_attached
        self._group: Any = layer.get_parent() if self._is_shown and keep_every else None
        self._kind = _kind(image)
        if not self._is_shown:
            self._mark()

    @property
    def is_shown(self) -> bool:
        """See `Canvas`."""
        return self._is_shown and self._image.is_valid() and self._is_attached

    @property
    def _is_attached(self) -> bool:
        return bool(self.layer.is_valid() and self.layer.get_id() in _ids(self._image))

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
        if not self._is_shown:
            self._fit()
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
        if not self._is_shown:
            self._fit()
        if fetched is not None:
            self._write(fetched.result.picture.format, fetched.pixels, Gegl.SamplerType.CUBIC)
        if not self._is_shown:
            self._insert()
        self._image.undo_freeze()
        for each in self._ours():
            each.detach_parasite(JOB)
        if self._recipe is not None:
            text = recipe_text(self._recipe, outcome, version=self._version)
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
        if self._is_attached:
            self._image.undo_group_start()
            for each in self._made():
                self._image.remove_layer(each)
            self._image.undo_group_end()
        Gimp.displays_flush()

    def _ours(self) -> list[Any]:
        """The live layer and the previews that were kept."""
        if self._group is None or not self._group.is_valid():
            return [self.layer]
        kept = [each for each in self._group.get_children() if self._is_ours(each)]
        return [self.layer, *(each for each in kept if each.get_id() != self.layer.get_id())]

    def _made(self) -> list[Any]:
        """What there is to discard: the group with all in it, or what is ours if the user has put something there."""
        ours = self._ours()
        if self._group is None or not self._group.is_valid():
            return ours
        inside = {each.get_id() for each in self._group.get_children()}
        return [self._group] if inside == {each.get_id() for each in ours} else ours

    def _is_ours(self, layer: Any) -> bool:
        mark = layer.get_parasite(JOB)
        return mark is not None and bytes(mark.get_data()).startswith(self._job.encode("ascii"))

    def _mark(self) -> None:
        self.layer.attach_parasite(Gimp.Parasite.new(JOB, PERSISTENT, self._job.encode("ascii")))

    def _fit(self) -> None:
        """Makes the layer anew if the image has been converted: GIMP converts only the layers that are in it."""
        if _kind(self._image) == self._kind:
            return
        converted = Gimp.Layer.new_from_drawable(self.layer, self._image)
        converted.set_name(self._name)
        _, left, top = self.layer.get_offsets()
        converted.set_offsets(left, top)
        self.layer.delete()
        self.layer, self._kind = converted, _kind(self._image)
        self._mark()

    def _insert(self) -> None:
        """The undo step. The user's layers stay selected."""
        image, above = self._image, self._above
        selected = image.get_selected_layers()
        is_there = above is not None and above.is_valid() and above.get_id() in _ids(image)
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
        kept.attach_parasite(Gimp.Parasite.new(JOB, PERSISTENT, self._job.encode("ascii") + KEPT))
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


def new_layer(image: Any, source: Any, extent: Extent, name: str) -> Any:
    """A layer for the painting of a part of another, with the selection as its mask; it is not in the image yet."""
    layer = Gimp.Layer.new(
        image, name, extent.width, extent.height, source.type(), 100.0, image.get_default_new_layer_mode()
    )
    _, left, top = source.get_offsets()
    layer.set_offsets(left + extent.x, top + extent.y)
    if not Gimp.Selection.is_empty(image):
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
    return layer


def all_layers(layers: list[Any]) -> list[Any]:
    """Layers and those in their groups, from top to bottom."""
    found = []
    for layer in layers:
        found.append(layer)
        if layer.is_group():
            found += all_layers(layer.get_children())
    return found


def _kind(image: Any) -> tuple[Any, Any]:
    return image.get_base_type(), image.get_precision()


def _ids(image: Any) -> set[int]:
    return {layer.get_id() for layer in all_layers(image.get_layers())}
