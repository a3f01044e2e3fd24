"""What the client is made of, piece by piece."""

import pkgutil
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import impasto_protocol
from impasto_protocol import errors, limits
from impasto_protocol.errors import REFUSALS, RefusalError, UnsupportedVersionError
from impasto_protocol.failures import Failure
from impasto_protocol.inbox import Inbox
from impasto_protocol.link import retry_delay_s
from impasto_protocol.messages import Progress, State
from impasto_protocol.states import JobState
from impasto_protocol.version import PROTOCOL_MAX, PROTOCOL_MIN, agreed_version

JOB, OTHER = "a" * 32, "b" * 32


def progress(job: str, evaluation: int) -> Progress:
    return Progress(
        job=job, evaluation=evaluation, evaluations=9, scale=1, scales=1, width=1, height=1, losses={}, elapsed_s=0.0
    )


@pytest.mark.parametrize("name", impasto_protocol.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    assert getattr(impasto_protocol, name) is not None


def test_the_list_of_names_is_the_list_of_homes() -> None:
    assert set(impasto_protocol.__all__) == set(impasto_protocol._HOME_OF)
    modules = {module.name for module in pkgutil.iter_modules(impasto_protocol.__path__)}
    assert modules.isdisjoint(impasto_protocol.__all__)


def test_importing_the_client_needs_neither_pyzmq_nor_numpy() -> None:
    program = (
        "import sys; sys.modules['zmq'] = None; sys.modules['numpy'] = None; import impasto_protocol as p;"
        "[getattr(p, name) for name in p.__all__];"
        "print(sorted(name for name in sys.modules if name.startswith('impasto_') and '.' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "['impasto_protocol']"


def test_each_code_has_one_exception_class_and_the_drawing_shows_them_all() -> None:
    assert len(REFUSALS) == len(RefusalError.__subclasses__())
    assert errors.__doc__ is not None
    for name in errors.__all__:
        if name != "REFUSALS":
            assert f" {name} " in f" {errors.__doc__} ".replace("\n", " "), name
    for code, kind in REFUSALS.items():
        assert any(kind.__name__ in line and f" {code} " in line for line in errors.__doc__.splitlines())


@pytest.mark.parametrize("kind", REFUSALS.values())
def test_a_refusal_crosses_the_wire_and_stays_what_it_is(kind: type[RefusalError]) -> None:
    error = kind("It is 7; give 8.", field="order.seven", retry_after_s=1.5, log_id="abc")
    back = Failure.of(error).exception()
    assert type(back) is kind
    assert str(back) == "It is 7; give 8."
    assert (back.field, back.retry_after_s, back.log_id) == ("order.seven", 1.5, "abc")
    assert back.retryable == kind.retryable


def test_every_limit_is_offered() -> None:
    assert set(limits.__all__) == {name for name in vars(limits) if name.isupper()}


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_newest_version_that_both_speak_is_agreed_on(one: int, other: int) -> None:
    low, high = sorted((one, other))
    spoken = set(range(PROTOCOL_MIN, PROTOCOL_MAX + 1)) & set(range(low, high + 1))
    if spoken:
        assert agreed_version(low, high) == max(spoken)
    else:
        with pytest.raises(UnsupportedVersionError, match="update the daemon"):
            agreed_version(low, high)


def test_a_client_of_before_the_first_version_is_told_to_be_updated() -> None:
    with pytest.raises(UnsupportedVersionError, match="update the client"):
        agreed_version(0, PROTOCOL_MIN - 1)


@given(st.floats(0.0, 1.0))
def test_delays_grow_to_a_limit_and_are_spread(chance: float) -> None:
    delays = [retry_delay_s(failures, chance) for failures in range(1, 40)]
    assert all(later >= earlier for earlier, later in pairwise(delays))
    assert limits.RETRY_FIRST_S / 2 <= delays[0] <= limits.RETRY_FIRST_S
    assert limits.RETRY_LONGEST_S / 2 <= delays[-1] <= limits.RETRY_LONGEST_S
    assert retry_delay_s(10**9, chance) == delays[-1]


def test_the_inbox_keeps_one_progress_a_job_and_every_state_in_order() -> None:
    inbox = Inbox()
    first, second = (State(job=JOB, seq=seq, state=JobState.QUEUED) for seq in (1, 2))
    inbox.add(first)
    for evaluation in range(100):
        inbox.add_newest(progress(JOB, evaluation), 10)
        inbox.add_newest(progress(OTHER, evaluation), 10)
    inbox.add(second)
    assert len(inbox) == 4
    assert [inbox.next() for _ in range(4)] == [first, progress(JOB, 99), progress(OTHER, 99), second]
    assert inbox.next() is None
    assert inbox.take_credit(2001) == 0
    assert inbox.take_credit(2000) == 2000
    assert inbox.take_credit(1) == 0
