"""The network's side of the plug-in: a thread that finds or starts the daemon, and carries requests and news.

The main thread, in which GIMP and its windows live, never waits for it: it leaves requests here and takes news. The
thread never calls anything of GIMP's; `on_news` only wakes the main thread. No gi.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from impasto_gimp.starting import StartError

if TYPE_CHECKING:
    from impasto_protocol import Adjustment, Client, Event, Order, Picture
    from impasto_protocol import messages as m

__all__ = [
    "Accepted",
    "Courier",
    "Estimated",
    "Happened",
    "Listed",
    "News",
    "NotEstimated",
    "Reached",
    "Refused",
    "Reported",
    "Starting",
    "Unreachable",
]

TURN_S = 0.05
"""Seconds for which events are waited for before requests are looked at."""

CONNECT_S = 2.0
"""Seconds of one attempt to reach the daemon before it is looked whether we are still wanted."""

ASK_S = 30.0
"""Seconds for an answer: the painting process may be starting, or loading VGG16."""

SUBMIT_S = 300.0
"""Seconds for sending an order: a gigabyte to a daemon elsewhere."""

SUBMIT_TURN_S = 0.5
"""Seconds of sending before it is looked whether the order is still wanted; sending goes on where it was."""

STARTS = 3
"""Daemons that are started, one after another, before we give up."""

REPORT_S = 1.0
"""Seconds between questions after a daemon that is not ready to paint."""


@dataclass(frozen=True, slots=True)
class Starting:
    """No daemon was running; one is being started."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A session stands."""

    welcome: "m.Welcome"
    transport: str


@dataclass(frozen=True, slots=True)
class Reported:
    """How the daemon is."""

    report: "m.Report"


@dataclass(frozen=True, slots=True)
class Listed:
    """How the daemon is, and all paintings of its user's."""

    report: "m.Report"
    jobs: "tuple[m.JobEntry, ...]"


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The daemon is not to be had: for now, or, if `is_final`, for good."""

    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a painting would cost."""

    question: "m.Estimate"
    estimated: "m.Estimated"


@dataclass(frozen=True, slots=True)
class NotEstimated:
    """Why that cannot be told; `is_final` if asking again does not help."""

    question: "m.Estimate"
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The daemon has the order."""

    job: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The daemon does not take the order."""

    job: str
    text: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the client's."""

    event: "Event"


News: TypeAlias = (
    Starting | Reached | Reported | Listed | Unreachable | Estimated | NotEstimated | Accepted | Refused | Happened
)

Act: TypeAlias = Callable[["Client"], None]


