"""What the user wants: the settings of the dialog and of the procedures, and what of them goes into an order.

No gi, so that it is tested without GIMP.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from impasto_gimp.choices import AUTO, USUAL_SIZE, USUAL_STRENGTH
from impasto_protocol import messages as m
from impasto_protocol.orders import Order, PreviewWish, Settings, Style
from impasto_protocol.pixels import Picture

__all__ = ["StyleChoice", "Wish"]

SHOWING_SHARE = 4.0
"""Previews come at most so seldom that showing them takes a fourth of GIMP's time."""

PIXELS_SHOWN_PER_S = 24e6
"""Pixels of a layer that a preview can be enlarged to in a second, as measured on two cores."""

SHORTEST_INTERVAL_S = 0.2

PREVIEW_SIDE = 1024
"""Pixels of a preview's longer side: enlarged to a screen, that shows what there is to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleChoice:
    """Where the style comes from.

    Attributes:
        kind: `built_in`, `file` or `layer`.
        title: What to call it before the user.
        name: Of a built-in style.
        path: Of a file.
        tattoo: Of a layer of the same image; 0 for one of another image.
    """

    kind: str
    title: str
    name: str = ""
    path: str = ""
    tattoo: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to paint.

    Attributes:
        strength: Of the style, from 0 to 1.
        size: Pixels of the longer side in which to paint; 0 for the layer's own.
        evaluations: 0 for the recipe's own number.
        network: One of `choices.NETWORKS`, or another that the daemon has.
        color: One of `choices.COLORS`.
        style_scale: Size of the strokes relative to the style image's.
        seed: Of the noise.
        keep_every: Every so many previews, one is kept as a layer; 0 for none.
        previews: Whether to show the painting while it is painted.
    """

    strength: float = USUAL_STRENGTH
    size: int = USUAL_SIZE
    evaluations: int = 0
    network: str = AUTO
    color: str = "style"
    style_scale: float = 1.0
    seed: int = 0
    keep_every: int = 0
    previews: bool = True

    def settings(self) -> Settings:
        """The order's settings."""
        return Settings(
            size=self.size,
            evaluations=self.evaluations or None,
            strength=self.strength,
            style_scale=self.style_scale,
            color=self.color,
            seed=self.seed,
        )

    def question(self, width: int, height: int) -> m.Estimate:
        """What asks for the cost of painting so many pixels."""
        return m.Estimate(width=width, height=height, network=self._network, settings=self.settings())

    def order(self, content: Picture, style: Picture) -> Order:
        """The order, for a layer's pixels and a style's."""
        shown = content.format.width * content.format.height
        previews = PreviewWish(
            interval_s=max(SHORTEST_INTERVAL_S, SHOWING_SHARE * shown / PIXELS_SHOWN_PER_S),
            longer_side=PREVIEW_SIDE,
        )
        return Order(
            content=content.blob,
            styles=(Style(picture=style.blob),),
            network=self._network,
            settings=self.settings(),
            previews=previews if self.previews or self.keep_every else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Wish":
        """The wish that `as_dict` gave; fields of later versions are ignored, and so are values of the wrong type."""
        default = cls()
        known = {field.name: type(getattr(default, field.name)) for field in fields(cls)}
        return cls(**{name: known[name](value) for name, value in values.items() if name in known})

    @property
    def _network(self) -> str | None:
        return None if self.network == AUTO else self.network
