"""A GIMP with windows that runs a script, and pictures of what it shows.

With `IMPASTO_PICTURES` the pictures are left in that folder, to be looked at and put into the documentation.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from gimp.running import RUN_S, Gimp, Ran, until
from gimp.screen import Screen

__all__ = ["CALL", "DIALOG", "PAINTING", "PICTURES", "Shown", "paint"]

PICTURES = os.environ.get("IMPASTO_PICTURES")

WINDOWS = ("gimp", "--new-instance", "--no-splash", "--quit")
DIALOG, PAINTING = "Neural Style Transfer", r"\(strength"

CALL = """
status, error, values = call("plug-in-impasto-{name}", image, [layer], run_mode=Gimp.RunMode.INTERACTIVE{arguments})
"""


EMPTY_BYTES = 3000
"""More than the picture of an empty window takes."""


class Shown:
    """A GIMP on the screen that runs a script."""

    def __init__(self, gimp: Gimp, shown: Screen, script: str) -> None:
        self.gimp, self.screen = gimp, shown
        script += "\nfor each in Gimp.get_images():\n    each.clean_all()"  # so that GIMP quits without asking
        self.process, self._result = gimp.launch(script, command=WINDOWS, display=shown.display)

    def ended(self) -> str:
        """Kills it, and gives what it has said that nobody has asked for yet."""
        self.process.kill()
        said = self.process.stdout
        assert said is not None
        return "" if said.closed else self.process.communicate()[0]

    def texts(self) -> list[str]:
        """What is to be read in the plug-in's windows."""
        notes = self.gimp.folder.glob("shown-*.json")
        alive = (note for note in notes if Path("/proc", note.stem.removeprefix("shown-")).exists())
        return [text for note in alive for text in json.loads(note.read_text())]

    def reads(self, pattern: str) -> None:
        """Waits until something is to be read in one of the plug-in's windows."""
        until(
            lambda: any(re.search(pattern, text) for text in self.texts()),
            lambda: f"{pattern!r} in a window, where {self.texts()} is to be read",
        )

    def hears(self, word: str) -> None:
        """Waits until the script says a word."""
        said = self._result.with_suffix(".said")
        until(lambda: said.exists() and word in said.read_text().splitlines(), f"the script says {word!r}")

    def picture(self, name: str, window: str | None = None, *, moves: bool = False) -> None:
        """Takes a picture as soon as there is something to see, and it is the same twice unless it moves."""
        place = self.gimp.shared / f"{name}.png"
        self._take(place, window, moves=moves)
        if PICTURES:
            shutil.copy(place, PICTURES)

    def rests(self) -> None:
        """Waits until nothing moves on the screen: until then, GIMP may not heed a key."""
        self._take(self.gimp.shared / "look.png", None, moves=False)

    def _take(self, place: Path, window: str | None, *, moves: bool) -> None:
        seen = b""

        def is_good() -> bool:
            nonlocal seen
            before, seen = seen, self.screen.picture(place, window)
            return len(seen) > EMPTY_BYTES and (moves or seen == before)

        until(is_good, f"a picture {place.stem} that is not empty")

    def told(self, *, in_peace: bool = True) -> Any:
        """What the script told; GIMP must have had nothing to complain about, unless something was killed."""
        try:
            until(self._result.exists, "the script tells")
        except AssertionError as error:
            raise AssertionError(f"{error}; GIMP said: {self.ended()}") from None
        output, _ = self.process.communicate(timeout=RUN_S)
        assert not in_peace or Ran(told=None, output=output).complaints == [], output
        return json.loads(self._result.read_text())


def paint(**arguments: object) -> str:
    """What calls the procedure with its dialog; unless told otherwise, it paints until it is ended."""
    given = {"network": "lite", "size": 512, "evaluations": 100_000, **arguments}
    return CALL.format(name="stylize", arguments="".join(f", {name}={value!r}" for name, value in given.items()))
