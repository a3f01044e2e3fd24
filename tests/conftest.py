"""What every test gets: a cache folder of its own, and silence from TensorFlow's start."""

import os

import hypothesis
import pytest

# A test machine may be busy: how long an example takes says nothing.
hypothesis.settings.register_profile("impasto", deadline=None)
hypothesis.settings.load_profile("impasto")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(autouse=True, scope="session")
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps what the engine remembers about the machine out of the user's cache folder."""
    folder = str(tmp_path_factory.mktemp("cache"))
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        os.environ[variable] = folder
