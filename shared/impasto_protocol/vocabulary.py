"""Who says which message, and what answers it: one table, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from impasto_protocol import messages as m

__all__ = ["TYPE_NAMES", "VOCABULARY", "Sender", "Word"]


class Sender(StrEnum):
    """Who says it."""

    CLIENT = "client"
    DAEMON = "daemon"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Word:
    """One type of message.

    Attributes:
        message: Its dataclass.
        sender: Who says it.
        answers: What may answer it, beside ERROR; none if it gets no answer.
    """

    message: type[m.Message]
    sender: Sender
    answers: tuple[type[m.Message], ...] = ()


VOCABULARY: Mapping[str, Word] = MappingProxyType(
    {
        "HELLO": Word(m.Hello, Sender.CLIENT, (m.Welcome,)),
        "WELCOME": Word(m.Welcome, Sender.DAEMON),
        "PING": Word(m.Ping, Sender.BOTH, (m.Pong,)),
        "PONG": Word(m.Pong, Sender.BOTH),
        "STATUS": Word(m.Status, Sender.CLIENT, (m.Report,)),
        "REPORT": Word(m.Report, Sender.DAEMON),
        "ESTIMATE": Word(m.Estimate, Sender.CLIENT, (m.Estimated,)),
        "ESTIMATED": Word(m.Estimated, Sender.DAEMON),
        "UPLOAD": Word(m.Upload, Sender.CLIENT, (m.Wanted, m.BlobOk)),
        "WANTED": Word(m.Wanted, Sender.DAEMON),
        "BLOB_OK": Word(m.BlobOk, Sender.DAEMON),
        "CHUNK": Word(m.Chunk, Sender.BOTH, (m.Wanted, m.BlobOk)),
        "SUBMIT": Word(m.Submit, Sender.CLIENT, (m.Accepted,)),
        "ACCEPTED": Word(m.Accepted, Sender.DAEMON),
        "STATE": Word(m.State, Sender.DAEMON),
        "PROGRESS": Word(m.Progress, Sender.DAEMON),
        "PREVIEW": Word(m.Preview, Sender.DAEMON),
        "RESULT": Word(m.Result, Sender.DAEMON),
        "FETCH": Word(m.Fetch, Sender.CLIENT, (m.Chunk,)),
        "CREDIT": Word(m.Credit, Sender.CLIENT),
        "ACK": Word(m.Ack, Sender.CLIENT, (m.Done,)),
        "ADJUST": Word(m.Adjust, Sender.CLIENT, (m.Done,)),
        "PAUSE": Word(m.Pause, Sender.CLIENT, (m.Done,)),
        "UNPAUSE": Word(m.Unpause, Sender.CLIENT, (m.Done,)),
        "CANCEL": Word(m.Cancel, Sender.CLIENT, (m.Done,)),
        "DONE": Word(m.Done, Sender.DAEMON),
        "RESUME": Word(m.Resume, Sender.CLIENT, (m.Snapshot,)),
        "SNAPSHOT": Word(m.Snapshot, Sender.DAEMON),
        "LIST": Word(m.ListJobs, Sender.CLIENT, (m.Jobs,)),
        "JOBS": Word(m.Jobs, Sender.DAEMON),
        "FOLLOW": Word(m.Follow, Sender.CLIENT, (m.Done,)),
        "BYE": Word(m.Bye, Sender.BOTH),
        "ERROR": Word(m.Error, Sender.DAEMON),
    }
)
"""Each type's name on the wire, and what it is."""

TYPE_NAMES: Mapping[type[m.Message], str] = MappingProxyType({word.message: name for name, word in VOCABULARY.items()})
"""The name on the wire of each dataclass."""
