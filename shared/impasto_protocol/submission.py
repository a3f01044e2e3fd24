"""Sending an order, and before it the bytes of its pictures that the daemon does not have, a window at a time."""

from collections import deque
from collections.abc import Iterable, Iterator

from impasto_protocol.asking import Asking
from impasto_protocol.errors import ConnectionLostError, DigestMismatchError, MissingBlobError
from impasto_protocol.limits import MAX_PART_BYTES, WINDOW_BYTES
from impasto_protocol.messages import BlobOk, Chunk, Submit, Upload, Wanted
from impasto_protocol.orders import Order
from impasto_protocol.pixels import Picture
from impasto_protocol.requests import Request

__all__ = ["submit"]


def submit(job: str, order: Order, pictures: Iterable[Picture], asking: Asking) -> None:
    """Submits an order. Pictures that the daemon dropped in the meantime are sent once more.

    Raises:
        RefusalError: The daemon refused the order or a picture.
        TimedOutError: Time is over.
    """
    by_digest = {picture.blob.digest: picture for picture in pictures}
    named = dict.fromkeys(blob.digest for blob in order.blobs())
    missing = [digest.hex()[:12] for digest in named if digest not in by_digest]
    if missing:
        raise MissingBlobError(f"The order names pictures that are not given ({', '.join(missing)}); give them.")
    try:
        _submit_with([by_digest[digest] for digest in named], job, order, asking)
    except MissingBlobError:
        _submit_with([by_digest[digest] for digest in named], job, order, asking)


def _submit_with(pictures: Iterable[Picture], job: str, order: Order, asking: Asking) -> None:
    for picture in pictures:
        _upload(picture, asking)
    asking.ask(Submit(job=job, order=order))


def _upload(picture: Picture, asking: Asking) -> None:
    """Makes sure the daemon has a picture's bytes. Bytes that arrived damaged are sent once more."""
    try:
        _offer(picture, asking)
    except DigestMismatchError:
        _offer(picture, asking)


def _offer(picture: Picture, asking: Asking) -> None:
    data = memoryview(picture.data).cast("B")
    offer = Upload(digest=picture.blob.digest, size_bytes=data.nbytes)
    while isinstance(wanted := asking.ask(offer), Wanted):
        if wanted.offset_bytes >= data.nbytes:
            raise DigestMismatchError(
                f"The daemon wants byte {wanted.offset_bytes:,} of a picture of {data.nbytes:,} bytes; send it anew."
            )
        try:
            if _send(_chunks(data, wanted), asking):
                return
        except ConnectionLostError:
            continue  # the next offer tells how far the daemon got


def _chunks(data: memoryview, wanted: Wanted) -> Iterator[Chunk]:
    for at in range(wanted.offset_bytes, data.nbytes, MAX_PART_BYTES):
        yield Chunk(digest=wanted.digest, offset_bytes=at, data=(data[at : at + MAX_PART_BYTES],))


def _send(chunks: Iterator[Chunk], asking: Asking) -> bool:
    """Sends chunks, with no more than a window on the way; says whether the daemon then had everything."""
    waiting: deque[Request] = deque()
    try:
        while True:
            while len(waiting) < WINDOW_BYTES // MAX_PART_BYTES and (chunk := next(chunks, None)) is not None:
                waiting.append(asking.post(chunk))
            if not waiting:
                return False
            if isinstance(asking.wait(waiting.popleft()), BlobOk):
                return True
    finally:
        for request in waiting:
            asking.withdraw(request)
