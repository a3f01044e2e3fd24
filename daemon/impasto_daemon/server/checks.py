"""What may be asked of a job, and when."""

from impasto_daemon.server.jobs import Job
from impasto_protocol.errors import InvalidOrderError, WrongStateError
from impasto_protocol.orders import Adjustment, OrderKind
from impasto_protocol.states import JobState

__all__ = ["check_adjustment", "check_not_over", "check_over", "check_state"]


def check_state(job: Job, request: str, *allowed: JobState) -> None:
    """Makes sure that a job is in one of these states.

    Raises:
        WrongStateError: It is not.
    """
    if job.state not in allowed:
        raise WrongStateError(
            f"The job {job.name} is {job.state}; {request} needs {' or '.join(allowed)}.", field="job"
        )


def check_over(job: Job) -> None:
    """Makes sure that a job may be forgotten.

    Raises:
        WrongStateError: It is not over.
    """
    if not job.is_over:
        raise WrongStateError(f"The job {job.name} is {job.state}, not over; wait for its end, or CANCEL it.")


def check_not_over(job: Job) -> None:
    """Makes sure that there is something left to cancel.

    Raises:
        WrongStateError: It is over.
    """
    if job.is_over:
        raise WrongStateError(f"The job {job.name} is {job.state}; acknowledge it with ACK.")


def check_adjustment(job: Job, adjustment: Adjustment) -> None:
    """Refuses what the engine would refuse, since it is asked only after the answer.

    Raises:
        InvalidOrderError: The weights contradict each other or the order.
    """
    if job.order.kind is not OrderKind.TRANSFER:
        raise InvalidOrderError(f"The job {job.name} is a {job.order.kind}, which has no weights; cancel it instead.")
    if adjustment.strength is not None and adjustment.content_weight is not None:
        raise InvalidOrderError(
            f"A strength ({adjustment.strength}) and a content weight ({adjustment.content_weight}) set each other; "
            "give one.",
            field="adjustment.strength",
        )
    weights = adjustment.style_weights
    if weights is not None and (len(weights) != len(job.order.styles) or min(weights) <= 0.0):
        raise InvalidOrderError(
            f"The style weights are {list(weights)} and there are {len(job.order.styles)} styles; give a number above "
            "0 for each.",
            field="adjustment.style_weights",
        )
