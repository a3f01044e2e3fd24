"""Taking out of a text what is nobody else's business: names of people, machines and folders, and keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Redaction"]

_KEY = re.compile(r'("(?:[a-z_]*key|[a-z_]*token)"\s*:\s*)"[^"]*"', re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASS|AUTH|CREDENTIAL|COOKIE", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """See the module.

    Attributes:
        home: The user's folder.
        user: The user's name.
        host: The machine's name.
    """

    home: str
    user: str
    host: str

    def of(self, text: str) -> str:
        """The text without them."""
        redacted = _USER_IN_URL.sub("USER@", _KEY.sub(r'\1"REDACTED"', text))
        for name, stand_in in ((self.home, "~"), (self.home.replace("\\", "\\\\"), "~")):
            if len(name) > 1:
                redacted = redacted.replace(name, stand_in)
        for name, stand_in in ((self.user, "USER"), (self.host, "HOST")):
            if name:
                redacted = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", stand_in, redacted)
        return redacted

    def of_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Those variables that bear on Impasto, without their secrets."""
        return {
            name: "REDACTED" if _SECRET_VARIABLE.search(name) else self.of(value)
            for name, value in sorted(environment.items())
            if name.startswith(_TOLD)
        }


_TOLD = (
    "APPDIR", "APPIMAGE", "CONDA_", "CUDA", "DYLD_", "FLATPAK_", "GIMP", "IMPASTO_", "KERAS_", "LANG", "LC_", "LD_",
    "PATH", "PYTHON", "SNAP", "TF_", "VIRTUAL_ENV", "WAYLAND_DISPLAY", "XDG_",
)  # fmt: skip
