"""What the daemon costs, and how soon it answers, against the goals set for it.

    python benchmarks/daemon.py [preview] [cancel] [throughput] [memory] [overhead] [--rounds 5] [--megabytes 256]

`preview`     seconds from SUBMIT to the first preview of 256 pixels of a layer of 1 megapixel; with `lite`, warm.
`cancel`      milliseconds from CANCEL to its answer while a picture is being painted.
`throughput`  a picture up and down through CURVE and the server, onto its disk and into the client's memory, with the
              CRC-32 of what comes down, against pyzmq alone with CURVE and the same frames and window; in turns, in two
              processes each. Once pyzmq carries the same picture, up into a file and down into one piece of memory;
              once one megabyte over and over, which nobody keeps. The digest of what goes up is not in it: the client
              has it when it names its picture, and the painting process hashes before it paints. The painter of this
              daemon hands the content back.
              Below, the seconds of processor time for each GB, of both ends together and of each.
`memory`      of the server: idle, with 32 sessions, and with a job of each.
`overhead`    of painting 512 pixels with `lite` through the daemon against the same in one process, both with a
              workshop that is warm; in turns.

Prints rows for a table. Each daemon has a folder of its own below the temporary folder, or below `--folder`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from impasto_protocol import (
    Answered,
    Client,
    Fetched,
    JobState,
    Order,
    Picture,
    PixelFormat,
    Preview,
    Progress,
    Result,
    SampleType,
    Settings,
    State,
    Style,
    dial,
)
from impasto_protocol import messages as m
from impasto_protocol.limits import MAX_BUFFER_BYTES, MAX_BUFFERS

LONG_S = 600.0
MEGABYTE = 1024 * 1024
SESSIONS = 32
CANCELS = 100

COPIED, KEPT, OVER_AND_OVER = "pyzmq, as it is", "pyzmq, picture kept", "pyzmq, one megabyte over and over"
PLAIN_WAYS = (COPIED, KEPT, OVER_AND_OVER)
"""What the daemon is compared with: frames sent and received as pyzmq does unless told otherwise, with copies, and the
picture kept; the same without pyzmq's copies; and one that nobody keeps."""


# The two kinds of daemon


@contextmanager
def daemon(folder: Path, kind: str) -> Iterator[Callable[[str], Client]]:
    """A daemon in a process of its own; gives what makes connected clients of it."""
    path = Path(tempfile.mkdtemp(dir=folder)) / "impasto" / "connection.json"
    process = subprocess.Popen([sys.executable, __file__, "--serve", kind, str(path)], stdout=subprocess.PIPE)  # noqa: S603
    clients: list[Client] = []

    def client(name: str) -> Client:
        made = Client(lambda: dial(path), name=name)
        clients.append(made)
        made.connect(timeout_s=30.0)
        return made

    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield client
    finally:
        for each in clients:
            each.close()
        process.terminate()
        process.wait()
        process.stdout.close()


def serve(kind: str, path: Path) -> None:
    import asyncio
    import signal

    from impasto_daemon.server.daemon import Daemon
    from impasto_daemon.server.worker_painter import WorkerPainter
    from impasto_daemon.worker.opening import open_engine

    async def run() -> None:
        serving = Daemon(connection_file=path, painter=WorkerPainter(open_engine if kind == "engine" else open_copyist))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.stop)
        serving.on_ready = lambda _: print("ready", flush=True)
        await serving.run()

    asyncio.run(run())


class Copyist:
    """Paints the content as it is, at once."""

    device = "none"
    devices = 1
    networks = ("copy",)

    def estimate(self, question: m.Estimate) -> m.Estimated:
        return m.Estimated(width=question.width, height=question.height, evaluations=1, duration_s=0.0, memory_bytes=0)

    def paint(self, assignment: Any, easel: Any) -> Any:
        from impasto_daemon.worker.studio import Canvas

        easel.begin()
        content = assignment.order.content
        return Canvas(
            format=content.format,
            data=assignment.pictures[content.digest].read_bytes(),
            losses={},
            evaluations=1,
            duration_s=0.0,
            stopped=False,
            rollbacks=0,
            network="copy",
            precision="float32",
        )


def open_copyist() -> Copyist:
    return Copyist()


# Pictures and jobs


