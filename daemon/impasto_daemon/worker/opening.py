"""How the painting process comes by its engine. Importing this imports no engine; the server may name it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto_daemon.worker.studio import Studio

__all__ = ["open_engine"]


def open_engine(device: int = 0, *, memory_budget_bytes: int | None = None) -> "Studio":
    """Starts the engine, which takes seconds.

    Args:
        device: On which of this machine's devices, where it has several.
        memory_budget_bytes: What the process may take; None for the engine's own rule.
    """
    from impasto_daemon.worker.engine_studio import EngineStudio

    return EngineStudio(device, memory_budget_bytes=memory_budget_bytes)
