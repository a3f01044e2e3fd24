"""`impasto --help` and `--version`: right, and at once."""

import pytest

from command.calling import Impasto, python
from impasto_daemon.commands import options
from impasto_engine.colour import Color
from impasto_engine.networks import NAMES
from impasto_engine.networks.network import Pooling
from impasto_engine.optimisers import OPTIMISER_NAMES
from impasto_engine.recipes import RECIPES
from impasto_engine.settings import PRECISIONS
from impasto_engine.version import __version__

SLOW_PACKAGES = {"keras", "tensorflow", "numpy", "scipy", "PIL", "impasto_engine"}


def test_the_version_is_that_of_the_engine(impasto: Impasto):
    outcome = impasto("--version")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"impasto {__version__}\n", "")


@pytest.mark.parametrize("question", [["--version"], ["--help"], ["stylize", "--help"]])
def test_a_question_is_answered_without_the_slow_packages(question: list[str]):
    code = (
        "import sys; from impasto_daemon.commands import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    with python(code, *question) as started:
        answer, modules = started.communicate()
    assert answer
    assert {module.partition(".")[0] for module in modules.split()} & SLOW_PACKAGES == set()


@pytest.mark.parametrize("command", ["stylize", "reconstruct", "evaluate", "styles", "networks", "daemon", "jobs"])
def test_every_command_has_help(command: str, impasto: Impasto):
    outcome = impasto(command, "--help")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert f"impasto {command}" in outcome.stdout


def test_without_a_command_the_commands_are_listed(impasto: Impasto):
    outcome = impasto()
    assert outcome.code == 0
    for command in ("stylize", "reconstruct", "evaluate", "styles", "networks"):
        assert command in outcome.stdout


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        (options.RecipeName, RECIPES),
        (options.Color, Color),
        (options.Pooling, Pooling),
        (options.Optimizer, OPTIMISER_NAMES),
        (options.Precision, PRECISIONS),
    ],
)
def test_the_choices_in_the_help_are_those_of_the_engine(option: object, choices: object):
    (described,) = option.__metadata__
    assert described.metavar.split("|") == list(choices)


def test_the_help_names_every_network():
    described = options.NetworkName.__metadata__[0].help
    for name in NAMES:
        assert name in described
