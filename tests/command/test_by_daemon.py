"""`impasto stylize --daemon` and `impasto jobs`, with a daemon of their own that really paints with `lite`."""

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from command.calling import DEADLINE_S, Argument, Impasto, process
from command.pictures import pixels_of, save, waves
from impasto_daemon.commands import run
from impasto_daemon.commands.delegation import Delegation
from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.left_jobs import SUBMIT_S, LeftJob
from impasto_daemon.commands.order import Order as CommandOrder
from impasto_engine import read_recipe
from impasto_protocol import Client, Order, OrderKind, Picture, PixelFormat, Settings, Style, dial, read_connection

QUICKLY: Sequence[Argument] = ("--network", "lite", "--size", 48, "--evaluations", 6, "--precision", "float32")
LONG: Sequence[Argument] = ("--network", "lite", "--size", 256, "--evaluations", 5000, "--precision", "float32")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The place of a daemon's connection file, at which the first test that needs one has one started."""
    folder = tmp_path_factory.mktemp("daemon")
    (folder / "weights").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CONNECTION", str(folder / "impasto" / "connection.json"))
        patch.setenv("IMPASTO_WEIGHTS_DIR", str(folder / "weights"))
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield folder / "impasto" / "connection.json"
        assert run(["daemon", "stop"]) == 0


def listed(impasto: Impasto) -> list[dict[str, object]]:
    jobs: list[dict[str, object]] = impasto("jobs", "--json").json
    return jobs


def until_it_runs(impasto: Impasto, job: str) -> None:
    """Waits until evaluations of a job are counted."""
    until_it_is_true(lambda: bool(next(each for each in listed(impasto) if each["job"] == job)["evaluation"]))


