"""Looking at the engine for `impasto doctor`: the backend and its device, the networks and their weights.

The engine is imported when it is looked at, so that a broken one is a finding and not the end.
"""

from collections.abc import Iterator

from impasto_installer.doctor.check import Check, good, problem, warning

__all__ = ["check_backend", "check_weights"]

REINSTALL = "Install Impasto again, into an environment of its own."


def check_backend() -> Check:
    """Whether Keras and its backend start, and what they compute on."""
    from impasto_daemon.commands.quiet_start import start_keras

    try:
        start_keras()
        import keras

        from impasto_engine import backend

        device, name = backend.current().device(), keras.backend.backend()
    except Exception as error:  # whatever a broken installation raises
        return problem("backend", f"Keras does not start ({type(error).__name__}: {_line(error)}).", REINSTALL)
    return good("backend", f"Keras {keras.__version__} with {name} computes on {device}.")


def check_weights() -> Iterator[Check]:
    """Whether each network's weights are whole, and whether there are those of VGG16."""
    try:
        from impasto_engine.errors import NetworkError
        from impasto_engine.networks import NAMES
        from impasto_engine.networks import weights as weight_files
        from impasto_engine.networks.soundness import provenance_of
    except Exception as error:
        yield problem("networks", f"The engine cannot be imported ({type(error).__name__}: {_line(error)}).", REINSTALL)
        return
    for name in NAMES:
        try:
            file = weight_files.find(name)
            if file is None:
                if name == "vgg16":
                    yield warning(
                        f"weights of {name}",
                        "They are not on this machine; Impasto paints with lite, which is quicker and coarser.",
                        "Run 'impasto weights fetch vgg16' for the best paintings.",
                    )
                continue
            yield good(f"weights of {name}", f"{file} is {provenance_of(name, file).value}.")
        except NetworkError as error:
            yield problem(f"weights of {name}", str(error), _cure(name))


def _cure(name: str) -> str:
    return REINSTALL if name == "lite" else f"Run 'impasto weights remove {name}' and 'impasto weights fetch {name}'."


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
