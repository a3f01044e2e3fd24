"""`impasto weights`: fetching over bad lines from a server of our own, adding, finding damage, removing."""

import inspect
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from command.bad_line import CONTENT, BadLine, bad_line
from command.calling import DEADLINE_S, Impasto, python
from impasto_engine.errors import NetworkError
from impasto_engine.networks.fetching import fetch_weights
from impasto_engine.networks.published import PUBLISHED, keras_folder
from impasto_engine.networks.soundness import Provenance, provenance_of


@pytest.fixture
def line() -> Iterator[BadLine]:
    with bad_line() as server:
        yield server


@pytest.fixture(autouse=True)
def keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras's folder, empty, and no other."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("IMPASTO_WEIGHTS_DIR", raising=False)
    return keras_folder()


def test_weights_are_fetched_and_progress_is_told(line: BadLine, keras: Path) -> None:
    told: list[tuple[int, int]] = []
    file = fetch_weights("vgg16", line.published, keras, lambda *each: told.append(each))
    assert (file.parent, file.name, file.read_bytes()) == (keras, "vgg16_notop.h5", CONTENT)
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert [each.name for each in keras.iterdir()] == [file.name]


def test_what_is_there_is_not_fetched_again(line: BadLine, keras: Path) -> None:
    fetch_weights("vgg16", line.published, keras)
    fetch_weights("vgg16", line.published, keras)
    assert len(line.asked_from) == 1


def test_a_line_that_breaks_again_and_again_is_taken_up_where_it_broke(line: BadLine, keras: Path) -> None:
    line.breaks_after = 200_000
    assert fetch_weights("vgg16", line.published, keras).read_bytes() == CONTENT
    assert line.asked_from == [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]


def test_a_dead_line_is_given_up_and_the_next_run_goes_on(line: BadLine, keras: Path) -> None:
    part = keras / "vgg16_notop.h5.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1000])
    line.breaks_after = 0
    with pytest.raises(NetworkError, match=r"goes on from 1,000 of 1,048,576 bytes.*'impasto weights add'"):
        fetch_weights("vgg16", line.published, keras)
    line.breaks_after = None
    assert fetch_weights("vgg16", line.published, keras).read_bytes() == CONTENT
    assert set(line.asked_from) == {1000}


def test_a_server_that_knows_no_ranges_sends_all_of_it(line: BadLine, keras: Path) -> None:
    keras.mkdir(parents=True)
    (keras / "vgg16_notop.h5.part").write_bytes(b"x" * 1000)
    line.knows_ranges = False
    assert fetch_weights("vgg16", line.published, keras).read_bytes() == CONTENT


