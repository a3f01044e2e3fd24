"""Pictures on disk, by the SHA-256 of their bytes: what orders name, and what was painted.

They lie on disk so that a restarted daemon has them. The store is bounded: what no job holds is dropped when there is
no room, the longest unused first.

Bytes that were uploaded are not hashed here, where every upload would have to wait for it: whoever paints them hashes
them first. Until then they are unproven, and only the user who sent them has them. Whoever else sends the same picture
has it hashed as it arrives.
"""

import hashlib
import os
import re
from collections import Counter, OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from impasto_daemon.server.file_part import part_of
from impasto_daemon.server.limits import BLOBS_BYTES, MAX_UPLOADS_PER_SESSION
from impasto_daemon.server.uploading import Upload
from impasto_protocol.connection import make_private_folder
from impasto_protocol.errors import (
    BusyError,
    DigestMismatchError,
    MalformedMessageError,
    MissingBlobError,
    StorageError,
    TooLargeError,
)
from impasto_protocol.fields import Buffers, Data

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BlobStore"]

PARTIAL = ".part"
UNPROVEN = ".unproven"
"""Of the empty file beside a picture that nobody has hashed yet."""
NAME = re.compile("[0-9a-f]{64}")


class BlobStore:
    """See the module.

    Args:
        folder: Where the pictures lie; nobody else may write there.
        room_bytes: For all of them.
    """

    def __init__(self, folder: Path, *, room_bytes: int = BLOBS_BYTES) -> None:
        self._folder = folder
        self._room_bytes = room_bytes
        self._sizes: OrderedDict[bytes, int] = OrderedDict()  # the longest unused first
        self._unproven: dict[bytes, str | None] = {}  # and who sent them; None for what an earlier daemon has left
        self._holds: Counter[bytes] = Counter()
        self._uploads: dict[tuple[str, bytes], Upload] = {}
        self._named = 0
        make_private_folder(folder)
        for path in sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime):
            if path.suffix == PARTIAL:
                path.unlink()
            elif NAME.fullmatch(path.name):
                digest = bytes.fromhex(path.name)
                self._sizes[digest] = path.stat().st_size
                if self._mark(digest).exists():
                    self._unproven[digest] = None

    def size_bytes(self, digest: bytes) -> int | None:
        """The size of a picture; None if it is not there."""
        return self._sizes.get(digest)

    def path(self, digest: bytes) -> Path:
        """The file of a picture."""
        return self._folder / digest.hex()

    def has(self, user: str, digest: bytes) -> bool:
        """Whether a picture is there for a user: proven, or sent by the same one."""
        return digest in self._sizes and self._unproven.get(digest, user) == user

    def offer(self, owner: str, user: str, digest: bytes, size_bytes: int) -> int | None:
        """Begins an upload, or takes up one that broke off.

        Args:
            owner: The session whose upload it is.
            user: The user whose session that is.
            digest: What the bytes are said to be.
            size_bytes: How many.

        Returns:
            From which byte on the picture is wanted; None if it is there.

        Raises:
            BusyError: There is no room, or the owner has too many uploads.
            StorageError: The disk does not take it.
        """
        if self.has(user, digest):
            self._sizes.move_to_end(digest)
            return None
        upload = self._uploads.get((owner, digest))
        if upload is not None and upload.size_bytes != size_bytes:
            self._abandon(owner, digest)
            upload = None
        if upload is None:
            if sum(1 for other, _ in self._uploads if other == owner) >= MAX_UPLOADS_PER_SESSION:
                raise BusyError(f"{MAX_UPLOADS_PER_SESSION} pictures are being uploaded already; finish one of them.")
            self._make_room(size_bytes)
            path = self.new_file()
            with _storing():
                upload = Upload(size_bytes=size_bytes, user=user, path=path, file=path.open("wb", buffering=0))
            if digest in self._unproven:
                upload.hash = hashlib.sha256()
            self._uploads[owner, digest] = upload
        return upload.received_bytes

    def add(self, owner: str, digest: bytes, offset_bytes: int, data: Buffers) -> int | None:
        """Adds some bytes to an upload; those that do not follow what is there are passed over.

        Where another user's unproven bytes came to lie under that name in the meantime, all are wanted once more.

        Returns:
            From which byte on the rest is wanted; None if all is there.

        Raises:
            MissingBlobError: There is no such upload.
            TooLargeError: These are more bytes than were offered; the upload is dropped.
            DigestMismatchError: All bytes are there, were hashed, and are not those of the digest; the upload is
                dropped.
            StorageError: The disk does not take them; the upload is dropped.
        """
        upload = self._uploads.get((owner, digest))
        if upload is None and digest in self._sizes:
            return None
        if upload is None:
            raise MissingBlobError(f"No picture {digest.hex()[:12]} is being uploaded; say UPLOAD first.")
        if self.has(upload.user, digest):  # another session has sent it meanwhile
            self._abandon(owner, digest)
            return None
        if offset_bytes != upload.received_bytes:
            return upload.received_bytes
        after = upload.received_bytes + sum(memoryview(piece).nbytes for piece in data)
        if after > upload.size_bytes:
            self._abandon(owner, digest)
            raise TooLargeError(
                f"A picture offered with {upload.size_bytes:,} bytes came with {after:,}; offer it anew."
            )
        try:
            with _storing():
                for piece in data:
                    upload.append(memoryview(piece))
        except StorageError:
            self._abandon(owner, digest)
            raise
        return after if after < upload.size_bytes else self._complete(owner, digest, upload)

    def new_file(self) -> Path:
        """A name in the store's folder for a picture whose digest is not known yet."""
        self._named += 1
        return self._folder / f"{os.getpid()}-{self._named}{PARTIAL}"

    def adopt(self, file: Path, digest: bytes) -> None:
        """Takes in a finished picture, and holds it.

        Raises:
            StorageError: The file is not there.
        """
        with _storing():
            size_bytes = file.stat().st_size
            file.replace(self.path(digest))
            self._prove(digest)
        self._sizes[digest] = size_bytes
        self._holds[digest] += 1

    def prove(self, digest: bytes) -> None:
        """Somebody has hashed a picture, and it is what its name says.

        Raises:
            StorageError: That cannot be written down.
        """
        with _storing():
            self._prove(digest)

    def drop_damaged(self, digest: bytes, *, if_gone: bool) -> None:
        """Drops a picture that is not what its name says, whoever holds it: it must be sent anew.

        Args:
            digest: Its name.
            if_gone: Only if its file is gone; it may have been sent anew already.
        """
        if not (if_gone and self.path(digest).exists()):
            self._drop(digest)

    def read(self, digest: bytes, offset_bytes: int, length_bytes: int) -> Data:
        """Some bytes of a picture; fewer at its end.

        Raises:
            MalformedMessageError: It does not have so many.
            StorageError: The disk does not give them.
        """
        if offset_bytes >= self._sizes[digest]:
            raise MalformedMessageError(
                f"The picture has {self._sizes[digest]:,} bytes, none from {offset_bytes:,} on; fetch less.",
                field="offset_bytes",
            )
        with _storing(), self.path(digest).open("rb") as file:
            return part_of(file, offset_bytes, min(length_bytes, self._sizes[digest] - offset_bytes))

    def hold(self, digest: bytes) -> None:
        """Keeps a picture, as soon as it is there, until it is released as often."""
        self._holds[digest] += 1
        if digest in self._sizes:
            self._sizes.move_to_end(digest)

    def release(self, digest: bytes, *, drop: bool = False) -> None:
        """Lets a picture go when there is no room; with `drop`, at once, unless others hold it."""
        self._holds[digest] -= 1
        if self._holds[digest] <= 0:
            del self._holds[digest]
            if drop:
                self._drop(digest)

    def forget_uploads(self, owner: str) -> None:
        """Drops what an owner has not finished uploading."""
        for other, digest in list(self._uploads):
            if other == owner:
                self._abandon(other, digest)

    def close(self) -> None:
        """Drops all unfinished uploads."""
        for owner, digest in list(self._uploads):
            self._abandon(owner, digest)

    def _complete(self, owner: str, digest: bytes, upload: Upload) -> int | None:
        if upload.hash is None and digest in self._unproven:
            with _storing():
                upload.begin_anew()
            return 0
        if upload.hash is not None and upload.hash.digest() != digest:
            self._abandon(owner, digest)
            raise DigestMismatchError(
                f"The {upload.size_bytes:,} bytes of a picture are not those of {digest.hex()[:12]}; send it anew."
            )
        upload.file.close()
        del self._uploads[owner, digest]
        with _storing():
            if upload.hash is None:
                self._mark(digest).touch()
                self._unproven[digest] = upload.user
            upload.path.replace(self.path(digest))
            if upload.hash is not None:
                self._prove(digest)
        self._sizes[digest] = upload.size_bytes
        return None

    def _abandon(self, owner: str, digest: bytes) -> None:
        upload = self._uploads.pop((owner, digest))
        upload.file.close()
        upload.path.unlink(missing_ok=True)

    def _make_room(self, size_bytes: int) -> None:
        used = sum(self._sizes.values()) + sum(upload.size_bytes for upload in self._uploads.values())
        droppable = [digest for digest in self._sizes if digest not in self._holds]
        while used + size_bytes > self._room_bytes and droppable:
            digest = droppable.pop(0)
            used -= self._sizes[digest]
            self._drop(digest)
        if used + size_bytes > self._room_bytes:
            raise BusyError(
                f"There is no room for a picture of {size_bytes:,} bytes beside {used:,} of {self._room_bytes:,}; "
                "acknowledge results or wait for jobs to end."
            )

    def _mark(self, digest: bytes) -> Path:
        return self._folder / f"{digest.hex()}{UNPROVEN}"

    def _prove(self, digest: bytes) -> None:
        if digest in self._unproven:
            self._mark(digest).unlink(missing_ok=True)
            del self._unproven[digest]

    def _drop(self, digest: bytes) -> None:
        if self._sizes.pop(digest, None) is not None:
            self.path(digest).unlink(missing_ok=True)
            self._prove(digest)


@contextmanager
def _storing() -> "Iterator[None]":
    try:
        yield
    except OSError as error:
        raise StorageError(f"The daemon's disk refuses: {error.strerror}; make room or mend it.") from error
