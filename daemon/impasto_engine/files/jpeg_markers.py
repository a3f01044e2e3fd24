"""The markers of a JPEG file (ITU-T T.81, annex B): whether it goes on to its end.

Decoders fill in grey what is missing at the end, or do not notice that the last bytes are gone.
"""

import re

__all__ = ["jpeg_is_whole"]

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""A marker (B.1.1.2), leaving out stuffed zeros and restarts, which belong to the compressed data."""

_END = 0xD9
_WITHOUT_LENGTH = (0x01, 0xD8)


def jpeg_is_whole(data: bytes) -> bool:
    """Tell whether a JPEG file has its end-of-image marker.

    Args:
        data: The file; whatever follows the first picture in it is not looked at.

    Returns:
        False where the file ends before the marker.
    """
    place = 0
    while found := _MARKER.search(data, place):
        marker, place = found[1][0], found.end()
        if marker == _END:
            return True
        if marker not in _WITHOUT_LENGTH:
            place += int.from_bytes(data[place : place + 2], "big")
    return False
