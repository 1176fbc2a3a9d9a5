"""What `coequal score` says of its numbers: targets, numbers that there are not, doubts."""

from functools import partial

import numpy as np
import pytest

import coequal
from coequal.evaluation.compare import compare
from coequal.evaluation.requested import requested_metrics


def test_compare_judges_by_targets_that_follow_from_the_counts():
    # 1,000 images of a law against 5,000: 1-NN of the real ones is 999 / 5,999 for the same law. A
    # law that is a third wider, and 500 images that come again ten times, are worse in all.
    rng = np.random.default_rng(1)
    draw = partial(rng.standard_normal, dtype=np.float32)
    real, perfect, wide = draw((1000, 8)), draw((5000, 8)), 1.3 * draw((5000, 8))
    names = ["one_nn", "one_nn_real", "one_nn_fake", "one_nn_worst"]
    first, *others = (
        coequal.score(real=real, fake=fake, metrics=names)
        for fake in (perfect, wide, np.repeat(perfect[:500], 10, 0))
    )
    assert first["metrics"]["one_nn_real"]["target"] == 999 / 5999
    assert first["metrics"]["one_nn_fake"]["target"] == 4999 / 5999
    for other in others:
        found = compare(first, other)["metrics"]
        assert {name: row["better"] for name, row in found.items()} == dict.fromkeys(names, "first")


def test_crowding_in_the_middle_is_no_better_density():
    rng = np.random.default_rng(2)
    real, perfect, narrow = (rng.standard_normal((1000, 8), dtype=np.float32) for _ in range(3))
    scores = [
        coequal.score(real=real, fake=fake, metrics=["density"]) for fake in (perfect, narrow / 2)
    ]
    row = compare(*scores)["metrics"]["density"]
    assert row["second"] > 1.5 > row["first"]
    assert row["better"] == "first"


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_metric_that_needs_more_images_leaves_the_others_alone(count):
    rng = np.random.default_rng(3)
    real, fake = (rng.standard_normal((count, 4), dtype=np.float32) for _ in range(2))
    found = coequal.score(real=real, fake=fake, metrics="all")
    for name in ("fd", "kid", "emd", "swd", "vendi"):
        assert found["metrics"][name]["value"] is not None
    for name, row in found["metrics"].items():
        reasons = found["not_measured"].keys() & {name, _home(name)}
        assert (row["value"] is None) == bool(reasons), name


def _home(number: str) -> str:
    """The metric that gives a number."""
    return next(iter(requested_metrics(number).parts))
