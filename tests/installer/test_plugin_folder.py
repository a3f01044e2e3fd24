"""The plug-in folder: what it holds, that it is renewed and taken for done rightly, and what is left alone."""

import json
import os
from pathlib import Path

import pytest

from impasto_installer.errors import PluginFolderError
from impasto_installer.manifest import MANIFEST_FILE, digest_of, read_manifest
from impasto_installer.plugin_folder import Sources, content_of, find_sources, lay_out
from installer.fake_gimp import small_sources, written

PYTHON = "/opt/impasto/bin/python"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return small_sources(tmp_path / "sources")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "GIMP" / "3.0" / "plug-ins" / "impasto"


def content(sources: Sources, version: str = "1.0", vendored: Path | None = None) -> dict[str, bytes]:
    return content_of(sources, version=version, python=PYTHON, vendored=vendored)


def files_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()}


def test_the_folder_holds_all_that_the_plug_in_needs(sources: Sources, folder: Path) -> None:
    assert lay_out(folder, content(sources), version="1.0").changed
    assert files_in(folder) == {
        "impasto.py",
        "impasto_gimp/__init__.py",
        "impasto_gimp/dialog.py",
        "impasto_protocol/messages/__init__.py",
        "styles/ink.jpg",
        "styles/styles.json",
        "installation.json",
        MANIFEST_FILE,
    }
    assert json.loads((folder / "installation.json").read_text()) == {"version": "1.0", "python": PYTHON}
    assert (folder / "impasto.py").stat().st_mode & 0o777 == 0o755


def test_nothing_in_the_folder_is_a_link(sources: Sources, folder: Path, tmp_path: Path) -> None:
    (sources.styles / "ink.jpg").unlink()
    (sources.styles / "ink.jpg").symlink_to(written(tmp_path / "elsewhere.jpg", "a picture"))
    lay_out(folder, content(sources), version="1.0")
    assert not any(file.is_symlink() for file in folder.rglob("*"))
    assert (folder / "styles" / "ink.jpg").read_text() == "a picture"


