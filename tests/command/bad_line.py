"""A server of weights on this machine, over a line that is as bad as it is told to be."""

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from impasto_engine.networks.published import Published

__all__ = ["CONTENT", "BadLine", "bad_line"]

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class BadLine(http.server.ThreadingHTTPServer):
    """Serves `CONTENT`, as badly as it is told to.

    Attributes:
        breaks_after: Bytes after which each connection breaks; None for none.
        holds: What a connection waits for before it breaks; None for nothing.
        knows_ranges: Whether it heeds a Range header.
        content: What it serves.
        asked_from: The first byte that each request asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.breaks_after: int | None = None
        self.holds: threading.Event | None = None
        self.knows_ranges = True
        self.content = CONTENT
        self.asked_from: list[int] = []

    @property
    def published(self) -> Published:
        url = f"http://127.0.0.1:{self.server_port}/vgg16_notop.h5"
        return Published(url=url, size_bytes=len(CONTENT), md5=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest())


class Answering(http.server.BaseHTTPRequestHandler):
    server: BadLine

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(asked[1]) if asked and self.server.knows_ranges else 0
        self.server.asked_from.append(int(asked[1]) if asked else 0)
        content = self.server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.breaks_after])
        if self.server.holds is not None:
            self.server.holds.wait()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def bad_line() -> Iterator[BadLine]:
    """Such a server, for as long as it is needed."""
    with BadLine() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
