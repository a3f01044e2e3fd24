"""A screen that nobody sees: Xvfb, a GIMP with windows on it, keys and clicks, and pictures of it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gimp.gimp_root import inside
from gimp.running import Gimp

PATIENCE_S = 60.0


class Screen:
    """See the module.

    Args:
        gimp: Whose root has Xvfb and xdotool.
        display: Such as `:91`.
    """

    def __init__(self, gimp: Gimp, display: str) -> None:
        self.display = display
        self._gimp = gimp

    def do(self, *command: str) -> str:
        """Runs a program that belongs to the screen."""
        ran = subprocess.run(  # noqa: S603
            [*inside(self._gimp.root.path, self._gimp.shared), *command],
            env={**self._gimp.environment, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout.strip()

    def window(self, title: str, patience_s: float = PATIENCE_S) -> str:
        """Waits for a window, and gives its number."""
        deadline = time.monotonic() + patience_s
        while True:
            found = self.do("xdotool", "search", "--onlyvisible", "--name", title).split()
            if found:
                return found[-1]
            assert time.monotonic() < deadline, f"There is no window {title!r}, but {self.titles()}."
            time.sleep(0.1)

    def titles(self) -> list[str]:
        """Of all windows."""
        numbers = self.do("xdotool", "search", "--onlyvisible", "--name", ".").split()
        return [self.do("xdotool", "getwindowname", number) for number in numbers]

    def is_there(self, title: str) -> bool:
        return bool(self.do("xdotool", "search", "--onlyvisible", "--name", title))

    def until_gone(self, title: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.is_there(title):
            assert time.monotonic() < deadline, f"The window {title!r} stays."
            time.sleep(0.1)

    def press(self, window: str, *keys: str) -> None:
        """Presses keys in a window; there is no window manager that would focus it."""
        self.do("xdotool", "windowfocus", "--sync", window, "key", "--clearmodifiers", *keys)

    def clipboard(self) -> str:
        """What has been copied."""
        script = (
            "import gi; gi.require_version('Gdk', '3.0'); gi.require_version('Gtk', '3.0')\n"
            "from gi.repository import Gdk, Gtk\n"
            "print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text() or '')\n"
        )
        return self.do("python3", "-c", script)

    def picture(self, file: Path, window: str | None = None) -> None:
        """Takes a picture of the screen, or of a window."""
        script = (
            "import gi, sys; gi.require_version('Gdk', '3.0'); gi.require_version('GdkX11', '3.0')\n"
            "from gi.repository import Gdk, GdkX11\n"
            "d = Gdk.Display.get_default()\n"
            "w = GdkX11.X11Window.foreign_new_for_display(d, int(sys.argv[2])) if len(sys.argv) > 2 "
            "else Gdk.get_default_root_window()\n"
            "Gdk.pixbuf_get_from_window(w, 0, 0, w.get_width(), w.get_height()).savev(sys.argv[1], 'png', [], [])\n"
        )
        self.do("python3", "-c", script, str(file), *([window] if window else []))
        assert file.exists()


@contextmanager
def screen(gimp: Gimp, number: int, size: str = "960x640x24") -> Iterator[Screen]:
    """A screen, for as long as it is needed."""
    display = f":{number}"
    server = subprocess.Popen(  # noqa: S603
        [*inside(gimp.root.path, gimp.shared), "Xvfb", display, "-screen", "0", size, "-nolisten", "tcp"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        shown = Screen(gimp, display)
        deadline = time.monotonic() + PATIENCE_S
        while not shown.do("xdotool", "getdisplaygeometry"):
            assert time.monotonic() < deadline, "Xvfb does not come up."
            time.sleep(0.1)
        yield shown
    finally:
        server.terminate()
        server.wait()