def until_it_is_true(come_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not come_true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def test_the_daemon_is_started_and_paints_what_the_command_itself_would(
    daemon: Path, impasto: Impasto, content: Path, style: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here.png", tmp_path / "there.png"
    region = save(tmp_path / "region.png", waves(30, 40, seed=5, channels=3))
    options = (*QUICKLY, "--init", "noise", "--seed", 7, "--color", "match", "--region", region)
    assert not daemon.exists()
    painted = impasto("stylize", content, style, *options, "-o", there, "--daemon")
    assert (painted.code, painted.stdout) == (0, f"{there}\n"), painted.stderr
    assert "Starting the daemon." in painted.stderr
    assert "Evaluation 1 of 6" in painted.stderr
    assert "Painted with 6 evaluations" in painted.stderr
    assert impasto("stylize", content, style, *options, "-o", here).code == 0
    assert np.array_equal(pixels_of(here), pixels_of(there))
    ours, theirs = read_recipe(here), read_recipe(there)
    assert {**theirs, "seconds": 0, "network": 0} == {**ours, "seconds": 0, "network": 0}
    assert theirs["network"] == {"name": "lite", "weights": {"sha256": ours["network"]["weights"]["sha256"]}}
    assert listed(impasto) == []
    again = tmp_path / "again.png"
    for painted_before in (there, here):
        assert impasto("stylize", "--replay", painted_before, "--daemon", "-o", again).code == 0
        assert np.array_equal(pixels_of(again), pixels_of(here))


def test_depth_profile_and_transparency_survive_the_daemon(
    daemon: Path, impasto: Impasto, style: Path, tmp_path: Path
) -> None:
    deep = tmp_path / "deep.png"
    transparent = Image.fromarray(np.rint(waves(30, 40, seed=1, channels=4) * 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x010E] = "a pier"
    transparent.save(deep, exif=exif)
    for name, how in (("here.png", ()), ("there.png", ("--daemon",))):
        assert impasto("stylize", deep, style, *QUICKLY, "-o", tmp_path / name, *how).code == 0
    with Image.open(tmp_path / "there.png") as there:
        assert (there.mode, there.getexif()[0x010E]) == ("RGBA", "a pier")
    assert np.array_equal(pixels_of(tmp_path / "here.png"), pixels_of(tmp_path / "there.png"))


def test_a_job_is_left_to_the_daemon_listed_watched_and_fetched(
    daemon: Path, impasto: Impasto, content: Path, style: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here.jpg", tmp_path / "there.jpg"
    detached = impasto("stylize", content, style, *QUICKLY, "--daemon", "--detach")
    assert detached.code == 0, detached.stderr
    job = detached.stdout.strip()
    remembered = daemon.with_name("left") / f"{job}.json"
    assert remembered.stat().st_mode & 0o077 == 0
    watched = impasto("jobs", "watch", job[:8])
    assert (watched.code, watched.stdout) == (0, "")
    assert f"{job[:8]} is SUCCEEDED." in watched.stderr
    (entry,) = listed(impasto)
    assert (entry["job"], entry["state"], entry["width"], entry["has_result"]) == (job, "SUCCEEDED", 40, True)
    assert "to be fetched" in impasto("jobs").stdout
    fetched = impasto("jobs", "fetch", job[:8], "-o", there)
    assert (fetched.code, fetched.stdout) == (0, f"{there}\n"), fetched.stderr
    assert impasto("stylize", content, style, *QUICKLY, "-o", here).code == 0
    assert np.array_equal(pixels_of(here), pixels_of(there))
    assert read_recipe(there)["content"] == read_recipe(here)["content"]
    assert listed(impasto) == []
    assert not remembered.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals that Python can open.")
def test_on_a_terminal_each_job_that_is_watched_has_a_bar(
    daemon: Path, impasto: Impasto, content: Path, style: Path
) -> None:
    import pty

    jobs = [impasto("stylize", content, style, *QUICKLY, "--daemon", "--detach").stdout.strip() for _ in range(2)]
    ours, theirs = pty.openpty()
    shown = b""
    terminal = {"COLUMNS": "100", "TERM": "xterm"}
    with process("jobs", "watch", *jobs, stderr=theirs, environment=terminal) as watching:
        os.close(theirs)
        with suppress(OSError):  # how Linux says that the other end is closed
            while piece := os.read(ours, 4096):
                shown += piece
        assert watching.wait(DEADLINE_S) == 0
    os.close(ours)
    lines = shown.decode().splitlines()
    for job in jobs:
        assert any(f"{job[:8]} 40 × 30" in line and "SUCCEEDED" in line for line in lines)
        assert impasto("jobs", "fetch", job, "-o", content.with_name(f"{job}.png")).code == 0


def test_a_job_of_another_program_is_fetched_without_a_recipe(
    daemon: Path, impasto: Impasto, content: Path, style: Path, tmp_path: Path
) -> None:
    impasto("daemon", "start")
    form = PixelFormat(width=24, height=16, channels=3)
    picture = Picture(format=form, data=bytes(i % 251 for i in range(form.size_bytes)))
    order = Order(
        content=picture.blob,
        styles=(Style(picture=picture.blob),),
        network="lite",
        settings=Settings(size=24, evaluations=2, precision="float32"),
    )
    with Client(lambda: dial(daemon), name="an editor") as editor:
        editor.connect(timeout_s=10.0)
        job = editor.submit(order, [picture], timeout_s=30.0)
    assert impasto("jobs", "watch", job).code == 0
    assert impasto("jobs", "fetch", job, "-o", tmp_path / "out.tif").code == 0
    assert pixels_of(tmp_path / "out.tif").shape == (16, 24, 3)
    assert impasto("jobs", "fetch", job, "-o", tmp_path / "out.tif").code == 2


def test_ctrl_c_keeps_the_best_picture_of_the_daemon(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path
) -> None:
    impasto("daemon", "start")
    with process("stylize", content, style, *LONG, "-o", out, "--daemon") as painting:
        assert painting.stderr is not None
        for line in painting.stderr:
            if line.startswith("Evaluation"):
                break
        painting.send_signal(signal.SIGINT)
        said = painting.stderr.read()
        assert painting.wait(DEADLINE_S) == 0
    assert "Stopping after this evaluation" in said
    assert "Stopped at evaluation" in said
    assert pixels_of(out).shape == (192, 256, 3)
    assert read_recipe(out)["stopped"] is True
    assert listed(impasto) == []


def test_a_daemon_that_is_stopped_meanwhile_is_started_again_and_the_picture_comes(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path
) -> None:
    impasto("daemon", "start")
    options = ("--network", "lite", "--size", 128, "--evaluations", 400, "--precision", "float32")
    with process("stylize", content, style, *options, "-o", out, "--daemon") as painting:
        assert painting.stderr is not None
        for line in painting.stderr:
            if line.startswith("Evaluation"):
                break
        assert impasto("daemon", "stop").code == 0
        said = painting.stderr.read()
        assert painting.wait(DEADLINE_S) == 0, said
    assert "The daemon is back." in said
    assert pixels_of(out).shape == (96, 128, 3)


def test_what_is_remembered_of_a_job_stays_while_its_pictures_may_be_on_their_way(daemon: Path) -> None:
    young, old = (LeftJob(sources={}, settings={}).keep() for _ in range(2))
    places = [daemon.with_name("left") / f"{job}.json" for job in (young, old)]
    os.utime(places[1], (0.0, time.time() - SUBMIT_S - 1.0))
    LeftJob.forget_all_but([])
    assert [place.exists() for place in places] == [True, False]
    LeftJob.forget(young)


def test_what_was_stopped_is_replayed_by_the_daemon_to_the_same_evaluation(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path, tmp_path: Path
) -> None:
    job = impasto("stylize", content, style, *LONG, "--daemon", "--detach").stdout.strip()
    until_it_runs(impasto, job)
    assert impasto("jobs", "cancel", job, "--keep").code == 0
    assert impasto("jobs", "fetch", job, "-o", out).code == 0
    again = tmp_path / "again.png"
    replayed = impasto("stylize", "--replay", out, "--daemon", "-o", again)
    assert replayed.code == 0, replayed.stderr
    first, second = read_recipe(out), read_recipe(again)
    assert first["stopped"] is second["stopped"] is True
    assert first["evaluations"] == second["evaluations"]
    assert f"Stopped at evaluation {first['evaluations']}" in replayed.stderr
    assert np.array_equal(pixels_of(again), pixels_of(out))


def test_a_painting_by_the_daemon_keeps_to_a_memory_budget_or_is_refused_after_its_estimate(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path
) -> None:
    options = ("stylize", content, style, *QUICKLY, "--daemon")
    refused = impasto(*options, "-o", out, "--memory-budget", "100MB")
    assert refused.code == 2
    assert re.search("budget is 100 MB, .* 48 × 36 .*, about .* and .* of memory; give a smaller", refused.stderr)
    assert not out.exists()
    assert listed(impasto) == []
    estimated = impasto(*options, "--estimate", "--memory-budget", "100MB")
    assert (estimated.code, estimated.stdout.partition(" by")[0]) == (2, "48 × 36")
    assert impasto(*options, "-o", out, "--memory-budget", "4GB").code == 0
    assert pixels_of(out).shape == (36, 48, 3)


def test_a_daemon_that_would_pass_over_a_part_of_an_order_is_not_given_it() -> None:
    order = CommandOrder(content=Path("photograph.jpg"), styles=())
    nothing: Any = None
    budgeted = Delegation(order=order, settings=nothing, pictures=nothing, sources={}, memory_budget_bytes=10**9)
    budgeted.check_understood(("jobs", "budget"))
    with pytest.raises(Refused, match="older than this command and does not know a memory budget"):
        budgeted.check_understood(("jobs",))
    stopped = replace(budgeted, order=replace(order, stop_at=7), memory_budget_bytes=None)
    stopped.check_understood(("stop_at",))
    with pytest.raises(Refused, match="to stop at evaluation 7"):
        stopped.check_understood(("jobs", "budget"))


@pytest.mark.parametrize("keep", [True, False])
def test_a_job_is_cancelled_with_and_without_its_picture(
    keep: bool, daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path
) -> None:
    job = impasto("stylize", content, style, *LONG, "--daemon", "--detach").stdout.strip()
    until_it_runs(impasto, job)
    refused = impasto("jobs", "fetch", job, "-o", out)
    assert refused.code == 2
    assert "is RUNNING; wait for its end" in refused.stderr
    cancelled = impasto("jobs", "cancel", job[:6], *(("--keep",) if keep else ()))
    assert cancelled.stdout == f"The job {job[:8]} is {'SUCCEEDED' if keep else 'CANCELLED'}.\n", cancelled.stderr
    fetched = impasto("jobs", "fetch", job[:6], "-o", out)
    assert (fetched.code, out.exists()) == ((0, True) if keep else (2, False))
    assert listed(impasto) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot suspend a process.")
def test_the_picture_of_a_cancelled_job_comes_although_the_daemon_dies(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path, tmp_path: Path
) -> None:
    job = impasto("stylize", content, style, *LONG, "--daemon", "--detach").stdout.strip()
    until_it_runs(impasto, job)
    server = psutil.Process(read_connection(daemon).pid)
    until_it_is_true(lambda: any(daemon.with_name("checkpoints").glob("*.npz")))
    suspended = server.children(recursive=True)
    for child in suspended:
        child.suspend()
    with process("jobs", "cancel", job, "--keep") as cancelling:
        assert cancelling.stderr is not None
        until_it_is_true(lambda: any(entry["state"] == "CANCELLING" for entry in listed(impasto)))
        for killed in (server, *suspended):
            killed.kill()
        said = cancelling.stderr.readline()
        assert "Waiting for it to come back" in said
        assert impasto("daemon", "start").code == 0
        said += cancelling.stderr.read()
        assert cancelling.wait(DEADLINE_S) == 0, said
    assert "The daemon is back." in said
    assert impasto("jobs", "fetch", job, "-o", out).code == 0
    again = tmp_path / "again.png"
    assert impasto("stylize", "--replay", out, "-o", again).code == 0
    assert np.array_equal(pixels_of(again), pixels_of(out)), "it is the picture after as many evaluations"


def test_previews_and_trace_are_written_while_the_daemon_paints(
    daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path, tmp_path: Path
) -> None:
    watching = ("--previews", tmp_path / "previews", "--preview-every", 5, "--trace", tmp_path / "trace.jsonl")
    options = ("--network", "lite", "--size", 128, "--evaluations", 40, "--precision", "float32")
    assert impasto("stylize", content, style, *options, "-o", out, "--daemon", *watching).code == 0
    lines = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert 30 <= lines[-1]["evaluation"] <= 40, "under load some do not come"
    assert {"loss", "content", "style", "tv"} <= lines[0].keys()
    previews = sorted((tmp_path / "previews").iterdir())
    assert previews[0].name == "0001.png"
    assert pixels_of(previews[-1]).shape == (96, 128, 3)


def test_an_estimate_of_the_daemon_paints_nothing(daemon: Path, impasto: Impasto, content: Path, style: Path) -> None:
    told = impasto("stylize", content, style, *QUICKLY, "--daemon", "--estimate")
    assert told.code == 0
    assert told.stdout.startswith("48 × 36 by the daemon (")
    assert listed(impasto) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--detach",), "give --daemon, too"),
        (("--detach", "--daemon"), "give -o to 'impasto jobs fetch'"),
        (("--daemon", "--weights", "some.h5"), "leave out --daemon"),
        (("--daemon", "--network", "vgg20"), "vgg20"),
        (("--daemon", "--strength", 2), "strength"),
    ],
    ids=["detach", "detach with a file", "weights", "network", "strength"],
)
def test_what_the_daemon_cannot_do_is_refused(
    arguments: Sequence[Argument], why: str, daemon: Path, impasto: Impasto, content: Path, style: Path, out: Path
) -> None:
    refused = impasto("stylize", content, style, "-o", out, *arguments)
    assert refused.code == 2
    assert why in refused.stderr
    assert refused.stderr.count("\n") <= 2


def test_a_job_that_is_not_there_is_told_of(daemon: Path, impasto: Impasto, out: Path) -> None:
    impasto("daemon", "start")
    for command in (("watch", "fff"), ("cancel", "fff"), ("fetch", "fff", "-o", out)):
        refused = impasto("jobs", *command)
        assert refused.code == 2
        assert "There is no job 'fff'" in refused.stderr
    assert impasto("jobs", "watch").stdout == "There are no jobs to watch.\n"


def test_a_job_that_failed_says_why_where_it_is_watched_and_listed(
    daemon: Path, impasto: Impasto, content: Path, style: Path
) -> None:
    impasto("daemon", "start")
    form = PixelFormat(width=24, height=16, channels=3)
    picture = Picture(format=form, data=bytes(form.size_bytes))
    order = Order(kind=OrderKind.CONTENT_RECONSTRUCTION, content=picture.blob, layer="attic", network="lite")
    with Client(lambda: dial(daemon), name="an editor") as editor:
        editor.connect(timeout_s=10.0)
        job = editor.submit(order, [picture], timeout_s=30.0)
    watched = impasto("jobs", "watch", job)
    assert watched.code == 2
    assert "attic" in watched.stderr
    (log_id,) = re.findall("impasto daemon log ([0-9a-f]{8})", watched.stderr)
    lines = impasto("daemon", "log", log_id).stdout
    assert "Traceback" in lines
    assert "attic" in lines
    assert impasto("daemon", "log").stdout == f"{daemon.with_name('daemon.log')}\n"
    assert impasto("daemon", "log", "00000000").code == 2
    assert "attic" in impasto("jobs").stdout.replace("\n", "")
    assert impasto("jobs", "cancel", job).code == 2
