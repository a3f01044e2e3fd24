"""A real GIMP for the tests: the one that is installed, or a Debian root with one in it, which is built once.

```
python tests/gimp/gimp_root.py         build or find it, and say which it is; with --find, only look
IMPASTO_GIMP_ROOT                      where the root is, or shall be; else in the user's cache folder
IMPASTO_GIMP_SUITE                     which Debian: trixie has GIMP 3.0, forky has GIMP 3.2
```

Building needs root on a Debian-like machine, its apt sources, 1.5 GB, and two minutes.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CACHE", "GimpRoot", "RootError", "build", "find"]

SUITE = os.environ.get("IMPASTO_GIMP_SUITE", "trixie")

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "impasto"
"""The user's own; read when this is imported, because the tests get another one."""

PACKAGES = (
    "gimp gir1.2-gimp-3.0 python3-gi python3-gi-cairo xvfb xauth dbus-x11 xdotool adwaita-icon-theme fonts-dejavu-core"
)

FINISHED = ".impasto-test-root"
"""A file in a root that was built to its end."""

OLDEST = (3, 0)


class RootError(Exception):
    """There is no GIMP to be had; the text tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GimpRoot:
    """Where GIMP is.

    Attributes:
        path: The root of its system; None for this system's own.
        version: Of GIMP.
        python: The version of its Python, such as `3.13`.
    """

    path: Path | None
    version: str
    python: str


def place() -> Path:
    """Where the root is, or shall be."""
    named = os.environ.get("IMPASTO_GIMP_ROOT")
    return Path(named) if named else CACHE / f"gimp-{SUITE}"


def find() -> GimpRoot | None:
    """The GIMP that is there already."""
    root = place()
    if (root / FINISHED).exists() and os.geteuid() == 0:
        return _asked(root)
    if shutil.which("gimp-console") and "IMPASTO_GIMP_SUITE" not in os.environ:
        found = _asked(None)
        if tuple(int(part) for part in found.version.split(".")[:2]) >= OLDEST:
            return found
    return None


def build() -> GimpRoot:
    """A root with GIMP in it.

    Raises:
        RootError: It cannot be built here.
    """
    if os.geteuid() != 0:
        raise RootError("A root with GIMP can be built by root only; install GIMP 3, or run this as root.")
    if not shutil.which("apt-get"):
        raise RootError("A root with GIMP is built with apt-get, which is not here; install GIMP 3.")
    root = place()
    unfinished = root.with_name(f"{root.name}.building")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    if not shutil.which("debootstrap"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap")
    script = f"/usr/share/debootstrap/scripts/{SUITE}"  # an older debootstrap does not know the newest suites
    script = script if Path(script).exists() else "/usr/share/debootstrap/scripts/sid"
    _run("debootstrap", "--variant=minbase", SUITE, str(unfinished), _mirror(), script)
    shutil.copytree("/etc/apt/apt.conf.d", unfinished / "etc/apt/apt.conf.d", dirs_exist_ok=True)
    policy = unfinished / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")  # nothing that is installed may start a service
    policy.chmod(0o755)
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends {PACKAGES}"
    _run(*inside(unfinished), "/bin/sh", "-ec", f"apt-get update -qq; {install}; apt-get clean")
    (unfinished / FINISHED).touch()
    shutil.rmtree(root, ignore_errors=True)
    unfinished.rename(root)
    return _asked(root)


def inside(root: Path | None, *shared: Path) -> list[str]:
    """What to put before a command so that it runs in a root, with folders of this system at the same paths.

    The mounts are in a namespace of the command's own, and gone with it. This whole system is at `/host`.
    """
    if root is None:
        return []
    mounts = [f"mkdir -p {root}/host; mount --rbind / {root}/host; mount --rbind /dev {root}/dev"]
    mounts.append(f"mount --rbind /proc {root}/proc")
    mounts += [f"mkdir -p {root}{folder}; mount --rbind {folder} {root}{folder}" for folder in shared]
    script = f'set -e; {"; ".join(mounts)}; exec chroot {root} "$@"'
    return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh"]


def _asked(root: Path | None) -> GimpRoot:
    gimp = _output(*inside(root), "gimp-console", "--version")
    python = _output(*inside(root), "python3", "--version")
    version = re.search(r"(\d+\.\d+\.\d+)", gimp)
    if version is None:
        raise RootError(f"GIMP does not tell its version: {gimp!r}.")
    return GimpRoot(path=root, version=version[1], python=".".join(python.split()[-1].split(".")[:2]))


def _mirror() -> str:
    """The mirror of Debian that this machine is set up with."""
    told = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian")
    if not told.strip():
        raise RootError("This machine has no Debian mirror among its apt sources; install GIMP 3.")
    return told.split()[0]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise RootError(f"Building the root with GIMP failed: {error}.") from error


def main() -> None:
    """Says which GIMP there is; builds one if there is none, unless told only to look."""
    try:
        found = find()
        if found is None and "--find" in sys.argv:
            print("There is no GIMP 3 here, so the tests in GIMP are skipped; 'make test-gimp' builds one.")
            return
        found = found or build()
    except RootError as error:
        sys.exit(str(error))
    print(f"GIMP {found.version} with Python {found.python}, in {found.path or 'this system'}")


if __name__ == "__main__":
    main()
