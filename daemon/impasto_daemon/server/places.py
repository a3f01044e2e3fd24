"""Where the daemon keeps what it keeps: beside the connection file, and its log in the user's log folder."""

import os
from pathlib import Path

import platformdirs

from impasto_protocol.connection import CONNECTION_VARIABLE

__all__ = ["Places"]


class Places:
    """The files of a daemon.

    Args:
        connection: The connection file.
    """

    def __init__(self, connection: Path) -> None:
        self.connection = connection
        self.lock = connection.with_name("daemon.lock")
        self.journal = connection.with_name("journal.sqlite")
        self.pictures = connection.with_name("pictures")
        self.checkpoints = connection.with_name("checkpoints")
        logs = platformdirs.user_log_path("impasto", appauthor=False)
        if os.environ.get(CONNECTION_VARIABLE):
            logs = connection.parent  # a daemon beside the user's own does not write into that one's log
        self.log = logs / "daemon.log"
        self.lasting_keys = connection.with_name("server-keys.json")
        self.invitation = connection.with_name("invitation.json")
        self.output = logs / "daemon.out"
