"""Bringing results home without waiting: asks for parts as others arrive, and for all again if they are damaged."""

from collections import deque
from functools import partial

from impasto_protocol.download import Download
from impasto_protocol.errors import DigestMismatchError, RefusalError, ResultExpiredError
from impasto_protocol.events import Answered, Fetched
from impasto_protocol.inbox import Inbox
from impasto_protocol.limits import WINDOW_BYTES
from impasto_protocol.messages import Chunk, Error, Fetch, Message, Result
from impasto_protocol.requests import Request, Requests
from impasto_protocol.tracking import Tracked, Tracking
from impasto_protocol.vocabulary import TYPE_NAMES

__all__ = ["Fetching"]


class Fetching:
    """The downloads of a client.

    Args:
        jobs: What it knows of its jobs.
        requests: Where it asks.
        inbox: Where `Fetched` goes, or `Answered` with the reason why not.
    """

    def __init__(self, jobs: Tracking, requests: Requests, inbox: Inbox) -> None:
        self._jobs = jobs
        self._requests = requests
        self._inbox = inbox
        self._turns: deque[tuple[Tracked, Download]] = deque()

    def begin(self, job: str) -> None:
        """Asks for a job's result, unless it is on its way.

        Raises:
            ResultExpiredError: There is none.
        """
        tracked = self._jobs[job]
        if tracked.result is None:
            raise ResultExpiredError(f"The job {job} has no result to fetch; wait for its Result event.")
        if tracked.download is None:
            self._begin(tracked, tracked.result)

    def end(self, job: str) -> None:
        """Leaves a result where it is."""
        self._end(self._jobs[job])
        self.ask_for_more()

    def ask_for_more(self) -> None:
        """Asks for parts of the results in turn, as long as there is room in the one window that all of them share."""
        room_bytes = WINDOW_BYTES - sum(asked.length_bytes for asked in self._requests.unanswered(Fetch))
        while self._turns and (request := self._turns[0][1].next_request(room_bytes)) is not None:
            room_bytes -= request.length_bytes
            tracked, download = self._turns.popleft()
            if not download.is_all_asked:
                self._turns.append((tracked, download))
            self._requests.add(Request(request, partial(self._arrived, tracked, download)))

    def _begin(self, tracked: Tracked, result: Result) -> None:
        tracked.download = Download(result)
        self._turns.append((tracked, tracked.download))
        self.ask_for_more()

    def _end(self, tracked: Tracked) -> None:
        download, tracked.download = tracked.download, None
        if download is not None:
            self._turns = deque(turn for turn in self._turns if turn[1] is not download)
            self._requests.abandon(download.result.job, Fetch)

    def _arrived(self, tracked: Tracked, download: Download, answer: Message) -> None:
        try:
            if tracked.download is download:
                self._take(tracked, download, answer)
        except RefusalError as error:
            self._end(tracked)
            is_damaged = isinstance(error, DigestMismatchError)
            tracked.damaged += is_damaged
            if is_damaged and tracked.damaged == 1:
                self._begin(tracked, download.result)
            else:
                self._inbox.add(Answered(job=download.result.job, request=TYPE_NAMES[Fetch], refusal=error))
        self.ask_for_more()

    def _take(self, tracked: Tracked, download: Download, answer: Message) -> None:
        if isinstance(answer, Error):
            raise answer.failure.exception()
        assert isinstance(answer, Chunk)  # noqa: S101
        download.accept(answer)
        self.ask_for_more()  # before there is anything to do with this one
        download.place(answer)
        if not download.is_complete:
            return
        pixels = download.pixels()
        tracked.download, tracked.damaged = None, 0
        self._inbox.add(Fetched(result=download.result, pixels=pixels))
