"""Makes a picture of a terminal, from what commands really print: docs/pictures/NAME.svg.

    python docs/pictures/terminal.py NAME COMMAND...

Runs the commands one after another in a pseudoterminal, such as the user of a fresh Debian has.
"""

import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 96

_CONTROL = re.compile(r"\x1b\[(?:\?25[hl]|\d*[A-HJKST])|\x1b[=>]")
"""What moves the cursor or hides it; colours stay."""

_FONT = re.compile(r" *@font-face \{[^}]*\}\n")
"""A font from elsewhere, which a picture in a document must not fetch."""


def printed_by(command: str) -> str:
    """What a command prints on a terminal, without what it took back."""
    taken = bytearray()

    def take(descriptor: int) -> bytes:
        taken.extend(read := os.read(descriptor, 65536))
        return read

    code = pty.spawn(["/bin/sh", "-c", f"stty cols {COLUMNS} rows 40; {command}"], take)
    if code:
        sys.exit(f"{command!r} ended with {os.waitstatus_to_exitcode(code)}.")
    lines = _CONTROL.sub("", taken.decode()).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines).rstrip()


def main(name: str, *commands: str) -> None:
    """Runs the commands and writes the picture."""
    os.environ.update(COLUMNS=str(COLUMNS), TERM="xterm-256color")
    os.environ["USE_EMOJI"] = "0"  # pipx's: not every font has their pictures
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, force_terminal=True, file=nowhere, highlight=False)
        for command in commands:
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            console.print(Text.from_ansi(printed_by(command)))
        drawn = console.export_svg(title="Terminal")
    drawn = _FONT.sub("", drawn).replace("<svg ", '<svg xml:space="preserve" ', 1)  # not every reader keeps indents
    (HERE / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
