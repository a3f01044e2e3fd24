"""The doctor: each planted fault is found and told with its cure, and a sound installation has none."""

import json
import socket
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from impasto_installer.doctor.check import Check, Status, problem
from impasto_installer.doctor.daemon_checks import check_daemon
from impasto_installer.doctor.editor_checks import check_unseen_folder, examine
from impasto_installer.doctor.machine_checks import available_bytes, check_disk, check_memory
from impasto_installer.doctor.redaction import Redaction
from impasto_installer.doctor.report import LOG_BYTES, write_report
from impasto_installer.editors.finding import Editor
from impasto_installer.editors.machine import Machine
from impasto_installer.errors import InstallerError
from impasto_installer.installing import Product, install, install_unseen
from impasto_protocol import Connection, write_connection
from impasto_protocol.errors import UnsupportedVersionError
from impasto_protocol.messages.session import Report
from impasto_protocol.transport import new_key_pair
from installer.fake_gimp import BROKEN, FakeGimp, written

Found = list[Check]


def at_fault(checks: Found) -> Found:
    return [check for check in checks if check.status is not Status.OK]


@pytest.fixture
def examined(editor: Editor, product: Product, gimp: FakeGimp) -> Callable[[], Found]:
    """Installs, and looks afterwards when it is asked to."""
    install(editor, product, gimp)
    return lambda: list(examine(editor, "1.0", gimp).checks)


def test_a_sound_installation_has_no_fault(examined: Callable[[], Found]) -> None:
    checks = examined()
    assert at_fault(checks) == []
    assert [check.name.partition(": ")[2] for check in checks] == ["", "plug-in", "menu", "connection"]


def test_a_plug_in_that_is_not_executable_is_found(examined: Callable[[], Found], gimp: FakeGimp) -> None:
    (gimp.plugin / "impasto.py").chmod(0o644)
    mode, menu = at_fault(examined())
    assert "is not executable, so GIMP leaves it out" in mode.message
    assert mode.cure == "Run 'impasto install', and restart GIMP."
    assert "not have the plug-in in its menus" in menu.message


@pytest.mark.parametrize(
    "where",
    [
        "plug-ins/impasto-1.0/impasto/impasto.py",
        "plug-ins/impasto/impasto/impasto.py",
        "plug-ins/impasto.py",
        "impasto/impasto.py",
        "../2.10/plug-ins/impasto/impasto.py",
    ],
)
def test_a_plug_in_in_the_wrong_folder_is_found(where: str, editor: Editor, gimp: FakeGimp) -> None:
    file = written(gimp.user_folder / where).resolve()
    misplaced, missing = at_fault(list(examine(editor, "1.0", gimp).checks))
    assert f"{str(file)!r} is where GIMP does not look for it" in misplaced.message.replace("/3.0/../", "/")
    assert str(gimp.plugin / "impasto.py") in misplaced.message
    assert misplaced.cure.startswith("Delete ")
    assert "is not in" in missing.message


def test_an_old_version_is_found(editor: Editor, gimp: FakeGimp, examined: Callable[[], Found]) -> None:
    (fault,) = at_fault(list(examine(editor, "1.1", gimp).checks))
    assert fault.message == "The plug-in is of version 1.0, and this is Impasto 1.1."
    assert "impasto install" in fault.cure


def test_files_that_are_missing_or_changed_are_named(examined: Callable[[], Found], gimp: FakeGimp) -> None:
    (gimp.plugin / "styles" / "ink.jpg").unlink()
    written(gimp.plugin / "impasto_gimp" / "dialog.py", "half a fi")
    (fault,) = at_fault(examined())
    assert fault.message.endswith("impasto_gimp/dialog.py, styles/ink.jpg.")


def test_a_python3_that_comes_before_gimps_own_is_found(editor: Editor, gimp: FakeGimp, tmp_path: Path) -> None:
    written(tmp_path / "conda" / "python3").chmod(0o755)
    gimp.python = tmp_path / "nowhere" / "python3"  # neither this shell's PATH nor the desktop's leads to it
    (fault,) = examine(editor, "1.0", gimp).checks
    assert fault.status is Status.ERROR
    assert "see that no other python3 comes first in PATH" in fault.message
    assert str(tmp_path / "usr" / "bin" / "python3") in fault.message


