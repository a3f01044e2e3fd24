"""A GIMP with windows that runs a script, and pictures of what it shows.

With `IMPASTO_PICTURES` the pictures are left in that folder, to be looked at and put into the documentation.
"""

import json
import os
import shutil
from typing import Any

from gimp.running import Gimp, Ran, until
from gimp.screen import Screen

__all__ = ["CALL", "DIALOG", "PAINTING", "PICTURES", "Shown", "paint"]

PICTURES = os.environ.get("IMPASTO_PICTURES")

WINDOWS = ("gimp", "--new-instance", "--no-splash", "--quit")
DIALOG, PAINTING = "Neural Style Transfer", r"\(strength"

CALL = """
status, error, values = call("plug-in-impasto-{name}", image, [layer], run_mode=Gimp.RunMode.INTERACTIVE{arguments})
"""


class Shown:
    """A GIMP on the screen that runs a script."""

    def __init__(self, gimp: Gimp, shown: Screen, script: str) -> None:
        self.gimp, self.screen = gimp, shown
        script += "\nfor each in Gimp.get_images():\n    each.clean_all()"  # so that GIMP quits without asking
        self.process, self._result = gimp.launch(script, command=WINDOWS, display=shown.display)

    def picture(self, name: str, window: str | None = None) -> None:
        place = self.gimp.shared / f"{name}.png"
        self.screen.picture(place, window)
        assert place.stat().st_size > 3000, "An empty window."
        if PICTURES:
            shutil.copy(place, PICTURES)

    def told(self, *, in_peace: bool = True) -> Any:
        """What the script told; GIMP must have had nothing to complain about, unless something was killed."""
        try:
            until(self._result.exists, "the script tells")
        except AssertionError as error:
            self.process.kill()
            raise AssertionError(f"{error}; GIMP said: {self.process.communicate()[0]}") from None
        output, _ = self.process.communicate(timeout=30)
        assert not in_peace or Ran(told=None, output=output).complaints == [], output
        return json.loads(self._result.read_text())


def paint(**arguments: object) -> str:
    """What calls the procedure with its dialog."""
    given = {"network": "lite", "size": 128, "evaluations": 4000, **arguments}
    return CALL.format(name="stylize", arguments="".join(f", {name}={value!r}" for name, value in given.items()))
