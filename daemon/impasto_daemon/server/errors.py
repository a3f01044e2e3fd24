"""What keeps a daemon from running. What it refuses its clients is the protocol's own.

```
DaemonError
├── AlreadyRunningError   another daemon holds the lock
├── AddressError          it cannot listen where it is told to
├── KeyFormatError        what it shall let in is no key
└── MemoryExceededError   it took more memory than it may, and has ended in order
```
"""

__all__ = ["AddressError", "AlreadyRunningError", "DaemonError", "KeyFormatError", "MemoryExceededError"]


class DaemonError(Exception):
    """A daemon cannot run, or on; the text can be shown to a user as it is."""


class AlreadyRunningError(DaemonError):
    """Another daemon holds the lock."""


class AddressError(DaemonError):
    """It cannot listen where it is told to."""


class KeyFormatError(DaemonError):
    """What it shall let in is no key."""


class MemoryExceededError(DaemonError):
    """It took more memory than it may, and has ended in order."""
