"""A system with a systemd of its own, in which users log in: this machine's root, with an overlay that takes what is
written, in namespaces of its own.

Nothing outside of the overlay is changed, but for a group of processes that is gone with it. It needs root, a kernel
with overlays, a cgroup2 file system that can be written to, and the packages of Debian's that are named in `PROGRAMS`.
"""

import itertools
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Box", "User", "booted", "what_is_missing"]

PROGRAMS = {
    "/lib/systemd/systemd": "systemd",
    "/lib/systemd/systemd-logind": "systemd",
    "/usr/bin/dbus-daemon": "dbus",
    "/usr/lib/systemd/user/dbus.socket": "dbus-user-session",
    "/usr/bin/nsenter": "util-linux",
    "/usr/bin/unshare": "util-linux",
    "/usr/sbin/pivot_root": "util-linux",
    "/usr/sbin/useradd": "passwd",
}

NAMESPACES = ("--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--net", "--kill-child")

BOOT_S, LOGIN_S, LOGOUT_S = 60.0, 90.0, 20.0
"""Seconds to wait; two, one, and two are usual."""

POLL_S = 0.05

REPOSITORY = Path(__file__).parents[2]

SOURCES = [REPOSITORY / folder for folder in ("plugin", "daemon", "shared", "installer")]

SETTING_UP = r"""
mount -t tmpfs tmpfs "$BOX"
mkdir "$BOX/upper" "$BOX/work" "$BOX/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$BOX/upper,workdir=$BOX/work" "$BOX/root"
for folder in "$@"; do
    mkdir -p "$BOX/root$folder"
    mount --rbind "$folder" "$BOX/root$folder"
    while folder=$(dirname "$folder"); [ "$folder" != / ]; do chmod o+x "$BOX/root$folder"; done
done
cd "$BOX/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
units=etc/systemd/system
mkdir -p $units etc/systemd/logind.conf.d
for unit in tmp.mount systemd-tmpfiles-setup.service; do ln -sf /dev/null $units/$unit; done
needed="basic.target dbus.service systemd-logind.service systemd-user-sessions.service"
printf '[Unit]\nRequires=%s\nAfter=%s\n' "$needed" "$needed" > $units/box.target
printf '[Login]\nUserStopDelaySec=0\n' > etc/systemd/logind.conf.d/box.conf
mkdir old
pivot_root . old
umount -l /old
exec /lib/systemd/systemd --unit=box.target
"""


def what_is_missing() -> str | None:
    """Why there can be no such system here; None where there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can boot a systemd of its own"
    for program, package in PROGRAMS.items():
        if not Path(program).exists():
            return f"{program} is not here (Debian's package {package})"
    if not list(Path("/lib").glob("*/security/pam_systemd.so")):
        return "pam_systemd.so is not here (Debian's package libpam-systemd)"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlays"
    if subprocess.run(["/usr/bin/unshare", *NAMESPACES, "true"], capture_output=True, check=False).returncode:  # noqa: S603
        return "this root may not make namespaces, as in a container without privileges"
    groups = _groups()
    if groups is None or not os.access(groups, os.W_OK):
        return "there is no cgroup2 file system that can be written to"
    return None


class User:
    """Somebody who logs in.

    Args:
        box: Where.
        name: The user's.
    """

    def __init__(self, box: "Box", name: str) -> None:
        self._box = box
        self.name = name
        self.home = Path("/home") / name

    def logs_in(self, script: str) -> subprocess.CompletedProcess[str]:
        """Logs in, as `su -` has it, which starts the user's systemd, does as the script says, and logs out again.

        When this returns, the user's systemd and all that it started have ended, unless it lingers.
        """
        login = self._does("su", "-", self.name, "-c", script)
        deadline = time.monotonic() + LOGOUT_S
        while not self._lingers() and self._box.does("pgrep", "--uid", self.name, "systemd").returncode == 0:
            assert time.monotonic() < deadline, "the user's systemd did not end with the session"
            time.sleep(POLL_S)
        return login

    def _lingers(self) -> bool:
        return self._box.does("test", "-e", f"/var/lib/systemd/linger/{self.name}").returncode == 0

    def does_without_a_session(self, script: str) -> subprocess.CompletedProcess[str]:
        """Does as the script says, as a user for whom no systemd runs."""
        without = ("setpriv", f"--reuid={self.name}", f"--regid={self.name}", "--clear-groups")
        return self._does(*without, "env", f"HOME={self.home}", "bash", "-c", script)

    def _does(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in a group of processes of its own, which would put in variables by itself."""
        words = (word.replace("$", "$$") for word in command)
        return self._box.does("systemd-run", "--quiet", "--pipe", "--wait", *words)


