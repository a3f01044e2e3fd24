"""Impasto's painting engine: neural style transfer as a library.

```python
from impasto_engine import Settings, Style, load_network, paint, read_picture

content = read_picture("photograph.jpg")
style = read_picture("painting.jpg")
painting = paint(content.pixels, [Style(pixels=style.pixels)], load_network("vgg16"), Settings(size=512))
```

What is listed here is imported when it is first asked for, so that reading a picture or checking settings does not wait
for Keras and its backend.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from impasto_engine.errors import (
    CheckpointError,
    EngineError,
    NetworkError,
    PaintingError,
    PictureError,
    SettingsError,
)
from impasto_engine.version import __version__

if TYPE_CHECKING:
    from impasto_engine.checkpoint import Checkpoint, read_checkpoint
    from impasto_engine.choice import load_networks
    from impasto_engine.cost import Estimate, estimate
    from impasto_engine.evaluation import evaluate
    from impasto_engine.files.picture_file import PictureFile, read_picture, read_recipe, write_picture
    from impasto_engine.networks import available, load_network
    from impasto_engine.painting import paint, reconstruct_content, reconstruct_style
    from impasto_engine.progress import Losses, Painting, Progress
    from impasto_engine.settings import Settings, Style
    from impasto_engine.styles import BuiltInStyle, built_in_style, built_in_styles
    from impasto_engine.weighing import Weights, weights_of
    from impasto_engine.workshop import Workshop

__all__ = [
    "BuiltInStyle",
    "Checkpoint",
    "CheckpointError",
    "EngineError",
    "Estimate",
    "Losses",
    "NetworkError",
    "Painting",
    "PaintingError",
    "PictureError",
    "PictureFile",
    "Progress",
    "Settings",
    "SettingsError",
    "Style",
    "Weights",
    "Workshop",
    "__version__",
    "available",
    "built_in_style",
    "built_in_styles",
    "estimate",
    "evaluate",
    "load_network",
    "load_networks",
    "paint",
    "read_checkpoint",
    "read_picture",
    "read_recipe",
    "reconstruct_content",
    "reconstruct_style",
    "weights_of",
    "write_picture",
]

_HOMES = {
    "checkpoint": ("Checkpoint", "read_checkpoint"),
    "choice": ("load_networks",),
    "cost": ("Estimate", "estimate"),
    "evaluation": ("evaluate",),
    "networks": ("available", "load_network"),
    "painting": ("paint", "reconstruct_content", "reconstruct_style"),
    "files.picture_file": ("PictureFile", "read_picture", "read_recipe", "write_picture"),
    "progress": ("Losses", "Painting", "Progress"),
    "settings": ("Settings", "Style"),
    "styles": ("BuiltInStyle", "built_in_style", "built_in_styles"),
    "weighing": ("Weights", "weights_of"),
    "workshop": ("Workshop",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imports what is listed above from its module (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
