"""Requests that wait for their answer, over however many connections it takes."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from impasto_protocol.errors import MalformedMessageError
from impasto_protocol.failures import Failure
from impasto_protocol.messages import Error, Message
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY

__all__ = ["Request", "Requests"]

OnAnswer: TypeAlias = Callable[[Message], None]
AnyMessage = TypeVar("AnyMessage", bound=Message)


class Request:
    """One request.

    Args:
        message: What is asked.
        on_answer: Called with the answer, which may be `Error`.
        survives: Whether to ask again on the next connection.
    """

    def __init__(self, message: Message, on_answer: OnAnswer | None = None, *, survives: bool = True) -> None:
        self.message = message
        self.survives = survives
        self.answer: Message | None = None
        self.is_lost = False
        self._on_answer = on_answer

    def answered(self, answer: Message) -> None:
        """Takes the answer; one of a type that cannot answer this is taken for a refusal."""
        name = TYPE_NAMES[type(self.message)]
        if not isinstance(answer, (Error, *VOCABULARY[name].answers)):
            text = f"The daemon answered {name} with {TYPE_NAMES[type(answer)]}; update the older of the two."
            answer = Error(failure=Failure.of(MalformedMessageError(text)))
        self.answer = answer
        if self._on_answer is not None:
            self._on_answer(answer)


class Requests:
    """All requests without an answer yet.

    Args:
        send: Sends a message and returns its id; None while there is no session.
    """

    def __init__(self, send: Callable[[Message], int | None]) -> None:
        self._send = send
        self._sent: dict[int, Request] = {}
        self._unsent: list[Request] = []

    def add(self, request: Request) -> None:
        """Asks now, or, if the request survives a break, as soon as there is a session."""
        message_id = self._send(request.message)
        if message_id is not None:
            self._sent[message_id] = request
        elif request.survives:
            self._unsent.append(request)
        else:
            request.is_lost = True

    def withdraw(self, request: Request) -> None:
        """Waits no longer for an answer."""
        self._sent = {message_id: one for message_id, one in self._sent.items() if one is not request}
        self._unsent = [one for one in self._unsent if one is not request]

    def abandon(self, job: str, kind: type[Message]) -> None:
        """Asks nothing of one type about a job any more; what is on its way is answered all the same."""

        def is_about_it(request: Request) -> bool:
            return isinstance(request.message, kind) and getattr(request.message, "job", None) == job

        self._unsent = [one for one in self._unsent if not is_about_it(one)]
        for request in filter(is_about_it, self._sent.values()):
            request.survives = False

    def unanswered(self, kind: type[AnyMessage]) -> list[AnyMessage]:
        """What is asked of one type, abandoned or not."""
        asked = [request.message for request in [*self._sent.values(), *self._unsent]]
        return [message for message in asked if isinstance(message, kind)]

    def answer(self, message_id: int, answer: Message) -> bool:
        """Passes an answer on; says whether anyone waited for it."""
        request = self._sent.pop(message_id, None)
        if request is not None:
            request.answered(answer)
        return request is not None

    def lose(self) -> None:
        """The connection broke: what survives is kept for the next one."""
        for request in self._sent.values():
            request.is_lost = not request.survives
        self._unsent = [request for request in self._sent.values() if request.survives] + self._unsent
        self._sent = {}

    def ask_again(self) -> None:
        """A session stands: asks everything that has not been asked on this connection."""
        waiting, self._unsent = self._unsent, []
        for request in waiting:
            self.add(request)