def test_what_is_not_what_was_published_is_not_kept(line: BadLine, keras: Path) -> None:
    line.content = CONTENT[::-1]
    with pytest.raises(NetworkError, match="has not the checksum of vgg16's weights and was deleted"):
        fetch_weights("vgg16", line.published, keras)
    assert list(keras.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(line: BadLine, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(NetworkError, match=r"cannot be kept in '.*a file/models'"):
        fetch_weights("vgg16", line.published, tmp_path / "a file" / "models")


@pytest.mark.parametrize("name", PUBLISHED)
def test_addresses_and_sums_are_those_that_keras_has(name: str) -> None:
    source = inspect.getsource(import_module(f"keras.src.applications.{name.replace('50', '')}"))
    assert f'"{PUBLISHED[name].md5}"' in source
    assert "https://storage.googleapis.com/tensorflow/" in source
    named = "{weights_name}_weights" if name.startswith("resnet") else f"{name}_weights"
    assert f"{named}_tf_dim_ordering_tf_kernels_notop.h5" in source


def test_a_published_file_is_known_and_one_that_is_cut_off_says_how_far_it_came(
    line: BadLine, keras: Path, impasto: Impasto
) -> None:
    keras.mkdir(parents=True)
    file = keras / PUBLISHED["vgg16"].file_name
    file.write_bytes(CONTENT)
    with pytest.raises(
        NetworkError, match=r"cut off at 1,048,576 of 58,889,256 bytes; delete it with 'impasto weights"
    ):
        provenance_of("vgg16", file)
    outcome = impasto("weights", "list", "--json")
    assert outcome.code == 2
    listed = {each["name"]: each for each in outcome.json}
    assert (listed["vgg16"]["state"], listed["lite"]["state"]) == ("damaged", "as published")
    assert str(file) in listed["vgg16"]["trouble"]
    assert listed["vgg19"]["file"] is None
    assert "cut off at" in " ".join(impasto("weights", "list").stdout.split())


@pytest.fixture
def truncated(weights: Path, tmp_path: Path) -> Path:
    file = tmp_path / "vgg16_short_notop.weights.h5"
    file.write_bytes(weights.read_bytes()[:-5000])
    return file


def test_weights_from_a_file_are_checked_kept_and_removed(
    weights: Path, keras: Path, impasto: Impasto, tmp_path: Path
) -> None:
    nameless = tmp_path / "from a stick.weights.h5"
    nameless.write_bytes(weights.read_bytes())
    assert "give --network" in impasto("weights", "add", nameless).stderr
    added = impasto("weights", "add", nameless, "--network", "vgg16")
    assert (added.code, added.stderr) == (0, "")
    (home,) = keras.iterdir()
    assert home.read_bytes() == weights.read_bytes()
    listed = {each["name"]: each for each in impasto("weights", "list", "--json").json}
    assert (listed["vgg16"]["file"], listed["vgg16"]["state"]) == (str(home), Provenance.OWN)
    assert str(home) in impasto("weights", "remove", "vgg16").stdout
    assert list(keras.iterdir()) == []
    assert impasto("weights", "remove", "vgg16").stdout == "The weights of vgg16 are not on this machine.\n"


def test_damaged_weights_are_not_added(truncated: Path, keras: Path, impasto: Impasto) -> None:
    outcome = impasto("weights", "add", truncated)
    assert outcome.code == 2
    assert re.search(r"'.*vgg16_short_notop\.weights\.h5' are damaged", outcome.stderr)
    assert not keras.exists()


def test_the_weights_of_another_network_are_not_added(weights: Path, keras: Path, impasto: Impasto) -> None:
    outcome = impasto("weights", "add", weights, "--network", "vgg19")
    assert outcome.code == 2
    assert "does not hold the weights of vgg19" in outcome.stderr
    assert not keras.exists()


def test_weights_in_a_folder_of_the_users_own_are_left_there(
    weights: Path, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_WEIGHTS_DIR", str(weights.parent))
    assert "stays: it is in a folder of yours" in impasto("weights", "remove", "vgg16").stdout
    assert weights.exists()


def test_listing_weights_does_not_wait_for_keras(impasto: Impasto) -> None:
    code = "import sys; from impasto_daemon.commands import run; run(sys.argv[1:]); print('keras' in sys.modules)"
    with python(code, "weights", "list", "--json") as started:
        out, _ = started.communicate()
    assert json.loads(out.splitlines()[0])
    assert out.splitlines()[-1] == "False"


@pytest.fixture(params=["vgg16", "vgg19"])
def fetched(request: pytest.FixtureRequest, line: BadLine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network whose weights come from the server of our own."""
    name = str(request.param)
    url = f"http://127.0.0.1:{line.server_port}/{PUBLISHED[name].file_name}"
    monkeypatch.setitem(PUBLISHED, name, replace(line.published, url=url))  # type: ignore[arg-type]
    return name


def listed(impasto: Impasto, name: str) -> dict[str, Any]:
    return next(each for each in impasto("weights", "list", "--json").json if each["name"] == name)


def test_the_command_fetches_weights_once_and_says_where_they_are(
    fetched: str, line: BadLine, impasto: Impasto, keras: Path
) -> None:
    file = keras / PUBLISHED[fetched].file_name
    outcome = impasto("weights", "fetch", fetched)
    assert (outcome.code, outcome.stdout) == (0, f"The weights of {fetched} are in {str(file)!r}.\n")
    assert re.search(rf"{fetched} ━+ +1\.0/1\.0 MB", outcome.stderr)
    assert file.read_bytes() == CONTENT
    assert impasto("weights", "fetch", fetched, "--quiet").stderr == ""
    assert line.asked_from == [0]
    assert (listed(impasto, fetched)["state"], listed(impasto, fetched)["file"]) == ("as published", str(file))


def test_the_command_goes_on_with_a_download_that_was_cut(
    fetched: str, line: BadLine, impasto: Impasto, keras: Path
) -> None:
    line.content = CONTENT[:300_000]  # and then the line is dead
    cut = impasto("weights", "fetch", fetched)
    assert cut.code == 2
    assert "it goes on from 300,000 of 1,048,576 bytes" in cut.stderr
    assert listed(impasto, fetched)["state"] == "0 MB of 1 MB fetched; fetch goes on"
    line.content, before = CONTENT, len(line.asked_from)
    assert impasto("weights", "fetch", fetched).code == 0
    assert line.asked_from[before:] == [300_000]
    assert [file.read_bytes() for file in keras.iterdir()] == [CONTENT]


def test_the_command_gives_up_what_a_cut_download_left(
    fetched: str, line: BadLine, impasto: Impasto, keras: Path
) -> None:
    line.content = CONTENT[:300_000]
    impasto("weights", "fetch", fetched)
    assert impasto("weights", "remove", fetched).stdout.endswith(".h5.part'.\n")
    assert list(keras.iterdir()) == []
    assert listed(impasto, fetched)["state"] == "not on this machine"


def test_the_command_keeps_nothing_that_is_not_what_was_published(
    fetched: str, line: BadLine, impasto: Impasto, keras: Path
) -> None:
    line.content = CONTENT[::-1]
    outcome = impasto("weights", "fetch", fetched)
    assert outcome.code == 2
    assert f"has not the checksum of {fetched}'s weights and was deleted" in outcome.stderr
    assert list(keras.iterdir()) == []


def test_weights_that_were_damaged_later_are_named_and_fetched_anew(
    fetched: str, line: BadLine, impasto: Impasto, keras: Path
) -> None:
    impasto("weights", "fetch", fetched)
    (file,) = keras.iterdir()
    for damage, told in ((CONTENT[:-1], "cut off at 1,048,575 of 1,048,576"), (CONTENT[::-1], "has not the checksum")):
        file.write_bytes(damage)
        found = impasto("weights", "list")
        assert found.code == 2
        assert str(file) in found.stdout
        assert told in found.stdout
        assert impasto("weights", "fetch", fetched).code == 0
        assert impasto("weights", "list").code == 0


def test_a_file_from_another_machine_is_added_if_it_is_whole(
    fetched: str, impasto: Impasto, keras: Path, tmp_path: Path
) -> None:
    brought = tmp_path / PUBLISHED[fetched].file_name
    brought.write_bytes(CONTENT[:-1])
    refused = impasto("weights", "add", brought)
    assert refused.code == 2
    assert f"{str(brought)!r} are damaged: the file is cut off at 1,048,575 of 1,048,576 bytes" in refused.stderr
    assert not keras.exists()
    brought.write_bytes(CONTENT)
    assert impasto("weights", "add", brought).code == 0
    assert listed(impasto, fetched)["state"] == "as published"
    assert impasto("weights", "remove", fetched).code == 0
    assert (list(keras.iterdir()), brought.exists()) == ([], True)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudoterminals")
def test_a_terminal_shows_how_far_a_download_is_and_ctrl_c_keeps_it(line: BadLine, keras: Path) -> None:
    import pty

    line.breaks_after, line.holds = 400_000, threading.Event()
    code = (  # a shell that runs tests in the background has them ignore Ctrl-C
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from dataclasses import replace; from impasto_engine.networks.published import PUBLISHED;"
        f"PUBLISHED['vgg16'] = replace(PUBLISHED['vgg16'], url={line.published.url!r}, size_bytes={len(CONTENT)},"
        f" md5={line.published.md5!r}); from impasto_daemon.commands import main; main()"
    )
    ours, theirs = pty.openpty()
    try:
        with python(code, "weights", "fetch", "vgg16", stderr=theirs, stdin=theirs) as fetching:
            shown = b""
            while b"0.4/1.0 MB" not in shown:
                shown += os.read(ours, 4096)
            fetching.send_signal(signal.SIGINT)
            fetching.wait(DEADLINE_S)
    finally:
        line.holds.set()
        os.close(ours)
    assert fetching.returncode == 130
    assert b"B/s" in shown
    (part,) = keras.iterdir()
    assert part.read_bytes() == CONTENT[:400_000]


@pytest.mark.parametrize(("command", "name"), [("fetch", "vgg17"), ("fetch", "lite"), ("remove", "lite")])
def test_a_network_without_weights_of_its_own_is_refused(command: str, name: str, impasto: Impasto) -> None:
    outcome = impasto("weights", command, name)
    assert outcome.code == 2
    assert "choose one of vgg16, vgg19" in outcome.stderr
