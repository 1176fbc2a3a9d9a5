"""Components of variance: small tables by hand, what can't be separated, and unbiasedness."""

import numpy as np
import pytest

from coequal.statistics.variance import (
    failure_components,
    variance_components,
    variance_from_errors,
)
from coequal.statistics.variance_sources import SOURCES

NAN = float("nan")


def test_evaluation_and_seed_by_hand():
    # Networks measured (1, 3) and (2, 2): squares 2 + 0 over 1 + 1 degrees: 1, on the linear scale.
    # Their means are both 2: between runs 0, less half of 1: seed -1/2, printed as share 0.
    found = variance_components({}, {"a": [np.array([[1.0, 3], [2, 2]])]}, scale="linear")
    assert found["evaluation"].variance == pytest.approx(1)
    assert found["seed"].variance == pytest.approx(-0.5)
    assert (found["evaluation"].fraction, found["seed"].fraction) == (1, 0)
    assert found["hyperparameters"].variance is None
    assert [part.source for part in found.components] == list(SOURCES)


def test_all_four_by_hand():
    # Search: A 1 3, B 5 7: within (2 + 2)/2 = 2; model means 2 and 6: variance 8, less 2/2: 7.
    # Re-runs of A: runs 1 (once) and 2 (2.5 and 1.5): evaluation .5 + .5 over 1 = .5; between runs
    # 1/2, less .5 (1 - 1/2)(1 + 1/2) = .375: seed .125. Hyperparameters: 2 - .5 - .125 = 1.375.
    search = {"a": np.array([1.0, 3]), "b": np.array([7.0, 5])}
    reruns = {"a": [np.array([[1.0, NAN], [2.5, 1.5]])]}
    found = variance_components(search, reruns, scale="linear")
    expected = {"evaluation": 0.5, "seed": 0.125, "hyperparameters": 1.375, "model": 7.0}
    for source, variance in expected.items():
        assert found[source].variance == pytest.approx(variance)
        assert found[source].fraction == pytest.approx(variance / 9)
    assert found["evaluation"].note == "from networks measured more than once"
    assert all(part.interval is None for part in found.components)  # no generator was given


def test_scores_are_compared_on_the_log():
    logs = {"a": np.array([1.0, 3]), "b": np.array([5.0, 7, NAN])}
    scores = {name: np.exp(values) for name, values in logs.items()}
    scores["b"][2] = np.inf
    here, there = variance_components(logs, {}, scale="linear"), variance_components(scores, {})
    for source in ("hyperparameters", "model"):
        assert there[source].variance == pytest.approx(here[source].variance)
    assert (here.scale, there.scale) == ("linear", "log")
    with pytest.raises(ValueError, match="linear scale"):
        variance_components({"a": np.array([-1.0, 2])}, {})


def test_evaluation_noise_from_standard_errors():
    # (1/10)^2 and (4/20)^2: mean (.01 + .04)/2; a failure and a missing error are no measurement.
    scores, errors = np.array([10.0, 20, np.inf, 30]), np.array([1.0, 4, 1, NAN])
    assert variance_from_errors(scores, errors) == pytest.approx(0.025)
    assert variance_from_errors(scores[2:], errors[2:]) is None
    with pytest.raises(ValueError, match="above 0"):
        variance_from_errors(np.array([-1.0]), np.array([1.0]))
    # Re-runs 1 and 2, once each: between runs 1/2, less .025.
    reruns = {"a": [np.array([1.0, 2])]}
    found = variance_components({}, reruns, evaluation_variance=0.025, scale="linear")
    assert found["evaluation"].variance == 0.025
    assert found["evaluation"].note == "from the standard errors of the scores"
    assert found["seed"].variance == pytest.approx(0.475)
    # Networks that were measured twice say it themselves.
    reruns = {"a": [np.array([[1.0, 3], [2, 2]])]}
    found = variance_components({}, reruns, evaluation_variance=0.025, scale="linear")
    assert found["evaluation"].variance == pytest.approx(1)


def test_what_the_design_cannot_separate_has_no_number():
    search = {"a": np.array([1.0, 3]), "b": np.array([7.0, 5])}
    found = variance_components(search, {}, scale="linear")
    for source in ("evaluation", "seed"):
        assert (found[source].variance, found[source].fraction) == (None, None)
        assert found[source].note.startswith("not separable")
    assert found["hyperparameters"].note == "includes evaluation noise and the seed"
    assert found["hyperparameters"].variance == pytest.approx(2)

    seeds = variance_components(search, {"a": [np.array([1.0, 2])]}, scale="linear")
    assert seeds["seed"].note == "includes evaluation noise"
    assert seeds["hyperparameters"].variance == pytest.approx(1.5)

    alone = variance_components({"a": np.array([1.0, 3]), "b": np.array([NAN])}, {}, scale="linear")
    assert alone["model"].variance is None
    assert alone["hyperparameters"].fraction is None  # a share of nothing else
    some = variance_components(search | {"c": np.array([NAN])}, {}, scale="linear")
    assert some["model"].note == "1 of 3 models have no finished setting"


