"""What the commands print fits the terminal, whatever its width; elsewhere a sentence is a line."""

import io
from pathlib import Path

import pytest
from rich.text import Text

from coequal.cli import printing
from coequal.cli.printing import Field, print_table, say, wrapped

from typed import coequal

STUDY = """\
study: narrow
data: [digits]
models: [ns_gan, vae]
architecture: {width: 0.03125}
search: {settings: 1}
training: {budget: {discriminator_steps: 4}, batch_size: 16, checkpoints: 1}
evaluation: {encoder: pixels, samples: 30}
"""
SENTENCE = "- for this page take --out /somewhere/much/deeper/than/the/terminal and nothing else"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("narrow")
    (home / "narrow.yaml").write_text(STUDY)
    done = coequal("run", "narrow.yaml", "--out", "run", "--workers", 0, cwd=home)
    assert done.returncode == 0, done.stderr
    return home


def test_text_wraps_at_words_under_its_own_start_and_keeps_long_words_whole():
    # 40 columns; "- " is the indent, and the path alone has 37 letters.
    assert [line.plain for line in wrapped(Text(SENTENCE), 40)] == [
        "- for this page take --out",
        "  /somewhere/much/deeper/than/the/terminal",
        "  and nothing else",
    ]


def screen(monkeypatch, columns: int, terminal: bool) -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr(printing.console, "_file", out)
    monkeypatch.setattr(printing.console, "_width", columns)
    monkeypatch.setattr(printing.console, "_force_terminal", terminal)
    return out


def test_a_sentence_in_a_pipe_is_one_line(monkeypatch):
    out = screen(monkeypatch, 40, terminal=False)
    say(SENTENCE)
    assert out.getvalue() == f"{SENTENCE}\n"


def test_a_table_that_does_not_fit_goes_on_below_with_its_first_field(monkeypatch):
    out = screen(monkeypatch, 24, terminal=True)
    fields = [Field("model"), *(Field(f"set {n}", right=True) for n in range(3))]
    print_table(fields, [["ns_gan", "1.25 ± 0.05", "2.50 ± 0.04", "3"]])
    # 6 + 2 + 11 = 19 of 24 columns; the next field would need 13 more. The third takes 1, and its
    # heading "set 2" 3 at least: 6 + 2 + 11 + 2 + 3 = 24.
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["model", "set", "0"],
        ["─" * 19],
        ["ns_gan", "1.25", "±", "0.05"],
        [],
        ["set"],
        ["model", "set", "1", "2"],
        ["─" * 24],
        ["ns_gan", "2.50", "±", "0.04", "3"],
        [],
    ]


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize(
    "command",
    [
        "check narrow.yaml --no-try",
        "plan narrow.yaml --no-calibrate",
        "plan narrow.yaml --no-calibrate --all",
        "status run",
        "report run",
        "diagnose run",
        "diagnose run --model vae",
        "clean run",
        "collect run",
        "list models",
        "list metrics",
    ],
)
def test_every_line_fits_the_terminal(home, command, columns):
    done = coequal(*command.split(), cwd=home, columns=columns, terminal=True)
    assert done.returncode == 0, done.stderr
    text = done.stdout.partition("With all defaults filled in:")[0]  # the rest is a file
    assert [line for line in text.splitlines() if len(line) > columns] == []


@pytest.mark.parametrize("command", ["check narrow.yaml --no-try", "diagnose run --model vae"])
def test_no_word_is_lost_or_broken(home, command):
    narrow = coequal(*command.split(), cwd=home, columns=40, terminal=True)
    piped = coequal(*command.split(), cwd=home)
    assert narrow.stdout.split() == piped.stdout.split()