class Box:
    """The system that was booted.

    Args:
        init: Its first process.
    """

    def __init__(self, init: int) -> None:
        self._init = init
        self._numbers = itertools.count(1)

    def does(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Has root run a command."""
        inside = [
            "nsenter",
            "--target",
            str(self._init),
            "--all",
            "--root",
            "--wd",
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin",
        ]
        return subprocess.run(  # noqa: S603
            [*inside, *map(str, command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LOGIN_S,
            check=False,
        )

    def gets_impasto(self, folder: str) -> None:
        """Puts Impasto into an environment of its own in a folder, as pipx would, with its `bin/impasto`."""
        quoted = shlex.quote(folder)
        sources = "\n".join(map(str, [*SOURCES, *(path for path in sys.path if path.endswith("site-packages"))]))
        packages = f"{quoted}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        script = f"""set -e
            {sys.executable} -m venv --without-pip {quoted}
            echo {shlex.quote(sources)} > {packages}/impasto.pth
            printf '#!/bin/sh\\nexec "$(dirname "$0")/python" -m impasto_daemon "$@"\\n' > {quoted}/bin/impasto
            chmod +x {quoted}/bin/impasto"""
        made = self.does("bash", "-c", script)
        assert made.returncode == 0, made.stderr

    def has_a_new_user(self) -> User:
        """Makes one."""
        name = f"ada{next(self._numbers)}"
        made = self.does("useradd", "--create-home", "--shell", "/bin/bash", name)
        assert made.returncode == 0, made.stderr
        return User(self, name)

    def is_up(self) -> bool:
        """Whether it has started all that it shall."""
        return self.does("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}


@contextmanager
def booted(folder: Path) -> Iterator[Box]:
    """Boots one; it is gone with the block.

    Args:
        folder: An empty one.
    """
    groups = _groups()
    assert groups is not None
    group = groups / f"impasto-{secrets.token_hex(4)}"
    group.mkdir()
    enter = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    shown = {str(path) for path in (REPOSITORY, sys.prefix, sys.base_prefix)}
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", enter, "sh", "unshare", *NAMESPACES, "sh", "-euc", SETTING_UP, "sh", *sorted(shown)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"], "container": "impasto", "BOX": str(folder)},
        )
    try:
        yield _up(started, folder / "log")
    finally:
        started.kill()
        started.wait()
        _forget(group)


def _up(started: "subprocess.Popen[bytes]", log: Path) -> Box:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and started.poll() is None:
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
        for init in map(int, children):
            if Path(f"/proc/{init}/comm").read_text().strip() == "systemd" and (box := Box(init)).is_up():
                return box
        time.sleep(POLL_S)
    raise AssertionError(f"The system does not start: {log.read_text(errors='replace')[-2000:]}")


def _groups() -> Path | None:
    """Where the groups of processes are."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(line[1]) for line in lines if line[2] == "cgroup2"), None)


def _forget(group: Path) -> None:
    deadline = time.monotonic() + LOGOUT_S
    while group.exists() and time.monotonic() < deadline:
        for folder in [*sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True), group]:
            with suppress(OSError):  # its processes are about to end
                folder.rmdir()
        time.sleep(POLL_S)
