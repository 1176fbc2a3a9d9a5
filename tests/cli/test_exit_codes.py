"""Exit codes: one table for all commands."""

import pytest

from coequal.cli.exit_codes import ExitCode

from typed import coequal


@pytest.mark.parametrize(
    "command",
    [
        "run missing",
        "check missing",
        "plan missing",
        "status missing",
        "report missing",
        "diagnose missing",
        "sample missing --out x",
        "collect missing",
        "export missing --out x.csv",
        "clean missing",
        "merge missing missing --out x",
        "score --real missing --fake missing",
        "compare missing missing",
        "train ns_gan --data folder:missing",
    ],
)
def test_a_missing_file_is_a_mistake_of_the_command_line(command, tmp_path):
    done = coequal(*command.split(), cwd=tmp_path)
    assert done.returncode == ExitCode.MISTAKE, done.stderr
    assert "missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_can_not_do_what_was_asked(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    done = coequal("compare", "broken.json", "broken.json", cwd=tmp_path)
    assert done.returncode == ExitCode.FAILED


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("run study.yaml --shard 3/2", "--shard takes I/N with I from 1 to N"),
        ("merge one --out both", "name at least two runs"),
        ("diagnose", "name the folder of a run or trial, or images with --fake"),
        ("check folder", "folder: is a folder; its study is folder/study.yaml"),
    ],
)
def test_options_that_make_no_sense_are_a_mistake_of_the_command_line(command, says, tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "study.yaml", tmp_path / "folder" / "study.yaml"):
        path.write_text("data: digits\nmodels: [ns_gan]\n")
    done = coequal(*command.split(), cwd=tmp_path, columns=200)
    assert done.returncode == ExitCode.MISTAKE
    assert says in done.stderr


@pytest.mark.parametrize("command", ["list nonsense", "score --real digits:test --fake digits:x"])
def test_a_name_that_nothing_has_is_a_mistake_of_the_command_line(command, tmp_path):
    assert coequal(*command.split(), cwd=tmp_path).returncode == ExitCode.MISTAKE