class Courier:
    """See the module.

    Args:
        open_client: Makes a client and says by which transport; called in the thread, because it may load libraries.
            What it raises is told as `Unreachable`.
        start_daemon: Starts a daemon and waits for it, or raises `StartError`.
        on_news: Called in the thread when there is news.
    """

    def __init__(
        self,
        open_client: Callable[[], tuple["Client", str]],
        start_daemon: Callable[[], None],
        on_news: Callable[[], None],
    ) -> None:
        self._open_client = open_client
        self._start_daemon = start_daemon
        self._on_news = on_news
        self._acts: queue.SimpleQueue[Act] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._questions: deque[m.Estimate] = deque(maxlen=1)
        self._unwanted: set[str] = set()
        self._ended = threading.Event()
        self._ask_after_daemon_at: float | None = None
        self._starts_left = STARTS
        self._transport = ""
        self._has_given_up = False
        self._thread = threading.Thread(target=self._run, name="impasto-courier", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether what is left here is still carried: it was started, not stopped, and has not given up the daemon."""
        return self._thread.is_alive() and not self._has_given_up and not self._ended.is_set()

    def start(self) -> None:
        """Begins to look for the daemon."""
        self._thread.start()

    def stop(self, *, wait_s: float = 0.0) -> None:
        """Ends it, once what has been asked so far is said, if that takes no longer than `wait_s`."""
        self._acts.put(lambda _: self._ended.set())
        if wait_s:
            self._thread.join(wait_s)
        self._ended.set()

    def take(self) -> list[News]:
        """The news since the last time."""
        taken = []
        while True:
            try:
                taken.append(self._news.get_nowait())
            except queue.Empty:
                return taken

    def estimate(self, question: "m.Estimate") -> None:
        """Asks for a cost; of several questions only the last is answered."""
        self._questions.append(question)

    def submit(self, job: str, order: "Order", pictures: Sequence["Picture"]) -> None:
        """Orders a painting; one that is cancelled before all of it is sent is never ordered."""

        def act(client: "Client") -> None:
            from impasto_protocol.errors import ProtocolError, TimedOutError

            deadline = time.monotonic() + SUBMIT_S
            while job not in self._unwanted and self.is_alive:
                try:
                    client.submit(order, pictures, timeout_s=SUBMIT_TURN_S, job=job)
                except TimedOutError:
                    if time.monotonic() >= deadline:
                        text = f"The layer could not be sent within {SUBMIT_S:g} s; see whether the daemon is busy."
                        self._tell(Refused(job, text))
                        return
                    self._hear(client, 0.0)
                except ProtocolError as error:
                    self._tell(Refused(job, str(error)))
                    return
                else:
                    self._tell(Accepted(job))
                    return

        self._acts.put(act)

    def list_jobs(self) -> None:
        """Asks for `Listed`."""

        def act(client: "Client") -> None:
            report = client.status(timeout_s=CONNECT_S)
            self._tell(Listed(report, tuple(client.jobs(timeout_s=CONNECT_S))))

        self._acts.put(act)

    def follow(self, job: str) -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.follow(job))

    def pause(self, job: str) -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.pause(job))

    def unpause(self, job: str) -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.unpause(job))

    def adjust(self, job: str, adjustment: "Adjustment") -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.adjust(job, adjustment))

    def cancel(self, job: str, *, keep_picture: bool) -> None:
        """See `Client`."""
        if not keep_picture:
            self._unwanted.add(job)
        self._acts.put(lambda client: client.cancel(job, keep_picture=keep_picture))

    def fetch(self, job: str) -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.fetch(job))

    def acknowledge(self, job: str) -> None:
        """See `Client`."""
        self._acts.put(lambda client: client.acknowledge(job))

    def do(self, act: Act) -> None:
        """Does something else with the client, in the thread."""
        self._acts.put(act)

    def tell(self, news: News) -> None:
        """Adds to the news; for what `do` does."""
        self._tell(news)

    def _tell(self, news: News) -> None:
        if isinstance(news, Unreachable) and news.is_final:
            self._has_given_up = True  # before it is told: the thread itself ends a little later
        self._news.put(news)
        self._on_news()

    def _run(self) -> None:
        try:
            client, self._transport = self._open_client()
        except Exception as error:  # whatever is broken in what was installed is told, not lost in a thread
            self._tell(Unreachable(str(error) or type(error).__name__, is_final=True))
            return
        try:
            if self._reach(client):
                while not self._ended.is_set():
                    self._turn(client)
        except Exception as error:  # as above
            self._tell(Unreachable(f"{error} ({type(error).__name__})", is_final=True))
        finally:
            client.close()

    def _turn(self, client: "Client") -> None:
        from impasto_protocol.errors import ProtocolError

        while not self._acts.empty():
            try:
                self._acts.get_nowait()(client)
            except ProtocolError as error:
                self._tell(Unreachable(str(error), is_final=False))
            if self._ended.is_set():
                return
        if self._questions:
            self._answer(client, self._questions.popleft())
        if self._ask_after_daemon_at is not None and time.monotonic() >= self._ask_after_daemon_at:
            self._ask_after(client)
        self._hear(client, TURN_S)

    def _hear(self, client: "Client", timeout_s: float) -> None:
        from impasto_protocol.events import Disconnected
        from impasto_protocol.messages import State

        for event in client.events(timeout_s):
            self._tell(Happened(event))
            if isinstance(event, State) and event.is_final and event.job in self._unwanted:
                client.acknowledge(event.job)
            if isinstance(event, Disconnected):
                self._reach(client)

    def _reach(self, client: "Client") -> bool:
        """Waits for a session, and starts a daemon if there is none."""
        from impasto_protocol.errors import (
            NoDaemonError,
            ProtocolError,
            StaleConnectionError,
            UnsafeConnectionFileError,
            UnsupportedVersionError,
            WrongKeyError,
        )

        while not self._ended.is_set():
            try:
                welcome = client.connect(timeout_s=CONNECT_S)
            except (NoDaemonError, StaleConnectionError) as error:
                if not self._starts_left:
                    self._tell(Unreachable(str(error), is_final=True))
                    return False
                self._starts_left -= 1
                self._tell(Starting())
                try:
                    self._start_daemon()
                except StartError as failed:
                    self._tell(Unreachable(str(failed), is_final=True))
                    return False
            except (UnsafeConnectionFileError, WrongKeyError, UnsupportedVersionError) as error:
                self._tell(Unreachable(str(error), is_final=True))
                return False
            except ProtocolError as error:
                self._tell(Unreachable(str(error), is_final=False))
            else:
                self._tell(Reached(welcome, self._transport))
                self._ask_after_daemon_at = time.monotonic()
                return True
        return False

    def _answer(self, client: "Client", question: "m.Estimate") -> None:
        from impasto_protocol.errors import BusyError, ProtocolError, RefusalError

        try:
            self._tell(Estimated(question, client.estimate(question, timeout_s=ASK_S)))
        except BusyError as error:
            self._tell(NotEstimated(question, str(error), is_final=False))
        except ProtocolError as error:
            self._tell(NotEstimated(question, str(error), is_final=isinstance(error, RefusalError)))

    def _ask_after(self, client: "Client") -> None:
        from impasto_protocol.errors import ProtocolError

        try:
            report = client.status(timeout_s=CONNECT_S)
        except ProtocolError:
            self._ask_after_daemon_at = time.monotonic() + REPORT_S
            return
        self._tell(Reported(report))
        is_ready = not report.device.startswith("unknown")
        self._ask_after_daemon_at = None if is_ready else time.monotonic() + REPORT_S
