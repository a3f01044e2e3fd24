"""Writes down what is to be read in the plug-in's windows; Python imports a module of this name as it starts.

It looks from within, because a test cannot read pixels. It does so only in a process that runs the plug-in, and
touches nothing there.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

PLUGIN = "impasto.py"

LOOK_S = 0.05
"""Seconds between looks."""


def watch(place):
    """Looks at the windows as soon as there can be any."""
    while "gi.repository.Gtk" not in sys.modules:
        time.sleep(LOOK_S)
    from gi.repository import GLib, Gtk

    written = None

    def look():
        nonlocal written
        texts = [text for window in Gtk.Window.list_toplevels() for text in texts_in(window, Gtk)]
        if texts != written:
            part = place.with_suffix(".part")
            part.write_text(json.dumps(texts))
            part.replace(place)
            written = texts
        return GLib.SOURCE_CONTINUE

    GLib.timeout_add(round(LOOK_S * 1000), look)


def texts_in(widget, gtk):
    """Labels and entries that are on the screen, whatever they are in."""
    if not widget.get_mapped():
        return []
    texts = [widget.get_text()] if isinstance(widget, (gtk.Label, gtk.Entry)) else []
    within = []
    if isinstance(widget, gtk.Container):
        widget.forall(within.append)
    return texts + [text for each in within for text in texts_in(each, gtk)]


if any(Path(word).name == PLUGIN for word in sys.orig_argv):
    note = Path(os.environ["GIMP3_DIRECTORY"], f"shown-{os.getpid()}.json")
    threading.Thread(target=watch, args=(note,), daemon=True).start()
