"""Every limit of the daemon in one place, each with its unit and its reason. Those of the protocol are its own."""

MAX_JOBS_PER_SESSION = 16
"""Jobs of one session that are not over: a person's batch, and no more than a minute's work to look through."""

MAX_JOBS = 256
"""Jobs of all sessions that are not over."""

MAX_SESSIONS = 256
"""Sessions that are remembered, with or without a client."""

MAX_FOLLOWED = 32
"""Jobs of other sessions that one session follows: more than a person looks at."""

MAX_KEPT_JOBS = 256 - MAX_FOLLOWED
"""Jobs of one session, those that are over included: with those it follows, as many as a SNAPSHOT can list."""

MAX_UPLOADS_PER_SESSION = 4
"""Pictures of one session that are on their way at one time; a client sends one after the other."""

MAX_QUESTIONS = 16
"""Estimates waiting for the painting process: what its pipe takes without blocking."""

MAX_BAD_MESSAGES = 32
"""Unreadable messages of one connection within `BAD_MESSAGES_S` before it is ended."""

BAD_MESSAGES_S = 10.0
"""Seconds in which bad messages are counted."""

CUT_OFF_S = 10.0
"""Seconds for which a connection that was cut off is neither heard nor told anything but why. An honest client has
dialled anew by then; whoever still speaks is a stranger, and told to say HELLO."""

BLOBS_BYTES = 4 * 1024**3
"""Bytes of pictures on disk: orders, results and what is kept because it may be ordered again."""

RESULTS_BYTES = 1024**3
"""Bytes of results that nobody acknowledged; beyond it the oldest go first."""

RESULT_KEPT_S = 30 * 60.0
"""Seconds for which a result that nobody acknowledged is kept."""

SESSION_KEPT_S = 30 * 60.0
"""Seconds for which a session is remembered without a client and without a job that is not over."""

RETURN_GRACE_S = 10.0
"""Seconds for which a client that left without BYE, or whose daemon was restarted, may come back before it counts as
gone: clients dial every 5 s."""

SEND_QUEUE_MESSAGES = 8
"""Messages to one client in ZeroMQ's hands, 2 MiB each at the most but for previews, which credit bounds."""

RECEIVE_QUEUE_MESSAGES = 8
"""Messages from one client in ZeroMQ's hands: two windows of chunks."""

OUTBOX_BYTES = 10 * 1024**2
"""Bytes waiting for one client beside ZeroMQ's: a window, which an honest client may have asked for at one time, and a
quarter for what it is told unasked. Who asks for more faster than it is sent is cut off. With one part more, with
`SEND_QUEUE_MESSAGES`, and with the one that is being encrypted, that client has then cost less than 32 MiB."""

MESSAGES_AT_ONCE = 32
"""Messages read before anything else gets its turn."""

BYTES_AT_ONCE = 1024**2
"""Bytes read before anything else gets its turn: one chunk, whose answer leaves while the next is written."""

PING_S = 2.0
"""Seconds between PINGs to each client, which is how its end is noticed."""

TRANSPORT_SILENCE_S = 6.0
"""Seconds without a sign of life from a client's ZeroMQ before the connection is closed."""

HANDSHAKE_S = 5.0
"""Seconds that a connection may take to prove its key."""

SEND_RETRY_S = 0.01
"""Seconds before what a client's queue had no room for is tried again."""

MEMORY_BYTES = 2 * 1024**3
"""Bytes of the server's memory beyond which it ends, and leaves its jobs to the next. What a session may cost is
bounded, but libzmq takes a message of endless frames from a client with a key."""

LOG_BYTES = 1_000_000
"""Bytes of the log before it is set aside: some days of use."""

LOGS_KEPT = 3
"""Logs that were set aside and are kept."""

TEND_S = 0.25
"""Seconds between looks at what has become due: hung paintings, expired results."""

HARD_STOP_S = 3.0
"""Seconds after CANCEL before a painting that has not stopped loses its process."""

HANG_S = 180.0
"""Seconds without a sign from a painting before it counts as hung: several times what compiling the largest scale takes
on two cores."""

LOAD_S = 900.0
"""Seconds from a job's start until painting has begun: a network may have to be downloaded first."""

HANG_FACTOR = 20.0
"""Times its longest evaluation so far that a painting may be silent, if that is longer than `HANG_S`."""

RESPAWN_FIRST_S = 0.1
"""Seconds before a painting process that ended is started again."""

RESPAWN_LONGEST_S = 30.0
"""Seconds between starts at the most, when it ends again and again before it is ready."""

MAX_FALSE_STARTS = 3
"""Painting processes in a row that ended before they were ready, after which waiting jobs fail rather than wait."""

START_S = 180.0
"""Seconds a painting process may take to be ready: importing TensorFlow from a slow disk takes one minute."""

WORKER_END_S = 1.0
"""Seconds to wait for a painting process that was killed."""

CHECKPOINT_S = 5.0
"""Seconds between checkpoints of a painting, at the least: what a crash may cost."""

CHECKPOINT_SHARE = 0.01
"""Of the time of a painting, at the most, for checkpoints: those of a large picture are fewer."""

LAY_DOWN_S = 1.5
"""Seconds that a painting has for its last checkpoint when the daemon stops, which shall not take 3: a process that is
killed over a long evaluation takes half a second to give back 3 GB, and longer for more."""

LOOK_S = 0.01
"""Seconds between looks at whether it has got there."""
