"""What keeps a daemon from running. What it refuses its clients is the protocol's own.

```
DaemonError
├── AlreadyRunningError   another daemon holds the lock
├── AddressError          it cannot listen where it is told to
└── KeyFormatError        what it shall let in is no key
```
"""

__all__ = ["AddressError", "AlreadyRunningError", "DaemonError", "KeyFormatError"]


class DaemonError(Exception):
    """A daemon cannot run; the text can be shown to a user as it is."""


class AlreadyRunningError(DaemonError):
    """Another daemon holds the lock."""


class AddressError(DaemonError):
    """It cannot listen where it is told to."""


class KeyFormatError(DaemonError):
    """What it shall let in is no key."""
