"""Painting again from what is stored in a finished picture."""

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from impasto_daemon.commands.failures import Refused
from impasto_daemon.commands.order import Order, OrderedStyle, Request, started_from, with_regions, with_weights
from impasto_daemon.commands.record import sha256_of
from impasto_daemon.commands.style_image import StyleImage, style_image

__all__ = ["replayed_order"]

_INSTEAD_OF = {"strength": "content_weight", "content_weight": "strength"}
"""Settings that exclude each other: giving one does away with the stored other."""

Note = Callable[[str], None]


def replayed_order(picture: Path, request: Request, note: Note) -> Order:
    """The order stored in a picture, changed by what the command line says.

    Args:
        picture: The finished picture.
        request: What the command line says.
        note: Called with a sentence for what may make the new picture another one.

    Raises:
        EngineError: The picture cannot be read, or nothing is stored in it.
        Refused: A stored file has moved or changed, or the request does not fit.
    """
    from impasto_engine.files.picture_file import read_recipe

    record = read_recipe(picture)
    command = record.get("command")
    if command != "stylize":
        raise Refused(f"{str(picture)!r} was painted by 'impasto {command}', and only stylize can be replayed.")
    if record.get("impasto") != metadata.version("impasto"):
        note(
            f"{str(picture)!r} was painted by Impasto {record.get('impasto')}, and this is "
            f"{metadata.version('impasto')}: the new picture may differ."
        )
    try:
        return _changed(_Stored(picture, record, note), request)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(f"What is stored in {str(picture)!r} cannot be understood; give CONTENT and STYLE.") from error


class _Stored:
    """What is stored in a picture, and the files it names."""

    def __init__(self, picture: Path, record: Mapping[str, Any], note: Note) -> None:
        self.record = record
        self._picture = picture
        self._note = note

    def file(self, what: str, stored: Mapping[str, str], remedy: str) -> Path:
        """Finds a file where it was, or of the same name in the folder we are in, or beside the picture.

        Raises:
            Refused: There is none, or it has changed.
        """
        places = (Path(stored["absolute"]), Path(stored["path"]), self._picture.parent / Path(stored["path"]).name)
        there = [place for place in places if place.is_file()]
        for place in there:
            if sha256_of(place) == stored["sha256"]:
                return place
        if there:
            raise Refused(
                f"The {what} {str(there[0])!r} has changed since {str(self._picture)!r} was painted; {remedy}."
            )
        raise Refused(f"The {what} is no longer at {stored['absolute']!r}, or cannot be read; {remedy}.")

    def content(self) -> Path:
        """Finds the content image.

        Raises:
            Refused: It was a layer in GIMP, or is not there as it was.
        """
        stored = self.record["content"]
        if stored is None:
            raise Refused(
                f"{str(self._picture)!r} was painted in GIMP, from a layer; give the picture to paint as CONTENT."
            )
        return self.file("content image", stored, "give the content image anew as CONTENT")

    def style_image(self, stored: Mapping[str, str] | None) -> StyleImage:
        """Finds a style image: a built-in one by its name, with a note where it is not as it was, or a file.

        Raises:
            Refused: There is none, or the file has changed.
        """
        from impasto_engine import built_in_styles

        remedy = "give the style images anew, after the content image"
        if stored is None:
            raise Refused(f"The style of {str(self._picture)!r} was a layer in GIMP; {remedy}.")
        if "built_in" not in stored:
            return StyleImage(path=self.file("style image", stored, remedy))
        name = stored["built_in"]
        path = next((style.file for style in built_in_styles() if style.name == name), None)
        if path is None:
            raise Refused(
                f"{str(self._picture)!r} was painted with the built-in style {name!r}, which this Impasto does not "
                f"have; {remedy}."
            )
        if sha256_of(path) != stored["sha256"]:
            self._note(
                f"The built-in style {name!r} is not as it was when {str(self._picture)!r} was painted, and the new "
                "picture may differ."
            )
        return StyleImage(path=path, name=name)

    def weights(self) -> Path | None:
        """The weights file; None where the network's own is the same, or, with a note, where none is as it was."""
        from impasto_engine.networks.weights import find

        name, stored = self.record["network"]["name"], self.record["network"]["weights"]
        if stored is None:
            return None
        own = find(name)
        if own is not None and sha256_of(own) == stored["sha256"]:
            return None
        place = stored.get("absolute")  # a daemon does not tell
        if place is not None and Path(place).is_file() and sha256_of(Path(place)) == stored["sha256"]:
            return Path(place)
        lost = (
            f"The weights of {name} are not those with which the daemon painted {str(self._picture)!r}"
            if place is None
            else f"The weights file {place!r} is not there as it was"
        )
        self._note(f"{lost}; others of {name} are taken, and the new picture may differ.")
        return None

    def note_other_polisher(self) -> None:
        """Says it where the weights of what polishes now are not those of what polished then."""
        from impasto_engine.networks.weights import find

        polish = self.record.get("polish")
        if polish is None or polish["weights"] is None:
            return
        own = find(polish["name"])
        if own is not None and sha256_of(own) != polish["weights"]["sha256"]:
            self._note(
                f"The weights of {polish['name']} are not those that polished {str(self._picture)!r}, and the new "
                "picture may differ."
            )

    def styles(self, words: tuple[str, ...], *, regions: bool) -> list[OrderedStyle]:
        """The stored styles, with other images if there are any, and with their regions unless others are given."""
        stored = self.record["styles"]
        if words and len(words) != len(stored):
            raise Refused(
                f"{str(self._picture)!r} was painted with {len(stored)} styles, and {len(words)} are given; "
                "give as many, or none."
            )
        return [
            OrderedStyle(
                image=style_image(words[index]) if words else self.style_image(style["file"]),
                weight=float(style["weight"]),
                region=self.file("region", style["region"], "give all regions anew with --region")
                if regions and style["region"]
                else None,
            )
            for index, style in enumerate(stored)
        ]


def _changed(stored: _Stored, request: Request) -> Order:
    record = stored.record
    settings = {**record["settings"], "precision": record["precision"]}
    for name in request.settings:
        settings.pop(_INSTEAD_OF.get(name, ""), None)
    settings.update(request.settings)
    init, start = started_from(request.init)
    if not init and record["start"]:
        start = stored.file("picture to start from", record["start"], "give it anew with --init")
    styles = stored.styles(request.styles, regions=request.regions is None)
    stopped = record["stopped"] and "evaluations" not in request.settings
    network = request.network or record["network"]["name"]
    polish = "none" if record.get("polish") is None else record["polish"]["name"]
    if request.polish is None and request.network is None:
        stored.note_other_polisher()
    same_network = network == record["network"]["name"]
    return Order(
        content=request.content or stored.content(),
        styles=with_regions(with_weights(styles, request.style_weights), request.regions),
        start=start,
        settings={**settings, **init},
        network=network,
        polish=request.polish or (None if request.network else polish),
        weights=request.weights or (stored.weights() if same_network else None),
        stop_at=int(record["evaluations"]) if stopped else None,
    )
