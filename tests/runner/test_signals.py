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

STUDY = """\
study: signals
data: [digits]
models: [ns_gan, vae]
architecture: {name: infogan, width: 0.03125}
search: {settings: 1}
training: {budget: {discriminator_steps: 700}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 40}
"""
COMMAND = [sys.executable, "-c", "from coequal.cli.app import main; main()", "run", "signals.yaml"]


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


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_signal_to_the_whole_group_leaves_a_checkpoint_of_every_trial(tmp_path):
    (tmp_path / "signals.yaml").write_text(STUDY)
    api.run(tmp_path / "signals.yaml", tmp_path / "quiet", workers=2)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with begun(tmp_path, "--workers", "2") as coordinator:
            trials = trained(tmp_path, coordinator, 2)
            os.killpg(coordinator.pid, number)
            assert coordinator.wait() == code, (tmp_path / "log.txt").read_text()
        for trial in trials:
            assert not (trial / "result.json").exists()
            assert (trial / "checkpoint" / "state.json").exists()
            assert (trial / "log.txt").read_text().rstrip().endswith("with a checkpoint")
            assert not (trial / "progress.json").exists()
    api.run(tmp_path / "signals.yaml", tmp_path / "run", workers=2)
    tables = [(tmp_path / name / "results.csv").read_bytes() for name in ("quiet", "run")]
    assert tables[0] == tables[1]
    for trial in trials:
        log = (trial / "log.txt").read_text()
        assert log.count("goes on from the checkpoint of step") == 2
        assert log.count("its process died") == 0


def test_a_sigterm_to_one_trial_costs_it_nothing(tmp_path):
    (tmp_path / "signals.yaml").write_text(STUDY.replace("ns_gan, vae", "vae"))
    with begun(tmp_path, "--workers", "1", "--retries", "0") as coordinator:
        (trial,) = trained(tmp_path, coordinator, 1)
        log = (trial / "log.txt").read_text()
        os.kill(int(log.split("begins in process ")[1].split()[0]), signal.SIGTERM)
        assert coordinator.wait() == 0, (tmp_path / "log.txt").read_text()
    assert json.loads((trial / "result.json").read_text())["status"] == "done"
    assert "goes on from the checkpoint of step" in (trial / "log.txt").read_text()
