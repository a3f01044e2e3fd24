"""What the real server and the real client say to each other is what `docs/PROTOCOL.md` says."""

from pathlib import Path

import pytest

from daemon.fake_painter import FakePainter
from daemon.serving import Serving
from impasto_protocol import (
    Adjustment,
    Answered,
    Client,
    Fetched,
    JobState,
    Order,
    Picture,
    Preview,
    Progress,
    Reconnected,
    Settings,
    State,
    Style,
)
from impasto_protocol import messages as m
from impasto_protocol.errors import UnknownJobError
from protocol.fake_daemon import PATIENCE_S
from protocol.following import STYLE, large_picture, until_a, until_it_is_true
from protocol.specification import Traffic, check_kept


@pytest.fixture
def serving(tmp_path: Path, painter: FakePainter) -> Serving:
    return Serving(tmp_path / "impasto" / "connection.json", painter)


def test_live_traffic_of_the_real_server_uses_every_type_and_keeps_to_the_tables(
    serving: Serving, painter: FakePainter
) -> None:
    traffic = Traffic()
    serving.start()
    try:
        with Client(traffic.dialled(serving.path), name="a test 1.0", chance=lambda: 0.0) as client:
            client.connect(timeout_s=PATIENCE_S)
            ask_after_everything(client, serving, traffic)
            content, painted = large_picture(10), large_picture(11)
            job = see_it_painted(content, client, serving, painter)
            see_it_restarted(job, client, serving, painter)
            see_it_finished(job, painted, client, serving, painter)
            see_another_cancelled(content, client, serving, painter)
    finally:
        serving.stop()
    check_kept(traffic)


def ordered(content: Picture, client: Client) -> str:
    order = Order(content=content.blob, styles=(Style(picture=STYLE.blob),))
    return client.submit(order, [content, STYLE], timeout_s=PATIENCE_S)


def ask_after_everything(client: Client, serving: Serving, traffic: Traffic) -> None:
    client.status(timeout_s=PATIENCE_S)
    client.estimate(m.Estimate(width=8, height=8, settings=Settings()), timeout_s=PATIENCE_S)
    client._say(m.Ping())
    until_it_is_true(client, lambda: traffic.said(m.Pong, "daemon"))
    serving.do(lambda: serving._daemon._reception.ping())
    until_it_is_true(client, lambda: traffic.said(m.Pong, "client"))
    client.pause("f" * 32)
    assert isinstance(until_a(client, Answered, request="PAUSE")[-1].refusal, UnknownJobError)


def see_it_painted(content: Picture, client: Client, serving: Serving, painter: FakePainter) -> str:
    job = ordered(content, client)
    assert [entry.job for entry in client.jobs(timeout_s=PATIENCE_S)] == [job]
    client.follow(job)
    until_a(client, Answered, request="FOLLOW")
    serving.until(lambda: bool(painter.assignments))
    serving.do(painter.begins)
    until_a(client, State, job=job, state=JobState.RUNNING)
    client.pause(job)
    until_a(client, Answered, request="PAUSE")
    serving.do(lambda: painter.patron.paused(painter.at.number))
    until_a(client, State, job=job, state=JobState.PAUSED)
    client.unpause(job)
    until_a(client, Answered, request="UNPAUSE")
    serving.do(lambda: painter.patron.unpaused(painter.at.number))
    until_a(client, State, job=job, state=JobState.RUNNING)
    client.adjust(job, Adjustment(strength=0.5))
    until_a(client, Answered, request="ADJUST")
    serving.do(painter.progresses)
    until_a(client, Progress, job=job)
    for evaluation in (1, 2, 3):  # each of 4 MiB, so that the third needs credit
        serving.do(lambda evaluation=evaluation: painter.shows(evaluation, side=1024))
        until_a(client, Preview, job=job, evaluation=evaluation)
    return job


def see_it_restarted(job: str, client: Client, serving: Serving, painter: FakePainter) -> None:
    serving.stop()
    serving.start()
    assert until_a(client, Reconnected)[-1].resumed
    serving.until(lambda: len(painter.assignments) == 2)
    serving.do(painter.begins)
    until_a(client, State, job=job, state=JobState.RUNNING)


def see_it_finished(job: str, painted: Picture, client: Client, serving: Serving, painter: FakePainter) -> None:
    serving.do(lambda: painter.finishes(painted))
    until_a(client, State, job=job, state=JobState.SUCCEEDED)
    client.fetch(job)
    assert until_a(client, Fetched)[-1].pixels == painted.data
    client.acknowledge(job)
    until_a(client, Answered, request="ACK")


def see_another_cancelled(content: Picture, client: Client, serving: Serving, painter: FakePainter) -> None:
    job = ordered(content, client)
    serving.until(lambda: painter.at.job == job)
    client.cancel(job)
    until_a(client, Answered, request="CANCEL")
    serving.do(lambda: painter.patron.discarded(painter.at.number))
    until_a(client, State, job=job, state=JobState.CANCELLED)
    until_a(client, Answered, request="ACK")
