"""A daemon in a process of its own, to be killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from impasto_protocol import Client, dial
from protocol.fake_daemon import PATIENCE_S

SCRIPT = Path(__file__).with_name("run_daemon.py")
TESTS = Path(__file__).parent.parent


class DaemonProcess:
    """One daemon after another at the same place.

    Attributes:
        path: The connection file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._processes: list[subprocess.Popen[str]] = []

    @property
    def process(self) -> "subprocess.Popen[str]":
        return self._processes[-1]

    def launch(self) -> "subprocess.Popen[str]":
        """Starts one without waiting for it."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, SCRIPT, self.path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._processes.append(process)
        return process

    def start(self) -> None:
        """Starts one, and waits until it listens."""
        assert self.launch().stdout is not None
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == str(self.process.pid), self.process.stderr

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def client(self) -> Client:
        return Client(lambda: dial(self.path), name="a test", chance=lambda: 0.0)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
