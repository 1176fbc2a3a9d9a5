"""Signals to a whole process group, as a terminal sends Ctrl-C and a scheduler SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coequal import api
from waiting import until

# Two trials that take a tenth of a second for each step while there is a file `held`.
STUDY = """\
study: signals
data: [digits]
models:
- {name: one, objective: "toys:Held", settings: {learning_rate: 1.0e-3}}
- {name: other, objective: "toys:Held", settings: {learning_rate: 2.0e-3}}
architecture: {name: infogan, width: 0.03125}
search: {settings: 0}
training: {budget: {discriminator_steps: 120}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 40}
"""
COMMAND = [sys.executable, "-c", "from coequal.cli.app import main; main()", "run", "signals.yaml"]

PATHS = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]  # of `toys`


def in_training(run: Path) -> set[Path]:
    """The trials that say they have trained a part of their budget."""
    found = set()
    for path in run.glob("trials/*/*/progress.json"):
        try:
            share = json.loads(path.read_text())["share"]
        except (OSError, ValueError):  # just renamed, or just gone
            continue
        if share > 0:
            found.add(path.parent)
    return found


@contextmanager
def begun(place: Path, *options: str) -> Iterator[subprocess.Popen]:
    """The run, in a process group of its own, which ends with the block."""
    with (place / "log.txt").open("a") as log:
        coordinator = subprocess.Popen(
            [*COMMAND, "--out", "run", *options],
            cwd=place,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(PATHS), "HELD": str(place / "held")},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield coordinator
    finally:
        if coordinator.poll() is None:
            os.killpg(coordinator.pid, signal.SIGKILL)
        coordinator.wait()


def trained(place: Path, coordinator: subprocess.Popen, count: int) -> set[Path]:
    """So many trials that train; waits for them."""
    trials: set[Path] = set()

    def enough() -> bool:
        trials.clear()
        trials.update(in_training(place / "run"))
        return len(trials) >= count

    until(enough, f"{count} trials that train", of=coordinator)
    return trials


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_signals_cost_no_trial_anything_but_time(tmp_path):
    """One trial is asked to end, then the whole group by a scheduler, then by a terminal: each time
    a checkpoint is left, and in the end the numbers are those of a run that nobody disturbed."""
    (tmp_path / "signals.yaml").write_text(STUDY)
    api.run(tmp_path / "signals.yaml", tmp_path / "quiet", workers=0)
    (tmp_path / "held").touch()
    first = None
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with begun(tmp_path, "--workers", "2", "--retries", "0") as coordinator:
            trials = trained(tmp_path, coordinator, 2)
            if first is None:
                first = min(trials)
                ask_to_end(first, coordinator)
            os.killpg(coordinator.pid, number)
            assert coordinator.wait() == code, (tmp_path / "log.txt").read_text()
        for trial in trials:
            assert not (trial / "result.json").exists()
            assert (trial / "checkpoint" / "state.json").exists()
            assert (trial / "log.txt").read_text().rstrip().endswith("with a checkpoint")
            assert not (trial / "progress.json").exists()
    (tmp_path / "held").unlink()
    results = api.run(tmp_path / "signals.yaml", tmp_path / "run", workers=2).trials
    assert [result.status for result in results.values()] == ["done", "done"]
    tables = [(tmp_path / name / "results.csv").read_bytes() for name in ("quiet", "run")]
    assert tables[0] == tables[1]
    for trial in trials:
        log = (trial / "log.txt").read_text()
        assert log.count("goes on from the checkpoint of step") == (3 if trial == first else 2)
        assert log.count("its process died") == 0


def ask_to_end(trial: Path, coordinator: subprocess.Popen) -> None:
    """SIGTERM to a trial's own process; waits until the trial goes on in another one."""
    log = trial / "log.txt"
    os.kill(int(log.read_text().split("begins in process ")[1].split()[0]), signal.SIGTERM)
    going_on = "goes on from the checkpoint of step"
    until(lambda: going_on in log.read_text(), "a trial that goes on", of=coordinator)
