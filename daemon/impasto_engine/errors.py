"""What can go wrong in the engine, each as one sentence for the person at the editor.

```
EngineError
├── PictureError      a picture cannot be read, is absurd, or cannot be written
├── SettingsError     a setting is out of range or contradicts another
├── NetworkError      a feature network is unknown or its weights cannot be had
├── CheckpointError   a checkpoint is damaged or belongs to another painting
└── PaintingError     the painting itself cannot go on
```

A message names the value received and the remedy. Details for a programmer go into `__cause__`.
"""

__all__ = ["CheckpointError", "EngineError", "NetworkError", "PaintingError", "PictureError", "SettingsError"]


class EngineError(Exception):
    """Anything the engine refuses or fails at; its text can be shown to a user as it is."""


class PictureError(EngineError):
    """A picture cannot be read, is of an impossible size, or cannot be written."""


class SettingsError(EngineError):
    """A setting is out of its range or contradicts another setting."""


class NetworkError(EngineError):
    """A feature network is unknown, or its weights are missing or broken."""


class CheckpointError(EngineError):
    """A checkpoint is damaged, belongs to another painting, or cannot be written."""


class PaintingError(EngineError):
    """The painting cannot go on, and no picture better than the start exists."""