def test_the_manifest_names_every_file_with_its_digest(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    manifest = read_manifest(folder)
    assert manifest is not None
    assert set(manifest.files) == files_in(folder) - {MANIFEST_FILE}
    assert all(digest_of((folder / path).read_bytes()) == digest for path, digest in manifest.files.items())


def test_laying_out_the_same_again_touches_nothing(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    before = {path: (folder / path).stat() for path in files_in(folder)}
    assert not lay_out(folder, content(sources), version="1.0").changed
    assert {path: (folder / path).stat() for path in files_in(folder)} == before


def test_a_change_anywhere_renews_the_time_of_the_main_file(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    before_s = int((folder / "impasto.py").stat().st_mtime)
    written(sources.plugin / "dialog.py", "title = 'two'\n")
    assert lay_out(folder, content(sources), version="1.0").changed
    assert int((folder / "impasto.py").stat().st_mtime) > before_s
    assert (folder / "impasto_gimp" / "dialog.py").read_text() == "title = 'two'\n"


def test_a_main_file_that_lost_its_mode_gets_it_back(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    (folder / "impasto.py").chmod(0o644)
    assert lay_out(folder, content(sources), version="1.0").changed
    assert os.access(folder / "impasto.py", os.X_OK)


def test_an_upgrade_removes_what_the_new_version_has_no_more(sources: Sources, folder: Path, tmp_path: Path) -> None:
    vendored = written(tmp_path / "pip" / "zmq" / "__init__.py").parent.parent
    written(tmp_path / "pip" / "bin" / "a-script")
    lay_out(folder, content(sources, vendored=vendored), version="1.0")
    compiled = written(folder / "vendored" / "zmq" / "__pycache__" / "__init__.cpython-313.pyc")
    lay_out(folder, content(sources, version="2.0"), version="2.0")
    assert not compiled.exists()
    assert not (folder / "vendored").exists()
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.version == "2.0"


def test_a_file_of_the_user_stays_in_the_folder(sources: Sources, folder: Path) -> None:
    notes = written(folder / "impasto_gimp" / "my notes.txt", "mine")
    lay_out(folder, content(sources), version="1.0")
    (sources.plugin / "dialog.py").unlink()
    lay_out(folder, content(sources), version="2.0")
    assert notes.read_text() == "mine"


def test_what_the_user_made_of_a_file_of_ours_is_set_aside(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    written(folder / "styles" / "ink.jpg", "my own ink")
    laid = lay_out(folder, content(sources), version="1.0")
    assert (laid.changed, laid.set_aside) == (True, ("styles/ink.jpg.yours",))
    assert (folder / "styles" / "ink.jpg.yours").read_text() == "my own ink"
    assert (folder / "styles" / "ink.jpg").read_text() == "a picture"
    written(folder / "styles" / "ink.jpg", "another")
    (sources.styles / "ink.jpg").unlink()
    assert lay_out(folder, content(sources), version="2.0").set_aside == ("styles/ink.jpg.yours-2",)
    assert (folder / "styles" / "ink.jpg.yours").read_text() == "my own ink"


def test_what_the_user_put_where_a_new_version_has_a_file_is_set_aside(sources: Sources, folder: Path) -> None:
    lay_out(folder, content(sources), version="1.0")
    written(folder / "styles" / "fresco.jpg", "mine")
    written(sources.styles / "fresco.jpg", "ours")
    assert lay_out(folder, content(sources), version="2.0").set_aside == ("styles/fresco.jpg.yours",)
    assert (folder / "styles" / "fresco.jpg.yours").read_text() == "mine"


def test_a_damaged_library_is_no_work_of_the_users(sources: Sources, folder: Path, tmp_path: Path) -> None:
    vendored = written(tmp_path / "pip" / "zmq" / "__init__.py", "a library").parent.parent
    lay_out(folder, content(sources, vendored=vendored), version="1.0")
    written(folder / "vendored" / "zmq" / "__init__.py", "half a li")
    written(folder / "impasto_gimp" / "dialog.py", "")
    assert lay_out(folder, content(sources, vendored=vendored), version="1.0").set_aside == ()
    assert files_in(folder) == {*content(sources, vendored=vendored), MANIFEST_FILE}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": "1", "files": {"../../gimprc": ""}, "folders_made": []}',
        '{"version": "1", "files": {"/etc/passwd": ""}, "folders_made": []}',
        '{"version": "1", "files": {}, "folders_made": ["../../../.."]}',
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(text: str, sources: Sources, folder: Path) -> None:
    written(folder / MANIFEST_FILE, text)
    with pytest.raises(PluginFolderError, match="does not tell which files are Impasto's; delete the folder"):
        lay_out(folder, content(sources), version="1.0")


def test_the_main_file_names_the_editors_python_where_that_stays(sources: Sources) -> None:
    named = content_of(sources, version="1.0", python=PYTHON, editor_python="/usr/bin/python3")
    assert named["impasto.py"] == b"#!/usr/bin/python3\nprint('main')\n"
    assert content(sources)["impasto.py"] == b"#!/usr/bin/env python3\nprint('main')\n"


def test_a_plug_in_without_its_main_file_is_refused(sources: Sources) -> None:
    (sources.plugin / "impasto.py").unlink()
    with pytest.raises(PluginFolderError, match=r"has no 'impasto\.py'"):
        content(sources)


def test_a_folder_that_cannot_be_written_is_named(sources: Sources, folder: Path) -> None:
    written(folder.parent, "a file where the folder of plug-ins should be")
    with pytest.raises(PluginFolderError, match=r"Cannot write .*make the folder writable"):
        lay_out(folder, content(sources), version="1.0")


def test_the_parts_are_found_where_they_are_installed() -> None:
    sources = find_sources()
    styles = json.loads((sources.styles / "styles.json").read_text(encoding="utf-8"))
    assert all((sources.styles / f"{style['name']}.jpg").is_file() for style in styles)
