"""What keeps the installer from doing what it was asked; each text is one sentence for the user.

```
InstallerError
├── NoEditorError         no GIMP 3 was found
├── PluginFolderError     the plug-in cannot be laid out, or what lies there is not ours to touch
├── VendoringError        pyzmq and msgpack cannot be had for an editor's Python
├── EditorError           GIMP cannot be run, or does not answer
└── ServiceError          the system refuses to start the daemon at login
```
"""

__all__ = [
    "EditorError",
    "InstallerError",
    "NoEditorError",
    "PluginFolderError",
    "ServiceError",
    "VendoringError",
]


class InstallerError(Exception):
    """Anything the installer refuses or fails at; its text can be shown to a user as it is."""


class NoEditorError(InstallerError):
    """No GIMP 3 was found."""


class PluginFolderError(InstallerError):
    """The plug-in cannot be laid out or taken away."""


class VendoringError(InstallerError):
    """pyzmq and msgpack cannot be had for an editor's Python."""


class EditorError(InstallerError):
    """GIMP cannot be run, or does not answer as it should."""


class ServiceError(InstallerError):
    """The system refuses to start the daemon at login, or to stop doing so."""
