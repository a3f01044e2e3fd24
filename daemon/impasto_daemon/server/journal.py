"""What survives the daemon: sessions, jobs and their reliable events, in SQLite.

Messages are stored as they travel. What was committed survives the end of the process, however it ends. A journal that
is damaged, or of another version, is set aside, and the daemon starts with an empty one.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from impasto_protocol.codec import decode, encode
from impasto_protocol.connection import make_private_folder
from impasto_protocol.errors import RefusalError, StorageError
from impasto_protocol.messages import Adjust, Message, Result, State, Submit
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.states import FIRST_STATE
from impasto_protocol.version import MAGIC

__all__ = ["Journal", "JournaledJob"]

MessageT = TypeVar("MessageT", Adjust, Submit)

SCHEMA = """
CREATE TABLE session (id TEXT PRIMARY KEY, token BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL REFERENCES session (id),
    name TEXT NOT NULL,
    submit BLOB NOT NULL,
    interruptions INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL,
    UNIQUE (session, name)
);
CREATE TABLE event (
    number INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (number, seq)
) WITHOUT ROWID;
"""

ADJUSTMENTS = """
CREATE TABLE adjustment (
    number INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    message BLOB NOT NULL
);
"""
"""What version 2 has more than version 1."""

USERS = "ALTER TABLE session ADD COLUMN user TEXT NOT NULL DEFAULT 'owner';"
"""What version 3 has more than version 2."""

KEPT = "ALTER TABLE job ADD COLUMN keep_picture INTEGER NOT NULL DEFAULT 0;"
"""What version 4 has more than version 3."""

STEPS = (SCHEMA, ADJUSTMENTS, USERS, KEPT)
"""From an empty database to this version, one for each."""

VERSION = len(STEPS)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournaledJob:
    """A job as the journal has it.

    Attributes:
        number: Its place in the order of acceptance.
        session: Whose it is.
        name: The id its client chose.
        order: What to paint.
        interruptions: How often a process died over it.
        changed_at: When something of it was last written, in seconds of `time.time`.
        events: All its reliable events.
        adjustment: The weights that were changed since the order was given.
        keep_picture: Whether it was cancelled with the wish for the picture so far.
    """

    number: int
    session: str
    name: str
    order: Order
    interruptions: int
    changed_at: float
    events: tuple[State | Result, ...]
    adjustment: Adjustment
    keep_picture: bool


class Journal:
    """See the module; of one thread.

    Args:
        path: The database.
        read_only: Look into the journal of a daemon that may be running.

    Raises:
        StorageError: It can neither be read nor begun anew.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        try:
            self._database = _opened_to_read(path) if read_only else _opened(path)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"The journal {str(path)!r} cannot be opened: {error}; make room or mend it.") from error

    def accept(self, session: str, token: bytes, name: str, order: Order, *, user: str) -> tuple[int, State]:
        """Writes down a job of a user's session, before it is accepted.

        Returns:
            Its number and its first event.

        Raises:
            StorageError: It cannot be written; nothing has changed.
        """
        first = State(job=name, seq=1, state=FIRST_STATE)
        with self._writing() as database:
            database.execute("INSERT OR IGNORE INTO session VALUES (?, ?, ?)", (session, token, user))
            written = database.execute(
                "INSERT INTO job (session, name, submit, changed_at) VALUES (?, ?, ?, ?)",
                (session, name, _packed(Submit(job=name, order=order)), time.time()),
            )
            number = written.lastrowid
            assert number is not None  # noqa: S101
            database.execute("INSERT INTO event VALUES (?, ?, ?)", (number, 1, _packed(first)))
        return number, first

    def tell(self, number: int, events: Sequence[State | Result], *, interruptions: int, keep_picture: bool) -> None:
        """Writes down what happened to a job, and what of it may have changed.

        Raises:
            StorageError: It cannot be written; nothing has changed.
        """
        with self._writing() as database:
            database.execute(
                "UPDATE job SET interruptions = ?, keep_picture = ?, changed_at = ? WHERE number = ?",
                (interruptions, keep_picture, time.time(), number),
            )
            database.executemany(
                "INSERT INTO event VALUES (?, ?, ?)", [(number, event.seq, _packed(event)) for event in events]
            )

    def adjust(self, number: int, name: str, adjustment: Adjustment) -> None:
        """Writes down the weights with which a job is to be painted, instead of those written down before.

        Raises:
            StorageError: It cannot be written; nothing has changed.
        """
        with self._writing() as database:
            packed = _packed(Adjust(job=name, adjustment=adjustment))
            database.execute("INSERT OR REPLACE INTO adjustment VALUES (?, ?)", (number, packed))

    def forget(self, number: int) -> None:
        """Removes a job.

        Raises:
            StorageError: It cannot be removed.
        """
        with self._writing() as database:
            database.execute("DELETE FROM job WHERE number = ?", (number,))

    def forget_session(self, session: str) -> None:
        """Removes a session whose jobs were removed.

        Raises:
            StorageError: It cannot be removed.
        """
        with self._writing() as database:
            database.execute("DELETE FROM session WHERE id = ?", (session,))

    def sessions(self) -> dict[str, tuple[bytes, str]]:
        """The token and the user of each session."""
        rows = self._database.execute("SELECT id, token, user FROM session")
        return {name: (token, user) for name, token, user in rows}

    def jobs(self) -> Iterator[JournaledJob]:
        """All jobs in the order of acceptance. One that cannot be read is passed over, and logged."""
        rows = self._database.execute(
            "SELECT number, session, name, submit, interruptions, keep_picture, changed_at FROM job ORDER BY number"
        ).fetchall()
        for number, session, name, submit, interruptions, keep_picture, changed_at in rows:
            try:
                order = _unpacked(submit, Submit).order
                events = tuple(self._events(number))
                adjustment = self._adjustment(number)
            except RefusalError as error:
                _log.error("The job %s in the journal cannot be read: %s", name, error)
                continue
            yield JournaledJob(
                number=number,
                session=session,
                name=name,
                order=order,
                interruptions=interruptions,
                changed_at=changed_at,
                events=events,
                adjustment=adjustment,
                keep_picture=bool(keep_picture),
            )

    def close(self) -> None:
        """Ends it."""
        self._database.close()

    def _events(self, number: int) -> Iterator[State | Result]:
        for (message,) in self._database.execute("SELECT message FROM event WHERE number = ? ORDER BY seq", (number,)):
            event = decode([MAGIC, message]).message
            assert isinstance(event, (State, Result))  # noqa: S101
            yield event

    def _adjustment(self, number: int) -> Adjustment:
        row = self._database.execute("SELECT message FROM adjustment WHERE number = ?", (number,)).fetchone()
        return Adjustment() if row is None else _unpacked(row[0], Adjust).adjustment

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is written, or nothing."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(
                f"The daemon's journal cannot be written: {error}; make room or mend its disk."
            ) from error
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")


