"""A client of the daemon: submits jobs, follows them, brings their results home, and survives either side's absence.

```python
client = Client(lambda: dial(connection_path()), name="my script 1.0")
client.connect(timeout_s=5.0)
job = client.submit(order, pictures, timeout_s=30.0)
for event in client.events(timeout_s=600.0):
    match event:
        case Result():
            client.fetch(job)
        case Fetched():
            keep(event.pixels)
            client.acknowledge(job)
            break
```

Nothing happens by itself: there is no thread. Whoever calls `events`, `submit` or another method that takes a
`timeout_s` lends the client that time. In a main loop, watch `descriptor` for input, and call `events(0.0)` when there
is some, after every call of another method, and from a timer four times a second, which keeps dialling and heartbeats
going; `descriptor` is another one after `Disconnected` and `Reconnected`.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from impasto_protocol import messages as m
from impasto_protocol.asking import Asking
from impasto_protocol.errors import (
    ConnectionFileError,
    NoSessionError,
    ProtocolError,
    ShuttingDownError,
    TooManyErrorsError,
    UnreachableError,
    UnsupportedVersionError,
    WrongKeyError,
)
from impasto_protocol.events import Answered, Disconnected, Event, JobLost, Reconnected
from impasto_protocol.fetching import Fetching
from impasto_protocol.inbox import Inbox
from impasto_protocol.limits import CREDIT_RETURN_BYTES
from impasto_protocol.link import Clock, Dial, Down, Link, Ticket, Up
from impasto_protocol.orders import Adjustment, Order
from impasto_protocol.pixels import Picture
from impasto_protocol.requests import Request, Requests
from impasto_protocol.submission import submit
from impasto_protocol.tracking import Novelty, Tracking
from impasto_protocol.vocabulary import TYPE_NAMES

__all__ = ["Client"]

HOPELESS = (ConnectionFileError, WrongKeyError, UnsupportedVersionError, TooManyErrorsError)
"""What makes a first attempt to connect the last one: waiting would not help."""

Answer = TypeVar("Answer", bound=m.Message)


class Client:
    """See the module.

    Args:
        dial: Makes a transport; called for every attempt to connect.
        name: Who we are, for the daemon's log.
        ticket: That of an earlier client, whose jobs this one takes over.
        clock: Gives seconds.
        chance: Gives numbers from 0 to 1; spreads attempts to connect.
    """

    def __init__(
        self,
        dial: Dial,
        *,
        name: str,
        ticket: Ticket | None = None,
        clock: Clock = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._link = Link(dial, name=name, ticket=ticket, clock=clock, chance=chance)
        self._requests = Requests(self._say)
        self._jobs = Tracking()
        self._inbox = Inbox()
        self._fetching = Fetching(self._jobs, self._requests, self._inbox)
        self._takes_over = ticket is not None
        self._has_been_up = False
        self._is_up = False
        self._resuming: Request | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def ticket(self) -> Ticket | None:
        """What lets another client take over; None before the first `connect`."""
        return self._link.ticket

    @property
    def welcome(self) -> m.Welcome | None:
        """What the daemon said when the session began; None while there is no connection."""
        return self._link.welcome

    @property
    def descriptor(self) -> int | None:
        """The file descriptor to watch for input, if there is a connection."""
        return self._link.descriptor

    def connect(self, *, timeout_s: float) -> m.Welcome:
        """Waits for a session.

        Raises:
            ConnectionFileError: No daemon is running, or its connection file cannot be used.
            WrongKeyError: The daemon does not know us.
            UnsupportedVersionError: The daemon speaks another protocol.
            UnreachableError: Nobody answered in time.
        """
        deadline = self._clock() + timeout_s
        trouble: ProtocolError = UnreachableError(
            f"The daemon has not answered within {timeout_s:g} s; see whether it is busy or stopped."
        )
        while self._link.welcome is None:
            happened = self._turn(max(0.0, deadline - self._clock()))
            if isinstance(happened, Down):
                trouble = happened.error
                if isinstance(trouble, HOPELESS):
                    raise trouble
            if self._link.welcome is None and self._clock() >= deadline:
                raise trouble
        return self._link.welcome

    def submit(self, order: Order, pictures: Iterable[Picture], *, timeout_s: float, job: str | None = None) -> str:
        """Uploads what the daemon does not have, and submits a job.

        Args:
            order: What to paint.
            pictures: Every picture that the order names.
            timeout_s: The longest to wait, over as many connections as it takes.
            job: Its id, 32 hexadecimal digits. Who chooses it can submit once more after a time-out, and yet only once.

        Returns:
            The job's id.

        Raises:
            RefusalError: The daemon refused the order or a picture.
            TimedOutError: Time was over before it was accepted; it may still be.
        """
        job = job or uuid.uuid4().hex
        submit(job, order, pictures, self._asking(timeout_s))
        self._jobs[job].is_known_there = True
        return job

    def events(self, timeout_s: float) -> Iterator[Event]:
        """Yields what happens, until this much time is over; with 0.0, what is at hand.

        Waits for at most this long. A progress or preview that the caller was too slow for is replaced by a newer one.
        """
        deadline = self._clock() + timeout_s
        while True:
            while self._turn(0.0) is not None:
                pass
            for _ in range(len(self._inbox)):
                event = self._inbox.next()
                if event is not None:
                    self._handed_out(event)
                    yield event
            left_s = deadline - self._clock()
            if left_s <= 0.0:
                return
            self._turn(left_s)

    def pause(self, job: str) -> None:
        """Asks to stop painting for now; `Answered` and the state PAUSED follow."""
        self._request(m.Pause(job=job), job)

    def unpause(self, job: str) -> None:
        """Asks to go on painting; `Answered` and the state RUNNING follow."""
        self._request(m.Unpause(job=job), job)

    def adjust(self, job: str, adjustment: Adjustment) -> None:
        """Asks to change weights; `Answered` follows."""
        self._request(m.Adjust(job=job, adjustment=adjustment), job)

    def cancel(self, job: str, *, keep_picture: bool = False) -> None:
        """Asks to stop painting for good; `Answered` and a final state follow.

        While the result is being fetched, there is nothing left to stop but that: it is acknowledged unseen, or, with
        `keep_picture`, fetched to the end.

        Args:
            job: Which job.
            keep_picture: Whether the best picture so far shall be the result.
        """
        tracked = self._jobs[job]
        if tracked.download is not None and not keep_picture:
            self.acknowledge(job)
        elif tracked.download is None:
            self._request(m.Cancel(job=job, keep_picture=keep_picture), job)

    def fetch(self, job: str) -> None:
        """Asks for the result; `Fetched` follows, or `Answered` with the reason why not.

        Raises:
            ResultExpiredError: There is no result yet, or no more.
        """
        self._fetching.begin(job)

    def jobs(self, *, timeout_s: float) -> list[m.JobEntry]:
        """All jobs of the user, of whichever session, in the order of acceptance.

        Raises:
            TimedOutError: The daemon did not answer in time.
        """
        asking = self._asking(timeout_s)
        entries: list[m.JobEntry] = []
        while True:
            answer = asking.ask(m.ListJobs(after=entries[-1].number if entries else 0))
            assert isinstance(answer, m.Jobs)  # noqa: S101
            entries += answer.jobs
            if not (answer.more and answer.jobs):
                return entries

    def follow(self, job: str) -> None:
        """Asks to be told of a job that another session of the same user ordered.

        `Answered` follows, and everything that has happened to the job and will happen. It can be steered and fetched
        like a job of our own; unlike those it is acknowledged only with `acknowledge`, which ends it for all.
        """
        self._jobs[job].is_followed = True
        self._request(m.Follow(job=job), job)

    def acknowledge(self, job: str) -> None:
        """Tells the daemon that it may forget a job that is over; the second time does nothing. `Answered` follows."""
        tracked = self._jobs[job]
        if tracked.is_acknowledged:
            return
        tracked.is_acknowledged = True
        tracked.result = None
        self._fetching.end(job)
        self._request(m.Ack(job=job), job)

    def status(self, *, timeout_s: float) -> m.Report:
        """How the daemon is.

        Raises:
            TimedOutError: It did not answer in time.
        """
        return self._ask(m.Status(), m.Report, timeout_s)

    def estimate(self, question: m.Estimate, *, timeout_s: float) -> m.Estimated:
        """What a painting would cost.

        Raises:
            RefusalError: The settings are impossible.
            TimedOutError: The daemon did not answer in time.
        """
        return self._ask(question, m.Estimated, timeout_s)

    def close(self) -> None:
        """Says BYE. Jobs go on or end as their orders say."""
        self._say(m.Bye())
        self._link.close()

    def _say(self, message: m.Message) -> int | None:
        return None if self._link.welcome is None else self._link.send(message)

    def _ask(self, message: m.Message, expected: type[Answer], timeout_s: float) -> Answer:
        answer = self._asking(timeout_s).ask(message)
        assert isinstance(answer, expected)  # noqa: S101
        return answer

    def _asking(self, timeout_s: float) -> Asking:
        return Asking(self._requests, turn=self._turn, clock=self._clock, timeout_s=timeout_s)

    def _request(self, message: m.Message, job: str) -> None:
        """Asks without waiting; the answer becomes an event."""

        def answered(answer: m.Message) -> None:
            refusal = answer.failure.exception() if isinstance(answer, m.Error) else None
            self._inbox.add(Answered(job=job, request=TYPE_NAMES[type(message)], refusal=refusal))

        self._requests.add(Request(message, answered))

    def _turn(self, timeout_s: float) -> object:
        """Lets one thing happen."""
        happened = self._link.receive(timeout_s)
        if isinstance(happened, Up):
            self._came_up(happened.welcome)
        elif isinstance(happened, Down):
            self._came_down(happened.error)
        elif happened is not None:
            self._heard(happened.message, happened.reply_to, happened.size_bytes)
        return happened

    def _came_up(self, welcome: m.Welcome) -> None:
        if self._has_been_up:
            self._inbox.add(Reconnected(resumed=welcome.resumed))
        if self._has_been_up or self._takes_over:
            for job in self._jobs.followed():
                self._requests.add(Request(m.Follow(job=job), survives=False))
            self._resume()
        self._is_up = self._has_been_up = True
        self._requests.ask_again()
        self._fetching.ask_for_more()

    def _came_down(self, error: ProtocolError) -> None:
        if self._is_up:
            self._inbox.add(Disconnected(error=error))
        self._is_up = False
        self._resuming = None
        self._requests.lose()

    def _heard(self, message: m.Message, reply_to: int | None, size_bytes: int) -> None:
        if isinstance(message, m.Error):
            refusal = message.failure.exception()
            if isinstance(refusal, (NoSessionError, TooManyErrorsError)):
                self._link.drop(refusal)  # requests are asked again on the next connection
                return
        if reply_to is not None:
            self._requests.answer(reply_to, message)
        elif isinstance(message, (m.State, m.Result)):
            self._heard_reliably(message)
        elif isinstance(message, (m.Progress, m.Preview)):
            self._inbox.add_newest(message, size_bytes)
        elif isinstance(message, m.Bye):
            self._link.drop(ShuttingDownError(message.text or "The daemon is stopping; waiting for it to come back."))

    def _heard_reliably(self, event: m.State | m.Result) -> None:
        novelty = self._jobs.take(event)
        if novelty is Novelty.NEW:
            self._inbox.add(event)
        elif novelty is Novelty.AFTER_A_GAP:
            self._resume()

    def _handed_out(self, event: Event) -> None:
        if isinstance(event, m.State) and event.is_final:
            tracked = self._jobs[event.job]
            if tracked.result is None and not tracked.is_followed:
                self.acknowledge(event.job)
        credit = self._inbox.take_credit(CREDIT_RETURN_BYTES)
        if credit:
            self._say(m.Credit(size_bytes=credit))

    def _resume(self) -> None:
        """Asks for what was missed, unless that has been asked on this connection and not been answered."""
        if self._resuming is None:
            self._resuming = Request(m.Resume(seen=self._jobs.seen()), self._resumed, survives=False)
            self._requests.add(self._resuming)

    def _resumed(self, answer: m.Message) -> None:
        self._resuming = None
        if isinstance(answer, m.Snapshot):
            for job in self._jobs.compare(answer):
                self._inbox.add(JobLost(job=job))
