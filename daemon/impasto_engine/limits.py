"""Every limit of the engine in one place, each with its unit and its reason.

Nothing is computed here and nothing is imported: a limit is a number and a sentence.
"""

__all__ = [
    "MAX_CHECKPOINT_BYTES",
    "MAX_COMPILED_FUNCTIONS",
    "MAX_EXIF_BYTES",
    "MAX_PICTURE_FILE_BYTES",
    "MAX_PICTURE_PIXELS",
    "MAX_RECIPE_BYTES",
    "MAX_STATISTICS_BYTES",
]

MAX_PICTURE_PIXELS = 200_000_000
"""Pixels (width times height) of a picture read or written.

More than any camera of today gives (about 150 million), and already 3.2 GB as `(H, W, 4)` float32; a file
that claims more is a mistake or a decompression bomb, and is refused from its header, before memory is
taken for it.
"""

MAX_PICTURE_FILE_BYTES = 4 * 1024**3
"""Bytes of a picture file: the end of a classic TIFF's 32-bit offsets.

The largest picture allowed, stored uncompressed with four float32 samples a pixel, is 3.2 GB; a longer
file is something else under a picture's name.
"""

MAX_EXIF_BYTES = 65_000
"""Bytes of an EXIF block written to a file: a JPEG holds it in one segment of at most 65,533 bytes."""

MAX_RECIPE_BYTES = 65_000
"""Bytes of the XMP packet around a recipe: a JPEG holds it in one segment of at most 65,504 bytes."""

MAX_COMPILED_FUNCTIONS = 16
"""Compiled functions that a workshop keeps: a painting of three scales with a polisher has four, so this serves the
last four sizes that were painted. With `lite` each takes about 20 MB of memory."""

MAX_STATISTICS_BYTES = 64 * 1024**2
"""Bytes of style statistics that a workshop keeps: those of one picture for VGG16 take 2.5 MB at each scale."""

MAX_CHECKPOINT_BYTES = 16 * 1024**3
"""Bytes of a checkpoint that is read: the largest picture painted takes about 25 arrays of its own size in float32."""
