"""Whatever versions follow each other: the folder holds the last, and afterwards only what was never ours.

After each version the user changes some files and adds others.
"""

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from impasto_installer.plugin_folder import lay_out
from impasto_installer.replacing import replaced
from impasto_installer.uninstalling import uninstall
from installer.fake_gimp import written

NAMES = st.sampled_from(["a", "b", "c.py"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


def has_no_file_for_a_folder(paths: frozenset[str]) -> bool:
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


VERSIONS = st.lists(
    st.frozensets(PATHS, max_size=6)
    .filter(has_no_file_for_a_folder)
    .flatmap(lambda paths: st.fixed_dictionaries({path: st.binary(max_size=3) for path in paths})),
    min_size=1,
    max_size=4,
)
MINE = {"mine.txt": "my own", "my/notes.txt": "more of it"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@example(versions=[{"a/b": b""}, {"a": b"1"}], edits=["a/b"])
@given(versions=VERSIONS, edits=st.lists(PATHS | st.just("impasto.py"), max_size=4))
def test_the_last_version_is_there_and_then_none(versions: list[dict[str, bytes]], edits: list[str]) -> None:
    edited: list[bytes] = []
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "3.0" / "plug-ins" / "impasto"
        for number, version in enumerate(versions):
            content = {**version, "impasto.py": b"main"}
            with replaced(folder, content, version=str(number)):
                pass
            assert {path: each for path, each in files_in(folder).items() if path in content} == content
            assert not lay_out(folder, content, version=str(number)).changed
            for path, text in MINE.items():
                written(folder / path, text)
            mine = [folder / path for path in edits[number : number + 1] if path in content]
            edited += [written(file, f"my own, {number}").read_bytes() for file in mine]
        uninstall(folder)
        left = files_in(folder)
        assert {path: left.pop(path).decode() for path in MINE} == MINE
        assert all(".yours" in path for path in left)
        assert sorted(left.values()) == sorted(edited)
