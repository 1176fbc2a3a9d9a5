"""`--json`: every command gives its result as one JSON value, the last on standard output."""

import json
import math
from pathlib import Path

import pytest
import typer.main

from coequal.cli.app import app
from coequal.cli.command import CommandResult, with_json
from coequal.cli.exit_codes import ExitCode
from coequal.cli.printing import console

from typed import coequal

STUDY = """\
study: tiny
data: [digits]
models: [ns_gan, vae]
architecture: {width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 4}, batch_size: 16, checkpoints: 1}
evaluation: {encoder: pixels, samples: 30}
"""


def test_every_command_has_the_option():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    without = [
        name
        for name, command in commands.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    ]
    assert len(commands) >= 16
    assert without == []


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a study that has been run, twice."""
    home = tmp_path_factory.mktemp("json")
    (home / "tiny.yaml").write_text(STUDY)
    for out in ("run", "other"):
        done = coequal("run", "tiny.yaml", "--out", out, "--workers", 0, "--json", cwd=home)
        assert done.returncode == 0, done.stderr
        values = json.loads(done.stdout)
        assert values["run"] == out
        assert values["report"] == f"{out}/report/index.html"
        assert values["total"]["done"] == 2
        assert [row["model"] for row in values["models"]] == ["ns_gan", "vae"]
        assert "report: " in done.stderr  # the words are not lost, and not between the JSON
    return home


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("list metrics", None),
        ("check tiny.yaml", "training"),
        ("plan tiny.yaml --no-calibrate --out run", "trials"),
        ("run tiny.yaml --out run --workers 0", "verdict"),
        ("status run", "running"),
        ("report run", "verdict"),
        ("paper run", "files"),
        ("collect run", "pending"),
        ("diagnose run --model vae", "verdict"),
        ("sample run --model vae --count 2 --out sheet.png", "samples"),
        ("export run --out all.csv", "results"),
        ("clean run", "entries"),
    ],
)
def test_json_is_all_of_standard_output(home, command, key):
    for path in ("sheet.png", "all.csv"):
        (home / path).unlink(missing_ok=True)
    done = coequal(*command.split(), "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert key is None or key in values


def test_train_says_how_it_ended(tmp_path):
    done = coequal(
        *("train", "vae", "--data", "digits", "--steps", 4, "--width", 0.04, "--samples", 20),
        *("--encoder", "pixels", "--out", "out", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert (values["status"], values["step"]) == ("done", 4)
    assert {"fd"} <= {measured["metric"] for measured in values["measurements"]}
    assert (values["page"], values["samples"]) == ("out/index.html", "out/samples.png")


def ends(code: int = 0) -> CommandResult:
    console.print("at work")
    shown = CommandResult({"nan": [math.nan, 1.5]}, lambda: console.print("in words"))
    return CommandResult(shown.values, shown.show, ExitCode(code))


def test_a_command_ends_with_the_code_of_its_result(capsys):
    with_json(ends)(as_json=False)
    assert capsys.readouterr().out == "at work\nin words\n"
    with pytest.raises(typer.Exit) as end:
        with_json(ends)(as_json=True, code=4)
    assert end.value.exit_code == ExitCode.DIFFERENT
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"nan": [None, 1.5]}
    assert printed.err == "at work\n"