def study(rng, models=8, settings=40, runs=6):
    """Log scores with known variances .0625, .25, .0064 and .0004, one failure in twenty."""
    level = rng.normal(0, 0.25, models)
    search, reruns = {}, {}
    for k in range(models):
        scores = level[k] + rng.normal(0, np.sqrt(0.25 + 0.0064 + 0.0004), settings)
        again = level[k] + rng.normal(0, 0.08, (runs, 1)) + rng.normal(0, 0.02, (runs, 2))
        scores[rng.random(settings) < 0.05] = NAN
        again[rng.random(runs) < 0.05] = NAN
        again[rng.random(runs) < 0.3, 1] = NAN
        search[str(k)], reruns[str(k)] = np.exp(scores), [np.exp(again)]
    return search, reruns


def test_the_estimates_are_unbiased():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(150):
        shares = variance_components(*study(rng))
        found.append([part.variance for part in shares.components])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(150)
    assert np.all(np.abs(mean - [0.0004, 0.0064, 0.25, 0.0625]) < 4 * error)


def test_intervals_hold_the_share_and_repeat():
    search, reruns = study(np.random.default_rng(1))
    found = variance_components(search, reruns, rng=np.random.default_rng(2))
    for part in found.components:
        assert part.interval.low < part.fraction < part.interval.high
    assert found == variance_components(search, reruns, rng=np.random.default_rng(2))
    other = variance_components(search, reruns, rng=np.random.default_rng(3))
    assert other["model"].interval != found["model"].interval
    assert other["model"].fraction == found["model"].fraction


def test_heavy_tails_widen_the_interval():
    def width(values):
        search = {"a": np.exp(values), "b": np.exp(values + 1)}
        reruns = {"a": [np.exp(np.array([0.0, 0.2, -0.2, 0.1]))]}
        found = variance_components(search, reruns, rng=np.random.default_rng(0))["seed"].interval
        return found.high - found.low

    even = np.tile([-1.0, 1], 10)
    tailed = np.r_[np.zeros(18), [-(10**0.5), 10**0.5]]  # the same sum of squares, 20
    assert width(tailed) > width(even)


def test_failures_by_hand():
    # Two models, two settings of two runs: q = 1/2, 0 and 1, 1/2. Within: pooled (1/2 + 0 + 0 +
    # 1/2)/4 = 1/4. Settings: (1/8 + 1/8)/2 = 1/8, less 1/4 / 2: 0. Model means 1/4 and 3/4: 1/8,
    # less 0/2 + (1/4)/4 = 1/16.
    failed = {
        "a": [np.array([0.0, 1]), np.array([0.0, 0])],
        "b": [np.array([1.0, 1]), np.array([1.0, 0])],
    }
    found = failure_components(failed)
    assert [part.source for part in found.components] == list(SOURCES[1:])
    assert found["seed"].variance == pytest.approx(1 / 4)
    assert found["hyperparameters"].variance == pytest.approx(0)
    assert found["model"].variance == pytest.approx(1 / 16)
    assert found["seed"].fraction == pytest.approx(4 / 5)
    assert found.scale == "failures"


def test_failures_of_a_search_cannot_tell_seed_from_setting():
    # One run each: A fails once in two, B never. Settings (1/2 + 0)/2 = 1/4 with the seed; model
    # means 1/2 and 0: 1/8, less 1/4 / 2: 0.
    found = failure_components({"a": [np.ones(1), np.zeros(1)], "b": [np.zeros(1), np.zeros(1)]})
    assert found["seed"].variance is None
    assert found["hyperparameters"].note == "includes the seed"
    assert found["hyperparameters"].variance == pytest.approx(1 / 4)
    assert found["model"].variance == pytest.approx(0)


def test_failures_are_0_or_1():
    with pytest.raises(ValueError, match="either failed"):
        failure_components({"a": [np.array([0.5, 1])]})
    never = failure_components({"a": [np.zeros(3), np.zeros(3)], "b": [np.zeros(3)]})
    assert never["seed"].variance == 0
    assert never["seed"].fraction is None  # of nothing


def test_failure_shares_are_unbiased():
    # q = .2 + model (+-.1) + setting (+-.1), half each: variances .01 and .01; within E q(1-q) =
    # .2 - (.04 + .01 + .01) = .14. Model variance of two-valued means over many models: .01.
    rng = np.random.default_rng(4)
    found = []
    for _ in range(200):
        model = rng.choice([-0.1, 0.1], (6, 1))
        q = 0.2 + model + rng.choice([-0.1, 0.1], (6, 5))
        failed = {
            str(k): [(rng.random(4 + g % 2) < q[k, g]).astype(float) for g in range(5)]
            for k in range(6)
        }
        found.append([part.variance for part in failure_components(failed).components])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(200)
    assert np.all(np.abs(mean - [0.14, 0.01, 0.01]) < 4 * error)
