"""A daemon that paints nothing and does as it is told: a ROUTER with CURVE and an allow-list, on loopback TCP.

It keeps the protocol by default. A test makes it misbehave by putting a function of its own into `on`.
"""

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import zmq
import zmq.utils.z85

from impasto_protocol import messages as m
from impasto_protocol.codec import decode, encode
from impasto_protocol.connection import Connection, write_connection
from impasto_protocol.errors import ConflictError, MissingBlobError, ProtocolError, RefusalError, UnknownJobError
from impasto_protocol.failures import Failure
from impasto_protocol.limits import MAX_FRAME_BYTES
from impasto_protocol.pixels import Blob, digest_of
from impasto_protocol.states import JobState
from impasto_protocol.transport import new_key_pair
from impasto_protocol.version import agreed_version
from impasto_protocol.vocabulary import TYPE_NAMES

PATIENCE_S = 20.0
"""How long a test waits before it says that something does not happen."""
LISTED = 2
"""Jobs in one of its lists, so that a client has to ask on."""

Handler = Callable[["FakeDaemon", m.Message], "m.Message | None"]


class FakeJob:
    def __init__(self, order: Any) -> None:
        self.order = order
        self.events: list[m.State | m.Result] = []
        self.pixels = b""
        self.digest = b""


class FakeDaemon:
    """Serves one client at a time; what it knows outlives `stop` and `start`.

    Attributes:
        path: Its connection file.
        on: What to do with messages of a type, instead of the usual; what the function returns is the answer.
        heard: Every message received, in order.
        said: Every message sent, in order.
        jobs: By id.
        blobs: By digest.
        bad_peers: Handshakes refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.on: dict[str, Handler] = {}
        self.heard: list[m.Message] = []
        self.said: list[m.Message] = []
        self.jobs: dict[str, FakeJob] = {}
        self.blobs: dict[bytes, bytes] = {}
        self.partial: dict[bytes, tuple[bytearray, int]] = {}
        self.sessions: dict[str, bytes] = {}
        self.bad_peers = 0
        self.route: bytes | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens at a new port with new keys, and says so in the connection file."""
        self._server_public, self._server_secret = new_key_pair()
        client_public, client_secret = new_key_pair()
        self._allowed = zmq.utils.z85.decode(client_public)
        self._context = zmq.Context()
        self._zap = self._context.socket(zmq.REP)
        self._zap.bind("inproc://zeromq.zap.01")
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 200)
        self._router.setsockopt(zmq.CURVE_SERVER, 1)
        self._router.setsockopt(zmq.CURVE_SECRETKEY, self._server_secret.encode())
        self._router.setsockopt(zmq.ZAP_DOMAIN, b"impasto")
        self._router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._router.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        port = self._router.bind_to_random_port("tcp://127.0.0.1")
        self._orders: list[tuple[m.Message | None, list[bytes] | None]] = []
        self._wake, self._woken = socket.socketpair()
        self._stopping = False
        self.route = None
        self.connection = Connection(
            endpoint=f"tcp://127.0.0.1:{port}",
            server_key=self._server_public,
            client_public_key=client_public,
            client_secret_key=client_secret,
            pid=1,
            protocol_min=1,
            protocol_max=1,
            daemon="fake 1",
        )
        write_connection(self.connection, self.path)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes its sockets without a word."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake.send(b".")
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._thread = None
        self._wake.close()
        self._woken.close()

    def die(self) -> None:
        """For use in `on`: falls silent at once, so that what would be sent next is not."""
        self._stopping = True
        self.route = None

    @property
    def is_dying(self) -> bool:
        """Whether `die` was called since the last start."""
        return self._stopping

    def forget(self) -> None:
        """Loses all it knows."""
        self.jobs, self.blobs, self.partial, self.sessions = {}, {}, {}, {}

    def say(self, message: m.Message) -> None:
        """Sends to the client that spoke last."""
        self._orders.append((message, None))
        self._wake.send(b".")

    def say_frames(self, frames: list[bytes]) -> None:
        """Sends frames that need not be a message."""
        self._orders.append((None, frames))
        self._wake.send(b".")

    def enter(self, job: str, state: JobState, failure: Failure | None = None, *, aloud: bool = True) -> None:
        """Puts a job into a state, and tells unless it shall be lost on the way."""
        self._happen(job, m.State(job=job, seq=self._next_seq(job), state=state, failure=failure), aloud)

    def finish(self, job: str, format: Any, pixels: bytes, *, aloud: bool = True) -> None:
        """Finishes a job with a picture."""
        self.jobs[job].pixels, self.jobs[job].digest = pixels, digest_of(pixels)
        result = m.Result(
            job=job,
            seq=self._next_seq(job),
            picture=Blob(digest=digest_of(pixels), format=format),
            crc32=crc32(pixels),
            losses={"content/block4_conv2": 1.5, "tv": 0.25},
            evaluations=300,
            duration_s=12.5,
            stopped=False,
            rollbacks=0,
            network="vgg16",
            precision="float32",
        )
        self._happen(job, result, aloud)
        self.enter(job, JobState.SUCCEEDED, aloud=aloud)

    def wait_until(self, come_true: Callable[[], bool], what: str = "it") -> None:
        """Waits, with a deadline, until something heard or said makes a condition come true."""
        with self._changed:
            assert self._changed.wait_for(come_true, PATIENCE_S), f"{what} did not happen within {PATIENCE_S} s"

    def count(self, kind: type[m.Message]) -> int:
        """How often a type of message was heard."""
        return sum(isinstance(message, kind) for message in self.heard)

    def _next_seq(self, job: str) -> int:
        return len(self.jobs[job].events) + 1

    def _happen(self, job: str, event: m.State | m.Result, aloud: bool) -> None:
        self.jobs[job].events.append(event)
        if aloud:
            self.say(event)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for one in (self._router, self._zap, self._woken):
            poller.register(one, zmq.POLLIN)
        while not self._stopping:
            ready = dict(poller.poll())
            if self._zap in ready:
                self._judge()
            if self._woken.fileno() in ready:
                self._woken.recv(4096)
                while self._orders:
                    self._obey(*self._orders.pop(0))
            if self._router in ready:
                self._hear()
        self._router.close()
        self._zap.close(linger=0)
        self._context.term()

    def _judge(self) -> None:
        version, request, _, _, _, mechanism, key = [*self._zap.recv_multipart(), b""][:7]
        known = mechanism == b"CURVE" and key == self._allowed
        self.bad_peers += not known
        self._zap.send_multipart([version, request, b"200" if known else b"400", b"", b"", b""])

    def _obey(self, message: m.Message | None, frames: list[bytes] | None) -> None:
        if message is not None:
            self._send(message)
        elif frames is not None and self.route is not None:
            self._router.send_multipart([self.route, *frames])

    def _send(self, message: m.Message, reply_to: int | None = None) -> None:
        if self.route is None:
            return
        self._last_id = getattr(self, "_last_id", 0) + 1
        frames = encode(message, message_id=self._last_id, reply_to=reply_to)
        try:
            self._router.send_multipart([self.route, *frames])
        except zmq.ZMQError:
            return  # that client is gone
        with self._changed:
            self.said.append(message)
            self._changed.notify_all()

    def _hear(self) -> None:
        route, *frames = self._router.recv_multipart()
        envelope = decode(frames)
        message = envelope.message
        self.route = route
        handler = self.on.get(TYPE_NAMES[type(message)], FakeDaemon.usual)
        try:
            answer = handler(self, message)
        except RefusalError as error:
            answer = m.Error(failure=Failure.of(error))
        with self._changed:
            self.heard.append(message)
            self._changed.notify_all()
        if answer is not None:
            self._send(answer, envelope.id)
        if isinstance(message, m.Submit) and isinstance(answer, m.Accepted):
            self._send(self.jobs[message.job].events[0])
        if isinstance(message, m.Follow) and isinstance(answer, m.Done):
            for event in self.jobs[message.job].events:
                self._send(event)
        if isinstance(message, m.Resume):
            for job, known in self.jobs.items():
                for event in known.events[message.seen.get(job, 0) :]:
                    self._send(event)

    def usual(self, message: m.Message) -> m.Message | None:
        """What an honest daemon answers."""
        match message:
            case m.Hello():
                return self._welcome(message)
            case m.Ping():
                return m.Pong()
            case m.Upload(digest=digest, size_bytes=size):
                if digest in self.blobs:
                    return m.BlobOk(digest=digest)
                _, received = self.partial.setdefault(digest, (bytearray(size), 0))
                return m.Wanted(digest=digest, offset_bytes=received)
            case m.Chunk():
                return self._store(message)
            case m.Submit(job=job, order=order):
                if any(blob.digest not in self.blobs for blob in order.blobs()):
                    raise MissingBlobError("A picture was dropped; upload it again.")
                if job in self.jobs and self.jobs[job].order != order:
                    raise ConflictError(f"The job {job} is another one; choose another id.")
                if job not in self.jobs:
                    self.jobs[job] = FakeJob(order)
                    self.jobs[job].events.append(m.State(job=job, seq=1, state=JobState.QUEUED))
                return m.Accepted(job=job, ahead=0)
            case m.Fetch(job=job, offset_bytes=at, length_bytes=length):
                known = self._job(job)
                return m.Chunk(digest=known.digest, offset_bytes=at, data=(known.pixels[at : at + length],))
            case m.Ack(job=job):
                self.jobs.pop(job, None)
                return m.Done()
            case m.Pause(job=job) | m.Unpause(job=job) | m.Cancel(job=job) | m.Adjust(job=job):
                self._job(job)
                return m.Done()
            case m.Resume():
                return m.Snapshot(
                    jobs=tuple(
                        m.JobSummary(job=job, state=self._state(known), seq=len(known.events))
                        for job, known in self.jobs.items()
                    )
                )
            case m.ListJobs(after=after):
                return m.Jobs(jobs=tuple(self._entries())[after:][:LISTED], more=len(self.jobs) > after + LISTED)
            case m.Follow(job=job):
                self._job(job)
                return m.Done()
            case m.Status():
                return m.Report(
                    daemon="fake 1", device="none", uptime_s=1.0, sessions=1, queued=0, painting=0, memory_bytes=0
                )
            case m.Estimate(width=width, height=height):
                return m.Estimated(width=width, height=height, evaluations=300, duration_s=90.0, memory_bytes=10**9)
            case m.Pong() | m.Credit() | m.Bye():
                return None
            case _:
                raise ProtocolError(f"A client does not say {message}")

    def _job(self, job: str) -> FakeJob:
        if job not in self.jobs:
            raise UnknownJobError(f"There is no job {job}; submit it.")
        return self.jobs[job]

    @staticmethod
    def _state(job: FakeJob) -> JobState:
        states = [event.state for event in job.events if isinstance(event, m.State)]
        return states[-1] if states else JobState.QUEUED

    def _entries(self) -> Iterator[m.JobEntry]:
        for number, (job, known) in enumerate(self.jobs.items(), 1):
            yield m.JobEntry(
                number=number,
                job=job,
                state=self._state(known),
                seq=len(known.events),
                kind=known.order.kind,
                width=known.order.content.format.width,
                height=known.order.content.format.height,
                attached=True,
                has_result=bool(known.pixels),
                changed_s=1.0,
            )

    def _welcome(self, hello: m.Hello) -> m.Welcome:
        resumed = hello.session is not None and self.sessions.get(hello.session) == hello.resume_token
        session = hello.session if resumed and hello.session else secrets.token_hex(16)
        token = self.sessions.setdefault(session, secrets.token_bytes(32))
        return m.Welcome(
            protocol=agreed_version(hello.protocol_min, hello.protocol_max),
            daemon="fake 1",
            session=session,
            resume_token=token,
            resumed=resumed,
            device="none",
            networks=("vgg16",),
            max_picture_bytes=2**30,
            max_jobs=16,
        )

    def _store(self, chunk: m.Chunk) -> m.Message:
        data, received = self.partial[chunk.digest]
        assert chunk.offset_bytes == received
        received += chunk.size_bytes
        data[chunk.offset_bytes : received] = b"".join(chunk.data)
        self.partial[chunk.digest] = (data, received)
        if received < len(data):
            return m.Wanted(digest=chunk.digest, offset_bytes=received)
        del self.partial[chunk.digest]
        assert digest_of(data) == chunk.digest
        self.blobs[chunk.digest] = bytes(data)
        return m.BlobOk(digest=chunk.digest)
