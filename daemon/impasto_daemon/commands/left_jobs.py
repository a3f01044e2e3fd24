"""What a command remembers of a job that it leaves to the daemon, so that another can finish the picture.

The daemon knows pixels and settings, but no files. Where the pictures came from, which the finished picture records,
and whose depth, profile and EXIF it takes over, lies here, beside the connection file, for the user's eyes only.
"""

import json
import time
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto_daemon.commands.record import daemons_network_record, painting_record, sha256_of

if TYPE_CHECKING:
    from impasto_engine import Painting
    from impasto_engine.files.picture_file import PictureFile
    from impasto_protocol import Result

__all__ = ["SUBMIT_S", "LeftJob"]

SUBMIT_S = 600.0
"""Seconds for which pictures may be on their way to a daemon elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftJob:
    """See the module.

    Attributes:
        sources: As `order_record` gives them.
        settings: As `Settings.as_dict` gives them.
    """

    sources: Mapping[str, Any]
    settings: Mapping[str, Any]

    def keep(self) -> str:
        """Writes it down under the id of a new job, which is returned."""
        from impasto_protocol.connection import make_private_folder

        job = uuid.uuid4().hex
        place = _place(job)
        make_private_folder(place.parent)
        place.touch(mode=0o600)
        place.write_text(json.dumps({"sources": self.sources, "settings": self.settings}), encoding="utf-8")
        return job

    @classmethod
    def of(cls, job: str) -> "LeftJob | None":
        """What is remembered of a job; None of those that another program ordered."""
        try:
            held = json.loads(_place(job).read_text(encoding="utf-8"))
            return cls(sources=held["sources"], settings=held["settings"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def forget(job: str) -> None:
        """Removes what is remembered of a job."""
        _place(job).unlink(missing_ok=True)

    @staticmethod
    def forget_all_but(jobs: Collection[str]) -> None:
        """Removes what is remembered of jobs that are gone; not of those whose pictures may still be on their way."""
        for place in _place("").parent.glob("*.json"):
            with suppress(OSError):
                if place.stem not in jobs and time.time() - place.stat().st_mtime > SUBMIT_S:
                    place.unlink()

    def record(self, painting: "Painting", result: "Result") -> dict[str, Any]:
        """What is stored in the finished picture."""
        return painting_record(
            painting,
            self.settings,
            self.sources,
            network=daemons_network_record(result.network, result.network_digest),
            polish=None if result.polisher is None else daemons_network_record(result.polisher, result.polisher_digest),
            versions=result.versions or {},
        )

    def content(self) -> "PictureFile | None":
        """The content image, if it is still where and as it was."""
        from impasto_engine.errors import EngineError
        from impasto_engine.files.picture_file import read_picture

        stored = self.sources["content"]
        try:
            place = Path(stored["absolute"])
            return read_picture(place) if sha256_of(place) == stored["sha256"] else None
        except (OSError, EngineError):
            return None


def _place(job: str) -> Path:
    from impasto_protocol.connection import connection_path

    return connection_path().with_name("left") / f"{job}.json"
