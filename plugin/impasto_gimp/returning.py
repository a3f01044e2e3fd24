"""What a procedure that paints returns to GIMP. Imports gi."""

from typing import Any

from gi.repository import Gimp

from impasto_gimp.painting import Painting, Phase
from impasto_gimp.procedures import cancelled, failed, succeeded

__all__ = ["returned"]


def returned(procedure: Any, run_mode: Any, painting: Painting, layer: Any) -> Any:
    """What the procedure returns for a painting that is over.

    One that the user discards is a success: GIMP remembers the settings of those only. One that something else has cut
    short is told, and without a user it is a failure if nothing of it is kept.
    """
    if painting.phase is Phase.FAILED:
        return failed(procedure, painting.text)
    if run_mode != Gimp.RunMode.NONINTERACTIVE:
        if painting.is_cut_short:
            Gimp.message(painting.text)
    elif painting.phase is Phase.DISCARDED:
        return failed(procedure, painting.text) if painting.is_cut_short else cancelled(procedure)
    return succeeded(procedure, (Gimp.Layer, layer))
