"""What separates models that the distance does not, by hand."""

import math
from dataclasses import replace

import pytest

from coequal.analysis.estimates import Estimate, estimate
from coequal.analysis.separation import leaders, separated, separations
from coequal.analysis.summary import summaries
from coequal.records import MetricInfo
from coequal.reporting.evidence import other_metrics
from coequal.reporting.separation_text import (
    leaders_sentence,
    other_metrics_in_short,
    separation_sentences,
)

from fabricated_run import METRICS, made, same

INFOS = METRICS | {
    "gan_train": MetricInfo("higher", "fraction of real images", label="GAN-train"),
    "gan_test": MetricInfo("target", "fraction; best as of real images", label="GAN-test"),
}
CLOSE = {"a": Estimate(21.2, 0.6), "b": Estimate(20.7, 0.5)}


def one(value, error, runs=1):
    return Estimate(value, error, runs)


def test_a_difference_of_eight_errors_has_the_p_value_of_student_with_four_degrees():
    # Joint error of .03 and .03: .0424; of .8 and .4606 the difference is 8 of them. Of t = 8 with
    # 4 degrees: F = 1/2 + 3/8 t/w (1 - t^2 / (12 w^2)), w^2 = 1 + t^2 / 4 = 17; 8 / w = 1.9403,
    # 64 / 204 = .31373, 3/8 x 1.9403 x .68627 = .49934. p = 2 (1 - .99934) = .00132.
    values = {"gan_train": {"a": one(0.8, 0.03), "b": one(0.8 - 8 * 0.03 * math.sqrt(2), 0.03)}}
    (found,) = separated(CLOSE, values)
    assert (found.high, found.low, found.metric) == ("a", "b", "gan_train")
    assert found.adjusted == pytest.approx(0.00132, abs=1e-5)
    # Four metrics make four tests of which this p-value is the smallest.
    more = {**values, **{f"m{k}": {"a": one(1, 0.1), "b": one(1, 0.1)} for k in range(3)}}
    (found,) = separated(CLOSE, more)
    assert found.adjusted == pytest.approx(4 * 0.00132, abs=4e-5)
    # The sign of a difference does not matter.
    (found,) = separated(CLOSE, {"m": {"a": one(-0.8, 0.01), "b": one(0.8, 0.01)}})
    assert (found.high, found.low) == ("b", "a")


def test_only_pairs_of_the_same_distance_are_looked_at():
    values = {"gan_train": {"a": one(0.8, 0.01), "b": one(0.4, 0.01)}}
    # The joint error of .6 and .8 is 1: close below a difference of 2.
    for gap, pairs in ((1.9, 1), (2.1, 0)):
        distances = {"a": Estimate(20 + gap, 0.6), "b": Estimate(20, 0.8)}
        assert len(separated(distances, values)) == pairs
    assert separated({"a": Estimate(20, None), "b": Estimate(20, 0.5)}, values) == []


def test_without_an_error_or_a_value_nothing_is_compared():
    assert separated(CLOSE, {"m": {"a": one(0.8, None), "b": one(0.4, 0.01)}}) == []
    assert separated(CLOSE, {"m": {"a": one(0.8, 0.01)}}) == []
    assert separated(CLOSE, {"m": {"a": one(0.8, 0.0), "b": one(0.4, 0.0)}}) == []


def test_many_runs_need_a_smaller_difference_than_one():
    # t = 4: with 2 + 2 degrees p = .016; 38 times .016 is above .05; with 9 + 9 it is .0008.
    def found(runs):
        values = {"m": {"a": one(4 * math.sqrt(2), 1, runs), "b": one(0, 1, runs)}}
        rest = {f"m{k}": {"a": one(0, 1, runs), "b": one(0, 1, runs)} for k in range(37)}
        return separated(CLOSE, values | rest)

    assert found(1) == []
    assert len(found(10)) == 1


def test_an_estimate_is_of_re_runs_where_there_are_any():
    (summary,) = study({"a": {"gan_train": (0.7, 0.02)}})
    model = summary.models[0]
    assert estimate(model, "gan_train") == Estimate(0.7, 0.02, 1)
    assert estimate(model, "swd") is None
    again = replace(
        model, rerun_test_values=({"gan_train": 0.5},), rerun_test_errors=({"gan_train": 0.03},)
    )
    assert estimate(again, "gan_train") == Estimate(0.5, 0.03, 1)
    # 1, 2 and 3: mean 2, sd 1, error 1 / sqrt(3) over seeds; a value that is missing is none.
    values = tuple({"gan_train": v} for v in (1.0, 2.0, 3.0, math.nan))
    again = replace(model, rerun_test_values=values, rerun_test_errors=({},) * 4)
    assert estimate(again, "gan_train") == Estimate(2, pytest.approx(1 / math.sqrt(3)), 3)


