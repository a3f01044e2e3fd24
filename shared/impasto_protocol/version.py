"""Versions of the protocol: which ones this package speaks, and which one two parties agree on.

The protocol's version is apart from the distribution's: it changes only when `docs/PROTOCOL.md` does.
"""

from impasto_protocol.errors import UnsupportedVersionError

__all__ = [
    "BUDGET_CAPABILITY",
    "JOBS_CAPABILITY",
    "MAGIC",
    "PROTOCOL_MAX",
    "PROTOCOL_MIN",
    "STOP_CAPABILITY",
    "agreed_version",
]

MAGIC = b"IMP1"
"""The first frame of every message. It stands for the framing, which all versions of the protocol share."""

JOBS_CAPABILITY = "jobs"
"""What a daemon that answers LIST and FOLLOW says in WELCOME."""

BUDGET_CAPABILITY = "budget"
"""What one says that keeps to the memory budget of an order."""

STOP_CAPABILITY = "stop_at"
"""What one says that stops at the evaluation an order names."""

PROTOCOL_MIN = 1
"""The oldest version spoken here."""

PROTOCOL_MAX = 1
"""The newest version spoken here."""


def agreed_version(theirs_min: int, theirs_max: int) -> int:
    """The newest version that both sides speak.

    Args:
        theirs_min: The oldest version the other side speaks.
        theirs_max: The newest version the other side speaks.

    Raises:
        UnsupportedVersionError: There is none.
    """
    newest = min(theirs_max, PROTOCOL_MAX)
    if newest < max(theirs_min, PROTOCOL_MIN):
        older = "client" if theirs_max < PROTOCOL_MIN else "daemon"
        raise UnsupportedVersionError(
            f"The client speaks protocol {theirs_min} to {theirs_max} and the daemon {PROTOCOL_MIN} to {PROTOCOL_MAX}; "
            f"update the {older}."
        )
    return newest
