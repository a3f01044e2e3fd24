"""The recipe of a picture inside its file: JSON, in an iTXt chunk of a PNG, in the XMP packet of other formats.

In an image of GIMP's own it is on a layer, put there by the plug-in, and only read here.

XMP (ISO 16684-1) has a place in JPEG, TIFF and WebP alike, holds any text, and is passed over by programs that do
not know our name in it. The JSON is ASCII, so that no text in it can fail to survive.
"""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from impasto_engine.errors import PictureError
from impasto_engine.files.ifd import first_directory
from impasto_engine.files.picture_decoding import FileKind, kind_of_file
from impasto_engine.files.pillow_decoding import open_header, quiet_decoders
from impasto_engine.files.png_chunks import read_text
from impasto_engine.files.xcf_layers import SIGNATURE as XCF_SIGNATURE
from impasto_engine.files.xcf_layers import recipe_in_xcf
from impasto_engine.limits import MAX_RECIPE_BYTES

__all__ = ["RECIPE_KEYWORD", "XMP_TAG", "recipe_as_text", "recipe_in_file", "xmp_packet"]

RECIPE_KEYWORD = "impasto"
"""The keyword of the iTXt chunk."""

XMP_TAG = 700
"""The field of a TIFF's directory that holds XMP (XMP specification, part 3)."""

_NAMESPACE = "urn:impasto:picture:1#"

_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:impasto="{namespace}">'
    "<xmp:CreatorTool>{software}</xmp:CreatorTool><impasto:recipe>{recipe}</impasto:recipe>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
    '<?xpacket end="w"?>'
)

_NONE = "there is no recipe in it; choose a picture that Impasto has written and no other program has saved since"


def recipe_as_text(recipe: Mapping[str, Any], software: str) -> str:
    """Write a recipe as JSON.

    Args:
        recipe: Anything JSON can say; NaN and infinity are not.
        software: The program's name and version, as for `xmp_packet`.

    Returns:
        ASCII.

    Raises:
        PictureError: JSON cannot say it, or it is too long for a picture file.
    """
    try:
        text = json.dumps(dict(recipe), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise PictureError(
            f"the recipe holds something that cannot be stored ({error}); leave it out of the recipe"
        ) from error
    length = len(xmp_packet(text, software))
    if length > MAX_RECIPE_BYTES:
        raise PictureError(
            f"the recipe takes {length:,} bytes where a picture file holds {MAX_RECIPE_BYTES:,}; shorten the texts "
            "in it"
        )
    return text


def xmp_packet(text: str, software: str) -> bytes:
    """Wrap a recipe in XMP.

    Args:
        text: The recipe, from `recipe_as_text`.
        software: The program's name and version.

    Returns:
        A packet, UTF-8.
    """
    packet = _PACKET.format(namespace=_NAMESPACE, software=escape(software), recipe=escape(text))
    return packet.encode("utf-8")


def recipe_in_file(data: bytes) -> dict[str, Any]:
    """Find the recipe in a picture file.

    Args:
        data: The whole file.

    Returns:
        The recipe, as `json` reads it.

    Raises:
        PictureError: There is none, or it is damaged; the text is a reason and a remedy, without the file's name.
    """
    try:
        with quiet_decoders():
            text = _stored_text(data)
        recipe = None if text is None else json.loads(text)
    except PictureError:
        raise
    except Exception as error:  # whatever Pillow, XML and JSON raise at a damaged file
        raise PictureError(_NONE) from error
    if not isinstance(recipe, dict):
        raise PictureError(_NONE)
    return recipe


def _stored_text(data: bytes) -> str | None:
    if data.startswith(XCF_SIGNATURE):
        return recipe_in_xcf(data)
    kind = kind_of_file(data)
    if kind is FileKind.PNG:
        return read_text(data, RECIPE_KEYWORD)
    if kind is FileKind.TIFF:
        return _text_in_xmp(next((e.value for e in first_directory(data) if e.tag == XMP_TAG), None))
    with open_header(data) as header:
        return _text_in_xmp(header.info.get("xmp"))


def _text_in_xmp(packet: bytes | None) -> str | None:
    """Find the recipe in XMP, also where another program has written the packet anew, as an element or attribute."""
    if packet is None:
        return None
    source = packet.decode("utf-8").strip("\0\ufeff \n")
    if "<!DOCTYPE" in source or "<!ENTITY" in source:  # XMP has none; XML bombs do
        return None
    name = f"{{{_NAMESPACE}}}recipe"
    for element in ElementTree.fromstring(source).iter():  # noqa: S314 -- no entities, see above
        if element.tag == name:
            return element.text
        if name in element.attrib:
            return element.attrib[name]
    return None
