"""Where models stand on the metric's axis."""

import math

import pytest

from coequal.analysis.summary import summaries
from coequal.analysis.tiers import tiers

from fabricated_run import METRICS, Run, made, same


def found(runs, **more):
    run = made(runs, **more)
    (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    return tiers(summary)


def apart(settings: int) -> dict[str, list[Run]]:
    """NS GAN from 10 and VAE from 100 on, the authors' settings first."""
    return {
        name: [Run([(base + k, base + k)]) for k in range(settings + 1)]
        for name, base in (("vae", 100), ("ns_gan", 10))
    }


def test_tuned_models_stand_where_the_verdict_compares_them_and_the_beaten_last():
    placed = found(apart(10))
    assert placed.basis == "tuned"
    assert [s.model for s in placed.standings] == ["ns_gan", "vae"]
    first, last = placed.standings
    # Of 10 settings the budget that is judged is 1: the geometric mean of 11 to 20.
    assert first.score == pytest.approx(math.exp(sum(math.log(v) for v in range(11, 21)) / 10))
    assert first.interval.low < first.score < first.interval.high
    assert (first.beaten_by, last.beaten_by) == ((), ("ns_gan",))
    assert [s.model for s in placed.unbeaten] == ["ns_gan"]
    assert [s.model for s in placed.beaten] == ["vae"]


def test_equivalent_models_name_each_other():
    scores = [50 * 1.1**k for k in range(31)]
    runs = {
        "vae": [Run([(v, v)]) for v in scores],
        "ns_gan": [Run([(w, w)]) for k, v in enumerate(scores) if (w := v * (1 + (-1) ** k / 100))],
    }
    placed = {s.model: s for s in found(runs).standings}
    assert placed["vae"].equivalent == ("ns_gan",)
    assert placed["ns_gan"].equivalent == ("vae",)


def test_a_small_search_stands_by_its_reruns():
    fresh = {
        (name, "fashion_mnist", 0): [Run([(v + 0.1 * k, v + 0.1 * k)]) for k in range(8)]
        for name, v in (("ns_gan", 10), ("vae", 30))
    }
    runs = {"ns_gan": same(10, 4), "vae": same(30, 4)}
    placed = found(runs, again=fresh, reruns={"best": 1, "seeds": 8})
    assert placed.basis == "reruns"
    # The middle four of 10.0 to 10.7, as a geometric mean: near their middle, 10.35.
    assert placed.standings[0].score == pytest.approx(10.35, abs=1e-3)
    assert placed.standings[0].interval is not None
    assert [s.beaten_by for s in placed.standings] == [(), ("ns_gan",)]


def test_with_few_runs_there_are_only_runs():
    failed = Run(status="diverged", reason="nan")
    runs = {
        "vae": [Run([(9, 8)]), Run([(6, 7)]), failed],
        "ns_gan": [failed, failed, failed],
    }
    placed = found(runs)
    assert placed.basis == "runs"
    first, last = placed.standings
    # The chosen one has the lower validation value, 6; its test value is 7.
    assert (first.score, first.runs, first.failed) == (7, (8, 7), 1)
    assert (last.score, last.runs, last.failed) == (None, (), 3)
    assert first.interval is None


def test_where_more_is_better_the_highest_comes_first():
    runs = {
        "vae": [Run([(0.2 + k / 100, 0.2 + k / 100)]) for k in range(11)],
        "ns_gan": [Run([(0.7 + k / 100, 0.7 + k / 100)]) for k in range(11)],
    }
    run = made(runs, select={"metric": "fd", "split": "validation", "checkpoint": "last"})
    infos = METRICS | {"fd": METRICS["f1"]}
    (summary,) = summaries(run.study, run.plan, run.results, {}, infos)
    placed = tiers(summary)
    assert [s.model for s in placed.standings] == ["ns_gan", "vae"]
    # Settings 1 to 10, on the linear scale: 0.70 + 0.055.
    assert placed.standings[0].score == pytest.approx(0.755)
    low, high = placed.standings[0].interval
    assert low < 0.755 < high
