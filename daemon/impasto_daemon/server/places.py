"""Where the daemon keeps what it keeps: all of it beside the connection file."""

from pathlib import Path

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
        self.log = connection.with_name("daemon.log")
        self.lasting_keys = connection.with_name("server-keys.json")
        self.invitation = connection.with_name("invitation.json")
        self.output = connection.with_name("daemon.out")