def _opened(path: Path) -> sqlite3.Connection:
    make_private_folder(path.parent)
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise  # the disk is at fault, not the journal
        aside = path.with_name(f"{path.name}.{int(time.time())}.broken")
        _log.error("The journal %s is damaged (%s) and is set aside as %s.", path, error, aside)
        for ending in ("", "-wal", "-shm"):
            part = path.with_name(path.name + ending)
            if part.exists():
                part.replace(aside.with_name(aside.name + ending))
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version > VERSION or (version == 0 and tables > 0):
            raise sqlite3.DatabaseError(f"it is of version {version}, not {VERSION}")
        if version < VERSION:
            _bring_up_to_date(database, version)
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except BaseException:
        database.close()
        raise
    return database


def _opened_to_read(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if not 0 < version < VERSION:
        return database
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(database):
        database.backup(copy)
    _bring_up_to_date(copy, version)
    return copy


def _bring_up_to_date(database: sqlite3.Connection, version: int) -> None:
    database.executescript(f"BEGIN; {''.join(STEPS[version:])} PRAGMA user_version = {VERSION}; COMMIT;")


def _packed(message: Message) -> bytes:
    return bytes(encode(message, message_id=1)[1])


def _unpacked(packed: bytes, kind: type[MessageT]) -> MessageT:
    message = decode([MAGIC, packed]).message
    assert isinstance(message, kind)  # noqa: S101
    return message