def test_a_broken_library_beside_the_plug_in_is_found(examined: Callable[[], Found], gimp: FakeGimp) -> None:
    written(gimp.plugin / "vendored" / "zmq" / "__init__.py", BROKEN)
    changed, connection = at_fault(examined())
    assert "vendored/zmq/__init__.py" in changed.message
    assert (connection.status, "a bridge stands in for it" in connection.message) == (Status.WARNING, True)
    gimp.bridge = "No such file or directory"
    assert at_fault(examined())[-1].status is Status.ERROR


def test_a_gimp_that_does_not_start_is_a_finding(editor: Editor, examined: Callable[[], Found]) -> None:
    def silent(call: object, environment: object, *, timeout_s: float) -> object:
        from impasto_installer.editors.running import Said

        return Said(code=1, errors="cannot open shared object file\n")

    (fault,) = examine(editor, "1.0", silent).checks  # type: ignore[arg-type]
    assert "does not answer (cannot open shared object file)" in fault.message


def test_a_plug_in_that_fails_when_it_is_called_is_found(examined: Callable[[], Found], gimp: FakeGimp) -> None:
    gimp.refusal = "Impasto's plug-in is incomplete (No module named 'impasto_protocol')."
    (fault,) = at_fault(examined())
    assert "No module named 'impasto_protocol'" in fault.message


def test_a_folder_whose_gimp_is_gone_is_a_warning(gimp: FakeGimp, product: Product) -> None:
    install_unseen(gimp.user_folder, product)
    unseen, plugin = check_unseen_folder(gimp.user_folder, "1.0")
    assert (unseen.status, plugin.status) == (Status.WARNING, Status.OK)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "connection.json"