def study(found, infos=INFOS):
    """Models with an FD and these numbers of one run: by model and metric, value and error."""
    names = list(found)
    run = made({name: same(20.0, 1) for name in names})
    (summary,) = summaries(run.study, run.plan, run.results, run.references, infos)
    models = tuple(
        replace(
            model,
            test_values={"fd": 20.0, **{k: v for k, (v, _) in found[model.name].items()}},
            test_errors={"fd": 0.5, **{k: e for k, (_, e) in found[model.name].items()}},
        )
        for model in summary.models
    )
    metrics = dict.fromkeys(metric for values in found.values() for metric in values)
    protocols = {**summary.protocols, **{name: {"test": f"p;{name}"} for name in metrics}}
    return [replace(summary, models=models, protocols=protocols)]


def test_the_sentences_say_what_differs_and_over_what_the_errors_are():
    (summary,) = study(
        {
            "a": {"fd": (21.2, 0.6), "gan_train": (0.803, 0.004), "gan_test": (0.1, 0.001)},
            "b": {"fd": (20.7, 0.5), "gan_train": (0.678, 0.006), "gan_test": (0.9, 0.001)},
            "c": {"fd": (50.0, 0.5), "gan_train": (0.1, 0.006), "gan_test": (0.9, 0.001)},
        }
    )
    # A metric that is best at a target has no better side, and c's FD is another.
    assert separation_sentences(summary) == [
        "FD does not tell a and b apart (21.20 ± 0.60 and 20.70 ± 0.50), but GAN-train does "
        "(0.8030 ± 0.0040 and 0.6780 ± 0.0060 of real images, 12 points).",
        "± is the standard error of the measurement (new images, new classifier seeds), not of "
        "another training run: here, each model is a single trained network.",
    ]
    assert leaders(summary) == {"b": ["fd"], "a": ["gan_train"]}
    assert leaders_sentence(summary) == (
        "The metrics disagree on the best model: b leads in FD; a in GAN-train (observed, not "
        "tested)."
    )
    # 0.9 of b is nearer to the 0.8 of real images than 0.1 of a.
    known = replace(summary, reference={"floor": {"gan_test": 0.8}})
    assert leaders(known) == {"b": ["fd", "gan_test"], "a": ["gan_train"]}
    table = other_metrics.table(summary)
    assert table is not None
    assert list(table.notes) == [leaders_sentence(summary), *separation_sentences(summary)]
    cells = {row[0].text: row[2] for row in table.rows}
    assert (cells["a"].text, cells["a"].small) == ("0.8030 ± 0.0040", "1 run, s.e.")
    assert "but not over training seeds" in other_metrics.how_to_read(summary)
    errors = {record["model"]: record["gan_train_standard_error"] for record in table.records}
    assert errors == {"real images": None, "a": 0.004, "b": 0.006, "c": 0.006}


def test_of_many_pairs_the_clearest_are_said_and_the_others_counted():
    # Values 0 to 4: all ten pairs differ, by 1 to 4.
    names = "abcde"
    (summary,) = study({n: {"fd": (20, 1), "gan_train": (k, 0.001)} for k, n in enumerate(names)})
    sentences = separation_sentences(summary, most=2)
    assert sentences[0].startswith("FD does not tell e and a apart")
    assert sentences[2] == "The same is true of 8 other pairs of models."
    assert len(separation_sentences(summary, most=1)) == 3


def test_one_measurement_is_named_once():
    found = {
        "a": {"fd": (20, 1), "gan_train": (0.8, 0.004), "f1": (0.2, 0.001)},
        "b": {"fd": (20, 1), "gan_train": (0.6, 0.004), "f1": (0.6, 0.001)},
    }
    (summary,) = study(found)
    assert [s.metric for s in separations(summary)] == ["f1", "gan_train"]
    # The one is better in the first, the other in the second: values stand in the pair's order.
    assert separation_sentences(summary)[0] == (
        "FD does not tell b and a apart (20.0 ± 1.0 and 20.0 ± 1.0), but F1 does (0.6000 ± 0.0010 "
        "and 0.2000 ± 0.0010) and so does GAN-train (0.6000 ± 0.0040 and 0.8000 ± 0.0040 of real "
        "images, 20 points)."
    )
    assert other_metrics_in_short(summary).startswith(
        f"{leaders_sentence(summary)} FD does not tell b and a apart (20.0 ± 1.0 and 20.0 ± 1.0), "
        "but F1 does (0.6000 ± 0.0010 and 0.2000 ± 0.0010). ± is"
    )
    shared = {**summary.protocols, "f1": summary.protocols["gan_train"]}
    once = replace(summary, protocols=shared)
    # The difference of f1 is larger, but GAN-train is the first number of their measurement.
    assert [s.metric for s in separations(once)] == ["gan_train"]
    assert leaders(summary) == {"a": ["fd", "gan_train"], "b": ["f1"]}
    assert leaders(once) == {}  # a has the first FD, and the first number of the other measurement


def test_where_one_model_leads_in_everything_nothing_is_said():
    (summary,) = study(
        {
            "a": {"fd": (10, 1), "gan_train": (0.8, 0.004)},
            "b": {"fd": (20, 1), "gan_train": (0.6, 0.004)},
        }
    )
    assert leaders_sentence(summary) == ""
    assert separation_sentences(summary) == []