def noise(width: int, height: int, channels: int, seed: int) -> Picture:
    """Coloured noise that is smooth enough to paint."""
    random = np.random.default_rng(seed)
    small = random.uniform(0, 255, (height // 8 + 1, width // 8 + 1, channels))
    pixels = np.repeat(np.repeat(small, 8, 0), 8, 1)[:height, :width].astype(np.uint8)
    if channels == 4:
        pixels[..., 3] = 255
    return Picture(format=PixelFormat(width=width, height=height, channels=channels), data=pixels.tobytes())


def until(client: Client, kind: type, **having: object) -> Any:
    for event in client.events(LONG_S):
        if isinstance(event, State) and event.failure is not None:
            raise SystemExit(f"The daemon: {event.failure.text}")
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in having.items()):
            return event
    raise SystemExit(f"No {kind.__name__} came within {LONG_S:g} s.")


def painted(client: Client, order: Order, pictures: list[Picture]) -> tuple[Result, bytes]:
    job = client.submit(order, pictures, timeout_s=LONG_S)
    until(client, Result, job=job)
    client.fetch(job)
    fetched = until(client, Fetched)
    client.acknowledge(job)
    until(client, Answered, request="ACK")
    return fetched.result, bytes(fetched.pixels)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(what: str, value: str, goal: str) -> None:
    print(f"| {what} | {value} | {goal} |", flush=True)


# What is measured


def measure_preview(folder: Path, options: argparse.Namespace) -> None:
    content, style = noise(1000, 1000, 4, 1), noise(640, 480, 3, 2)
    order = Order(content=content.blob, styles=(Style(picture=style.blob),), network="lite")
    with daemon(folder, "engine") as connect:
        client = connect("benchmark")
        times = []
        for number in range(options.rounds + 1):
            fresh = noise(1000, 1000, 4, 100 + number)  # its bytes are not there yet, as with an edited layer
            began = time.perf_counter()
            job = client.submit(
                Order(content=fresh.blob, styles=order.styles, network="lite"), [fresh, style], timeout_s=LONG_S
            )
            preview = until(client, Preview, job=job)
            times.append(time.perf_counter() - began)
            assert max(preview.format.width, preview.format.height) <= 256, preview.format
            client.cancel(job)
            until(client, State, job=job, state=JobState.CANCELLED)
        row("submit to first preview, cold", f"{times[0]:.2f} s", "")
        row(
            "submit to first preview, warm, median / worst",
            f"{statistics.median(times[1:]):.2f} / {max(times[1:]):.2f} s",
            "< 1 s",
        )


def measure_cancel(folder: Path, _: argparse.Namespace) -> None:
    content, style = noise(512, 512, 3, 1), noise(320, 240, 3, 2)
    order = Order(
        content=content.blob,
        styles=(Style(picture=style.blob),),
        network="lite",
        settings=Settings(size=256, evaluations=10_000),
    )
    with daemon(folder, "engine") as connect:
        client = connect("benchmark")
        times = []
        for _number in range(CANCELS):
            job = client.submit(order, [content, style], timeout_s=LONG_S)
            until(client, Progress, job=job)
            began = time.perf_counter()
            client.cancel(job)
            until(client, Answered, request="CANCEL")
            times.append(1000 * (time.perf_counter() - began))
            until(client, State, job=job, state=JobState.CANCELLED)
        row(
            f"cancel acknowledged, p50 / p99 of {CANCELS}",
            f"{percentile(times, 0.5):.1f} / {percentile(times, 0.99):.1f} ms",
            "p99 < 50 ms",
        )


def measure_throughput(folder: Path, options: argparse.Namespace) -> None:
    side = 4096
    form = PixelFormat(width=side, height=options.megabytes * MEGABYTE // side // 4, channels=4)
    style = noise(8, 8, 3, 2)
    ways = ("daemon", *PLAIN_WAYS)
    rates: dict[tuple[str, str], list[float]] = {(way, to): [] for to in ("up", "down") for way in ways}
    spent: dict[tuple[str, str], list[tuple[float, float]]] = {key: [] for key in rates}
    with daemon(folder, "copyist") as connect:
        client = connect("benchmark")
        (server,) = psutil.Process().children()

        def timed(to: str, act: Callable[[], Any]) -> Any:
            at_server, here, began = sum(server.cpu_times()[:2]), time.process_time(), time.perf_counter()
            result = act()
            rates["daemon", to].append(form.size_bytes / (time.perf_counter() - began))
            spent["daemon", to].append((time.process_time() - here, sum(server.cpu_times()[:2]) - at_server))
            return result

        def fetch() -> Fetched:
            client.fetch(job)
            fetched: Fetched = until(client, Fetched)
            return fetched

        for number in range(options.rounds):
            data = picture_bytes(number, form.size_bytes)
            content = Picture(format=form, data=data)
            for to in ("up", "down"):
                for way in PLAIN_WAYS:
                    rate, here_s, there_s = plain_curve(folder, form.size_bytes, to, number, way)
                    rates[way, to].append(rate)
                    spent[way, to].append((there_s, here_s))  # here is the ROUTER, as the server has
            order = Order(content=content.blob, styles=(Style(picture=style.blob),), previews=None)
            pictures = [content, style]
            job = timed("up", lambda o=order, p=pictures: client.submit(o, p, timeout_s=LONG_S))
            until(client, State, job=job, state=JobState.SUCCEEDED)
            fetched = timed("down", fetch)
            assert fetched.pixels == data
            del fetched
            client.acknowledge(job)
            until(client, Answered, request="ACK")
    for to in ("up", "down"):
        for way in ways[1:]:
            ours, plain = (statistics.median(rates[one, to]) for one in ("daemon", way))
            shares = sorted(100 * a / b for a, b in zip(rates["daemon", to], rates[way, to], strict=True))
            row(
                f"{form.size_bytes // MEGABYTE} MiB {to}: daemon / {way}",
                f"{ours / 1e6:.0f} / {plain / 1e6:.0f} MB/s = {statistics.median(shares):.0f} % "
                f"({shares[0]:.0f} to {shares[-1]:.0f})",
                ">= 70 %",
            )
    for way, to in rates:
        client_s, server_s = (
            1e9 / form.size_bytes * statistics.median(side) for side in zip(*spent[way, to], strict=True)
        )
        row(
            f"processor time {to}, {way}: client + server",
            f"{client_s:.2f} + {server_s:.2f} = {client_s + server_s:.2f} s/GB",
            "",
        )


def picture_bytes(number: int, size_bytes: int) -> bytes:
    """A picture of noise; the same in every process."""
    return np.random.default_rng(number).bytes(size_bytes)


def plain_curve(folder: Path, size_bytes: int, to: str, number: int, way: str) -> tuple[float, float, float]:
    """Between two processes with pyzmq and CURVE alone; frames and window as in the protocol.

    Args:
        folder: For a file.
        size_bytes: How much.
        to: From the other process `up` to this one, or `down`.
        number: Of the picture.
        way: One of `PLAIN_WAYS`.

    Returns:
        Bytes a second, and the seconds of processor time here and there.
    """
    import zmq

    server_public, server_secret = zmq.curve_keypair()
    public, secret = zmq.curve_keypair()
    keys = ",".join(key.decode() for key in (server_public, public, secret))
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server, router.curve_secretkey = True, server_secret
    port = router.bind_to_random_port("tcp://127.0.0.1")
    arguments = [str(port), keys, to, str(size_bytes), str(number), way]
    peer = subprocess.Popen([sys.executable, __file__, "--peer", *arguments], stdout=subprocess.PIPE)  # noqa: S603
    kept = picture_bytes(number, size_bytes) if way != OVER_AND_OVER else None
    sent = frames_of(os.urandom(MAX_BUFFER_BYTES) if kept is None else kept, size_bytes)
    copies = way == COPIED
    file = folder / "received"
    with file.open("wb", buffering=0) as received:
        route, _ = router.recv_multipart()
        spent, began = time.process_time(), time.perf_counter()
        router.send_multipart([route, b"go"])
        for frame in sent:  # the peer keeps no more than a window unanswered
            came = router.recv_multipart(copy=copies)[-1]
            if to == "up" and kept is not None:
                received.write(came)
            router.send_multipart([route, frame if to == "down" else b"1"], copy=copies or to != "down")
        router.recv_multipart()
        rate = size_bytes / (time.perf_counter() - began)
        spent = time.process_time() - spent
    there_s = float(peer.communicate()[0])
    context.destroy(linger=0)
    assert to == "down" or kept is None or file.read_bytes() == kept
    file.unlink()
    return rate, spent, there_s


def frames_of(data: bytes, size_bytes: int) -> list[memoryview]:
    """Frames of so many bytes in all, from the beginning of the data again where it ends."""
    view = memoryview(data)
    starts = (at % len(data) for at in range(0, size_bytes, MAX_BUFFER_BYTES))
    return [view[at : at + MAX_BUFFER_BYTES] for at in starts]


def play_peer(port: str, keys: str, to: str, size: str, number: str, way: str) -> None:
    import zmq

    size_bytes, is_kept, copies = int(size), way != OVER_AND_OVER, way == COPIED
    data = picture_bytes(int(number), size_bytes) if is_kept else os.urandom(MAX_BUFFER_BYTES)
    server_public, public, secret = (key.encode() for key in keys.split(","))
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.curve_serverkey, dealer.curve_publickey, dealer.curve_secretkey = server_public, public, secret
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send(b"here")
    dealer.recv()
    began, sent = time.process_time(), 0
    frames = frames_of(data, size_bytes)
    room = memoryview(np.empty(size_bytes, np.uint8)) if to == "down" and is_kept else None
    for received in range(len(frames)):
        while sent < len(frames) and sent - received < MAX_BUFFERS:
            dealer.send(frames[sent] if to == "up" else b"1", copy=copies)
            sent += 1
        came = memoryview(dealer.recv(copy=copies))
        if room is not None:
            at = received * MAX_BUFFER_BYTES
            room[at : at + came.nbytes] = came
    print(time.process_time() - began)
    dealer.send(b"done")
    dealer.close()
    assert room is None or room == data


def measure_memory(folder: Path, _: argparse.Namespace) -> None:
    content, style = noise(1000, 1000, 4, 1), noise(640, 480, 3, 2)
    order = Order(content=content.blob, styles=(Style(picture=style.blob),), network="copy")

    def megabytes() -> str:
        return f"{clients[0].status(timeout_s=LONG_S).memory_bytes / 1e6:.0f} MB"

    with daemon(folder, "copyist") as connect:
        clients = [connect("benchmark")]
        row("memory of the server, idle", megabytes(), "")
        clients += [connect(f"benchmark {number}") for number in range(1, SESSIONS)]
        row(f"memory of the server, {SESSIONS} sessions", megabytes(), "")
        for client in clients:
            painted(client, order, [content, style])
        row(f"memory of the server, after a picture of 1 megapixel for each of {SESSIONS}", megabytes(), "")


def measure_overhead(folder: Path, options: argparse.Namespace) -> None:
    from impasto_daemon.commands.quiet_start import start_keras

    start_keras()
    from impasto_daemon.worker.pictures import samples_of
    from impasto_engine import Settings as EngineSettings
    from impasto_engine import Style as EngineStyle
    from impasto_engine import load_network, paint
    from impasto_engine.workshop import Workshop

    content, style = noise(1000, 750, 3, 1), noise(640, 480, 3, 2)

    def floats(picture: Picture) -> Any:
        shape = (picture.format.height, picture.format.width, 3)
        return np.frombuffer(picture.data, np.uint8).reshape(shape).astype(np.float32) / np.float32(255)

    network, workshop = load_network("lite"), Workshop()
    same = {"size": 512, "evaluations": options.evaluations, "precision": "float32"}
    order = Order(
        content=content.blob,
        styles=(Style(picture=style.blob),),
        network="lite",
        polish="none",
        settings=Settings(**same),
    )

    def in_process() -> bytes:
        painting = paint(
            floats(content),
            [EngineStyle(pixels=floats(style))],
            network,
            EngineSettings(**same),
            on_progress=lambda _: None,
            workshop=workshop,
        )
        return bytes(samples_of(painting.pixels, SampleType.UINT8)[1])

    with daemon(folder, "engine") as connect:
        client = connect("benchmark")

        def through_the_daemon() -> bytes:
            return painted(client, order, [content, style])[1]

        assert in_process() == through_the_daemon(), "the pictures differ"
        here, there = [], []
        for number in range(options.rounds):
            pairs = [(in_process, here), (through_the_daemon, there)]
            for act, times in pairs if number % 2 == 0 else reversed(pairs):
                began = time.perf_counter()
                act()
                times.append(time.perf_counter() - began)
    overhead = statistics.median(b / a for a, b in zip(here, there, strict=True)) - 1
    row(
        f"512 pixels, {options.evaluations} evaluations: daemon / one process",
        f"{statistics.median(there):.2f} / {statistics.median(here):.2f} s = {100 * overhead:+.1f} %",
        "< +3 %",
    )


MEASURES = {
    "preview": measure_preview,
    "cancel": measure_cancel,
    "throughput": measure_throughput,
    "memory": measure_memory,
    "overhead": measure_overhead,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[[], *MEASURES], help="what to measure; everything if not given")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (cancel: always 100 times)")
    parser.add_argument("--megabytes", type=int, default=256, help="MiB of the picture for throughput")
    parser.add_argument("--evaluations", type=int, default=60, help="of the paintings for overhead")
    parser.add_argument("--folder", type=Path, help="where the daemons keep what they keep")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print("| | measured | goal |\n|---|---:|---:|")
        for name in options.what or MEASURES:
            MEASURES[name](folder, options)
    print(f"\n{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--peer"]:
        play_peer(*sys.argv[2:])
    else:
        main()
