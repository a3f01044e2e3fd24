"""A refusal as it travels, and its way from and to an exception."""

from dataclasses import dataclass

from impasto_protocol.errors import REFUSALS, RefusalError
from impasto_protocol.fields import Name, Seconds, Text
from impasto_protocol.limits import MAX_TEXT_CHARS

__all__ = ["Failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something was refused, or why a job failed; the attributes are those of `RefusalError`.

    Attributes:
        code: One of `errors.REFUSALS`, or one of a later version.
        text: One sentence for the person at the editor.
        retryable: Whether the same may succeed later.
        field: The field at fault.
        retry_after_s: When to try again.
        log_id: Under which the daemon's log has more.
    """

    code: Name
    text: Text
    retryable: bool = False
    field: Text | None = None
    retry_after_s: Seconds | None = None
    log_id: Name | None = None

    @classmethod
    def of(cls, error: RefusalError) -> "Failure":
        """The failure that tells of an exception."""
        return cls(
            code=error.code,
            text=str(error)[:MAX_TEXT_CHARS],
            retryable=error.retryable,
            field=None if error.field is None else error.field[:MAX_TEXT_CHARS],
            retry_after_s=error.retry_after_s,
            log_id=error.log_id,
        )

    def exception(self) -> RefusalError:
        """The exception to raise: of the code's own class, or of the base class for a code of a later version."""
        kind = REFUSALS.get(self.code, RefusalError)
        error = kind(self.text, field=self.field, retry_after_s=self.retry_after_s, log_id=self.log_id)
        error.retryable = self.retryable
        return error
