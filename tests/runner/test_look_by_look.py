"""A study that looks at its results while it runs."""

import json

import pytest

from coequal import api
from coequal.results.folder import RunFolder
from coequal.study.shard import Shard
from coequal.study.spec import Study

from typed import coequal

RATES = {"wide": {"learning_rate": {"log_uniform": [0.01, 0.04]}}}
RACE = {
    "study": "race",
    "data": ["digits"],
    # In 20 steps a VAE learns a little; one that learns a billionth as fast, nothing at all.
    "models": [
        {"base": "vae", **RATES},
        {"base": "vae", "name": "twin", **RATES, "settings": {"beta1": 0.4}},
        {"base": "vae", "name": "still", "wide": {"learning_rate": {"choice": [1e-11]}}},
    ],
    "architecture": {"name": "infogan", "width": 1 / 32},
    # Below 20 settings the least p-value is 2^(1 - B): at 8 it is .0078, and Pocock's level there
    # is .05 ln(1 + 1.718 x 8 / 10) = .043 for three pairs, .0144 for one of them.
    "search": {"looks": [8, 10], "settings": 8, "spending": "pocock"},
    "training": {"budget": {"discriminator_steps": 20}, "batch_size": 16, "checkpoints": 1},
    "evaluation": {"encoder": "pixels", "metrics": ["fd"], "samples": 50},
    "equivalence": {"ratio": 1.0001},
}


class Listening:
    """Keeps what is told about looks, and the last number of trials."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.total = 0

    def update(self, progress) -> None:  # type: ignore[no-untyped-def]
        self.news += progress.news
        self.total = progress.total


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    """The study to its first look, and what was told."""
    home, heard = tmp_path_factory.mktemp("looks"), Listening()
    (home / "race.yaml").write_text(json.dumps(RACE))
    api.run(home / "race.yaml", home / "run", workers=0, observer=heard)
    return home, heard


def counts(out) -> dict[str, int]:
    models = RunFolder(out).planned().values()
    return {name: list(models).count(name) for name in ("vae", "twin", "still")}


def test_a_run_ends_at_its_settings_and_says_what_the_look_decided(raced):
    home, heard = raced
    assert counts(home / "run") == {"vae": 9, "twin": 9, "still": 9}
    assert heard.news == [
        "look 1 of 2 on digits, at 8 settings: still is worse than vae, twin (2 of 3 pairs decided)"
    ]
    assert heard.total == 27


def test_until_decided_adds_settings_for_those_that_are_not(raced, tmp_path):
    import shutil

    home = tmp_path / "home"
    shutil.copytree(raced[0], home)
    done = coequal("run", "race.yaml", "--out", "run", "--workers", 0, cwd=home)
    undecided = "1 of 3 pairs on digits are undecided at 8 settings; --until-decided adds settings"
    assert undecided in done.stdout
    done = coequal("run", "race.yaml", "--out", "run", "--workers", 0, "--until-decided", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "look 2 of 2 on digits, at 10 settings: " in done.stdout
    assert "saved on digits: 2 of 30 settings, as models with nothing left" in done.stdout
    assert "(still at 8)" in done.stdout
    assert counts(home / "run") == {"vae": 11, "twin": 11, "still": 9}
    assert RunFolder(home / "run").study()["search"]["settings"] == 10


def test_until_decided_needs_later_looks(tmp_path):
    (tmp_path / "one.yaml").write_text("search: {settings: 20}\n")
    done = coequal("run", "one.yaml", "--until-decided", cwd=tmp_path)
    assert done.returncode != 0
    assert "this study has no look after 20 settings; add looks" in done.stderr
    assert "looks: [20, 40]" in done.stderr


def test_shards_wait_for_each_other_at_a_look(raced, tmp_path):
    study = Study.model_validate({**RACE, "search": {**RACE["search"], "settings": 10}})
    out = tmp_path / "shards"
    (tmp_path / "race.yaml").write_text(json.dumps(study.as_dict()))
    command = ("run", "race.yaml", "--out", "shards", "--workers", 0)
    first = coequal(*command, "--shard", "1/2", cwd=tmp_path)
    assert "When all shards have ended, run each of them again" in first.stdout
    api.run(study, out, workers=0, shard=Shard(2, 2))
    assert counts(out) == {"vae": 11, "twin": 11, "still": 9}  # the second shard saw all results
    for index in (1, 2):
        last = coequal(*command, "--shard", f"{index}/2", cwd=tmp_path)
    assert "run each of them again" not in last.stdout
    assert len(api.collect(out).results) == 31
