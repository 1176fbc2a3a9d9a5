"""What `coequal --help` and the options of the whole program show."""

import pytest
import typer.main

import coequal as package
from coequal.cli.app import app

from typed import coequal

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_that_of_the_package(option):
    assert coequal(option).stdout == f"coequal {package.__version__}\n"


def test_h_is_help_everywhere():
    assert coequal("-h").stdout == coequal("--help").stdout
    for name in COMMANDS:
        done = coequal(name, "-h")
        assert done.returncode == 0
        assert f"Usage: coequal {name}" in " ".join(done.stdout.split())


def test_the_list_of_commands_fits_80_columns_in_one_line_each():
    shown = coequal("--help", columns=80).stdout.splitlines()
    assert max(map(len, shown)) <= 80
    for name, command in COMMANDS.items():
        first = command.help.partition("\n")[0]
        assert any(name in line.split()[:2] and first in line for line in shown), name


def test_every_command_is_in_a_group_of_its_kind():
    groups: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        groups.setdefault(command.rich_help_panel, []).append(name)
    assert list(groups) == ["Study", "One model", "Scores", "Upkeep"]
    assert {"check", "plan", "run"} <= set(groups["Study"])
    assert {"train", "sample"} <= set(groups["One model"])
    assert {"score", "compare"} <= set(groups["Scores"])


def test_every_example_is_a_command_line_that_is_understood():
    for command in COMMANDS.values():
        _, _, words = command.epilog.partition("Example: coequal ")
        name, *arguments = words.split()
        COMMANDS[name].make_context(name, arguments)
