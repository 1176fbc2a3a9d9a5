"""Workers and coordinators that are killed at random cost time and nothing else.

`make test` runs a short form; `make chaos` the whole: 200 trials and 8 re-runs on 4 workers, a
worker killed every second, the coordinator five times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coequal import api
from coequal.results.folder import RunFolder

WHOLE = bool(os.environ.get("COEQUAL_CHAOS"))
EIGHT = ["mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae"]
MODELS, SETTINGS, WORKERS, KILLS = (EIGHT, 25, 4, 5) if WHOLE else (["ns_gan", "vae"], 3, 2, 1)
EVERY = 1.0  # seconds between two kills of a worker
PATIENCE = 1800 if WHOLE else 240  # seconds for everything

STUDY = f"""\
study: chaos
data: [digits]
models: [{", ".join(MODELS)}]
architecture: {{name: infogan, width: 0.03125}}
search: {{settings: {SETTINGS}}}
training: {{budget: {{discriminator_steps: 60}}, batch_size: 16, checkpoints: 3}}
evaluation: {{encoder: pixels, samples: 40}}
reruns: {{seeds: 1}}
"""
COMMAND = [sys.executable, "-c", "from coequal.cli import main; main()", "run", "chaos.yaml"]


def descendants(process: int) -> list[int]:
    """Processes below one, nearest first."""
    found = [process]
    for parent in found:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):  # threads start them, too
            try:
                found += map(int, path.read_text().split())
            except OSError:
                continue
    return found[1:]


def workers_of(coordinator: int) -> Iterator[int]:
    """The trials' own processes: what the fork server has started."""
    for process in descendants(coordinator):
        try:
            parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent != coordinator:
            yield process


def disturb(coordinator: subprocess.Popen, chance: random.Random, end: float) -> int:
    """Kill workers until the coordinator ends or `end` is reached; how many were killed."""
    killed = 0
    while coordinator.poll() is None and time.monotonic() < end:
        time.sleep(EVERY)
        victims = list(workers_of(coordinator.pid))
        if victims:
            try:
                os.kill(chance.choice(victims), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
    return killed


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers through /proc")
def test_a_run_that_is_killed_again_and_again_ends_like_one_that_is_not(tmp_path):
    (tmp_path / "chaos.yaml").write_text(STUDY)
    quiet = tmp_path / "quiet"
    undisturbed = api.run(tmp_path / "chaos.yaml", quiet, workers=2)
    assert len(undisturbed) == len(MODELS) * (SETTINGS + 1)

    chance = random.Random(1)
    command = [*COMMAND, "--out", "wild", "--workers", str(WORKERS), "--retries", "99"]
    killed, starts, last = 0, 0, time.monotonic() + PATIENCE
    while time.monotonic() < last:
        starts += 1
        with (tmp_path / "log.txt").open("a") as log:
            coordinator = subprocess.Popen(
                command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
            )
        spared = starts > KILLS
        alive = last if spared else time.monotonic() + chance.uniform(5, 12)
        killed += disturb(coordinator, chance, alive)
        if coordinator.poll() is not None:
            break
        coordinator.kill()
        coordinator.wait()
    log = (tmp_path / "log.txt").read_text()
    assert coordinator.returncode == 0, log
    assert killed >= KILLS
    wild = RunFolder(tmp_path / "wild")
    found = sorted(path.parent.name for path in wild.path.glob("trials/*/*/result.json"))
    assert found == sorted(undisturbed)
    assert (wild.path / "results.csv").read_bytes() == (quiet / "results.csv").read_bytes()
    if WHOLE:
        print(f"{killed} workers and {starts - 1} coordinators killed; results.csv is the same")
