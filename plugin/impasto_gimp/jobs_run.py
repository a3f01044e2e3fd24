"""What `plug-in-impasto-jobs` does: tells of the daemon and its paintings, or shows them and goes on with one.

A painting whose GIMP has crashed, or was closed, goes on in the daemon; here it is found again. Imports gi; the windows
are imported only where there is someone to see them.
"""

import json
from typing import Any

from gi.repository import Gimp, GObject

from impasto_gimp.installation import Installation
from impasto_gimp.procedures import failed, succeeded
from impasto_gimp.product import ProductError, run_product

__all__ = ["run"]


def run(procedure: Any, run_mode: Any, image: Any, _drawables: Any, _config: Any, installation: Installation) -> Any:
    """Shows or returns them."""
    if run_mode != Gimp.RunMode.NONINTERACTIVE:
        from impasto_gimp.jobs_window import show_jobs

        trouble = show_jobs(image, installation)
        return failed(procedure, trouble) if trouble else succeeded(procedure, (GObject.TYPE_STRING, ""))
    try:
        report: Any = run_product(installation, "daemon", "status", "--json")
    except ProductError:
        report = None
    try:
        jobs = run_product(installation, "jobs", "--json")
    except ProductError as error:
        return failed(procedure, str(error))
    return succeeded(procedure, (GObject.TYPE_STRING, json.dumps({"daemon": report, "jobs": jobs or []})))
