"""The daemon at login, with a real systemd: users log in and out, and their own systemd starts and stops it.

Skipped where no systemd can be booted; the reason that is given says what it would take.
"""

import shlex
from collections.abc import Iterator

import pytest

from impasto_daemon.commands.failures import EXHAUSTED
from installer.systemd_box import Box, User, booted, what_is_missing

MISSING = what_is_missing()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(MISSING is not None, reason=MISSING or "")]

FUNCTIONS = """
answers() { for _ in $(seq 300); do impasto daemon status > /dev/null 2>&1 && return; sleep 0.05; done; false; }
is() { for _ in $(seq 300); do [ "$(systemctl --user is-active impasto)" = "$1" ] && return; sleep 0.05; done; false; }
process() { systemctl --user show impasto --property MainPID --value; }
refused() { if "$@"; then return 1; fi; }
nothing_failed() { [ -z "$(systemctl --user --failed --plain --no-legend)" ]; }
"""
"""Shell functions: what waits for the daemon and for systemd, and what does not end a script that ends with errors."""

STRANGE = '/opt/my tools, 100% $HOME ${mine} %h "é" \\\\n\'s'
"""A folder whose name has what means something to systemd."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with booted(tmp_path_factory.mktemp("box")) as box:
        box.gets_impasto("/opt/impasto")
        yield box


@pytest.fixture
def ada(box: Box) -> User:
    return box.has_a_new_user()


def told(user: User, script: str, impasto: str = "/opt/impasto") -> str:
    """What a script says in a login of its own, all of whose commands have to succeed."""
    login = user.logs_in(f"PATH={shlex.quote(impasto)}/bin:$PATH; set -e; {FUNCTIONS}\n{script}")
    assert login.returncode == 0, (login.stdout, login.stderr)
    return login.stdout


def test_each_login_starts_the_daemon_until_it_shall_no_more(box: Box, ada: User) -> None:
    unit = ada.home / ".config/systemd/user/impasto.service"
    script = "impasto service install; impasto daemon status; is active; nothing_failed; impasto doctor || true"
    first = told(ada, script)
    assert first.startswith(f"The daemon is started at every login, and runs now: {unit}.\nimpasto ")
    assert f"ok       daemon at login: The daemon is started at login: {unit}." in first
    assert box.does("pgrep", "--uid", ada.name).stdout == ""
    assert "has been running for" in told(ada, "answers; impasto daemon status")
    assert told(ada, "answers; impasto service remove; refused impasto daemon status 2>&1; nothing_failed").startswith(
        "The daemon is not started at login any more.\nimpasto: No daemon is running"
    )
    assert not told(ada, "find ~/.config -name '*impasto*' -o -name systemd; systemctl --user list-units 'impasto*' -q")
    told(ada, "sleep 1; refused impasto daemon status 2>&1")


def test_a_daemon_that_dies_is_started_again(ada: User) -> None:
    dies = "old=$(process); kill -9 $old; is activating; is active"
    told(ada, f"impasto service install; {dies}; answers; [ $(process) != $old ]")


def test_a_daemon_that_took_too_much_memory_is_started_again(ada: User) -> None:
    """Such a one ends with a code of its own; a first start stands in for it here."""
    ends = f"test -e ended || {{ touch ended; exit {EXHAUSTED}; }}; exec impasto daemon run"
    own_path = "Environment=PATH=/opt/impasto/bin:/usr/bin:/bin"
    override = f"[Service]\n{own_path}\nExecStart=\nExecStart=/bin/sh -c '{ends}'\n"
    place = "~/.config/systemd/user/impasto.service.d"
    script = f"impasto service install; mkdir -p {place}; printf %s {shlex.quote(override)} > {place}/ends.conf"
    told(
        ada,
        f"{script}; systemctl --user daemon-reload; impasto daemon stop; is inactive; systemctl --user start impasto; "
        f"is activating; answers; test -e ended; [ $(systemctl --user show impasto -p NRestarts --value) = 1 ]",
    )


@pytest.mark.parametrize("first", ["impasto daemon start", "impasto service install"])
def test_a_new_user_whose_files_the_group_may_write_to_has_a_daemon(first: str, ada: User) -> None:
    """As ordinary users of Debian, Ubuntu and Fedora are set up: a group of their own, and a umask for it."""
    told(ada, f"umask 002; mkdir -p ~/.local; {first}; impasto daemon status; impasto daemon stop")


def test_a_daemon_that_was_stopped_stays_so_until_the_next_login(ada: User) -> None:
    told(ada, "impasto service install; impasto daemon stop; is inactive; sleep 3; is inactive; nothing_failed")
    told(ada, "answers; impasto daemon stop; is inactive")
    told(ada, "answers; impasto daemon stop; impasto service install; is active; impasto daemon status")


def test_with_lingering_no_login_is_needed(box: Box, ada: User) -> None:
    """As where a machine paints for others, and nobody sits at it."""
    told(ada, "impasto service install")
    box.does("loginctl", "enable-linger", ada.name)
    told(ada, "answers")
    assert "impasto_daemon daemon run" in box.does("pgrep", "--uid", ada.name, "--list-full", "python").stdout
    box.does("loginctl", "disable-linger", ada.name)


def test_installing_again_disturbs_nothing(ada: User) -> None:
    told(ada, "impasto service install; old=$(process); impasto service install; [ $(process) = $old ]; is active")


def test_a_daemon_that_was_started_otherwise_makes_way(ada: User) -> None:
    told(ada, "impasto daemon start; impasto service install; is active; impasto daemon status; impasto service remove")


def test_one_that_was_started_otherwise_since_is_no_failure_of_the_services(ada: User) -> None:
    script = "impasto service install; impasto daemon stop; impasto daemon start; systemctl --user start impasto"
    told(ada, f"{script}; is inactive; nothing_failed; impasto daemon status; impasto daemon stop")


def test_an_impasto_that_moves_takes_the_place_of_the_one_before(box: Box, ada: User) -> None:
    box.gets_impasto(STRANGE)
    told(ada, "impasto service install")
    where = told(
        ada,
        "answers; impasto doctor || true; impasto service install; tr '\\0' ' ' < /proc/$(process)/cmdline",
        STRANGE,
    )
    assert "warning  daemon at login: " in where
    assert "starts another Impasto at login" in where
    assert where.splitlines()[-1] == f"{STRANGE}/bin/python -m impasto_daemon daemon run "


def test_variables_and_options_of_before_are_those_at_login(ada: User) -> None:
    place = ada.home / "100% $mine" / "connection.json"
    told(
        ada, f"export IMPASTO_CONNECTION='{place}'; impasto service install --memory-budget 3GB; impasto daemon status"
    )
    told(ada, f"IMPASTO_CONNECTION='{place}' answers; ps -o args= $(process) | grep -- '--memory-budget 3GB'")


def test_a_user_for_whom_no_systemd_runs_is_told_so_and_nothing_stays(ada: User) -> None:
    refused = ada.does_without_a_session("/opt/impasto/bin/impasto service install")
    assert refused.returncode == 2
    assert "so the daemon is not started at login; log in as yourself rather than with su or sudo" in refused.stderr
    assert ada.does_without_a_session("ls -A ~/.config 2>&1").stdout.count("systemd") == 0


def test_the_way_to_systemd_is_found_where_su_and_sudo_do_not_tell_it(ada: User) -> None:
    without = "env --unset XDG_RUNTIME_DIR --unset DBUS_SESSION_BUS_ADDRESS"
    told(ada, f"{without} impasto service install; is active; {without} impasto service remove; nothing_failed")


def test_a_daemon_that_cannot_start_is_not_started_at_login(ada: User) -> None:
    said = told(
        ada,
        "export IMPASTO_CONNECTION=/proc/x.json; refused impasto service install 2>&1; nothing_failed; ls -A ~",
    )
    assert "none answers (its log is '/proc/daemon.log'), so the daemon is not started at login" in said
    assert ".config" not in said or not told(ada, "find ~/.config -name systemd")


def test_the_unit_is_without_fault_for_systemd_itself(ada: User) -> None:
    told(ada, "impasto service install; systemd-analyze --user verify ~/.config/systemd/user/impasto.service")
