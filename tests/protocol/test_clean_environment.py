"""What a process that an editor starts inherits from it, and what not."""

import os

import pytest

from impasto_protocol.clean_environment import clean_environment

USERS_OWN = {"HOME": "/home/ada", "LANG": "de_AT.UTF-8", "IMPASTO_CONNECTION": "/home/ada/there.json", "EMPTY": ""}


def paths(*each: str) -> str:
    return os.pathsep.join(each)


def test_a_distributions_editor_hands_everything_on_but_where_its_python_is() -> None:
    inherited = {**USERS_OWN, "LD_LIBRARY_PATH": "/opt/cuda/lib64", "PYTHONPATH": "/home/ada/lib", "PYTHONHOME": "/usr"}
    assert clean_environment(inherited, editor_prefix="/usr") == {
        **USERS_OWN,
        "LD_LIBRARY_PATH": "/opt/cuda/lib64",
        "PYTHONPATH": "/home/ada/lib",
    }


def test_an_appimage_keeps_its_libraries_to_itself() -> None:
    mount = "/tmp/.mount_GIMPx3Yz"  # noqa: S108
    inherited = {
        **USERS_OWN,
        "APPDIR": mount,
        "APPIMAGE": "/home/ada/GIMP.AppImage",
        "LD_PRELOAD": "libapprun_hooks.so",
        "LD_LIBRARY_PATH": paths(f"{mount}/usr/lib", "/opt/cuda/lib64", f"{mount}/lib"),
        "PATH": paths(f"{mount}/usr/bin", "/usr/bin", "/bin"),
        "PYTHONHOME": f"{mount}/usr",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": paths("/usr/lib/python3/dist-packages", f"{mount}/usr/lib/python3.11"),
        "GDK_PIXBUF_MODULE_FILE": f"{mount}/usr/lib/loaders.cache",
        "SSL_CERT_FILE": f"{mount}/etc/ssl/cert.pem",
    }
    assert clean_environment(inherited, editor_prefix=f"{mount}/usr") == {
        **USERS_OWN,
        "APPIMAGE": "/home/ada/GIMP.AppImage",
        "LD_LIBRARY_PATH": "/opt/cuda/lib64",
        "PATH": paths("/usr/bin", "/bin"),
    }


@pytest.mark.parametrize(
    ("bundle", "root"),
    [({"FLATPAK_ID": "org.gimp.GIMP"}, "/app"), ({"SNAP": "/snap/gimp/500"}, "/snap/gimp/500")],
    ids=["flatpak", "snap"],
)
def test_a_sandbox_keeps_its_libraries_to_itself(bundle: dict[str, str], root: str) -> None:
    inherited = {
        **USERS_OWN,
        **bundle,
        "LD_LIBRARY_PATH": f"{root}/lib",
        "GI_TYPELIB_PATH": "/usr/lib/girepository-1.0",
        "XDG_DATA_DIRS": paths(f"{root}/share", "/usr/share"),
    }
    cleaned = clean_environment(inherited, editor_prefix="/usr")
    assert {name: value for name, value in cleaned.items() if name not in (*USERS_OWN, *bundle)} == {
        "XDG_DATA_DIRS": "/usr/share"
    }


def test_a_bundle_that_no_variable_names_is_known_by_its_python() -> None:
    bundle = "/Applications/GIMP.app/Contents/Resources"
    inherited = {**USERS_OWN, "PATH": paths(f"{bundle}/bin", "/usr/bin"), "GEGL_PATH": f"{bundle}/lib/gegl-0.4"}
    assert clean_environment(inherited, editor_prefix=bundle) == {**USERS_OWN, "PATH": "/usr/bin"}


def test_a_list_that_a_bundle_began_leaves_no_empty_entry() -> None:
    mount = "/tmp/.mount_GIMPx3Yz"  # noqa: S108
    inherited = {
        **USERS_OWN,
        "APPDIR": mount,
        "LD_LIBRARY_PATH": paths(f"{mount}/usr/lib", ""),
        "XDG_DATA_DIRS": paths(f"{mount}/usr/share", "", "/usr/share"),
    }
    assert clean_environment(inherited, editor_prefix="/usr") == {**USERS_OWN, "XDG_DATA_DIRS": "/usr/share"}


def test_a_path_beside_the_bundle_is_not_taken_for_one_inside() -> None:
    inherited = {"APPDIR": "/opt/gimp", "PATH": paths("/opt/gimp-tools/bin", "/opt/gimp/bin")}
    assert clean_environment(inherited, editor_prefix="/usr") == {"PATH": "/opt/gimp-tools/bin"}
