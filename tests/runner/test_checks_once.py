"""A command checks its study once and goes through the trial folders once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import coequal.api
import coequal.inspection.samples
import coequal.reporting.page  # noqa: F401  every caller is imported before anything is counted
from coequal.cli import results as commands
from coequal.cli.run import run
from coequal.results.on_disk import result_files
from coequal.study.check import problems

SMALL = """\
data: [digits]
models: [ns_gan, vae]
architecture: {name: infogan, width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 2}, batch_size: 16, checkpoints: 1}
evaluation: {encoder: pixels, samples: 20}
"""


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.fixture
def count(monkeypatch) -> Callable[[Callable[..., Any]], list[str]]:
    """Wraps a function wherever it was imported to; the list grows with each call."""

    def wrap(function: Callable[..., Any]) -> list[str]:
        calls: list[str] = []

        def counted(*args: Any, **more: Any) -> Any:
            calls.append(function.__name__)
            return function(*args, **more)

        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()):
                if value is function:
                    monkeypatch.setattr(module, name, counted)
        return calls

    return wrap


def test_a_command_checks_once_and_collects_once(study, count):
    checks, walks = count(problems), count(result_files)
    run(study, workers=0)
    assert (len(checks), len(walks)) == (1, 1)
    folder = study.parent / "runs" / "small"
    table = folder / "results.csv"
    before = table.read_bytes(), table.stat().st_mtime_ns
    run(study, workers=0)  # nothing to do
    assert (len(checks), len(walks)) == (2, 2)
    assert (table.read_bytes(), table.stat().st_mtime_ns) == before
    (result,) = list(folder.glob("trials/*/*/result.json"))[:1]
    result.unlink()
    run(study, workers=0)  # one trial is run again
    assert (len(checks), len(walks)) == (3, 3)
    assert table.read_bytes() == before[0]
    commands.report(folder)
    assert len(walks) == 4
    commands.collect(folder)
    assert len(walks) == 5
