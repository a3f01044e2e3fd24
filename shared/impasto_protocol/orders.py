"""What can be ordered: a painting or a reconstruction, with every setting the engine has.

Only what cannot be read is refused here. Whether a setting makes sense is for the engine to say; the daemon answers
with INVALID_ORDER and the engine's own sentence. None means the engine's or the recipe's own value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Annotated

from impasto_protocol.errors import MalformedMessageError
from impasto_protocol.fields import AtMost, Between, BudgetBytes, Name, Seconds, Side, Weight
from impasto_protocol.limits import MAX_ENTRIES, MAX_SIDE, MAX_STYLES
from impasto_protocol.pixels import Blob

__all__ = ["Adjustment", "Order", "OrderKind", "PreviewWish", "Settings", "Style", "WhenDetached"]

Share = Annotated[float, Between(0.0, 1.0)]
Layers = Annotated[tuple[Name, ...], AtMost(MAX_ENTRIES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to paint: the engine's settings, field by field. `docs/ENGINE.md` tells what each does.

    Attributes:
        recipe: Which losses in which proportion.
        size: Pixels of the longer side; 0 leaves the content's size as it is.
        evaluations: Evaluations in all, but for polishing.
        polish_evaluations: Evaluations of the network that polishes.
        strength: Of the style.
        content_weight: Weight of the content loss, instead of a strength.
        style_weight: Weight of the style loss.
        tv_weight: Weight of the total variation.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        style_scale: Size of the style image relative to the picture's.
        color: Whose colours the picture wears.
        init: The picture painting starts from.
        pooling: Which pooling.
        optimizer: Which optimiser.
        precision: In which precision.
        seed: Of the noise that painting may start from.
    """

    recipe: Name | None = None
    size: Annotated[int, Between(0, MAX_SIDE)] | None = None
    evaluations: Annotated[int, Between(1, 100_000)] | None = None
    polish_evaluations: Annotated[int, Between(1, 100_000)] | None = None
    strength: Share | None = None
    content_weight: Weight | None = None
    style_weight: Weight | None = None
    tv_weight: Weight | None = None
    content_layers: Layers | None = None
    style_layers: Layers | None = None
    style_scale: Annotated[float, Between(0.05, 8.0)] | None = None
    color: Name | None = None
    init: Name | None = None
    pooling: Name | None = None
    optimizer: Name | None = None
    precision: Name | None = None
    seed: Annotated[int, Between(0, 2**63 - 1)] | None = None


class OrderKind(StrEnum):
    """What is painted."""

    TRANSFER = "transfer"
    """The content in the style of the styles."""
    CONTENT_RECONSTRUCTION = "content_reconstruction"
    """From noise, what one layer knows of the content."""
    STYLE_RECONSTRUCTION = "style_reconstruction"
    """From noise, what the layers up to one know of the content's style."""


class WhenDetached(StrEnum):
    """What becomes of a job whose client is gone."""

    KEEP = "keep"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A style image and what it is to do.

    Attributes:
        picture: The image.
        weight: How much it counts beside other styles.
        region: A mask over the content: where it is painted. None for everywhere.
    """

    picture: Blob
    weight: Weight = 1.0
    region: Blob | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewWish:
    """How often to see the picture, and how large.

    Attributes:
        interval_s: Seconds between previews, at the least.
        longer_side: Pixels of a preview's longer side, at the most; the daemon shrinks a larger picture.
    """

    interval_s: Seconds = 0.25
    longer_side: Side = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything about a job but its id.

    Attributes:
        kind: What is painted.
        content: The content image, or the picture to reconstruct.
        styles: One or more for a transfer, none for a reconstruction.
        start: The picture that painting starts from, for `init="picture"`.
        layer: Which layer to reconstruct from.
        network: The feature network; None for the daemon's own choice.
        polish: The network that paints on where the first has ended, or `none`; None for what goes with the network.
        settings: How to paint.
        previews: None for no previews.
        when_detached: What becomes of the job when the client is gone.
        memory_budget_bytes: What the painting process may take: what would take more is looked at in tiles, or refused;
            None for the daemon's own budget.
        stop_at: The evaluation after which the best picture so far is the result; None to go to the end.
    """

    kind: OrderKind = OrderKind.TRANSFER
    content: Blob
    styles: Annotated[tuple[Style, ...], AtMost(MAX_STYLES)] = ()
    start: Blob | None = None
    layer: Name | None = None
    network: Name | None = None
    polish: Name | None = None
    settings: Settings = Settings()
    previews: PreviewWish | None = PreviewWish()
    when_detached: WhenDetached = WhenDetached.KEEP
    memory_budget_bytes: BudgetBytes | None = None
    stop_at: Annotated[int, Between(1, 100_000)] | None = None

    def __post_init__(self) -> None:
        transfer = self.kind is OrderKind.TRANSFER
        if transfer != bool(self.styles):
            remedy = "give at least one" if transfer else "leave them out"
            raise MalformedMessageError(
                f"The order is a {self.kind} with {len(self.styles)} styles; {remedy}.", field="order.styles"
            )
        if transfer != (self.layer is None):
            remedy = "leave it out" if transfer else "name one"
            raise MalformedMessageError(
                f"The order is a {self.kind} and its layer is {self.layer!r}; {remedy}.", field="order.layer"
            )

    def blobs(self) -> Iterator[Blob]:
        """Every picture the order names."""
        return (blob for _, blob in self.named_blobs())

    def named_blobs(self) -> Iterator[tuple[str, Blob]]:
        """Every picture the order names, with its field as in `RefusalError`."""
        yield "order.content", self.content
        for index, style in enumerate(self.styles):
            yield f"order.styles[{index}].picture", style.picture
            if style.region is not None:
                yield f"order.styles[{index}].region", style.region
        if self.start is not None:
            yield "order.start", self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """New weights for a job that is being painted; None leaves a weight as it is.

    Attributes:
        strength: As in `Settings`; sets the content weight.
        content_weight: As in `Settings`, instead of a strength.
        style_weight: As in `Settings`.
        tv_weight: As in `Settings`.
        style_weights: The weight of each style, in the order's sequence.
    """

    strength: Share | None = None
    content_weight: Weight | None = None
    style_weight: Weight | None = None
    tv_weight: Weight | None = None
    style_weights: Annotated[tuple[Weight, ...], AtMost(MAX_STYLES)] | None = None

    def then(self, later: "Adjustment") -> "Adjustment":
        """Both in one: what the later one says replaces what this one says."""
        sets_content = later.strength is not None or later.content_weight is not None
        before = replace(self, strength=None, content_weight=None) if sets_content else self
        said = {one.name: getattr(later, one.name) for one in fields(later) if getattr(later, one.name) is not None}
        return replace(before, **said)
