"""Taking out of a text what is nobody else's business: names of people, machines and pictures, addresses, keys.

What is taken out leaves a word that says what was there, so that the text can still be read.
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["Redaction"]

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|AUTH|CREDENTIAL|COOKIE|CONTEXT|SIGNATURE", re.IGNORECASE)

_Z85 = r"0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#"
"""What keys of CURVE are written in; of ten thousand, all but one hold something of the last seventeen."""

_PICTURES = "jpe?g|png|tiff?|webp|xcf|bmp|gif|heic"

_RULES = tuple(
    (re.compile(rule, re.IGNORECASE), stand_in)
    for rule, stand_in in (
        (r'("[a-z_]*(?:key|token|secret|password)"\s*:\s*)"[^"]*"', r'\1"REDACTED"'),
        (
            r"\b([a-z_]*(?:token|secret|password|passwd|api_?key|authorization)\s*[=:]\s*(?:bearer |basic )?)[^\s'\"]+",
            r"\1REDACTED",
        ),
        # Four slashes are a path, and what holds no letter is a line that underlines.
        (
            rf"(?<![{_Z85}])(?=[{_Z85}]*[\^!*?&<>()\[\]{{}}@%$#])(?=[{_Z85}]*[a-z])(?!(?:[^/\s]*/){{4}})[{_Z85}]{{40,}}",
            "KEY",
        ),
        (r"(?<=://)[^/\s@]+@", "USER@"),
        (r"(?<![\w.+-])(?!USER@)[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", "MAIL"),
        (r"(?<=tcp://)(?!127\.)[^\s/:\[]+(?=:\d)", "ADDRESS"),
        (r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b", "ADDRESS"),
        (rf"'[^'\n]*\.({_PICTURES})'", r"'PICTURE.\1'"),
        (rf'"[^"\n]*\.({_PICTURES})(\\?")', r'"PICTURE.\1\2'),
        (r"(\\Users\\{1,2})[^\\:;\"'\n]+(?=\\)", r"\1USER"),
        (r"(/home/|/Users/|\\Users\\{1,2}|/media/|/run/user/)[^/\\\s:;\"']+", r"\1USER"),
    )
)
"""What is taken out wherever it stands, and what stands for it; in this order."""

_ADDRESS = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){2,7}|[0-9a-f]{1,4}::)(?![\w.]*\w)",
    re.IGNORECASE,
)


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
        for name in _spellings(self.home):
            if len(name) > 1:
                text = re.sub(rf"{re.escape(name)}(?![\w-])", "~", text, flags=re.IGNORECASE)
        for rule, stand_in in _RULES:
            text = rule.sub(stand_in, text)
        text = _ADDRESS.sub(_address, text)
        for name, stand_in in ((self.user, "USER"), (self.host, "HOST"), (self.host.partition(".")[0], "HOST")):
            for spelling in _spellings(name):
                text = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", stand_in, text, flags=re.IGNORECASE)
        return text

    def of_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Those variables that bear on Impasto, without their secrets."""
        return {
            name: "REDACTED" if _SECRET.search(name) else self.of(value)
            for name, value in sorted(environment.items())
            if name.startswith(_TOLD)
        }


def _spellings(name: str) -> Iterator[str]:
    """A name as it stands in a text, in JSON, and in an address."""
    if name:
        yield from dict.fromkeys((name, json.dumps(name)[1:-1], name.replace("\\", "\\\\"), quote(name)))


def _address(found: re.Match[str]) -> str:
    """What stands for something that looks like an address; this machine's own for itself tells nothing."""
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return found[0] if address.is_loopback or address.is_unspecified else "ADDRESS"


_TOLD = (
    "APPDIR", "APPIMAGE", "CONDA_", "CUDA", "DYLD_", "FLATPAK_", "GIMP", "IMPASTO_", "KERAS_", "LANG", "LC_", "LD_",
    "PATH", "PYTHON", "SNAP", "TF_", "VIRTUAL_ENV", "WAYLAND_DISPLAY", "XDG_",
)  # fmt: skip
