"""What a failed trial counts as, and what a perfect generator scores."""

from dataclasses import asdict
from pathlib import Path

import pytest

from coequal import lookup
from coequal.datasets._loading import load_dataset
from coequal.evaluation.instrument import prepare
from coequal.evaluation.requested import requested_metrics
from coequal.records import MetricInfo


def test_a_failure_counts_as_the_worst_possible_where_that_is_known(tmp_path: Path):
    # Noise has a similarity near 0, which would be the best possible for a failure.
    digits = load_dataset("digits", tmp_path)
    requested = requested_metrics(["ms_ssim", "precision", "coverage", "prd", "fd"])
    bounds = prepare(digits, "pixels", requested, 100, tmp_path, lambda line: None).bounds()
    shares = ("precision", "coverage", "prd_f8", "prd_f1_8")
    assert {name: bounds["cap"][name] for name in shares} == dict.fromkeys(shares, 0.0)
    assert bounds["cap"]["ms_ssim"] == 1.0
    assert bounds["cap"]["fd"] > bounds["floor"]["fd"]  # of noise: there is no worst distance
    assert 0.5 < bounds["floor"]["precision"] <= 1


@pytest.mark.parametrize("name", lookup.names("metrics"))
def test_every_fraction_that_is_better_when_higher_has_a_worst_value(name):
    for key, info in lookup.load("metrics", name).outputs.items():
        if info.better == "higher" and info.best == 1.0:
            assert info.worst == 0.0, key


def test_what_another_version_wrote_of_a_number_is_read():
    info = MetricInfo("lower", "nats", best=0.0, blind_to="noise")
    stored = asdict(info)
    assert MetricInfo.from_dict(stored | {"later": 1}) == info
    del stored["blind_to"]
    assert MetricInfo.from_dict(stored) == MetricInfo("lower", "nats", best=0.0)
