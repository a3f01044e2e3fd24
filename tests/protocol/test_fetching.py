"""Several results on their way at once: one window for all of them, and turns."""

from collections import Counter
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from impasto_protocol.errors import BusyError, DigestMismatchError
from impasto_protocol.events import Answered, Fetched
from impasto_protocol.failures import Failure
from impasto_protocol.fetching import Fetching
from impasto_protocol.inbox import Inbox
from impasto_protocol.limits import MAX_PART_BYTES, WINDOW_BYTES
from impasto_protocol.messages import Chunk, Error, Fetch, Message, Result
from impasto_protocol.pixels import Picture, PixelFormat
from impasto_protocol.requests import Requests
from impasto_protocol.tracking import Tracking

FORM = PixelFormat(width=1024, height=(5 * MAX_PART_BYTES - 300_000) // 4096, channels=4)
PAINTED = Picture(format=FORM, data=bytes(FORM.size_bytes))
JOBS = [digit * 32 for digit in "abcd"]


def result_of(job: str) -> Result:
    return Result(
        job=job,
        seq=1,
        picture=PAINTED.blob,
        crc32=crc32(PAINTED.data),
        losses={},
        evaluations=1,
        duration_s=0.0,
        stopped=False,
        rollbacks=0,
        network="lite",
        precision="float32",
    )


class Exchange:
    """A client's downloads, and a daemon that answers when it is told to, in the order in which it was asked.

    Attributes:
        asked: What has no answer on this connection, by the request's id.
        inbox: What the client tells.
    """

    def __init__(self) -> None:
        self.asked: dict[int, Fetch] = {}
        self.inbox = Inbox()
        self._last_id = 0
        self.is_up = True
        jobs = Tracking()
        for job in JOBS:
            jobs.take(result_of(job))
        self._requests = Requests(self._sent)
        self.fetching = Fetching(jobs, self._requests, self.inbox)

    def _sent(self, message: Message) -> int | None:
        if not self.is_up:
            return None
        assert isinstance(message, Fetch)
        self._last_id += 1
        self.asked[self._last_id] = message
        assert sum(one.length_bytes for one in self.asked.values()) <= WINDOW_BYTES, "more than the window"
        return self._last_id

    def answer(self, message: Message | None = None) -> Fetch:
        """Answers the oldest request, with the part that was asked for if nothing else is given."""
        message_id = next(iter(self.asked))
        asked = self.asked.pop(message_id)
        at = asked.offset_bytes
        data = memoryview(PAINTED.data)[at : at + asked.length_bytes]
        part = Chunk(digest=PAINTED.blob.digest, offset_bytes=at, data=(data,))
        self._requests.answer(message_id, part if message is None else message)
        return asked

    def goes_down(self) -> None:
        self.is_up = False
        self.asked.clear()
        self._requests.lose()

    def comes_up(self) -> None:
        """Does as the client does."""
        self.is_up = True
        self._requests.ask_again()
        self.fetching.ask_for_more()

    def told(self) -> list[object]:
        return [self.inbox.next() for _ in range(len(self.inbox))]


REFUSED = Error(failure=Failure.of(BusyError("Not now; wait.")))
ACTS = ("begin", "begin", "answer", "answer", "refuse", "damage", "end", "down", "up")
DAMAGED = Chunk(digest=bytes(32), offset_bytes=0, data=(b"\0",))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_happens_no_more_than_one_window_is_unanswered_and_nothing_is_forgotten(data: st.DataObject) -> None:
    exchange = Exchange()
    wanted: Counter[str] = Counter()
    for _ in range(data.draw(st.integers(1, 40))):
        act = data.draw(st.sampled_from(ACTS))
        job = data.draw(st.sampled_from(JOBS))
        if act == "begin":
            exchange.fetching.begin(job)
            wanted[job] = 1
        elif act == "end":
            exchange.fetching.end(job)
            wanted[job] = 0
        elif act == "down":
            exchange.goes_down()
        elif act == "up" and not exchange.is_up:
            exchange.comes_up()
        elif exchange.asked and act in ("answer", "refuse", "damage"):
            exchange.answer({"refuse": REFUSED, "damage": DAMAGED}.get(act))
        for event in exchange.told():
            assert isinstance(event, Fetched | Answered)
            wanted[event.result.job if isinstance(event, Fetched) else event.job] -= 1
    if not exchange.is_up:
        exchange.comes_up()
    while exchange.asked:
        exchange.answer()
    fetched = Counter(event.result.job for event in exchange.told() if isinstance(event, Fetched))
    assert fetched == +wanted
    assert all(times in (0, 1) for times in wanted.values()), "a result was told of that nobody wanted, or twice"


def test_results_take_turns_in_the_one_window() -> None:
    exchange = Exchange()
    for job in JOBS:
        exchange.fetching.begin(job)
    assert [asked.job for asked in exchange.asked.values()] == [JOBS[0]] * (WINDOW_BYTES // MAX_PART_BYTES)
    order = []
    while exchange.asked:
        order.append(exchange.answer().job)
    assert order[5:] == JOBS[1:] * 5


def test_what_was_asked_for_a_result_that_is_left_counts_until_it_is_answered_or_the_connection_breaks() -> None:
    for breaks in (False, True):
        exchange = Exchange()
        exchange.fetching.begin(JOBS[0])
        exchange.fetching.end(JOBS[0])
        exchange.fetching.begin(JOBS[1])
        assert {asked.job for asked in exchange.asked.values()} == {JOBS[0]}
        if breaks:
            exchange.goes_down()
            exchange.comes_up()
            assert {asked.job for asked in exchange.asked.values()} == {JOBS[1]}
        while exchange.asked:
            exchange.answer()
        assert [type(event) for event in exchange.told()] == [Fetched]


def test_a_result_that_fails_is_told_once_and_makes_room_for_the_next() -> None:
    exchange = Exchange()
    for job in JOBS[:2]:
        exchange.fetching.begin(job)
    for _ in range(4):
        exchange.answer(REFUSED)
    assert [type(event) for event in exchange.told()] == [Answered]
    assert {asked.job for asked in exchange.asked.values()} == {JOBS[1]}


def test_late_parts_of_a_damaged_result_are_not_taken_for_those_of_the_next_attempt() -> None:
    exchange = Exchange()
    exchange.fetching.begin(JOBS[0])
    exchange.answer(DAMAGED)
    while exchange.asked:
        exchange.answer()
    assert [type(event) for event in exchange.told()] == [Fetched]
    exchange.fetching.begin(JOBS[0])
    for _ in range(8):
        exchange.answer(DAMAGED)
    (told,) = exchange.told()
    assert isinstance(told, Answered)
    assert isinstance(told.refusal, DigestMismatchError)
