"""Two copies of the repository, with caches and data of their own, share one study."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coequal import api

STUDY = """
study: shared
question: Does one half know the other?
data: [digits]
models: [ns_gan, vae]
architecture: {name: infogan, width: 0.03125}
search:
  space: wide
  settings: 2
  ranges: {learning_rate: {log_uniform: [3.0e-4, 5.0e-3]}}
  reason: Twenty steps are few.
training: {budget: {discriminator_steps: 20}, batch_size: 32, checkpoints: 2}
evaluation: {encoder: classifier, metrics: [fd], samples: 200}
"""


class Lab:
    """A copy of the package with a home, a cache and data of its own; nothing is shared."""

    def __init__(self, place: Path) -> None:
        self.place = place
        shutil.copytree(
            Path(__file__).parent.parent / "src",
            place / "src",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (place / "home").mkdir()

    def coequal(self, *arguments: str) -> str:
        """What a command printed; it must end well."""
        own = {
            "PYTHONPATH": "src",
            "HOME": "home",
            "COEQUAL_CACHE": "cache",
            "COEQUAL_DATA": "data",
        }
        own = {name: str(self.place / value) for name, value in own.items()}
        call = "from coequal.cli.app import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", call, *arguments],
            cwd=self.place,
            env={**os.environ, **own, "COEQUAL_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def labs(tmp_path):
    return Lab(tmp_path / "lab_a"), Lab(tmp_path / "lab_b")


def test_halves_of_a_study_run_in_two_places_are_the_study(labs, tmp_path):
    a, b = labs
    for lab, half in ((a, "1/2"), (b, "2/2")):
        (lab.place / "shared.yaml").write_text(STUDY)
        lab.coequal("run", "shared.yaml", "--out", "runs/half", "--shard", half, "--workers", "0")
    b.coequal("pack", "runs/half", "--out", "half_of_b.zip")
    shutil.copy(b.place / "half_of_b.zip", a.place / "from_b.zip")
    shutil.rmtree(b.place)  # all that A has of B is the file
    told = a.coequal("merge", "runs/half", "from_b.zip", "--out", "runs/joined")
    assert "no trial is in two of the runs" in told
    joined, whole = a.place / "runs" / "joined", a.place / "runs" / "whole"
    api.run(a.place / "shared.yaml", whole, workers=0)
    assert (joined / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    merged = json.loads((joined / "merged.json").read_text())
    # 2 models x 3 settings, the authors' among them: six trials, and each lab trained some.
    assert sum(run["results"] for run in merged["runs"]) == 6
    assert all(run["results"] == run["kept"] > 0 for run in merged["runs"])
    assert [run["name"] for run in merged["runs"]] == ["half", "from_b"]
    # The whole study against its halves: what B trained is what A trains.
    sources = [whole, a.place / "from_b.zip", a.place / "runs" / "half"]
    shared = api.merge(sources, tmp_path / "checked").shared
    assert [trial.verdict for trial in shared] == 6 * ["equal"]
    own = (a.place / "cache").rglob("classifier*.safetensors")
    assert not list(own)  # the encoder came with the package
