"""The help of every command: sentences, and headings where there are many options."""

import pytest
import typer.main

from coequal.cli.app import app

from typed import coequal

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_by_a_sentence(command):
    for parameter in COMMANDS[command].params:
        text = getattr(parameter, "help", None) or ""
        first = text.lstrip("`")[:1]
        assert text, f"{command} {parameter.name}"
        assert first.isupper() or first == "-", f"{command} {parameter.name}: {text}"
        assert text.endswith((".", "...")), f"{command} {parameter.name}: {text}"


@pytest.mark.parametrize(
    ("command", "headings"),
    [
        ("run", ["Options", "Machine"]),
        ("train", ["Options", "Training", "Machine"]),
        ("score", ["Options", "Output", "Generator", "Machine"]),
    ],
)
def test_many_options_are_under_headings(command, headings):
    lines = coequal(command, "--help", columns=80).stdout.splitlines()
    found = [line.strip("╭─╮ ") for line in lines if line.startswith("╭─")]
    assert [heading for heading in found if heading != "Arguments"] == headings
