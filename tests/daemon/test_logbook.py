"""The log rotates, is for its user's eyes only, and is found by the ids that users are told."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.fake_studio import open_fake
from daemon.serving import Serving
from impasto_daemon.server import logbook
from impasto_daemon.server.limits import LOG_BYTES, LOGS_KEPT
from impasto_daemon.server.worker_painter import WorkerPainter
from impasto_protocol import JobState, Order, State, Style
from impasto_protocol import messages as m
from impasto_protocol.errors import PaintingFailedError, RefusalError, UnknownJobError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import CONTENT, STYLE, submitted, until_a


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The log of this process, for the time of a test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logbook.begin(tmp_path / "logs" / "daemon.log")
    yield tmp_path / "logs" / "daemon.log"
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def test_the_log_rotates_and_is_nobody_elses(log: Path) -> None:
    for number in range((LOGS_KEPT + 3) * LOG_BYTES // 1000):
        logging.getLogger("impasto_daemon").info("%06d %s", number, "x" * 1000)
    files = sorted(log.parent.iterdir())
    assert [file.name for file in files] == ["daemon.log", *(f"daemon.log.{n}" for n in range(1, LOGS_KEPT + 1))]
    assert all(file.stat().st_size <= LOG_BYTES and file.stat().st_mode & 0o077 == 0 for file in files)


def test_the_lines_of_an_id_are_found_with_their_traceback_and_no_others(log: Path) -> None:
    logger = logging.getLogger("impasto_daemon")
    logger.info("Log id 11111111: one")
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        logger.exception("Log id 22222222: two")
    logger.info("Log id 33333333: three")
    lines = logbook.lines_about("22222222", log)
    assert lines[0].endswith("Log id 22222222: two")
    assert lines[-1] == "ZeroDivisionError: a bug"
    assert not any("one" in line or "three" in line for line in lines)
    assert logbook.lines_about("44444444", log) == []


@pytest.mark.parametrize(("behaviour", "found"), [("bug", "ZeroDivisionError: a bug"), ("refuse", "InvalidOrderError")])
def test_what_went_wrong_in_the_painting_process_is_in_the_servers_log(
    behaviour: str, found: str, log: Path, tmp_path: Path
) -> None:
    serving = Serving(tmp_path / "impasto" / "connection.json", WorkerPainter(open_fake))
    serving.start()
    try:
        with serving.client() as client:
            client.connect(timeout_s=PATIENCE_S)
            order = Order(content=CONTENT.blob, styles=(Style(picture=STYLE.blob),), network=behaviour)
            job = client.submit(order, [CONTENT, STYLE], timeout_s=PATIENCE_S)
            failure = until_a(client, State, job=job, state=JobState.FAILED)[-1].failure
    finally:
        serving.stop()
    lines = logbook.lines_about(failure.log_id, log)
    assert any("fake_studio.py" in line for line in lines)
    assert any(found in line for line in lines)


def test_every_refusal_and_every_failed_job_has_its_lines(log: Path, tmp_path: Path) -> None:
    painter = FakePainter()
    serving = Serving(tmp_path / "impasto" / "connection.json", painter)
    serving.start()
    try:
        with serving.client() as client:
            client.connect(timeout_s=PATIENCE_S)
            with pytest.raises(UnknownJobError) as refused:
                client._ask(m.Pause(job="f" * 32), m.Done, PATIENCE_S)
            job = submitted(client)
            serving.until(lambda: bool(painter.assignments))
            serving.do(painter.begins)
            serving.do(lambda: painter.fails(PaintingFailedError("No number is finite; choose another network.")))
            failure = until_a(client, State, job=job, state=JobState.FAILED)[-1].failure
            client._link._transport.send([b"IMP1", b"\xc1"])
            with pytest.raises(RefusalError) as unknown:
                client._ask(m.Fetch(job="e" * 32, offset_bytes=0, length_bytes=1), m.Chunk, PATIENCE_S)
    finally:
        serving.stop()
    for log_id in (refused.value.log_id, failure.log_id, unknown.value.log_id):
        assert len(logbook.lines_about(log_id, log)) == 1
    assert job in logbook.lines_about(failure.log_id, log)[0]
