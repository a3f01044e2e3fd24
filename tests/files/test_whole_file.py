"""A file is replaced as a whole or not at all, and whether it can be is known beforehand."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto_engine.errors import PictureError
from impasto_engine.files.picture_file import check_writable
from impasto_engine.files.whole_file import check_replaceable, read_whole_file, replace_file


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_then_replaced(tmp_path: Path) -> None:
    for data in (b"first", b"second and longer", b""):
        replace_file(tmp_path / "file", data)
        assert (tmp_path / "file").read_bytes() == data
    assert names(tmp_path) == ["file"]


def test_when_the_disk_is_full_nothing_has_changed(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(b"old")
    for name in ("old.png", "new.png"):
        with pytest.raises(PictureError, match=r"Cannot write '.*': the disk is full; free some space"):
            replace_file(tmp_path / name, b"new" * 1000, sync=full_disk)
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert names(tmp_path) == ["old.png"]


def test_when_the_system_stops_the_writing_nothing_has_changed(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    (tmp_path / "old.png").write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(PictureError, match="the file is larger than the disk allows"):
            replace_file(tmp_path / "old.png", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert names(tmp_path) == ["old.png"]


def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "new.png", b"new", sync=interrupted)
    assert names(tmp_path) == []


def test_the_file_is_on_the_disk_before_it_takes_its_name(tmp_path: Path) -> None:
    seen = []

    def look(descriptor: int) -> None:
        os.fsync(descriptor)
        seen.append((os.fstat(descriptor).st_size, (tmp_path / "file").exists()))

    replace_file(tmp_path / "file", b"12345", sync=look)
    assert seen == [(5, False)]


@pytest.mark.usefixtures("usual_umask")
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"data")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


@pytest.mark.usefixtures("usual_umask")
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "private").write_bytes(b"")
    (tmp_path / "private").chmod(0o600)
    replace_file(tmp_path / "private", b"data")
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    replace_file(tmp_path / "link", b"data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"data"


@pytest.mark.parametrize("act", [check_replaceable, lambda path: replace_file(path, b"data")], ids=["check", "write"])
def test_what_cannot_be_written_is_refused_with_a_remedy(tmp_path: Path, act: object) -> None:
    assert callable(act)
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refusals = {
        tmp_path / "missing" / "a.png": "the folder does not exist; create it or choose another",
        tmp_path / "file" / "a.png": "the folder does not exist; create it or choose another",
        tmp_path: "it is a folder; add a file name to it",
        tmp_path / "nul\0l": "its name has a character that names cannot have; choose another name",
        tmp_path / ("n" * 300): "its name is too long; choose a shorter one",
    }
    for path, reason in refusals.items():
        with pytest.raises(PictureError) as caught:
            act(path)
        assert str(caught.value) == f"Cannot write {str(path)!r}: {reason}."
    assert names(tmp_path) == ["file", "loop"]


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="there is no folder here that even root cannot write to")
def test_a_folder_that_refuses_new_files_is_found_out_beforehand() -> None:
    with pytest.raises(PictureError, match=r"Cannot write '/proc/impasto\.png': .*; "):
        check_writable("/proc/impasto.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="it is a device and not a file"):
        check_writable(tmp_path / "pipe.png")


def test_checking_leaves_nothing_behind_and_touches_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.png")
    assert names(tmp_path) == []
    (tmp_path / "old.JPG").write_bytes(b"old")
    before = (tmp_path / "old.JPG").stat()
    check_writable(str(tmp_path / "old.JPG"))
    assert (tmp_path / "old.JPG").read_bytes() == b"old"
    assert (tmp_path / "old.JPG").stat().st_mtime_ns == before.st_mtime_ns
    assert names(tmp_path) == ["old.JPG"]


def test_a_folder_with_a_pictures_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PictureError, match="it is a folder; add a file name to it"):
        check_writable(tmp_path / "folder.png")


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 10)
    assert read_whole_file(tmp_path / "file") == bytes(range(256)) * 10
