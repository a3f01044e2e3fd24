"""Whether the pictures of an order are what their digests say: looked at before each painting, and nowhere before.

The server takes uploads without hashing them. Here it costs milliseconds before minutes, and finds what went wrong on
the disk, too.
"""

from hashlib import file_digest

from impasto_daemon.server.painter import Assignment
from impasto_protocol.errors import DigestMismatchError, InvalidOrderError, MissingBlobError, StorageError

__all__ = ["check_pictures"]


def check_pictures(assignment: Assignment) -> None:
    """Hashes every picture of an order.

    Raises:
        DigestMismatchError: One is not what its digest says; its field is named.
        InvalidOrderError: One has another size than the order says: it was named before its bytes were there.
        MissingBlobError: One is gone; its field is named.
        StorageError: One cannot be read.
    """
    sound: set[bytes] = set()
    for field, blob in assignment.order.named_blobs():
        if blob.digest in sound:
            continue
        named = f"The {_spoken(field)} {blob.digest.hex()[:12]}"
        try:
            with assignment.pictures[blob.digest].open("rb") as file:
                digest, size_bytes = file_digest(file, "sha256").digest(), file.tell()
        except FileNotFoundError as error:
            raise MissingBlobError(f"{named} is gone from the daemon's disk; paint it anew.", field=field) from error
        except OSError as error:
            raise StorageError(f"{named} cannot be read from the daemon's disk: {error.strerror}; mend it.") from error
        if digest == blob.digest and size_bytes != blob.format.size_bytes:
            raise InvalidOrderError(
                f"{named} has {size_bytes:,} bytes, and its format comes to {blob.format.size_bytes:,}; correct that.",
                field=field,
            )
        if digest != blob.digest:
            raise DigestMismatchError(
                f"{named} is damaged: the {size_bytes:,} bytes that the daemon has are not those that were named; "
                "paint it anew.",
                field=field,
            )
        sound.add(blob.digest)


def _spoken(field: str) -> str:
    if field == "order.content":
        return "content image"
    if field == "order.start":
        return "picture to start from"
    return "style image" if field.endswith("picture") else "region of a style"
