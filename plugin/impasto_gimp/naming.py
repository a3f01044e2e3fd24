"""What layers and windows are called. No gi."""

from impasto_gimp.choices import AUTO
from impasto_gimp.wish import StyleChoice, Wish

__all__ = ["kept_name", "layer_name", "memory_text", "time_text"]


def layer_name(style: StyleChoice, wish: Wish) -> str:
    """A layer's name: the style, and the settings that are not as usual."""
    usual = Wish()
    said = [f"strength {wish.strength:.0%}"]
    said.append(f"{wish.size} px" if wish.size else "full size")
    if wish.network != AUTO:
        said.append(wish.network)
    if wish.color != usual.color:
        said.append("own colors" if wish.color == "luminance" else "matched colors")
    if wish.style_scale != usual.style_scale:
        said.append(f"strokes ×{wish.style_scale:g}")
    return f"{style.title} ({', '.join(said)})"


def kept_name(name: str, evaluation: int) -> str:
    """The name of a preview that is kept."""
    return f"{name}, evaluation {evaluation}"


def time_text(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 90.0:
        return f"{seconds:.0f} seconds"
    if seconds < 5400.0:
        return f"{seconds / 60.0:.0f} minutes"
    return f"{seconds / 3600.0:.1f} hours"


def memory_text(size_bytes: int) -> str:
    """An amount of memory as people say it."""
    return f"{size_bytes / 2**20:.0f} MB" if size_bytes < 2**30 else f"{size_bytes / 2**30:.1f} GB"
