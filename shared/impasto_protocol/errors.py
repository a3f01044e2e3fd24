"""What can go wrong between client and daemon: one code on the wire, one exception class per code.

```
ProtocolError
├── RefusalError                    one of the two says no to a message; crosses the wire as ERROR
│   ├── MalformedMessageError         MALFORMED            cannot be read, or breaks a rule of its type
│   ├── UnknownTypeError              UNKNOWN_TYPE         no such message type in this version
│   ├── TooLargeError                 TOO_LARGE            above a limit of `limits`
│   ├── UnsupportedVersionError       UNSUPPORTED_VERSION  no common version of the protocol
│   ├── NoSessionError                NO_SESSION           HELLO has not been said on this connection
│   ├── ConflictError                 CONFLICT             another order under the same job id
│   ├── UnknownJobError               UNKNOWN_JOB          no such job of this user
│   ├── WrongStateError               WRONG_STATE          the job's state does not allow it
│   ├── InvalidOrderError             INVALID_ORDER        a setting or picture the engine refuses
│   ├── MissingBlobError              MISSING_BLOB         a picture that was not uploaded, or was dropped since
│   ├── DigestMismatchError           DIGEST_MISMATCH      bytes that are not those their digest names
│   ├── ResultExpiredError            RESULT_EXPIRED       the result was acknowledged, or kept for long enough
│   ├── BusyError                     BUSY                 too many jobs, or no memory for one more; retry
│   ├── StorageError                  STORAGE              the daemon's disk is full or broken
│   ├── NetworkUnavailableError       NETWORK_UNAVAILABLE  a feature network or its weights cannot be had
│   ├── PaintingFailedError           PAINTING_FAILED      the painting cannot go on
│   ├── WorkerLostError               WORKER_LOST          the painting process died or hung, twice
│   ├── TooManyErrorsError            TOO_MANY_ERRORS      the connection is ended: it bore much that was bad, or unread
│   ├── ShuttingDownError             SHUTTING_DOWN        the daemon is stopping
│   └── InternalError                 INTERNAL             a fault of the daemon; the log has more under the log id
├── ConnectionFileError             the connection file cannot be used
│   ├── NoDaemonError                 there is none: no daemon has been started
│   ├── StaleConnectionError          the daemon that wrote it is gone
│   └── UnsafeConnectionFileError     others may read or replace it
├── ConnectionLostError             the connection broke; the client dials again by itself
├── UnreachableError                nobody answers
├── WrongKeyError                   the CURVE handshake failed
├── TimedOutError                   no answer within the time given
└── IllegalTransitionError          a job state that cannot follow another: a fault of the program
```

A message names the value received and the remedy. No traceback crosses the wire.
"""

from typing import ClassVar

__all__ = [
    "REFUSALS",
    "BusyError",
    "ConflictError",
    "ConnectionFileError",
    "ConnectionLostError",
    "DigestMismatchError",
    "IllegalTransitionError",
    "InternalError",
    "InvalidOrderError",
    "MalformedMessageError",
    "MissingBlobError",
    "NetworkUnavailableError",
    "NoDaemonError",
    "NoSessionError",
    "PaintingFailedError",
    "ProtocolError",
    "RefusalError",
    "ResultExpiredError",
    "ShuttingDownError",
    "StaleConnectionError",
    "StorageError",
    "TimedOutError",
    "TooLargeError",
    "TooManyErrorsError",
    "UnknownJobError",
    "UnknownTypeError",
    "UnreachableError",
    "UnsafeConnectionFileError",
    "UnsupportedVersionError",
    "WorkerLostError",
    "WrongKeyError",
    "WrongStateError",
]


class ProtocolError(Exception):
    """Anything this package refuses or fails at; its text can be shown to a user as it is."""


