"""Reaching a daemon on another machine: the client's lasting keys, and what the daemon's user carries over.

The client makes a key pair once and tells its public half to the daemon's user, who lets it in. The daemon writes an
invitation, in which there is no secret. Invitation and keys together are a connection file.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from impasto_protocol.connection import Connection, CurveKey, Endpoint, read_private, write_private
from impasto_protocol.errors import ConnectionFileError, RefusalError
from impasto_protocol.fields import Text, Version
from impasto_protocol.limits import MAX_CONNECTION_FILE_BYTES
from impasto_protocol.schema import built, plain
from impasto_protocol.transport import new_key_pair

__all__ = ["Invitation", "KeyPair", "connection_by", "lasting_keys", "read_invitation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A public CURVE key and its secret."""

    public: CurveKey
    secret: CurveKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a client elsewhere must know of a daemon; the fields are those of `Connection`."""

    endpoint: Endpoint
    server_key: CurveKey
    protocol_min: Version
    protocol_max: Version
    daemon: Text


def lasting_keys(path: Path) -> KeyPair:
    """The keys in a file, which are made the first time.

    Raises:
        ConnectionFileError: The file cannot be read or written, or others can.
    """
    try:
        return built(KeyPair, json.loads(read_private(path)))
    except FileNotFoundError:
        public, secret = new_key_pair()
        keys = KeyPair(public=public, secret=secret)
        write_private(json.dumps(plain(keys)), path)
        return keys
    except (ValueError, RefusalError) as error:
        raise ConnectionFileError(f"{str(path)!r} holds no keys ({error!s:.200}); remove it for new ones.") from error


def read_invitation(path: Path) -> Invitation:
    """Reads an invitation. It holds no secret, so that it may lie anywhere.

    Raises:
        ConnectionFileError: It cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            return built(Invitation, json.loads(file.read(MAX_CONNECTION_FILE_BYTES)))
    except (OSError, ValueError, RecursionError, RefusalError) as error:
        raise ConnectionFileError(
            f"{str(path)!r} is no daemon's invitation ({error!s:.200}); carry its 'invitation.json' over."
        ) from error


def connection_by(invitation: Invitation, keys: KeyPair, *, host: str | None = None) -> Connection:
    """The connection that an invitation and a client's keys come to.

    Args:
        invitation: The daemon's.
        keys: The client's.
        host: Where the daemon is, if it cannot be reached under the name it knows.
    """
    if host is not None:
        port = invitation.endpoint.rpartition(":")[2]
        invitation = replace(invitation, endpoint=f"tcp://{host}:{port}")
    return Connection(
        **plain(invitation),
        client_public_key=keys.public,
        client_secret_key=keys.secret,
        pid=1,
        elsewhere=True,
    )
