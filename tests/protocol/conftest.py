"""A fake daemon and a client of it, for each test that asks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto_protocol.client import Client
from impasto_protocol.transport import dial
from protocol.fake_daemon import FakeDaemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    fake = FakeDaemon(tmp_path / "impasto" / "connection.json")
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def new_client(daemon: FakeDaemon) -> Iterator[Callable[..., Client]]:
    clients = []

    def make(**options: Any) -> Client:
        client = Client(lambda: dial(daemon.path), name="a test", chance=lambda: 0.0, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(new_client: Callable[..., Client]) -> Client:
    connected = new_client()
    connected.connect(timeout_s=10.0)
    return connected
