"""A screen that nobody sees: Xvfb, a GIMP with windows on it, keys and clicks, and pictures of it."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gimp.gimp_root import inside
from gimp.running import PATIENCE_S, Gimp, until


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

    def found(self, title: str) -> list[str]:
        """The numbers of the windows with a title like that."""
        return self.do("xdotool", "search", "--onlyvisible", "--name", title).split()

    def window(self, title: str) -> str:
        """Waits for a window, and gives its number."""
        found: list[str] = until(lambda: self.found(title), lambda: f"a window {title!r} beside {self.titles()}")
        return found[-1]

    def titles(self) -> list[str]:
        """Of all windows."""
        return [self.do("xdotool", "getwindowname", number) for number in self.found(".")]

    def is_there(self, title: str) -> bool:
        return bool(self.found(title))

    def until_gone(self, title: str) -> None:
        until(lambda: not self.is_there(title), f"the going of the window {title!r}")

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

    def picture(self, file: Path, window: str | None = None) -> bytes:
        """Takes a picture of the screen, or of a window, and gives the file's content."""
        script = (
            "import gi, sys; gi.require_version('Gdk', '3.0'); gi.require_version('GdkX11', '3.0')\n"
            "from gi.repository import Gdk, GdkX11\n"
            "d = Gdk.Display.get_default()\n"
            "w = GdkX11.X11Window.foreign_new_for_display(d, int(sys.argv[2])) if len(sys.argv) > 2 "
            "else Gdk.get_default_root_window()\n"
            "Gdk.pixbuf_get_from_window(w, 0, 0, w.get_width(), w.get_height()).savev(sys.argv[1], 'png', [], [])\n"
        )
        self.do("python3", "-c", script, str(file), *([window] if window else []))
        return file.read_bytes()


@contextmanager
def screen(gimp: Gimp, size: str = "960x640x24") -> Iterator[Screen]:
    """A screen, for as long as it is needed; its number is the first that nobody else has.

    It stays as it is when nobody looks at it: a server that begins anew then would drop a GIMP that is just coming.
    """
    number, told = os.pipe()
    server = subprocess.Popen(  # noqa: S603
        [
            *inside(gimp.root.path, gimp.shared),
            *("Xvfb", "-displayfd", str(told), "-screen", "0", size, "-nolisten", "tcp", "-noreset"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[told],
    )
    os.close(told)
    with open(number) as says:  # noqa: PTH123 -- a descriptor
        try:
            is_up, _, _ = select.select([says], [], [], PATIENCE_S)
            assert is_up, "Xvfb does not come up."
            yield Screen(gimp, f":{says.readline().strip()}")
        finally:
            server.terminate()
            server.wait()
