"""The connection file: where the daemon listens, and the keys that let its own user in.

The daemon writes it when it starts, with fresh keys, in one step and for its user's eyes only; clients refuse it when
that is no longer so. It lies below the home folder rather than in `XDG_RUNTIME_DIR`, because an editor inside a Flatpak
sees the one and not the other.
"""

import json
import os
import re
import secrets
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from impasto_protocol.errors import (
    ConnectionFileError,
    NoDaemonError,
    RefusalError,
    UnsafeConnectionFileError,
)
from impasto_protocol.fields import Between, Chars, Text, Version
from impasto_protocol.limits import MAX_CONNECTION_FILE_BYTES
from impasto_protocol.schema import built, plain

__all__ = [
    "CONNECTION_VARIABLE",
    "Connection",
    "CurveKey",
    "Endpoint",
    "check_folder",
    "connection_path",
    "make_private_folder",
    "read_connection",
    "read_private",
    "write_connection",
    "write_private",
]

CONNECTION_VARIABLE = "IMPASTO_CONNECTION"
"""The environment variable that names another connection file."""

START_IT = "start the daemon with 'impasto daemon start'"

_READ_FLAGS = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ_FLAGS |= getattr(os, _flag, 0)

CurveKey = Annotated[str, Chars(40, re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}"))]
"""A key of CURVE in libzmq's Z85 notation."""

Endpoint = Annotated[str, Chars(300, re.compile(r"tcp://[^\s/]+:[0-9]{1,5}"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a client must know to reach a daemon.

    Attributes:
        endpoint: `tcp://host:port`.
        server_key: The daemon's public key.
        client_public_key: The public key that the daemon lets in.
        client_secret_key: Its secret.
        pid: The daemon's process.
        protocol_min: The oldest version of the protocol it speaks.
        protocol_max: The newest version of the protocol it speaks.
        daemon: Its name and version.
        elsewhere: Whether it runs on another machine, so that it cannot be started here.
    """

    endpoint: Endpoint
    server_key: CurveKey
    client_public_key: CurveKey
    client_secret_key: CurveKey = field(repr=False)
    pid: Annotated[int, Between(1, 2**32 - 1)]
    protocol_min: Version
    protocol_max: Version
    daemon: Text
    elsewhere: bool = False


def connection_path() -> Path:
    """Where the connection file of this user's daemon is."""
    named = os.environ.get(CONNECTION_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        # Inside a Flatpak, XDG_STATE_HOME is the sandbox's own folder, and HOST_XDG_STATE_HOME the user's.
        variable = "HOST_XDG_STATE_HOME" if "FLATPAK_ID" in os.environ else "XDG_STATE_HOME"
        folder = Path(os.environ.get(variable) or Path.home() / ".local" / "state")
    return folder / "impasto" / "connection.json"


def write_connection(connection: Connection, path: Path) -> None:
    """Writes a connection file in one step, readable for its owner only; its folder is created if it is missing.

    Raises:
        UnsafeConnectionFileError: Others may write to the folder.
        ConnectionFileError: It cannot be written; nothing has changed.
    """
    write_private(json.dumps(plain(connection), indent=2), path)


def read_connection(path: Path) -> Connection:
    """Reads a connection file, if nobody else can have read or written it.

    Raises:
        NoDaemonError: There is none.
        UnsafeConnectionFileError: It is not this user's, or open to others, or no plain file.
        ConnectionFileError: It cannot be read, or makes no sense.
    """
    try:
        text = read_private(path)
    except FileNotFoundError as error:
        raise NoDaemonError(f"No daemon is running: {str(path)!r} does not exist; {START_IT}.") from error
    try:
        return built(Connection, json.loads(text))
    except (ValueError, RecursionError, RefusalError) as error:
        raise ConnectionFileError(
            f"{str(path)!r} is no connection file ({error!s:.200}); remove it and {START_IT}."
        ) from error


def make_private_folder(folder: Path) -> None:
    """Makes a folder where there is none, and those above it that are missing, for its owner only.

    `Path.mkdir` makes those above as the umask has it; where that leaves them open to the user's group, as it does for
    ordinary users of Debian, Ubuntu and Fedora, the daemon would refuse them afterwards.
    """
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not missing:
        folder.mkdir(exist_ok=True)  # refuses a file


def write_private(text: str, path: Path) -> None:
    """Writes a file in one step, readable for its owner only; its folder is created if it is missing.

    Raises:
        UnsafeConnectionFileError: Others may write to the folder.
        ConnectionFileError: It cannot be written; nothing has changed.
    """
    temporary = path.with_name(f".connection-{secrets.token_hex(8)}.tmp")
    try:
        make_private_folder(path.parent)
        check_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConnectionFileError(
            f"Cannot write {str(path)!r}: {error.strerror}; name another place in {CONNECTION_VARIABLE}."
        ) from error


def read_private(path: Path) -> bytes:
    """Reads a file, if nobody else can have read or written it.

    Raises:
        FileNotFoundError: There is none.
        UnsafeConnectionFileError: It is not this user's, or open to others, or no plain file.
        ConnectionFileError: It is too large.
    """
    try:
        descriptor = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeConnectionFileError(
            f"Cannot open {str(path)!r}: {error.strerror}; remove it and {START_IT}."
        ) from error
    try:
        _check_file(os.fstat(descriptor), path)
        text = os.read(descriptor, MAX_CONNECTION_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(text) > MAX_CONNECTION_FILE_BYTES:
        what = f"is no connection file (more than {MAX_CONNECTION_FILE_BYTES:,} bytes)"
        raise ConnectionFileError(f"{str(path)!r} {what}; remove it and {START_IT}.")
    return text


def _check_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeConnectionFileError(f"{str(path)!r} is no plain file; remove it and {START_IT}.")
    if sys.platform == "win32":
        return  # the folder's access list keeps other users out
    if status.st_uid != os.getuid():
        raise UnsafeConnectionFileError(f"{str(path)!r} belongs to user {status.st_uid}; remove it and {START_IT}.")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise UnsafeConnectionFileError(
            f"{str(path)!r} is open to other users (mode {mode:o}); restart the daemon for fresh keys."
        )


def check_folder(folder: Path) -> None:
    """Looks whether a connection file could be in a folder.

    Raises:
        UnsafeConnectionFileError: Others may write to it.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if sys.platform != "win32" and mode & 0o022:
        raise UnsafeConnectionFileError(
            f"Others may write to {str(folder)!r} (mode {mode:o}); forbid it with 'chmod go-w'."
        )
