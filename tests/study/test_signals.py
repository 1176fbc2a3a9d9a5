"""Signals to a whole process group, as a terminal sends Ctrl-C and a scheduler SIGTERM."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coequal import api

STUDY = """\
study: signals
data: [digits]
models: [ns_gan, vae]
architecture: {name: infogan, width: 0.03125}
search: {settings: 1}
training: {budget: {discriminator_steps: 700}, batch_size: 16, checkpoints: 2}
evaluation: {encoder: pixels, samples: 40}
"""
COMMAND = [sys.executable, "-c", "from coequal.cli import main; main()", "run", "signals.yaml"]


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


def stopped(place: Path, number: int) -> tuple[int, set[Path]]:
    """Start the run, send the signal to its group once two trials train; exit code and trials."""
    with (place / "log.txt").open("a") as log:
        coordinator = subprocess.Popen(
            [*COMMAND, "--out", "run", "--workers", "2"],
            cwd=place,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    before, deadline = set(in_training(place / "run")), time.monotonic() + 60
    while len(trained := in_training(place / "run")) < 2 or trained == before:
        assert coordinator.poll() is None, (place / "log.txt").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(coordinator.pid, number)
    return coordinator.wait(60), trained


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_signal_to_the_whole_group_leaves_a_checkpoint_of_every_trial(tmp_path):
    (tmp_path / "signals.yaml").write_text(STUDY)
    api.run(tmp_path / "signals.yaml", tmp_path / "quiet", workers=2)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        returned, trained = stopped(tmp_path, number)
        assert returned == code, (tmp_path / "log.txt").read_text()
        for trial in trained:
            assert not (trial / "result.json").exists()
            assert (trial / "checkpoint" / "state.json").exists()
            assert (trial / "log.txt").read_text().rstrip().endswith("with a checkpoint")
            assert not (trial / "progress.json").exists()
    api.run(tmp_path / "signals.yaml", tmp_path / "run", workers=2)
    tables = [(tmp_path / name / "results.csv").read_bytes() for name in ("quiet", "run")]
    assert tables[0] == tables[1]
    for trial in trained:
        log = (trial / "log.txt").read_text()
        assert log.count("goes on from the checkpoint of step") == 2
        assert log.count("its process died") == 0


def test_a_sigterm_to_one_trial_costs_it_nothing(tmp_path):
    (tmp_path / "signals.yaml").write_text(STUDY.replace("ns_gan, vae", "vae"))
    with (tmp_path / "log.txt").open("a") as log:
        coordinator = subprocess.Popen(
            [*COMMAND, "--out", "run", "--workers", "1", "--retries", "0"],
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 60
    while not (trained := in_training(tmp_path / "run")):
        assert coordinator.poll() is None, (tmp_path / "log.txt").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (trial,) = trained
    process = int((trial / "log.txt").read_text().split("begins in process ")[1].split()[0])
    os.kill(process, signal.SIGTERM)
    assert coordinator.wait(60) == 0, (tmp_path / "log.txt").read_text()
    assert json.loads((trial / "result.json").read_text())["status"] == "done"
    assert "goes on from the checkpoint of step" in (trial / "log.txt").read_text()
