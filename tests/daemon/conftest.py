"""A server with a fake painter, and clients of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_protocol import Client


@pytest.fixture
def painter() -> FakePainter:
    return FakePainter()


@pytest.fixture
def serving(tmp_path: Path, painter: FakePainter) -> Iterator[Serving]:
    server = Serving(tmp_path / "impasto" / "connection.json", painter)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_client(serving: Serving) -> Iterator[Callable[..., Client]]:
    clients = []

    def make(**options: Any) -> Client:
        client = serving.client(**options)
        clients.append(client)
        client.connect(timeout_s=10.0)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(new_client: Callable[..., Client]) -> Client:
    return new_client()
