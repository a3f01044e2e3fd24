"""The names that the engine offers, and what importing them costs."""

import pkgutil
import subprocess
import sys

import pytest

import impasto_engine


@pytest.mark.parametrize("name", impasto_engine.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    assert getattr(impasto_engine, name).__class__ is not None


def test_a_name_that_is_not_offered_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pant'"):
        _ = impasto_engine.pant


def test_no_module_hides_a_function_of_its_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(impasto_engine.__path__)}
    assert modules.isdisjoint(impasto_engine.__all__)


def test_reading_pictures_and_checking_settings_wait_for_no_backend() -> None:
    program = (
        "import sys; from impasto_engine import Settings, read_picture, available; available();"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
