"""Everything that can be said: one frozen dataclass per message type.

`vocabulary` says who sends which and what answers it; `docs/PROTOCOL.md` tells what they mean. A field without a
default must be there; fields that this version does not know are ignored.
"""

from typing import TypeAlias

from impasto_protocol.messages.events import Preview, Progress, Result, State
from impasto_protocol.messages.listing import Follow, JobEntry, Jobs, ListJobs
from impasto_protocol.messages.orders import (
    Accepted,
    Ack,
    Adjust,
    Cancel,
    Credit,
    JobSummary,
    Pause,
    Resume,
    Snapshot,
    Submit,
    Unpause,
)
from impasto_protocol.messages.pictures import BlobOk, Chunk, Fetch, Upload, Wanted
from impasto_protocol.messages.session import (
    Bye,
    Done,
    Error,
    Estimate,
    Estimated,
    Hello,
    Ping,
    Pong,
    Report,
    Status,
    Welcome,
)

__all__ = [
    "Accepted",
    "Ack",
    "Adjust",
    "BlobOk",
    "Bye",
    "Cancel",
    "Chunk",
    "Credit",
    "Done",
    "Error",
    "Estimate",
    "Estimated",
    "Fetch",
    "Follow",
    "Hello",
    "JobEntry",
    "JobSummary",
    "Jobs",
    "ListJobs",
    "Message",
    "Pause",
    "Ping",
    "Pong",
    "Preview",
    "Progress",
    "Report",
    "Result",
    "Resume",
    "Snapshot",
    "State",
    "Status",
    "Submit",
    "Unpause",
    "Upload",
    "Wanted",
    "Welcome",
]

Message: TypeAlias = (
    Hello
    | Welcome
    | Ping
    | Pong
    | Status
    | Report
    | Estimate
    | Estimated
    | Upload
    | Wanted
    | BlobOk
    | Chunk
    | Submit
    | Accepted
    | State
    | Progress
    | Preview
    | Result
    | Fetch
    | Credit
    | Ack
    | Adjust
    | Pause
    | Unpause
    | Cancel
    | Done
    | Resume
    | Snapshot
    | ListJobs
    | Jobs
    | Follow
    | Bye
    | Error
)
"""Any message."""