@pytest.fixture
def connected(place: Path) -> Connection:
    """A connection file that leads to a port at which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    public, secret = new_key_pair()
    connection = Connection(
        endpoint=f"tcp://127.0.0.1:{port}",
        server_key=public,
        client_public_key=public,
        client_secret_key=secret,
        pid=4711,
        protocol_min=1,
        protocol_max=1,
        daemon="impasto 1.0",
    )
    write_connection(connection, place)
    return connection


def report(version: str) -> Report:
    return Report(
        daemon=f"impasto {version}", device="CPU", uptime_s=1.0, sessions=1, queued=0, painting=0, memory_bytes=1
    )


def test_no_daemon_is_no_fault(place: Path) -> None:
    assert at_fault(check_daemon(place, "1.0")) == []


def test_a_daemon_of_our_version_is_no_fault(place: Path, connected: Connection) -> None:
    checks = check_daemon(place, "1.0", lambda _: report("1.0"))
    assert [check.name for check in checks] == ["connection file", "daemon"]
    assert at_fault(checks) == []


def test_a_daemon_of_another_version_is_found(place: Path, connected: Connection) -> None:
    (fault,) = at_fault(check_daemon(place, "1.0", lambda _: report("0.9")))
    assert fault.message == "The daemon is impasto 0.9, and this is impasto 1.0."
    assert fault.cure == "Run 'impasto daemon stop' and then 'impasto daemon start'."


def test_a_stale_connection_file_is_found(place: Path, connected: Connection) -> None:
    (fault,) = at_fault(check_daemon(place, "1.0"))
    assert "names a daemon (process 4711) that does not answer" in fault.message
    assert "impasto daemon start" in fault.cure


def test_a_connection_file_with_the_wrong_mode_is_found(place: Path, connected: Connection) -> None:
    place.chmod(0o644)
    (fault,) = check_daemon(place, "1.0")
    assert "is open to other users (mode 644)" in fault.message
    assert fault.cure.startswith(f"Delete {str(place)!r}.")


def test_a_connection_file_that_makes_no_sense_is_found(place: Path, connected: Connection) -> None:
    place.write_text("{")
    (fault,) = check_daemon(place, "1.0")
    assert "is no connection file" in fault.message


@pytest.fixture
def joined(place: Path, connected: Connection) -> Connection:
    """The same, of a daemon on another machine."""
    there = replace(connected, elsewhere=True)
    write_connection(there, place)
    return there


def test_a_daemon_elsewhere_that_does_not_answer_is_not_to_be_started_here(place: Path, joined: Connection) -> None:
    (fault,) = at_fault(check_daemon(place, "1.0"))
    assert fault.message == f"The daemon at {joined.endpoint}, which was joined, does not answer."
    assert "'impasto daemon leave'" in fault.cure
    assert "'impasto daemon key'" in fault.cure
    assert "daemon start" not in fault.cure


def test_a_daemon_elsewhere_of_another_version_works_and_is_told_of(place: Path, joined: Connection) -> None:
    (fault,) = at_fault(check_daemon(place, "1.0", lambda _: report("0.9")))
    assert fault.status is Status.WARNING
    assert fault.cure.startswith("Install the same version of Impasto on both machines")
    assert at_fault(check_daemon(place, "1.0", lambda _: report("1.0"))) == []


def test_a_daemon_elsewhere_that_speaks_another_language_cannot_be_restarted_here(
    place: Path, joined: Connection
) -> None:
    def refuses(_: Path) -> Report:
        raise UnsupportedVersionError("It speaks version 2.")

    (fault,) = at_fault(check_daemon(place, "1.0", refuses))
    assert (fault.status, fault.message.endswith("It speaks version 2.")) == (Status.ERROR, True)
    assert "daemon stop" not in fault.cure


def test_keys_for_a_daemon_elsewhere_that_others_can_read_are_made_anew(place: Path, joined: Connection) -> None:
    place.chmod(0o644)
    (fault,) = check_daemon(place, "1.0")
    assert fault.message == f"{str(place)!r} is open to other users (mode 644)."
    assert str(place.with_name("client-keys.json")) in fault.cure
    assert "'impasto daemon join INVITATION'" in fault.cure


def test_a_gimp_that_cannot_start_the_daemon_is_no_fault_where_it_need_not(
    editor: Editor, gimp: FakeGimp, examined: Callable[[], Found]
) -> None:
    gimp.bridge = "No such file or directory"
    assert [check.status for check in at_fault(examined())] == [Status.WARNING]
    assert at_fault(list(examine(editor, "1.0", gimp, has_to_start=False).checks)) == []


def test_a_flatpak_needs_a_daemon_that_is_started_at_login(flatpak: Editor, product: Product, gimp: FakeGimp) -> None:
    install(flatpak, product, gimp)
    (fault,) = at_fault(list(examine(flatpak, "1.0", gimp).checks))
    assert (fault.status, fault.cure) == (Status.WARNING, "Run 'impasto service install'.")
    assert at_fault(list(examine(flatpak, "1.0", gimp, has_to_start=False).checks)) == []


def test_a_plug_in_in_a_folder_that_a_flatpak_hides_is_found(
    flatpak: Editor, product: Product, gimp: FakeGimp, machine: Machine
) -> None:
    gimp.calls_its_folder = machine.home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP" / "3.0"
    by_hand = written(gimp.calls_its_folder / "plug-ins" / "impasto" / "impasto.py")
    install(flatpak, product, gimp)
    (fault,) = at_fault(list(examine(flatpak, "1.0", gimp, has_to_start=False).checks))
    assert f"{str(by_hand)!r} is where GIMP does not look for it" in fault.message


def test_little_room_is_a_warning(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "not" / "yet", 10 * 1024**2).status is Status.WARNING
    assert check_disk(tmp_path, 10 * 1024**3).status is Status.OK
    assert check_memory(500 * 1024**2).status is Status.WARNING
    assert check_memory(None).status is Status.OK
    assert (available_bytes() or 1) > 0


PRIVATE = {
    "a home": ("Serving from /home/zoë/x, for zoëtrope.", "Serving from ~/x, for zoëtrope."),
    "a home in JSON": (r'"/home/zo\u00eb/a"', '"~/a"'),
    "a home in an address": ("file:///home/zo%C3%AB/a", "file://~/a"),
    "somebody else's home": ("/home/bob/x and C:\\Users\\Bob B\\x", "/home/USER/x and C:\\Users\\USER\\x"),
    "a disk with a name": ("/media/bob/STICK", "/media/USER/STICK"),
    "a user": ("zoë started it", "USER started it"),
    "a machine": ("on analytical-engine, ANALYTICAL-ENGINE.example.org", "on HOST, HOST"),
    "an endpoint": ("at tcp://gpu.example.org:7710 and tcp://192.0.2.7:1", "at tcp://ADDRESS:7710 and tcp://ADDRESS:1"),
    "addresses": ("from '192.0.2.7', 2001:db8::7:1, aa:bb:cc:dd:ee:ff", "from 'ADDRESS', ADDRESS, ADDRESS"),
    "a mail address": ("ask bob@example.org", "ask MAIL"),
    "a user of a site": ("https://bob:pw@example.org/x", "https://USER@example.org/x"),
    "a token": ("token=a.b-c, Authorization: Bearer a.b-c", "token=REDACTED Authorization: Bearer REDACTED"),
    "a picture": ("['impasto', 'Us in bed/me & Bob.JPG']", "['impasto', 'PICTURE.JPG']"),
    "a picture with an apostrophe": ('["Bob\'s wedding.jpg"]', '["PICTURE.jpg"]'),
    "a picture in JSON": (json.dumps('no "Bob\'s.jpg" here'), json.dumps('no "PICTURE.jpg" here')),
    "nothing of a path": ("/usr/local/opt/python@3.12/bin:/usr/local/bin:/usr/bin",) * 2,
    "nothing of a line under code": ("^" * 50,) * 2,
    "nothing": (
        "14:22:40,834 GIMP 3.0.4 at tcp://127.0.0.1:7710 in /usr/lib/python3/dist-packages/numpy/core/a.py; key=len(x)",
        "14:22:40,834 GIMP 3.0.4 at tcp://127.0.0.1:7710 in /usr/lib/python3/dist-packages/numpy/core/a.py; key=len(x)",
    ),
}


@pytest.mark.parametrize(("text", "told"), PRIVATE.values(), ids=PRIVATE)
def test_what_is_private_is_taken_out_and_the_rest_can_be_read(text: str, told: str) -> None:
    redaction = Redaction(home="/home/zoë", user="zoë", host="analytical-engine.example.org")
    assert redaction.of(text) == told


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "'", "ab:", "/a", "\\Users\\a", "token", "1:"])
def test_a_long_line_takes_no_longer_than_it_must(piece: str) -> None:
    redaction = Redaction(home="/home/zoë", user="zoë", host="analytical-engine")
    line = piece * (LOG_BYTES // len(piece))
    began_s = time.process_time()
    redaction.of(line)
    assert time.process_time() - began_s < 5.0


@pytest.mark.parametrize("around", ["{}", "'{}'", "--allow={}", "the key {}.", '"{}"', "KEY\n{}\n"])
def test_a_key_is_taken_out_wherever_it_stands(around: str) -> None:
    redaction = Redaction(home="", user="", host="")
    for public, secret in (("yKqp4!B<Ck{*<4n^hp(^*Y0TLzUP8C>7Vf&*Rr%W", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),):
        assert public not in redaction.of(around.format(public))
        assert secret not in redaction.of(around.format(secret))


def test_a_report_tells_no_names_and_no_keys(tmp_path: Path, connected: Connection, place: Path) -> None:
    redaction = Redaction(home="/home/ada", user="ada", host="analytical-engine")
    log = written(
        tmp_path / "daemon.log",
        f"Serving ada at analytical-engine from /home/ada/x for adagio.\n{place.read_text()}\nhttps://ada:pw@host/\n",
    )
    checks = [problem("plug-in", "'/home/ada/.config/GIMP' is not writable.", "Make /home/ada writable.")]
    environment = {
        "HOME": "/home/ada",
        "PATH": "/home/ada/bin:/usr/bin",
        "IMPASTO_TOKEN": "sesame",
        "AWS_SECRET": "x",
        "LC_ALL": "de_AT",
    }
    file = tmp_path / "report.zip"
    write_report(file, checks, logs=[log, tmp_path / "missing"], environment=environment, redaction=redaction)
    with zipfile.ZipFile(file) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    everything = "\n".join(texts.values())
    for private in (
        "/home/ada",
        "analytical-engine",
        connected.client_secret_key,
        connected.server_key,
        "sesame",
        "pw@",
    ):
        assert private not in everything
    assert "Serving USER at HOST from ~/x for adagio." in texts["logs/0-daemon.log"]
    assert json.loads(texts["environment.json"]) == {
        "IMPASTO_TOKEN": "REDACTED",
        "LC_ALL": "de_AT",
        "PATH": "~/bin:/usr/bin",
    }
    assert json.loads(texts["checks.json"])["checks"][0].keys() == {"name", "status", "message", "cure"}
    assert "impasto" in json.loads(texts["system.json"])["packages"]


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    redaction = Redaction(home="", user="", host="")
    with pytest.raises(InstallerError, match="name another file"):
        write_report(tmp_path / "no" / "r.zip", [], logs=[], environment={}, redaction=redaction)
