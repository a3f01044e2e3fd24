"""How the painting process comes by its engine. Importing this imports no engine; the server may name it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto_daemon.worker.studio import Studio

__all__ = ["open_engine"]


def open_engine() -> "Studio":
    """Starts the engine, which takes seconds."""
    from impasto_daemon.worker.engine_studio import EngineStudio

    return EngineStudio()
