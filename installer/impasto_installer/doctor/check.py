"""What came of looking at one thing."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "Status", "good", "problem", "warning"]


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """See the module.

    Attributes:
        name: What was looked at.
        status: How it is.
        message: What was found, a sentence.
        cure: What to do about it, a sentence; empty where nothing has to be done.
    """

    name: str
    status: Status
    message: str
    cure: str = ""


def good(name: str, message: str) -> Check:
    """Nothing is wrong."""
    return Check(name=name, status=Status.OK, message=message)


def warning(name: str, message: str, cure: str) -> Check:
    """Something is not as it should be, but Impasto works."""
    return Check(name=name, status=Status.WARNING, message=message, cure=cure)


def problem(name: str, message: str, cure: str) -> Check:
    """Something keeps Impasto from working."""
    return Check(name=name, status=Status.ERROR, message=message, cure=cure)
