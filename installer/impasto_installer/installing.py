"""Installing the plug-in into one GIMP: what its Python needs, the folder, and the proof that it answers from there."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from impasto_installer.editors.asking import STYLIZE, Answer, ask
from impasto_installer.editors.finding import Editor
from impasto_installer.editors.running import Run
from impasto_installer.errors import EditorError, VendoringError
from impasto_installer.plugin_folder import PLUGIN_NAME, LaidOut, Sources, content_of
from impasto_installer.replacing import recover, replaced
from impasto_installer.vendoring import vendored_for

__all__ = ["Installed", "Product", "Transport", "install", "install_unseen", "trouble_with"]


class Transport(StrEnum):
    """How the plug-in reaches the daemon."""

    VENDORED = "pyzmq beside the plug-in"
    BRIDGE = "a bridge through Impasto's own Python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is installed.

    Attributes:
        sources: Where its parts are.
        version: Its version.
        python: Its own Python.
    """

    sources: Sources
    version: str
    python: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What became of it.

    Attributes:
        folder: The plug-in folder.
        changed: Whether anything had to be written.
        transport: How the plug-in reaches the daemon.
        remarks: What the user should know of it, a sentence each.
        known_folders: See `Answer.known_folders`.
    """

    folder: Path
    changed: bool
    transport: Transport
    remarks: tuple[str, ...] = ()
    known_folders: tuple[Path, ...] = ()


def install(
    editor: Editor, product: Product, run: Run, *, wheels: Path | None = None, own_bin: Path | None = None
) -> Installed:
    """Puts the plug-in into a GIMP and asks that GIMP whether it is there.

    Args:
        editor: Which GIMP.
        product: What to install.
        run: How programs are run.
        wheels: A folder of wheels for its Python; None to ask pip's index.
        own_bin: See `asking.ask`.

    Raises:
        InstallerError: It cannot be; then everything is as it was.
    """
    before = ask(editor, run, own_bin=own_bin)
    folder = before.plugins_folder / PLUGIN_NAME
    if recover(folder):
        before = ask(editor, run, own_bin=own_bin)
    remarks: list[str] = []
    if editor.packaging.loads_wheels:
        try:
            with vendored_for(before, run, wheels=wheels) as vendored:
                return _laid_out(editor, product, run, folder, vendored, before, own_bin, remarks)
        except (VendoringError, _VendoredBrokenError) as error:
            remarks.append(f"It goes over a bridge, because {_continued(str(error))}")
    return _laid_out(editor, product, run, folder, None, before, own_bin, remarks)


def install_unseen(user_folder: Path, product: Product) -> Installed:
    """Puts the plug-in into the user's folder of a GIMP that was not found, and cannot be asked.

    Raises:
        PluginFolderError: It cannot be written.
    """
    folder = user_folder / "plug-ins" / PLUGIN_NAME
    content = content_of(product.sources, version=product.version, python=product.python)
    with replaced(folder, content, version=product.version) as laid:
        remark = "The GIMP that this folder belongs to was not found, so nothing could be checked."
        return Installed(
            folder=folder,
            changed=laid.changed,
            transport=Transport.BRIDGE,
            remarks=(remark, *_kept(folder, laid)),
        )


def trouble_with(answer: Answer, transport: Transport) -> str | None:
    """What a GIMP's answer says is wrong with the plug-in; None if nothing is."""
    if STYLIZE not in answer.procedures:
        why = "its error console may tell why" if answer.complaint is None else f"it says: {answer.complaint}"
        return f"GIMP does not register the plug-in ({why.rstrip('.')})"
    if answer.refusal is not None:
        return f"the plug-in does not answer ({answer.refusal.rstrip('.')})"
    if transport is Transport.BRIDGE and answer.bridge is not None:
        return f"Impasto's own Python cannot be started from GIMP ({answer.bridge.rstrip('.')})"
    if transport is Transport.VENDORED and answer.vendored is not None:
        return f"its libraries cannot be loaded ({answer.vendored.rstrip('.')})"
    return None


class _VendoredBrokenError(Exception):
    """What was vendored does not load in GIMP."""


def _laid_out(
    editor: Editor,
    product: Product,
    run: Run,
    folder: Path,
    vendored: Path | None,
    before: Answer,
    own_bin: Path | None,
    remarks: list[str],
) -> Installed:
    content = content_of(
        product.sources,
        version=product.version,
        python=product.python,
        vendored=vendored,
        editor_python=before.python_program if editor.packaging.python_stays and before.python_program else None,
    )
    transport = Transport.BRIDGE if vendored is None else Transport.VENDORED
    is_in_trouble = trouble_with(before, transport) is not None  # which GIMP may remember from an earlier start
    with replaced(folder, content, version=product.version, renew=is_in_trouble) as laid:
        after = ask(editor, run, plugin_folder=folder, own_bin=own_bin) if laid.changed else before
        if transport is Transport.VENDORED and after.vendored is not None:
            raise _VendoredBrokenError(f"what was fetched does not load in GIMP ({after.vendored.rstrip('.')}).")
        trouble = trouble_with(after, transport)
        if trouble is not None:
            raise EditorError(
                f"{editor.name}: {trouble}; nothing was changed. If the sentence is no help, send what "
                "'impasto doctor --report report.zip' writes."
            )
        return Installed(
            folder=folder,
            changed=laid.changed,
            transport=transport,
            remarks=(*remarks, *_remarks(editor, after, transport), *_kept(folder, laid)),
            known_folders=after.known_folders,
        )


def _kept(folder: Path, laid: LaidOut) -> list[str]:
    return [
        f"You had changed a file of Impasto's; your version of it is kept as {folder / path}."
        for path in laid.set_aside
    ]


def _remarks(editor: Editor, answer: Answer, transport: Transport) -> list[str]:
    remarks = []
    if editor.packaging.is_sandbox or (transport is Transport.VENDORED and answer.bridge is not None):
        remarks.append(
            "GIMP cannot start the daemon from where it runs: have it started at login, with 'impasto service install'."
        )
    if answer.shadowed_by is not None:
        remarks.append(
            f"{str(answer.shadowed_by)!r} comes before GIMP's own Python when GIMP is started from this shell; Impasto "
            "names the right one, but GIMP's other Python plug-ins will be missing."
        )
    return remarks


def _continued(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:] if sentence[:2].istitle() else sentence
