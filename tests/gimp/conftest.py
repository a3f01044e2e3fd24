"""One GIMP that is warm, one daemon, and for each test a GIMP with a user folder of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gimp.gimp_root import CACHE, GimpRoot, find
from gimp.running import Daemon, Gimp, cancel_all, plant, product_python, vendored_for
from gimp.screen import Screen, screen
from gimp.shown import Shown

REQUIRED = "IMPASTO_REQUIRE_GIMP"
"""The environment variable that makes it an error, rather than a reason to skip, that there is no GIMP."""


@pytest.fixture(scope="session")
def root() -> GimpRoot:
    found = find()
    if found is None:
        why = "there is no GIMP 3 here; 'make test-gimp' builds one"
        if os.environ.get(REQUIRED):
            pytest.fail(why)
        pytest.skip(why)
    return found


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that GIMP sees at the same path."""
    return tmp_path_factory.mktemp("gimp")


@pytest.fixture(scope="session")
def daemon(shared: Path, root: GimpRoot) -> Iterator[Daemon]:
    """The daemon that all tests share, but for those that are unkind to it."""
    serving = Daemon(shared / "daemon")
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture(scope="session")
def warm(root: GimpRoot, shared: Path, daemon: Daemon) -> Gimp:
    vendored = vendored_for(root, CACHE)
    gimp = Gimp(root, shared, shared / "warm", daemon.environment)
    plant(gimp, product_python(root, shared), vendored)
    return gimp.warmed()


@pytest.fixture
def new_gimp(warm: Gimp, shared: Path, tmp_path: Path) -> Callable[..., Gimp]:
    """Makes GIMPs with user folders of their own."""
    made: list[Gimp] = []

    def make(**environment: str) -> Gimp:
        made.append(warm.copied(shared / f"{tmp_path.name}-{len(made)}", **environment))
        return made[-1]

    return make


@pytest.fixture
def gimp(new_gimp: Callable[..., Gimp]) -> Gimp:
    return new_gimp()


@pytest.fixture(scope="session")
def on_screen(warm: Gimp) -> Iterator[Screen]:
    with screen(warm) as made:
        yield made


@pytest.fixture
def show(on_screen: Screen, daemon: Daemon) -> Iterator[Callable[[Gimp, str], Shown]]:
    """Runs a script in a GIMP with windows; the daemon that all share paints nothing for one that is gone."""
    made: list[Shown] = []

    def make(gimp: Gimp, script: str) -> Shown:
        made.append(Shown(gimp, on_screen, script))
        return made[-1]

    yield make
    for each in made:
        print(each.ended())
    cancel_all(daemon)
