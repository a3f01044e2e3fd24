"""The parts of the server that stand for themselves: queue, store, journal, lock."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.fake_studio import ALWAYS
from impasto_daemon.server.blobs import BlobStore
from impasto_daemon.server.checkpoints import Checkpoints
from impasto_daemon.server.errors import AlreadyRunningError
from impasto_daemon.server.fair_queue import FairQueue
from impasto_daemon.server.journal import Journal
from impasto_daemon.server.lock import Lock, holder_of
from impasto_daemon.server.patience import Patience
from impasto_daemon.worker.keeper import Cadence, Keeper
from impasto_protocol.errors import (
    BusyError,
    DigestMismatchError,
    MalformedMessageError,
    MissingBlobError,
    StorageError,
    TooLargeError,
)
from impasto_protocol.messages import State
from impasto_protocol.orders import Adjustment
from impasto_protocol.pixels import digest_of
from impasto_protocol.states import JobState
from protocol.following import ORDER

TOKEN = bytes(32)


# Whose turn it is


def emptied(queue: FairQueue) -> list[int]:
    taken = []
    while (job := queue.take()) is not None:
        taken.append(job)
    return taken


def test_sessions_take_turns() -> None:
    queue = FairQueue()
    for job, session in enumerate("aaabbc"):
        queue.put(session, job)
    assert emptied(queue) == [0, 3, 5, 1, 4, 2]


def test_a_job_that_lost_its_turn_is_next() -> None:
    queue = FairQueue()
    for job, session in enumerate("abab"):
        queue.put(session, job)
    assert queue.take() == 0
    queue.put_back("a", 0)
    assert emptied(queue) == [0, 1, 2, 3]


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=20), st.data())
def test_as_many_are_taken_before_a_job_as_are_ahead_of_it(sessions: list[str], data: st.DataObject) -> None:
    queue = FairQueue()
    for job, session in enumerate(sessions):
        queue.put(session, job)
    for _ in range(data.draw(st.integers(0, len(sessions) - 1))):
        taken = queue.take()
        assert taken is not None
        sessions[taken] = ""
    job = data.draw(st.sampled_from([job for job, session in enumerate(sessions) if session]))
    ahead = queue.ahead(sessions[job], job)
    assert emptied(queue).index(job) == ahead


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=20), st.data())
def test_removing_a_job_leaves_the_others(sessions: list[str], data: st.DataObject) -> None:
    queue = FairQueue()
    for job, session in enumerate(sessions):
        queue.put(session, job)
    gone = data.draw(st.sampled_from(range(len(sessions))))
    queue.remove(sessions[gone], gone)
    assert sorted(emptied(queue)) == [job for job in range(len(sessions)) if job != gone]


# Pictures


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    store = BlobStore(tmp_path / "pictures", room_bytes=100)
    yield store
    store.close()


def stored(blobs: BlobStore, data: bytes) -> bytes:
    digest = digest_of(data)
    blobs.offer("a", "me", digest, len(data))
    assert blobs.add("a", digest, 0, (data,)) is None
    return digest


def test_a_picture_is_uploaded_in_parts_and_an_upload_goes_on_where_it_broke_off(blobs: BlobStore) -> None:
    data = bytes(range(50))
    digest = digest_of(data)
    assert blobs.offer("a", "me", digest, 50) == 0
    assert blobs.add("a", digest, 0, (data[:20],)) == 20
    assert blobs.add("a", digest, 30, (data[30:],)) == 20
    assert blobs.offer("a", "me", digest, 50) == 20
    assert blobs.offer("b", "me", digest, 50) == 0
    assert blobs.add("a", digest, 20, (data[20:],)) is None
    assert blobs.offer("b", "me", digest, 50) is None
    assert blobs.read(digest, 40, 100) == data[40:]


def test_what_is_sent_is_not_hashed_and_its_sender_alone_has_it_until_somebody_has(blobs: BlobStore) -> None:
    digest = digest_of(b"right")
    assert blobs.offer("a", "me", digest, 5) == 0
    assert blobs.add("a", digest, 0, (b"wrong",)) is None
    assert blobs.has("me", digest)
    assert blobs.offer("my other session", "me", digest, 5) is None
    assert not blobs.has("you", digest)
    blobs.prove(digest)
    assert blobs.has("you", digest)
    assert blobs.offer("b", "you", digest, 5) is None


def test_what_another_user_has_sent_unproven_is_hashed_as_it_arrives(blobs: BlobStore) -> None:
    digest = digest_of(b"right")
    blobs.offer("a", "me", digest, 5)
    blobs.add("a", digest, 0, (b"wrong",))
    blobs.offer("b", "you", digest, 5)
    with pytest.raises(DigestMismatchError, match="send it anew"):
        blobs.add("b", digest, 0, (b"false",))
    assert blobs.offer("b", "you", digest, 5) == 0
    assert blobs.add("b", digest, 0, (b"right",)) is None
    assert blobs.has("you", digest)
    assert blobs.has("a third", digest)
    assert blobs.read(digest, 0, 5) == b"right"


def test_of_two_users_who_send_the_same_at_once_the_later_is_asked_for_it_once_more(blobs: BlobStore) -> None:
    digest = digest_of(b"right")
    for session, user in (("a", "me"), ("b", "you")):
        blobs.offer(session, user, digest, 5)
        blobs.add(session, digest, 0, (b"ri",))
    assert blobs.add("a", digest, 2, (b"ff-",)) is None
    assert blobs.add("b", digest, 2, (b"ght",)) == 0
    assert blobs.add("b", digest, 0, (b"right",)) is None
    assert blobs.read(digest, 0, 5) == b"right"
    assert blobs.has("a third", digest)


def test_a_restarted_daemon_does_not_take_for_proven_what_was_not(blobs: BlobStore, tmp_path: Path) -> None:
    proven, unproven = stored(blobs, b"proven"), stored(blobs, b"unproven")
    blobs.prove(proven)
    again = BlobStore(tmp_path / "pictures")
    assert again.has("you", proven)
    assert again.size_bytes(unproven) == 8
    assert not again.has("me", unproven)
    stored(again, b"unproven")
    assert BlobStore(tmp_path / "pictures").has("you", unproven)


def test_a_picture_that_was_damaged_is_wanted_again_and_held_as_before(blobs: BlobStore, tmp_path: Path) -> None:
    digest = stored(blobs, b"whole" * 8)
    blobs.hold(digest)
    blobs.drop_damaged(digest, if_gone=True)
    assert blobs.size_bytes(digest) == 40
    blobs.drop_damaged(digest, if_gone=False)
    assert list((tmp_path / "pictures").iterdir()) == []
    assert stored(blobs, b"whole" * 8) == digest
    with pytest.raises(BusyError, match="no room"):
        blobs.offer("a", "me", digest_of(b""), 70)
    blobs.release(digest)
    assert blobs.offer("a", "me", digest_of(b""), 70) == 0


def test_more_bytes_than_were_offered_are_refused(blobs: BlobStore) -> None:
    digest = digest_of(b"right")
    blobs.offer("a", "me", digest, 5)
    with pytest.raises(TooLargeError, match="5 bytes came with 9"):
        blobs.add("a", digest, 0, (b"too large",))
    with pytest.raises(MissingBlobError, match="say UPLOAD first"):
        blobs.add("a", digest, 0, (b"right",))


def test_room_is_made_by_dropping_what_was_unused_the_longest_and_nobody_holds(blobs: BlobStore) -> None:
    old, held, new = (stored(blobs, bytes([number]) * 33) for number in range(3))
    blobs.hold(held)
    blobs.offer("a", "me", old, 33)  # used again
    stored(blobs, b"next" * 8)
    assert [blobs.size_bytes(digest) for digest in (old, held, new)] == [33, 33, None]
    with pytest.raises(BusyError, match="no room"):
        blobs.offer("a", "me", digest_of(b""), 90)


def test_a_session_uploads_a_few_pictures_at_a_time(blobs: BlobStore) -> None:
    for number in range(4):
        blobs.offer("a", "me", digest_of(bytes([number])), 1)
    with pytest.raises(BusyError, match="finish one"):
        blobs.offer("a", "me", digest_of(b"more"), 4)
    blobs.forget_uploads("a")
    assert blobs.offer("a", "me", digest_of(b"more"), 4) == 0


def test_pictures_outlive_the_daemon_and_unfinished_ones_do_not(blobs: BlobStore, tmp_path: Path) -> None:
    digest = stored(blobs, b"whole")
    blobs.prove(digest)
    blobs.offer("a", "me", digest_of(b"half"), 4)
    blobs.add("a", digest_of(b"half"), 0, (b"ha",))
    (tmp_path / "pictures" / "not ours").touch()
    again = BlobStore(tmp_path / "pictures")
    assert again.read(digest, 0, 9) == b"whole"
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == sorted([digest.hex(), "not ours"])


def test_bytes_beyond_the_end_of_a_picture_cannot_be_read(blobs: BlobStore) -> None:
    with pytest.raises(MalformedMessageError, match="none from 5 on"):
        blobs.read(stored(blobs, b"whole"), 5, 1)


@pytest.mark.parametrize(("offset", "length"), [(0, 9000), (1, 4096), (4095, 2), (4096, 4096), (8999, 1), (8000, 5000)])
def test_any_part_of_a_picture_can_be_read(tmp_path: Path, offset: int, length: int) -> None:
    store, data = BlobStore(tmp_path), os.urandom(9000)
    assert store.read(stored(store, data), offset, length) == data[offset : offset + length]


def test_a_part_that_has_been_read_outlives_its_picture(tmp_path: Path) -> None:
    store, data = BlobStore(tmp_path), os.urandom(9000)
    digest = stored(store, data)
    store.hold(digest)
    part = store.read(digest, 4000, 5000)
    store.release(digest, drop=True)
    assert not store.path(digest).exists()
    assert stored(store, data[::-1]) != digest
    assert part == data[4000:]


def test_of_a_picture_whose_file_lost_its_end_only_what_is_there_is_read(tmp_path: Path) -> None:
    store, data = BlobStore(tmp_path), os.urandom(9000)
    digest = stored(store, data)
    os.truncate(store.path(digest), 5000)
    assert store.read(digest, 4000, 5000) == data[4000:5000]
    assert store.read(digest, 6000, 3000) == b""


def test_a_picture_that_the_disk_takes_only_in_part_is_not_there(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="no limit of a file's length can be set here")
    store, data = BlobStore(tmp_path), bytes(1_500_000)
    digest = digest_of(data)
    store.offer("session", "me", digest, len(data))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(StorageError, match="disk refuses"):
            store.add("session", digest, 0, (data,))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.size_bytes(digest) is None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_does_not_take_a_picture_is_said_so(blobs: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "pictures").rmdir()
    with pytest.raises(StorageError, match="make room or mend it"):
        blobs.offer("a", "me", digest_of(b"x"), 1)


# The journal


def test_the_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    number, first = journal.accept("a" * 32, TOKEN, "1" * 32, ORDER, user="owner")
    running = State(job="1" * 32, seq=2, state=JobState.STARTING)
    journal.tell(number, [running], interruptions=1, keep_picture=True)
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    (job,) = again.jobs()
    assert (job.order, job.events, job.interruptions, job.keep_picture) == (ORDER, (first, running), 1, True)
    assert again.sessions() == {"a" * 32: (TOKEN, "owner")}
    again.forget(number)
    again.forget_session("a" * 32)
    assert (list(again.jobs()), again.sessions()) == ([], {})
    again.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\0" + bytes(5000)])
def test_a_journal_that_is_damaged_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    journal = Journal(path)
    journal.accept("a" * 32, TOKEN, "1" * 32, ORDER, user="owner")
    assert len(list(journal.jobs())) == 1
    journal.close()
    assert len(list(tmp_path.glob("*.broken"))) == bool(content)


def test_a_journal_that_is_not_what_its_version_says_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal._database.execute("PRAGMA user_version = 2")  # though it has what version 3 would add
    journal.close()
    again = Journal(path)
    assert list(again.jobs()) == []
    again.close()
    assert len(list(tmp_path.glob("*.broken"))) == 1


def test_a_journal_of_another_version_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    later = sqlite3.connect(path)
    later.executescript("PRAGMA user_version = 99; CREATE TABLE something (else_ TEXT);")
    later.close()
    Journal(path).close()
    (aside,) = tmp_path.glob("*.broken")
    kept = sqlite3.connect(aside)
    assert kept.execute("PRAGMA user_version").fetchone() == (99,)
    kept.close()


def test_a_journal_on_a_full_disk_takes_nothing_and_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal._database.execute("PRAGMA max_page_count = 1")

    def fill() -> None:
        for number in range(1000):
            journal.accept("a" * 32, TOKEN, f"{number:032x}", ORDER, user="owner")

    with pytest.raises(StorageError, match="full"):
        fill()
    written = len(list(journal.jobs()))
    with pytest.raises(StorageError, match="full"):
        journal.accept("a" * 32, TOKEN, "f" * 32, ORDER, user="owner")
    assert len(list(journal.jobs())) == written
    journal.close()


def test_a_folder_that_cannot_be_written_keeps_the_journal_from_opening(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be opened"):
        Journal(tmp_path / "file" / "journal.sqlite")


def test_new_weights_are_written_down_one_over_the_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    number, _ = journal.accept("a" * 32, TOKEN, "1" * 32, ORDER, user="owner")
    (fresh,) = journal.jobs()
    assert fresh.adjustment == Adjustment()
    journal.adjust(number, "1" * 32, Adjustment(tv_weight=1.0))
    journal.adjust(number, "1" * 32, Adjustment(tv_weight=1.0, style_weights=(0.5,)))
    (job,) = journal.jobs()
    assert job.adjustment == Adjustment(tv_weight=1.0, style_weights=(0.5,))
    journal.forget(number)
    assert journal._database.execute("SELECT count(*) FROM adjustment").fetchone() == (0,)
    journal.close()


def test_a_journal_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    number, _ = journal.accept("a" * 32, TOKEN, "1" * 32, ORDER, user="owner")
    journal._database.executescript(
        "DROP TABLE adjustment; ALTER TABLE session DROP COLUMN user; "
        "ALTER TABLE job DROP COLUMN keep_picture; PRAGMA user_version = 1;"
    )
    journal.close()
    before = path.read_bytes()
    looked_into = Journal(path, read_only=True)
    assert [job.order for job in looked_into.jobs()] == [ORDER]
    looked_into.close()
    assert path.read_bytes() == before
    again = Journal(path)
    again.adjust(number, "1" * 32, Adjustment(strength=0.25))
    (job,) = again.jobs()
    assert (job.order, job.adjustment) == (ORDER, Adjustment(strength=0.25))
    assert again.sessions() == {"a" * 32: (TOKEN, "owner")}
    again.close()
    assert list(tmp_path.glob("*.broken")) == []


@pytest.mark.parametrize(
    ("first", "later", "together"),
    [
        (Adjustment(), Adjustment(strength=0.2), Adjustment(strength=0.2)),
        (Adjustment(strength=0.2), Adjustment(strength=0.9), Adjustment(strength=0.9)),
        (Adjustment(strength=0.2), Adjustment(content_weight=9.0), Adjustment(content_weight=9.0)),
        (Adjustment(content_weight=9.0), Adjustment(strength=0.2), Adjustment(strength=0.2)),
        (
            Adjustment(content_weight=9.0, style_weights=(1.0,)),
            Adjustment(tv_weight=0.0),
            Adjustment(content_weight=9.0, style_weights=(1.0,), tv_weight=0.0),
        ),
    ],
)
def test_of_two_adjustments_the_later_counts_where_both_say_something(
    first: Adjustment, later: Adjustment, together: Adjustment
) -> None:
    assert first.then(later) == together


# Checkpoints


def test_checkpoints_of_other_jobs_and_unfinished_ones_are_removed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    for name in ("1.npz", "2.npz", "12.npz", ".1.npz.ab.tmp", ".12.npz.cd.tmp"):
        (tmp_path / "checkpoints" / name).touch()
    checkpoints.drop(1)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"2.npz", "12.npz", ".12.npz.cd.tmp"}
    checkpoints.drop_all_but([12, 99])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["12.npz"]
    checkpoints.drop(99)


def test_a_checkpoint_is_known_to_be_later_than_a_moment(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert not checkpoints.is_since(1, 0.0)
    checkpoints.path(1).touch()
    os.utime(checkpoints.path(1), (1000.0, 1000.0))
    assert checkpoints.is_since(1, 999.0)
    assert not checkpoints.is_since(1, 1000.0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_checkpoints_come_every_few_seconds_and_take_no_more_than_their_share(tmp_path: Path) -> None:
    clock = Clock()
    keeper = Keeper(tmp_path / "checkpoint", Cadence(interval_s=5.0, share=0.01), clock=clock)
    costs_s = [0.01, 0.3, 0.02]
    kept_at = []

    def keep(path: Path) -> None:
        clock.now += costs_s[len(kept_at)]
        kept_at.append(round(clock.now))

    while len(kept_at) < 3:
        clock.now += 0.5
        if keeper.is_due:
            keeper.keep(keep)
    assert kept_at == [105, 110, 140]


def test_a_checkpoint_that_cannot_be_written_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(tmp_path / "no folder" / "checkpoint", ALWAYS)
    for _ in range(3):
        keeper.keep(lambda path: path.touch())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    (tmp_path / "no folder").mkdir()
    keeper.keep(lambda path: path.touch())
    assert (tmp_path / "no folder" / "checkpoint").exists()


# One daemon


def test_a_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "state" / "daemon.lock"
    assert holder_of(path) is None
    script = f"""
