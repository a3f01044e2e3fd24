"""Asking and waiting: the synchronous half of a client, within a time that all its requests share."""

from collections.abc import Callable

from impasto_protocol.errors import ConnectionLostError, TimedOutError
from impasto_protocol.messages import Error, Message
from impasto_protocol.requests import Request, Requests

__all__ = ["Asking"]


class Asking:
    """Asks the daemon for as long as there is time.

    Args:
        requests: Where answers arrive.
        turn: Lets one thing happen, or so many seconds pass.
        clock: Gives seconds.
        timeout_s: From now on.
    """

    def __init__(
        self,
        requests: Requests,
        *,
        turn: Callable[[float], object],
        clock: Callable[[], float],
        timeout_s: float,
    ) -> None:
        self._requests = requests
        self._turn = turn
        self._clock = clock
        self._timeout_s = timeout_s
        self._deadline = clock() + timeout_s

    def ask(self, message: Message) -> Message:
        """Asks, over as many connections as it takes, and waits for the answer.

        Raises:
            RefusalError: The daemon refused.
            TimedOutError: Time is over.
        """
        request = Request(message)
        self._requests.add(request)
        return self.wait(request)

    def post(self, message: Message) -> Request:
        """Asks on this connection only, and does not wait."""
        request = Request(message, survives=False)
        self._requests.add(request)
        return request

    def wait(self, request: Request) -> Message:
        """Waits for an answer.

        Raises:
            RefusalError: The daemon refused.
            ConnectionLostError: The connection broke, and the request does not survive that.
            TimedOutError: Time is over.
        """
        while request.answer is None:
            if request.is_lost:
                raise ConnectionLostError("The connection broke before the daemon answered; ask again.")
            left_s = self._deadline - self._clock()
            if left_s <= 0.0:
                self.withdraw(request)
                raise TimedOutError(
                    f"The daemon has not answered within {self._timeout_s:g} s; see whether it is busy or stopped."
                )
            self._turn(left_s)
        if isinstance(request.answer, Error):
            raise request.answer.failure.exception()
        return request.answer

    def withdraw(self, request: Request) -> None:
        """Waits no longer for an answer."""
        self._requests.withdraw(request)
