"""Every limit of the protocol in one place, each with its unit and its reason.

Nothing is computed here but products of limits, and nothing is imported: a limit is a number and a sentence. Whatever
exceeds one is refused before memory is taken for it.
"""

__all__ = [
    "CREDIT_RETURN_BYTES",
    "HEARTBEAT_S",
    "HELLO_TIMEOUT_S",
    "MAX_BUFFERS",
    "MAX_BUFFER_BYTES",
    "MAX_CONNECTION_FILE_BYTES",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "MAX_ENVELOPE_BYTES",
    "MAX_FRAMES",
    "MAX_FRAME_BYTES",
    "MAX_LISTED",
    "MAX_NAME_CHARS",
    "MAX_PART_BYTES",
    "MAX_PICTURE_BYTES",
    "MAX_PICTURE_PIXELS",
    "MAX_SIDE",
    "MAX_STYLES",
    "MAX_TEXT_CHARS",
    "MAX_TROUBLE_CHARS",
    "RETRY_FIRST_S",
    "RETRY_LONGEST_S",
    "SILENCE_S",
    "WINDOW_BYTES",
]

MAX_ENVELOPE_BYTES = 64 * 1024
"""Bytes of an envelope. The largest honest one, an order with 16 styles and every setting, has about 4 KiB."""

MAX_BUFFER_BYTES = 1024 * 1024
"""Bytes of one binary buffer."""

MAX_FRAME_BYTES = MAX_BUFFER_BYTES + 64
"""What libzmq's `MAXMSGSIZE` is set to. It counts a frame's bytes as they arrive, and CURVE adds 33 to each: its
command name, nonce, authenticator and flags. With the bare megabyte, a full buffer would end the connection."""

MAX_BUFFERS = 8
"""Buffers of one message: a preview of 8 MiB, which is 1,700 × 1,200 pixels of RGBA, is sent in one message."""

MAX_PART_BYTES = 2 * MAX_BUFFER_BYTES
"""Bytes of a part of a picture, asked for, sent and answered at once: with one buffer, messages
cost a tenth more of processor time, with four not less."""

MAX_FRAMES = 2 + MAX_BUFFERS
"""Frames of one message: magic, envelope, buffers."""

WINDOW_BYTES = MAX_BUFFERS * MAX_BUFFER_BYTES
"""Bytes on their way at one time, in either direction: fills a loopback at several hundred MB/s, and is what a peer
that stopped reading costs the other."""

CREDIT_RETURN_BYTES = MAX_BUFFER_BYTES
"""Bytes consumed before a client returns credit: far below the window, so that the daemon never waits for it, and far
above one progress message, so that progress does not double the traffic."""

MAX_DEPTH = 8
"""Nested maps and arrays in an envelope; the deepest honest one, an order's style's region's format, has six."""

MAX_ENTRIES = 256
"""Entries of one map or array in an envelope: as many as a daemon keeps jobs."""

MAX_STYLES = 16
"""Styles of one order: each costs the daemon a forward pass at every scale."""

MAX_NAME_CHARS = 64
"""Characters of an identifier: a layer, a network, a capability."""

MAX_TEXT_CHARS = 2000
"""Characters of a text for people: one sentence with a value and a remedy, and room for a long path."""

MAX_LISTED = 32
"""Jobs of one JOBS: with `MAX_TROUBLE_CHARS` of four bytes each, half of an envelope."""

MAX_TROUBLE_CHARS = 200
"""Characters of the reason for which a job failed, in a list of jobs; STATE has all of it."""

MAX_SIDE = 32768
"""Pixels of one side of a picture: the engine's own limit."""

MAX_PICTURE_PIXELS = 200_000_000
"""Width times height of a picture: the engine's own limit, above any camera of today."""

MAX_PICTURE_BYTES = 1024**3
"""Bytes of a picture on the wire: 1 GiB, all that a daemon keeps of unacknowledged results. It is 67 million pixels of
float32 RGBA; a larger picture travels in a smaller type."""

MAX_CONNECTION_FILE_BYTES = 16 * 1024
"""Bytes of a connection file; an honest one has about 500."""

HEARTBEAT_S = 2.0
"""Seconds without a word after which a client asks whether the daemon is there."""

SILENCE_S = 6.0
"""Seconds without an answer to that after which it takes the connection for lost: a daemon's busiest moment is far
below, a person's patience not far above."""

HELLO_TIMEOUT_S = 5.0
"""Seconds that connecting, the CURVE handshake and WELCOME may take together before the client dials anew."""

RETRY_FIRST_S = 0.1
"""Seconds before the first attempt to dial again: a daemon that was restarted is ready within two seconds."""

RETRY_LONGEST_S = 5.0
"""Seconds between attempts at the most: a daemon that comes back late is found before anyone looks for the cause."""
