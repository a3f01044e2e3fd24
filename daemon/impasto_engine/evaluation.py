"""The loss of any picture under a recipe: how one painting, or one program, is compared with another."""

from collections.abc import Sequence

import numpy as np

from impasto_engine import backend
from impasto_engine.materials import prepare
from impasto_engine.networks.network import Network, Precision
from impasto_engine.progress import Losses
from impasto_engine.recipes import recipe_named
from impasto_engine.settings import Settings, Style
from impasto_engine.targets import pose
from impasto_engine.types import Pixels
from impasto_engine.weighing import weights_of

__all__ = ["evaluate"]


def evaluate(
    content: Pixels, styles: Sequence[Style], picture: Pixels, network: Network, settings: Settings | None = None
) -> Losses:
    """The loss of a picture, in float32, with every size taken as it is.

    Only a content image of another size than the picture is resized to the picture's, since the content loss compares
    position by position. The style images keep their own sizes. Transparent pixels are those of the content image.

    Args:
        content: `(H, W, 3)` or `(H, W, 4)` float32, sRGB, [0, 1].
        styles: One or more.
        picture: The picture to judge, as `content`.
        network: The feature network.
        settings: Recipe, weights, layers, colour mode and pooling; the rest is of no consequence.

    Raises:
        PictureError: A picture has an impossible shape or holds numbers that are not finite.
        SettingsError: The settings do not suit the network.
    """
    settings = settings or Settings()
    materials = prepare(content, styles, settings.color)
    painted = prepare(picture, (), settings.color)
    height, width = painted.content.shape[:2]
    judged, _ = painted.content_at(height, width)
    content_colours, alpha = materials.content_at(height, width)
    problem = pose(
        content=content_colours,
        alpha=alpha,
        styles=materials.sources_as_they_are(height, width),
        network=network,
        recipe=recipe_named(settings.recipe),
        weights=weights_of(settings),
        content_taps=network.content_taps if settings.content_layers is None else settings.content_layers,
        style_taps=network.style_taps if settings.style_layers is None else settings.style_layers,
        pooling=settings.pooling,
        precision=Precision.FLOAT32,
    )
    terms = backend.current().forward(problem.objective, judged[None], problem.arguments)
    return problem.losses(np.asarray(terms))
