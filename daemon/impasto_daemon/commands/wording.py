"""Numbers as people say them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto_engine import Losses

__all__ = ["counted", "duration", "losses_in_words", "memory", "sides", "time_left"]


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 1.0:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def time_left(seconds: float | None) -> str:
    """`12 s left`, or that it is not known yet."""
    return "time left unknown" if seconds is None else f"{duration(seconds)} left"


def memory(size_bytes: float) -> str:
    """`59 MB`, `1.4 GB`."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 999.5e6 else f"{size_bytes / 1e6:.0f} MB"


def sides(height: int, width: int) -> str:
    """`512 × 384`, the width first, as photographers say it."""
    return f"{width} × {height}"


def counted(number: int, thing: str) -> str:
    """`1 evaluation`, `2 evaluations`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def losses_in_words(losses: "Losses") -> str:
    """`loss 12.5 (content 3, style 9.1, tv 0.4)`."""
    terms = ", ".join(f"{name} {value:.4g}" for name, value in losses.terms.items())
    return f"loss {losses.loss:.4g} ({terms})"