import sys, time
from pathlib import Path
from impasto_daemon.server.lock import Lock
with Lock(Path({str(path)!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert holder_of(path) == holder.pid
        with pytest.raises(AlreadyRunningError, match=f"process {holder.pid} holds"), Lock(path):
            pass
        holder.kill()
    assert holder_of(path) is None
    with Lock(path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lock that is shared")
def test_two_who_ask_who_holds_the_lock_do_not_take_each_other_for_the_holder(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "daemon.lock"
    with Lock(path):
        pass
    with path.open("r+b") as another_who_asks:
        fcntl.flock(another_who_asks, fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert holder_of(path) is None


# How long a silence is borne


def test_a_painting_may_load_for_long_and_then_must_give_signs() -> None:
    patience = Patience(hang_s=10.0, now=0.0)
    assert patience.complaint(800.0) is None
    patience.heard(850.0)
    patience.began()
    assert patience.complaint(859.0) is None
    assert patience.complaint(861.0) == "has been silent for 10 s"


def test_a_slow_painting_may_be_silent_for_twenty_of_its_evaluations() -> None:
    patience = Patience(hang_s=10.0, now=0.0)
    patience.began()
    patience.heard(5.0)
    assert patience.complaint(104.0) is None
    assert patience.complaint(106.0) == "has been silent for 100 s"


def test_a_paused_painting_may_be_silent_but_must_stop_when_told() -> None:
    patience = Patience(hang_s=10.0, now=0.0)
    patience.began()
    patience.is_paused = True
    assert patience.complaint(1000.0) is None
    patience.stop_by(1003.0)
    assert patience.complaint(1002.0) is None
    assert patience.complaint(1004.0) == "has not stopped when it was told to"
    patience.stop_by(None)
    assert patience.complaint(1004.0) is None


def test_silence_while_the_server_itself_slept_means_nothing() -> None:
    patience = Patience(hang_s=10.0, now=0.0)
    patience.began()
    patience.slept(100.0)
    assert patience.complaint(109.0) is None
