"""What is released, as users get it: wheel and sdist hold everything, and the wheel alone paints a layer in GIMP."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gimp.doors import door_to
from gimp.gimp_root import GimpRoot

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]

PIP_CACHE = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")
"""The user's own; read when this is imported, because the tests get another one."""

BUILD_S, INSTALL_S, GIMP_S = 300.0, 1200.0, 300.0

PAINT = """
import json
from gi.repository import Gegl, Gimp
image = Gimp.Image.new(96, 64, Gimp.ImageBaseType.RGB)
layer = Gimp.Layer.new(image, "photograph", 96, 64, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(layer, None, 0)
layer.fill(Gimp.FillType.WHITE)
stylize = Gimp.get_pdb().lookup_procedure("plug-in-impasto-stylize")
wish = stylize.create_config()
wish.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
wish.set_property("image", image)
wish.set_core_object_array("drawables", [layer])
wish.set_property("style-name", "mosaic")
wish.set_property("network", "lite")
wish.set_property("size", 64)
wish.set_property("evaluations", 6)
result = stylize.run(wish)
layers = image.get_layers()
area = Gegl.Rectangle.new(0, 0, 96, 64)
pixels = layers[0].get_buffer().get(area, 1.0, "R'G'B' u8", Gegl.AbyssPolicy.CLAMP)
print("PAINTED " + json.dumps({
    "succeeded": result.index(0) == Gimp.PDBStatusType.SUCCESS,
    "error": Gimp.get_pdb().get_last_error(),
    "layers": [each.get_name() for each in layers],
    "colours": len({bytes(pixels[i:i + 3]) for i in range(0, len(pixels), 3)}),
}), flush=True)
image.delete()
"""


def done(*call: str | Path, timeout_s: float, environment: Mapping[str, str] | None = None) -> str:
    ran = subprocess.run(  # noqa: S603
        [str(word) for word in call],
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def pip(python: Path | str, *arguments: str | Path, timeout_s: float) -> None:
    environment = {**os.environ, "PIP_CACHE_DIR": str(PIP_CACHE), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("PYTHONPATH", None)
    done(python, "-m", "pip", "--quiet", *arguments, timeout_s=timeout_s, environment=environment)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes, in an environment that borrows what this one has instead of setting up everything."""
    folder = tmp_path_factory.mktemp("dist")
    venv = folder / "venv"
    done(sys.executable, "-m", "venv", venv, timeout_s=BUILD_S)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(path for path in sys.path if Path(path).is_dir()))
    (venv / "installed").touch()  # tells `make` that it is set up
    environment = {**os.environ, "PIP_CACHE_DIR": str(PIP_CACHE), "MAKEFLAGS": ""}
    done(
        *("make", "-C", REPOSITORY, "dist", f"VENV={venv}", f"DIST={folder / 'dist'}"),
        timeout_s=BUILD_S,
        environment=environment,
    )
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (file,) = dist.glob("*.whl")
    return file


def packaged(folder: str) -> set[str]:
    """The files of the packages in one of the top folders, as git has them."""
    listed = done("git", "-C", REPOSITORY, "ls-files", folder, timeout_s=60.0).splitlines()
    return {file.removeprefix(f"{folder}/") for file in listed}


def test_the_wheel_holds_every_file_of_every_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == set().union(*map(packaged, ("plugin", "daemon", "shared", "installer")))


def test_the_sdist_holds_what_it_takes_to_build_and_test(dist: Path) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    listed = done("git", "-C", REPOSITORY, "ls-files", timeout_s=60.0).splitlines()
    assert {name for name in listed if not name.startswith(".ci/")} <= held | {".gitattributes"}


def test_the_zip_holds_the_plug_in_of_this_version(dist: Path, wheel: Path) -> None:
    (file,) = dist.glob("*.zip")
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(wheel) as whole:
        held = {name: archive.read(name) for name in archive.namelist()}
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        plugin = {name: whole.read(name) for name in whole.namelist() if name.startswith("impasto_gimp/")}
    version = json.loads(held["impasto/installation.json"])["version"]
    assert (file.name, wheel.name.split("-")[1]) == (f"impasto-{version}-gimp-plug-in.zip", version)
    assert held["impasto/impasto.py"] == plugin.pop("impasto_gimp/impasto.py")
    assert {name.removeprefix("impasto/"): each for name, each in held.items() if "/impasto_gimp/" in name} == plugin
    assert [name for name, mode in modes.items() if mode & 0o111] == ["impasto/impasto.py"]


@pytest.fixture(scope="module")
def environment(wheel: Path, shared: Path) -> Path:
    """An empty virtual environment into which the wheel was installed, as pip does it."""
    folder = shared / "venv"
    done(sys.executable, "-m", "venv", folder, timeout_s=BUILD_S)
    pip(folder / "bin" / "python", "install", wheel, timeout_s=INSTALL_S)
    return folder


@pytest.fixture
def variables(shared: Path) -> dict[str, str]:
    """A user's environment, with a home of its own."""
    home = shared / "a-users-home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "IMPASTO_", "PYTHON"))}
    return {**kept, "HOME": str(home)}


@pytest.fixture
def impasto(environment: Path, variables: dict[str, str]) -> Iterator[Path]:
    command = environment / "bin" / "impasto"
    yield command
    done(command, "daemon", "stop", timeout_s=60.0, environment=variables)


def test_the_wheel_alone_paints_a_layer_in_gimp(
    impasto: Path, environment: Path, variables: dict[str, str], root: GimpRoot, shared: Path
) -> None:
    gimp = door_to(root, shared / "users-gimp-console", shared, Path(sys.base_prefix))
    installed = done(impasto, "install", "--gimp", gimp, timeout_s=GIMP_S, environment=variables)
    assert "with pyzmq beside the plug-in" in installed
    assert "cannot start the daemon" not in installed
    script = shared / "paint.py"
    script.write_text(PAINT)
    said = done(
        *(gimp, "-i", "--quit", "--batch-interpreter=python-fu-eval", "-b"),
        f"exec(open({str(script)!r}).read(), {{}})",
        timeout_s=GIMP_S,
        environment=variables,
    )
    (line,) = (each for each in said.splitlines() if each.startswith("PAINTED "))
    painted = json.loads(line.removeprefix("PAINTED "))
    assert painted["succeeded"], painted["error"]
    assert painted["layers"][0].startswith("Mosaic")
    assert painted["layers"][1:] == ["photograph"]
    assert painted["colours"] > 10  # the photograph has one
    report = json.loads(done(impasto, "daemon", "status", "--json", timeout_s=60.0, environment=variables))
    assert report["daemon"].startswith("impasto ")
    doctor = subprocess.run(  # noqa: S603
        [impasto, "doctor", "--json", "--gimp", gimp], env=variables, capture_output=True, text=True, check=False
    )
    checks = json.loads(doctor.stdout)["checks"]
    assert [check for check in checks if check["status"] == "error"] == []
    assert doctor.returncode == 0
    done(impasto, "uninstall", timeout_s=60.0, environment=variables)
    home = Path(variables["HOME"])
    assert not any(path.name == "impasto" for path in home.glob(".config/GIMP/*/plug-ins/*"))
    assert not (home / ".local" / "share" / "impasto").exists()
