"""What can be found wrong from inside GIMP, in the form in which `impasto doctor --json` tells the rest. No gi."""

import os
import platform
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from impasto_gimp.installation import Installation
from impasto_gimp.libraries import LibraryError, chosen_dial
from impasto_gimp.product import ProductError, run_product
from impasto_protocol.connection import connection_path

__all__ = ["Check", "as_text", "examined", "own_checks"]

Check: TypeAlias = Mapping[str, str]
"""`name`, `status` (`ok`, `warning` or `error`), `message`, `cure`."""

FOUND_SOMETHING = 1
"""The doctor's exit status when a check failed."""


def own_checks(installation: Installation, gimp_version: str) -> list[Check]:
    """What only the plug-in can tell."""
    found = [
        _check("GIMP", "ok", f"GIMP {gimp_version} with Python {platform.python_version()}"),
        _check(
            "Plug-in", "ok", f"Impasto {installation.version or 'of unknown version'} in {str(installation.folder)!r}"
        ),
    ]
    if installation.trouble is not None:
        found.append(_check("Installation", "error", installation.trouble, "Run 'impasto install' in a terminal."))
    if not installation.styles:
        cure = "Run 'impasto install' in a terminal."
        found.append(_check("Styles", "error", "The built-in styles are missing.", cure))
    try:
        transport, _ = chosen_dial(installation, connection_path(), os.environ)
        found.append(_check("Transport", "ok", f"The daemon is reached by {transport}."))
    except LibraryError as error:
        found.append(_check("Transport", "error", str(error), "Run 'impasto install' in a terminal."))
    return found


def examined(installation: Installation, gimp_version: str) -> list[Check]:
    """Everything: what the plug-in can tell, and then the product's doctor. Waits for it."""
    found = own_checks(installation, gimp_version)
    if installation.is_confined:
        cure = "Run 'impasto doctor' in a terminal."
        return [*found, _check("Doctor", "warning", "GIMP runs in a Flatpak, from which the rest is not seen.", cure)]
    try:
        told = run_product(installation, "doctor", "--json", accept=(0, FOUND_SOMETHING))
        checks = told["checks"]
        found += [_check(*(str(each.get(key, "")) for key in ("name", "status", "message", "cure"))) for each in checks]
    except ProductError as error:
        found.append(_check("Doctor", "error", str(error), "Run 'impasto doctor' in a terminal."))
    except (TypeError, KeyError, AttributeError):
        text = "The product's doctor gave no answer that can be read."
        found.append(_check("Doctor", "error", text, "Run 'impasto doctor' in a terminal."))
    return found


def as_text(checks: Sequence[Check]) -> str:
    """The checks for a bug report, without the user's name."""
    lines = [f"{each['status']:8} {each['name']}: {each['message']} {each['cure']}".rstrip() for each in checks]
    return "\n".join(lines).replace(os.path.expanduser("~"), "~")  # noqa: PTH111 -- text, not a path


def _check(name: str, status: str, message: str, cure: str = "") -> Check:
    return {"name": name, "status": status, "message": message, "cure": cure}
