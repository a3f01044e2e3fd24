"""Impasto's painting engine: neural style transfer as a library.

```python
from impasto_engine import Settings, Style, load_network, paint, read_picture

content = read_picture("photograph.jpg")
style = read_picture("painting.jpg")
painting = paint(content.pixels, [Style(pixels=style.pixels)], load_network("vgg16"), Settings(size=512))
```
"""

from impasto_engine.errors import EngineError, NetworkError, PaintingError, PictureError, SettingsError
from impasto_engine.estimate import Estimate, estimate
from impasto_engine.evaluation import evaluate
from impasto_engine.networks import available, load_network
from impasto_engine.painting import paint, reconstruct_content, reconstruct_style
from impasto_engine.picture_file import PictureFile, read_picture, read_recipe, write_picture
from impasto_engine.progress import Losses, Painting, Progress
from impasto_engine.settings import Settings, Style
from impasto_engine.version import __version__

__all__ = [
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
    "__version__",
    "available",
    "estimate",
    "evaluate",
    "load_network",
    "paint",
    "read_picture",
    "read_recipe",
    "reconstruct_content",
    "reconstruct_style",
    "write_picture",
]
