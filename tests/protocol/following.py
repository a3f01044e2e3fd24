"""Waiting for a client's events, with a deadline."""

import time
from collections.abc import Callable
from typing import Any

from impasto_protocol import Client, JobState, Order, Picture, PixelFormat, State, Style
from protocol.fake_daemon import PATIENCE_S


def until(client: Client, wanted: Callable[[Any], bool], *, patience_s: float = PATIENCE_S) -> list[Any]:
    """All events up to the first that is wanted, which is the last of the list."""
    deadline = time.monotonic() + patience_s
    seen: list[Any] = []
    while time.monotonic() < deadline:
        for event in client.events(0.05):
            seen.append(event)
            if wanted(event):
                return seen
    raise AssertionError(f"What was waited for is not among {len(seen)} events, such as {seen[-5:]}")


def until_a(client: Client, kind: type, **having: Any) -> list[Any]:
    """All events up to the first of a kind with these attributes."""
    return until(
        client,
        lambda event: isinstance(event, kind) and all(getattr(event, name) == is_ for name, is_ in having.items()),
    )


def states(events: list[Any], job: str) -> list[JobState]:
    """The states that a job is said to have entered."""
    return [event.state for event in events if isinstance(event, State) and event.job == job]


def until_it_is_true(client: Client, come_true: Callable[[], bool]) -> None:
    """Lends the client time until something is true elsewhere."""
    deadline = time.monotonic() + PATIENCE_S
    while not come_true():
        assert time.monotonic() < deadline, "It did not come true."
        for _ in client.events(0.02):
            pass


def picture(*, width: int = 8, height: int = 4, seed: int = 0) -> Picture:
    form = PixelFormat(width=width, height=height, channels=3)
    return Picture(format=form, data=bytes((seed + i * 7) % 251 for i in range(form.size_bytes)))


def large_picture(megabytes: int) -> Picture:
    """One whose bytes take several chunks, each unlike the others."""
    form = PixelFormat(width=1024, height=megabytes * 256, channels=4)
    return Picture(format=form, data=b"".join(bytes([i % 256]) * 1024 for i in range(megabytes * 1024)))


CONTENT, STYLE = picture(seed=1), picture(seed=2)
ORDER = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),))


def submitted(client: Client) -> str:
    return client.submit(ORDER, [CONTENT, STYLE], timeout_s=PATIENCE_S)
