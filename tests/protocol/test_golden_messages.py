"""The bytes of version 1 stay what they are."""

import os
import subprocess
import sys

import pytest

from impasto_protocol import JobState, decode, encode
from impasto_protocol import messages as m
from impasto_protocol.errors import RefusalError, UnknownTypeError, UnsupportedVersionError
from impasto_protocol.version import agreed_version
from impasto_protocol.vocabulary import TYPE_NAMES, VOCABULARY
from vectors.golden import FOLDER, JOB, LATER, MESSAGE_ID, MESSAGES, REPLY_TO, files, unpacked


def later(name: str) -> m.Message:
    return decode(unpacked((FOLDER / "later" / f"{name}.bin").read_bytes())).message


@pytest.mark.parametrize("name", MESSAGES)
def test_golden_bytes_are_read_as_what_they_mean_and_written_as_they_are(name: str) -> None:
    frames = unpacked((FOLDER / f"{name}.bin").read_bytes())
    envelope = decode(frames)
    assert envelope.message == MESSAGES[name]
    assert (envelope.id, envelope.reply_to) == (MESSAGE_ID, REPLY_TO)
    assert encode(envelope.message, message_id=MESSAGE_ID, reply_to=REPLY_TO) == frames


def test_every_type_has_a_golden_message() -> None:
    assert {TYPE_NAMES[type(message)] for message in MESSAGES.values()} == set(VOCABULARY)
    assert all(name.partition("-")[0] == TYPE_NAMES[type(message)] for name, message in MESSAGES.items())


def test_the_files_are_those_the_script_makes() -> None:
    assert {path: path.read_bytes() for path in FOLDER.rglob("*.bin")} == files()


def test_what_a_later_version_adds_is_passed_over() -> None:
    assert later("STATE-with-more") == m.State(job=JOB, seq=2, state=JobState.STARTING)


def test_what_a_later_version_alone_speaks_is_refused_with_the_remedy() -> None:
    hello = later("HELLO-of-version-2")
    assert isinstance(hello, m.Hello)
    with pytest.raises(UnsupportedVersionError, match=r"speaks protocol 2 to 3 .* update the daemon"):
        agreed_version(hello.protocol_min, hello.protocol_max)


def test_a_type_of_a_later_version_is_told_apart_from_rubbish() -> None:
    with pytest.raises(UnknownTypeError, match="WEATHER"):
        later("an-unknown-type")


def test_a_code_of_a_later_version_is_a_refusal() -> None:
    error = later("ERROR-of-an-unknown-code")
    assert isinstance(error, m.Error)
    refusal = error.failure.exception()
    assert type(refusal) is RefusalError
    assert refusal.retryable


def test_there_are_messages_of_a_later_version() -> None:
    assert {path.stem for path in (FOLDER / "later").iterdir()} == set(LATER)


def test_golden_bytes_are_read_where_msgpack_is_not_compiled() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import msgpack, msgpack.fallback;"
        "assert msgpack.Unpacker is msgpack.fallback.Unpacker;"
        "from vectors.golden import FOLDER, MESSAGES, unpacked; from impasto_protocol import decode, RefusalError;"
        "print(all(decode(unpacked((FOLDER / f'{n}.bin').read_bytes())).message == MESSAGES[n] for n in MESSAGES))\n"
        "try: decode([b'IMP1', b'\\x91' * 60_000 + b'\\xc0'])\n"
        "except RefusalError: print('refused')"
    )
    environment = {**os.environ, "MSGPACK_PUREPYTHON": "1"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, str(FOLDER.parent)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.split() == ["True", "refused"]
