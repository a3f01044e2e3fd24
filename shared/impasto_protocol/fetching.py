"""Bringing results home without waiting: asks for parts as others arrive, and for all again if they are damaged."""

from impasto_protocol.download import Download
from impasto_protocol.errors import DigestMismatchError, RefusalError, ResultExpiredError
from impasto_protocol.events import Answered, Fetched
from impasto_protocol.inbox import Inbox
from impasto_protocol.messages import Chunk, Error, Fetch, Message
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

    def begin(self, job: str) -> None:
        """Asks for a job's result, unless it is on its way.

        Raises:
            ResultExpiredError: There is none.
        """
        tracked = self._jobs[job]
        if tracked.result is None:
            raise ResultExpiredError(f"The job {job} has no result to fetch; wait for its Result event.")
        if tracked.download is None:
            tracked.download = Download(tracked.result)
            self._ask_for_more(job, tracked, tracked.download)

    def end(self, job: str) -> None:
        """Leaves a result where it is."""
        self._jobs[job].download = None
        self._requests.withdraw_about(job, Fetch)

    def _ask_for_more(self, job: str, tracked: Tracked, download: Download) -> None:
        for request in download.requests():
            self._requests.add(Request(request, lambda answer: self._arrived(job, tracked, answer)))

    def _arrived(self, job: str, tracked: Tracked, answer: Message) -> None:
        download = tracked.download
        if download is None:
            return
        try:
            self._take(job, tracked, download, answer)
        except RefusalError as error:
            self.end(job)
            is_damaged = isinstance(error, DigestMismatchError)
            tracked.damaged += is_damaged
            if is_damaged and tracked.damaged == 1:
                self.begin(job)
            else:
                self._inbox.add(Answered(job=job, request=TYPE_NAMES[Fetch], refusal=error))

    def _take(self, job: str, tracked: Tracked, download: Download, answer: Message) -> None:
        if isinstance(answer, Error):
            raise answer.failure.exception()
        assert isinstance(answer, Chunk)  # noqa: S101
        download.accept(answer)
        self._ask_for_more(job, tracked, download)
        download.place(answer)
        if not download.is_complete:
            return
        pixels = download.pixels()
        tracked.download, tracked.damaged = None, 0
        self._inbox.add(Fetched(result=download.result, pixels=pixels))
