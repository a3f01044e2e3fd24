"""The chunks of a PNG file (PNG specification, third edition, section 5): checked when read, added when written.

Pixel decoders stop at the last row and never look whether the file goes on to its end; this looks. Text is read
and written here too, since it needs no pixels.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from impasto_engine.errors import PictureError
from impasto_engine.files.picture_samples import DAMAGED, TRUNCATED
from impasto_engine.limits import MAX_RECIPE_BYTES

__all__ = ["PNG_SIGNATURE", "add_chunks", "profile_chunk", "read_chunks", "read_text", "text_chunk"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEADER_BYTES = len(PNG_SIGNATURE) + 25
"""Where the first chunk, IHDR, ends."""


def read_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Walk through all chunks up to IEND and check each one's checksum.

    Args:
        data: A whole PNG file.

    Yields:
        The kind and the contents of each chunk.

    Raises:
        PictureError: The file ends before IEND, or a checksum is wrong.
    """
    view = memoryview(data)
    place = len(PNG_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length = int.from_bytes(view[place : place + 4], "big")
        end = place + 12 + length
        if end > len(view):
            raise PictureError(TRUNCATED)
        kind = bytes(view[place + 4 : place + 8])
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PictureError(DAMAGED)
        yield kind, view[place + 8 : end - 4]
        place = end


def read_text(data: bytes, keyword: str) -> str | None:
    """Find an international text (iTXt) in a PNG file.

    Args:
        data: A whole PNG file.
        keyword: Under which the text was stored, Latin-1.

    Returns:
        The text, or None where there is none under that keyword that can be read.

    Raises:
        PictureError: The file ends before IEND, or a checksum is wrong.
    """
    start = keyword.encode("latin-1") + b"\0"
    for kind, body in read_chunks(data):
        if kind == b"iTXt" and bytes(body[: len(start)]) == start:
            compressed = bytes(body[len(start) : len(start) + 1]) == b"\x01"
            _language, _translated, text = bytes(body[len(start) + 2 :]).split(b"\0", 2)
            return (_inflate(text) if compressed else text).decode("utf-8")
    return None


def _inflate(packed: bytes) -> bytes:
    """Unpack a text, but never more of it than a recipe can have."""
    return zlib.decompressobj().decompress(packed, MAX_RECIPE_BYTES)


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """Make an uncompressed iTXt chunk in no particular language."""
    return b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8")


def profile_chunk(profile: bytes) -> tuple[bytes, bytes]:
    """Make an iCCP chunk."""
    return b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)


def add_chunks(png: bytes, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Put chunks behind the header of a PNG file.

    Args:
        png: A whole PNG file.
        chunks: Kind and contents of each.

    Returns:
        The new file.
    """
    added = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return png[:_HEADER_BYTES] + added + png[_HEADER_BYTES:]
