"""What is said between Impasto's daemon and its clients, and a client that says it.

Needs nothing but pyzmq, msgpack and the standard library, so that it runs in the editor's own Python. The specification
is `docs/PROTOCOL.md`; the module `client` shows how to use it.

What is listed here is imported when it is first asked for, so that a missing library breaks no more than what needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impasto_protocol.client import Client
    from impasto_protocol.codec import Envelope, decode, encode, read_header
    from impasto_protocol.connection import Connection, connection_path, read_connection, write_connection
    from impasto_protocol.errors import ProtocolError, RefusalError
    from impasto_protocol.events import Answered, Disconnected, Event, Fetched, JobLost, Reconnected
    from impasto_protocol.failures import Failure
    from impasto_protocol.link import Ticket
    from impasto_protocol.messages import JobEntry, Preview, Progress, Result, State
    from impasto_protocol.orders import Adjustment, Order, OrderKind, PreviewWish, Settings, Style, WhenDetached
    from impasto_protocol.pixels import Blob, ColourSpace, Picture, PixelFormat, SampleType
    from impasto_protocol.states import JobState, check_transition
    from impasto_protocol.transport import Transport, dial
    from impasto_protocol.version import PROTOCOL_MAX, PROTOCOL_MIN, agreed_version

_HOMES = {
    "client": ("Client",),
    "codec": ("Envelope", "decode", "encode", "read_header"),
    "connection": ("Connection", "connection_path", "read_connection", "write_connection"),
    "errors": ("ProtocolError", "RefusalError"),
    "events": ("Answered", "Disconnected", "Event", "Fetched", "JobLost", "Reconnected"),
    "failures": ("Failure",),
    "link": ("Ticket",),
    "messages": ("JobEntry", "Preview", "Progress", "Result", "State"),
    "orders": ("Adjustment", "Order", "OrderKind", "PreviewWish", "Settings", "Style", "WhenDetached"),
    "pixels": ("Blob", "ColourSpace", "Picture", "PixelFormat", "SampleType"),
    "states": ("JobState", "check_transition"),
    "transport": ("Transport", "dial"),
    "version": ("PROTOCOL_MAX", "PROTOCOL_MIN", "agreed_version"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PROTOCOL_MAX",
    "PROTOCOL_MIN",
    "Adjustment",
    "Answered",
    "Blob",
    "Client",
    "ColourSpace",
    "Connection",
    "Disconnected",
    "Envelope",
    "Event",
    "Failure",
    "Fetched",
    "JobEntry",
    "JobLost",
    "JobState",
    "Order",
    "OrderKind",
    "Picture",
    "PixelFormat",
    "Preview",
    "PreviewWish",
    "Progress",
    "ProtocolError",
    "Reconnected",
    "RefusalError",
    "Result",
    "SampleType",
    "Settings",
    "State",
    "Style",
    "Ticket",
    "Transport",
    "WhenDetached",
    "agreed_version",
    "check_transition",
    "connection_path",
    "decode",
    "dial",
    "encode",
    "read_connection",
    "read_header",
    "write_connection",
]


def __getattr__(name: str) -> Any:
    """Imports what is listed above from its module (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
