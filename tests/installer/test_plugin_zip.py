"""The plug-in as a zip, and how a plug-in that was unpacked by hand finds Impasto."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from impasto_gimp.whereabouts import find_product
from impasto_installer.doctor.check import Status
from impasto_installer.doctor.editor_checks import check_unseen_folder
from impasto_installer.installing import Product
from impasto_installer.plugin_zip import write_plugin_zip
from impasto_installer.uninstalling import uninstall
from installer.fake_gimp import written

RELEASED_S = 1767323044.0
"""2026-01-02, 03:04:04."""


@pytest.fixture
def archive(product: Product, tmp_path: Path) -> Path:
    return write_plugin_zip(tmp_path / "dist", product.sources, "1.0", time_s=RELEASED_S)


def test_what_is_unpacked_is_what_the_doctor_calls_whole(archive: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "GIMP" / "3.0" / "plug-ins"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(plugins)
        modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
    assert archive.name == "impasto-1.0-gimp-plug-in.zip"
    assert [name for name, mode in modes.items() if mode & 0o111] == ["impasto/impasto.py"]
    (plugins / "impasto" / "impasto.py").chmod(modes["impasto/impasto.py"])
    assert check_unseen_folder(plugins.parent, "1.0")[1].status is Status.OK
    assert json.loads((plugins / "impasto" / "installation.json").read_text()) == {"version": "1.0", "python": None}
    assert uninstall(plugins / "impasto") == ()
    assert list(plugins.iterdir()) == []


def test_the_same_release_is_the_same_zip_and_the_next_has_another_time(archive: Path, product: Product) -> None:
    def packed(time_s: float) -> bytes:
        return write_plugin_zip(archive.parent, product.sources, "1.0", time_s=time_s).read_bytes()

    assert packed(RELEASED_S) == archive.read_bytes()
    assert packed(RELEASED_S + 3600.0) != packed(RELEASED_S)
    with zipfile.ZipFile(archive) as opened:
        assert opened.getinfo("impasto/impasto.py").date_time == (2026, 1, 2, 3, 4, 4)


def test_unzip_keeps_the_main_file_executable(archive: Path, tmp_path: Path) -> None:
    unzip = shutil.which("unzip")
    if unzip is None:
        pytest.skip("there is no unzip here")
    subprocess.run([unzip, "-q", str(archive), "-d", str(tmp_path / "out")], check=True)  # noqa: S603
    assert (tmp_path / "out" / "impasto" / "impasto.py").stat().st_mode & 0o111


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment with Impasto in it."""
    root = tmp_path / "venv"
    written(root / "pyvenv.cfg")
    written(root / "bin" / "python").chmod(0o755)
    written(root / "bin" / "impasto", f"#!{root}/bin/python\n").chmod(0o755)
    return root


def test_impasto_is_found_on_path(environment: Path, tmp_path: Path) -> None:
    assert find_product({"PATH": str(environment / "bin")}, tmp_path) == str(environment / "bin" / "python")


def test_impasto_is_found_where_pipx_and_uv_link_it(environment: Path, tmp_path: Path) -> None:
    commands = tmp_path / "home" / ".local" / "bin"
    commands.mkdir(parents=True)
    (commands / "impasto").symlink_to(environment / "bin" / "impasto")
    assert find_product({"PATH": "/usr/bin"}, tmp_path / "home") == str(environment / "bin" / "python")


def test_impasto_is_found_by_the_python_that_its_command_names(environment: Path, tmp_path: Path) -> None:
    command = written(tmp_path / "home" / "bin" / "impasto", f"#!{environment}/bin/python\n")
    command.chmod(0o755)
    assert find_product({}, tmp_path / "home") == str(environment / "bin" / "python")


def test_another_program_of_the_name_is_not_taken_for_it(tmp_path: Path) -> None:
    written(tmp_path / "bin" / "impasto", "#!/bin/sh\n").chmod(0o755)
    written(tmp_path / "other" / "impasto", "\x7fELF").chmod(0o755)
    assert find_product({"PATH": f"{tmp_path}/other"}, tmp_path) is None
