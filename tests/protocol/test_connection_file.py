"""The connection file: written at once and in private, read with suspicion."""

import json
import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from impasto_protocol import Connection, connection_path, read_connection, write_connection
from impasto_protocol.errors import ConnectionFileError, NoDaemonError, UnsafeConnectionFileError
from impasto_protocol.limits import MAX_CONNECTION_FILE_BYTES
from impasto_protocol.transport import new_key_pair

SERVER_KEY, _ = new_key_pair()
PUBLIC, SECRET = new_key_pair()
CONNECTION = Connection(
    endpoint="tcp://127.0.0.1:54321",
    server_key=SERVER_KEY,
    client_public_key=PUBLIC,
    client_secret_key=SECRET,
    pid=4321,
    protocol_min=1,
    protocol_max=1,
    daemon="impasto 0.1.0",
)

unix = pytest.mark.skipif(sys.platform == "win32", reason="permissions are access lists there")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "impasto" / "connection.json"
    write_connection(CONNECTION, path)
    return path


def test_what_is_written_is_read(path: Path) -> None:
    assert read_connection(path) == CONNECTION


@unix
def test_only_its_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "a" / "b" / "connection.json"
        write_connection(CONNECTION, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_is_replaced_in_one_step_and_leaves_nothing_behind(path: Path) -> None:
    before = path.stat().st_ino
    write_connection(CONNECTION, path)
    assert path.stat().st_ino != before
    assert [one.name for one in path.parent.iterdir()] == ["connection.json"]


def test_the_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(CONNECTION)


def test_a_missing_file_means_that_no_daemon_runs(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match=r"No daemon is running.*impasto daemon start"):
        read_connection(tmp_path / "connection.json")


@unix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660, 0o777])
def test_a_loosened_file_is_refused_with_the_remedy(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(UnsafeConnectionFileError, match=f"mode {mode:o}.*restart the daemon"):
        read_connection(path)


@unix
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_another_users_file_is_refused(path: Path) -> None:
    os.chown(path, 12345, -1)
    with pytest.raises(UnsafeConnectionFileError, match="belongs to user 12345"):
        read_connection(path)


@unix
def test_a_link_a_pipe_and_a_folder_are_refused(path: Path) -> None:
    link, pipe = path.with_name("link"), path.with_name("pipe")
    link.symlink_to(path)
    os.mkfifo(pipe, 0o600)
    for other in (link, pipe, path.parent):
        with pytest.raises(UnsafeConnectionFileError):
            read_connection(other)


@unix
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(UnsafeConnectionFileError, match="chmod go-w"):
        write_connection(CONNECTION, folder / "connection.json")
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConnectionFileError, match="IMPASTO_CONNECTION"):
        write_connection(CONNECTION, tmp_path / "file" / "connection.json")


GARBAGE = {
    "empty": b"",
    "half written": json.dumps(asdict(CONNECTION)).encode()[:150],
    "no JSON": b"\x00\xff\x00",
    "an array": b"[]",
    "nested": b"[" * 10_000,
    "too long": json.dumps(asdict(CONNECTION)).encode() + b" " * MAX_CONNECTION_FILE_BYTES,
    "a key missing": json.dumps({**asdict(CONNECTION), "server_key": None}).encode(),
    "a key that is none": json.dumps({**asdict(CONNECTION), "server_key": "x"}).encode(),
    "a path for an endpoint": json.dumps({**asdict(CONNECTION), "endpoint": "ipc:///tmp/x"}).encode(),
    "a pid that is none": json.dumps({**asdict(CONNECTION), "pid": -1}).encode(),
    "a pid that is a text": json.dumps({**asdict(CONNECTION), "pid": "4321"}).encode(),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_with_the_remedy(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ConnectionFileError, match=r"is no connection file .*; remove it and start") as refused:
        read_connection(path)
    assert SECRET not in str(refused.value)


def test_fields_of_later_versions_are_ignored(path: Path) -> None:
    path.write_text(json.dumps({**asdict(CONNECTION), "colour": "blue"}))
    assert read_connection(path) == CONNECTION


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folders are others there")
def test_it_is_where_a_flatpak_and_the_host_both_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("IMPASTO_CONNECTION", "XDG_STATE_HOME", "HOST_XDG_STATE_HOME", "FLATPAK_ID"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".local" / "state" / "impasto" / "connection.json"
    assert connection_path() == usual
    monkeypatch.setenv("FLATPAK_ID", "org.gimp.GIMP")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "sandbox"))
    assert connection_path() == usual
    monkeypatch.setenv("HOST_XDG_STATE_HOME", str(tmp_path / "state"))
    assert connection_path() == tmp_path / "state" / "impasto" / "connection.json"
    monkeypatch.setenv("IMPASTO_CONNECTION", str(tmp_path / "mine.json"))
    assert connection_path() == tmp_path / "mine.json"