class RefusalError(ProtocolError):
    """A message was refused. This class itself stands for codes of later versions.

    Attributes:
        code: The code on the wire.
        retryable: Whether the same message may succeed later.
        field: The field at fault, dotted (`order.settings.strength`), if one is.
        retry_after_s: When to try again, if the daemon knows.
        log_id: Under which the daemon's log has more.
    """

    code: ClassVar[str] = ""
    retryable: bool = False

    def __init__(
        self, text: str, *, field: str | None = None, retry_after_s: float | None = None, log_id: str | None = None
    ) -> None:
        super().__init__(text)
        self.field = field
        self.retry_after_s = retry_after_s
        self.log_id = log_id


class MalformedMessageError(RefusalError):
    """A message cannot be read, or breaks a rule of its type."""

    code = "MALFORMED"


class UnknownTypeError(RefusalError):
    """A message of a type that this version does not have."""

    code = "UNKNOWN_TYPE"


class TooLargeError(RefusalError):
    """Something exceeds a limit of `limits`."""

    code = "TOO_LARGE"


class UnsupportedVersionError(RefusalError):
    """The two sides have no version of the protocol in common."""

    code = "UNSUPPORTED_VERSION"


class NoSessionError(RefusalError):
    """HELLO has not been said on this connection."""

    code = "NO_SESSION"
    retryable = True


class ConflictError(RefusalError):
    """The job id already belongs to another order."""

    code = "CONFLICT"


class UnknownJobError(RefusalError):
    """The user has no such job."""

    code = "UNKNOWN_JOB"


class WrongStateError(RefusalError):
    """The job's state does not allow what was asked."""

    code = "WRONG_STATE"


class InvalidOrderError(RefusalError):
    """The engine refuses a setting or a picture of the order."""

    code = "INVALID_ORDER"


class MissingBlobError(RefusalError):
    """A picture was not uploaded, or has been dropped since."""

    code = "MISSING_BLOB"
    retryable = True


class DigestMismatchError(RefusalError):
    """Bytes are not those that their digest names."""

    code = "DIGEST_MISMATCH"
    retryable = True


class ResultExpiredError(RefusalError):
    """The result was acknowledged, or has been kept for as long as results are."""

    code = "RESULT_EXPIRED"


class BusyError(RefusalError):
    """The daemon has too many jobs, or no memory for one more."""

    code = "BUSY"
    retryable = True


class StorageError(RefusalError):
    """The daemon's disk is full or broken."""

    code = "STORAGE"


class NetworkUnavailableError(RefusalError):
    """A feature network is unknown, or its weights cannot be had."""

    code = "NETWORK_UNAVAILABLE"


class PaintingFailedError(RefusalError):
    """The painting cannot go on."""

    code = "PAINTING_FAILED"


class WorkerLostError(RefusalError):
    """The painting process died or hung, and did so again when tried once more."""

    code = "WORKER_LOST"
    retryable = True


class TooManyErrorsError(RefusalError):
    """The daemon ends the connection, because of its many bad messages or of all that was asked for and not read."""

    code = "TOO_MANY_ERRORS"


class ShuttingDownError(RefusalError):
    """The daemon is stopping."""

    code = "SHUTTING_DOWN"
    retryable = True


class InternalError(RefusalError):
    """A fault of the daemon's own."""

    code = "INTERNAL"


REFUSALS = {refusal.code: refusal for refusal in RefusalError.__subclasses__()}
"""The exception class of each code."""


class ConnectionFileError(ProtocolError):
    """The connection file cannot be used."""


class NoDaemonError(ConnectionFileError):
    """There is no connection file: no daemon has been started."""


class StaleConnectionError(ConnectionFileError):
    """The daemon that wrote the connection file is gone."""


class UnsafeConnectionFileError(ConnectionFileError):
    """Others may read or replace the connection file."""


class ConnectionLostError(ProtocolError):
    """The connection broke; a client dials again by itself."""


class UnreachableError(ProtocolError):
    """Nobody answers."""


class WrongKeyError(ProtocolError):
    """The CURVE handshake failed: one side does not have the key that the other expects."""


class TimedOutError(ProtocolError):
    """No answer came within the time given."""


class IllegalTransitionError(ProtocolError):
    """A job was to enter a state that cannot follow the one it is in."""
