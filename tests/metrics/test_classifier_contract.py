"""Metrics that train a classifier keep the contract of all metrics, with quick settings."""

import pytest

from coequal import lookup
from coequal.testing import check_metric

QUICK = {"epochs": 0.2, "seeds": 2}
SETTINGS = {
    "gan_train": {**QUICK, "seeds": 1},
    "gan_test": QUICK,
    "gan_train_curve": {**QUICK, "seeds": 1, "sizes": 2},
    "augmentation": {**QUICK, "seeds": 1},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_metric_of_classifiers_keeps_the_contract(name):
    absent = {"gan_train_top5"} if name == "gan_train" else ()  # of more than 20 classes only
    check_metric(lookup.load("metrics", name)(**SETTINGS[name]), absent=absent)


def test_no_costly_metric_goes_unchecked():
    kinds = {name: lookup.load("metrics", name) for name in lookup.names("metrics")}
    assert {name for name, kind in kinds.items() if kind.costly} == set(SETTINGS)
