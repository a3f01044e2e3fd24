"""Running a real GIMP with the plug-in in it, and reading what it says."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gimp.gimp_root import GimpRoot, inside
from impasto_installer.plugin_folder import content_of, find_sources, lay_out
from impasto_protocol import Client, JobState, dial
from impasto_protocol.messages import JobEntry
from impasto_protocol.states import TERMINAL_STATES

RUN_S = 180.0
"""Seconds for one run of GIMP on a busy machine."""

PATIENCE_S = 120.0
"""Seconds for anything else; a machine may be busy, and only a test that fails takes that long."""

LOOK_S = 0.05
"""Seconds between looks at what is waited for."""

COMPLAINTS = re.compile(
    r"Gimp(-Core)?-CRITICAL|GEGL-CRITICAL|LibGimp[A-Za-z]*-CRITICAL|GLib-GObject-CRITICAL|Gtk-CRITICAL"
    r"|\(killing\)|stray image|duplicate mnemonic|Traceback|Plug-in crashed|fatal error|terminated"
)
"""What GIMP must not say."""

INSIDE = Path(__file__).with_name("inside")
"""What scripts that run in GIMP may import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a run.

    Attributes:
        told: What the script wrote down.
        output: Everything that GIMP said.
    """

    told: Any
    output: str

    @property
    def complaints(self) -> list[str]:
        """Lines that must not be there."""
        return [line for line in self.output.splitlines() if COMPLAINTS.search(line)]


class Gimp:
    """A GIMP with a user folder of its own.

    Args:
        root: Where GIMP is.
        shared: A folder of this system that scripts use; it holds everything else that is named here.
        folder: GIMP's user folder.
        environment: For GIMP and the plug-in.
    """

    def __init__(self, root: GimpRoot, shared: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.shared = shared
        self.folder = folder
        self.plugin = folder / "plug-ins" / "impasto"
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(shared / "home"),
            "XDG_CACHE_HOME": str(shared / "cache"),
            "XDG_STATE_HOME": str(shared / "state"),
            "GIMP3_DIRECTORY": str(folder),
            "NO_AT_BRIDGE": "1",
            **environment,
        }

    def warmed(self) -> "Gimp":
        """Lets GIMP fill its user folder."""
        (self.shared / "home").mkdir(exist_ok=True)
        self.run("")
        return self

    def copied(self, folder: Path, **environment: str) -> "Gimp":
        """Another one with a copy of the user folder."""
        shutil.copytree(self.folder, folder)
        return Gimp(self.root, self.shared, folder, {**self.environment, "GIMP3_DIRECTORY": str(folder), **environment})

    def run(self, script: str, *, timeout_s: float = RUN_S) -> Ran:
        """Runs a script in GIMP without windows; `tell(value)` writes down what it returns."""
        process, result = self.launch(script)
        try:
            output, _ = process.communicate(timeout=timeout_s)
        finally:
            process.kill()
        told = json.loads(result.read_text()) if result.exists() else None
        return Ran(told=told, output=output)

    def batch(self, script: str, interpreter: str) -> str:
        """Runs a script as it is, and gives what GIMP said."""
        ran = subprocess.run(  # noqa: S603
            [
                *inside(self.root.path, self.shared, INSIDE),
                *("gimp-console", "-i", "--quit", f"--batch-interpreter={interpreter}", "-b", script),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            timeout=RUN_S,
            check=False,
        )
        return ran.stdout

    def launch(
        self, script: str, *, command: Sequence[str] = ("gimp-console", "-i", "--quit"), display: str | None = None
    ) -> tuple["subprocess.Popen[str]", Path]:
        """Starts GIMP with a script, and says where what it tells will be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self.folder.glob("script-*.py")))
        file, result = self.folder / f"script-{number}.py", self.folder / f"told-{number}.json"
        file.write_text(f"import sys\nsys.path.insert(0, {str(INSIDE)!r})\nfrom scripting import *\n{script}\n")
        batch = f"import os; os.environ['IMPASTO_TOLD'] = {str(result)!r}; exec(open({str(file)!r}).read(), {{}})"
        seen = {"DISPLAY": display, "PYTHONPATH": str(INSIDE)} if display else {}  # see `sitecustomize`
        environment = {**self.environment, **seen}
        process = subprocess.Popen(  # noqa: S603
            [
                *inside(self.root.path, self.shared, INSIDE),
                *command,
                "--batch-interpreter=python-fu-eval",
                "-b",
                batch,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        return process, result


def product_python(root: GimpRoot, folder: Path) -> Path:
    """The Python that has Impasto, as GIMP can call it: in a root, through a door to this system."""
    door = folder / "python"
    path = os.pathsep.join(sys.path)
    leave = "" if root.path is None else "chroot /host "
    door.write_text(f'#!/bin/sh\nPYTHONPATH={path!r} exec {leave}{sys.executable} "$@"\n')
    door.chmod(0o755)
    return door


def plant(gimp: Gimp, python: Path, vendored: Path | None) -> None:
    """Puts the plug-in where GIMP finds it, as the installer does."""
    lay_out(gimp.plugin, content_of(find_sources(), version="0.1.0", python=python, vendored=vendored), version="0.1.0")


def wheels_for(root: GimpRoot, cache: Path) -> Path:
    """pyzmq and msgpack for GIMP's own Python, as wheels; downloaded once."""
    folder = cache / f"wheels-{root.python}"
    if len(list(folder.glob("*.whl"))) < 2:
        _pip("download", "--dest", str(folder), "--python-version", root.python, "pyzmq", "msgpack")
    return folder


def vendored_for(root: GimpRoot, cache: Path) -> Path:
    """The same, unpacked."""
    folder = cache / f"vendored-{root.python}"
    if not (folder / "msgpack").exists():
        from_wheels = ("--no-index", "--find-links", str(wheels_for(root, cache)))
        _pip("install", "--target", str(folder), "--python-version", root.python, *from_wheels, "pyzmq", "msgpack")
    return folder


def _pip(command: str, *arguments: str) -> None:
    quietly = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
    subprocess.run([sys.executable, "-m", "pip", command, *quietly, *arguments], check=True)  # noqa: S603


class Daemon:
    """The real daemon, in a process of its own, with `lite` only.

    Args:
        folder: Where it keeps what it keeps.
    """

    def __init__(self, folder: Path) -> None:
        self.connection = folder / "impasto" / "connection.json"
        self._folder = folder
        (folder / "weights").mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For whoever is to use it, and for itself."""
        return {
            "IMPASTO_CONNECTION": str(self.connection),
            "IMPASTO_WEIGHTS_DIR": str(self._folder / "weights"),
            "KERAS_HOME": str(self._folder / "keras"),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }

    def start(self) -> None:
        """Starts it, and waits until it can be reached."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "impasto_daemon", "daemon", "run"], env=environment, stdout=log, stderr=log
            )
        process = self._process

        def is_there() -> bool:
            assert process.poll() is None, (self._folder / "log").read_text()
            return self.connection.exists() and str(process.pid) in self.connection.read_text()

        until(is_there, "the daemon's start")

    def suspend(self) -> None:
        """Lets it do nothing, until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills it, at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stops it, whoever started it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(RUN_S)
        environment = {**os.environ, **self.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-m", "impasto_daemon", "daemon", "stop"], env=environment, check=False)


def own_daemon(new_gimp: Callable[..., Gimp], shared: Path, tmp_path: Path) -> tuple[Gimp, Daemon]:
    """A GIMP and a daemon of its own, which does not run yet."""
    daemon = Daemon(shared / f"{tmp_path.name}-daemon")
    return new_gimp(**daemon.environment), daemon


@contextmanager
def reached(daemon: Daemon) -> Iterator[Client]:
    """A client of a daemon that runs."""
    with Client(lambda: dial(daemon.connection), name="a test") as client:
        client.connect(timeout_s=PATIENCE_S)
        yield client


def jobs_of(daemon: Daemon) -> list[JobEntry]:
    """All jobs of a daemon that runs: to be out of reach is not to have none."""
    with reached(daemon) as client:
        return client.jobs(timeout_s=PATIENCE_S)


def cancel_all(daemon: Daemon) -> None:
    """Ends every painting of a daemon that others go on using."""
    with reached(daemon) as client:

        def going_on() -> list[JobEntry]:
            return [job for job in client.jobs(timeout_s=PATIENCE_S) if job.state not in TERMINAL_STATES]

        for job in going_on():
            client.follow(job.job)
            client.cancel(job.job)
        until(lambda: not going_on(), "the paintings' end")


def painting_jobs(daemon: Daemon) -> int:
    """How many jobs are being painted."""
    return sum(job.state is JobState.RUNNING for job in jobs_of(daemon))


def until(come_true: Callable[[], Any], what: str | Callable[[], str]) -> Any:
    """Waits, with a deadline, for something to be true, and gives it.

    Args:
        come_true: Looks.
        what: What was waited for, or what tells it when it did not happen.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not (found := come_true()):
        assert time.monotonic() < deadline, f"{what if isinstance(what, str) else what()}: it did not happen"
        time.sleep(LOOK_S)
    return found


def plugin_process(gimp: Gimp) -> int | None:
    """The process of the plug-in that runs a procedure."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(gimp.plugin / "impasto.py").encode() in words:
                return int(entry.name)
    return None
