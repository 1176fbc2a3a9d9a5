"""Precision, recall and F1 against a known manifold, in the report."""

import math

import pytest

from coequal.analysis.summary import summaries
from coequal.checkpoints import Checkpoint, Checkpoints, Measurement, Spent
from coequal.records import Result, Trial
from coequal.reporting.evidence import manifold_choice, manifold_distance, manifold_plane
from coequal.reporting.style import house_style
from coequal.reporting.table import csv_record

from fabricated_run import METRICS, study_dict

# (precision, recall, F1, FD) of each setting; None: it failed. Validation equals test but where
# said.
FOUND = {
    "ns_gan": [(0.5, 1.0, 2 / 3, 30.0), (0.0, 0.2, 0.0, 20.0), (0.9, 0.9, 0.9, 50.0), None],
    "vae": [
        (0.1, 0.1, 0.1, 90.0),
        (0.2, 0.2, 0.2, 80.0),
        (0.3, 0.3, 0.3, 70.0),
        (0.0, 0.0, 0.0, 99.0),
    ],
}
NAMES = ("manifold_precision", "manifold_recall", "manifold_f1", "fd")


def trial(model: str, setting: int) -> Trial:
    return Trial(
        model=model,
        objective=model,
        data="triangles",
        setting=setting,
        settings={"learning_rate": 1e-4 * (setting + 1)},
        architecture={"name": "infogan"},
        training={"budget": {"discriminator_steps": 100}},
        evaluation={"encoder": "corners"},
    )


def result(model: str, setting: int, numbers, drop=()) -> Result:
    spent = Spent(100, 100, 6400, 1000, 1.0)
    if numbers is None:
        return Result(trial(model, setting), "diverged", spent, reason="step 3: nan")
    measured = tuple(
        Measurement(name, split, value, f"{name} on {split}")
        for name, value in zip(NAMES, numbers, strict=True)
        if name not in drop
        for split in ("validation", "test")
    )
    points = Checkpoints.of([Checkpoint(100, spent, measured)])
    return Result(trial(model, setting), "done", spent, points)


def summary(select: str = "manifold_f1", drop=()):
    study = study_dict(list(FOUND), 3, data=["triangles"])
    study["select"] = {"metric": select, "split": "validation", "checkpoint": "last"}
    results = [result(m, k, n, drop) for m, rows in FOUND.items() for k, n in enumerate(rows)]
    plan = [found.trial for found in results]
    references = {"triangles": {"cap": {"manifold_f1": 0.0, "fd": 100.0}, "floor": {"fd": 0.3}}}
    (found,) = summaries(study, plan, {r.trial.id: r for r in results}, references, METRICS)
    return found


def test_each_search_chooses_by_its_own_metric():
    found = summary()
    ns_gan, vae = found.models
    known = found.manifold
    assert known.chosen_by("fd", ns_gan.ended).number == 1  # FD 20, and F1 0
    assert known.chosen_by("manifold_f1", ns_gan.ended).number == 2
    assert (
        known.chosen_by("fd", vae.ended).number == known.chosen_by("manifold_f1", vae.ended).number
    )
    table = manifold_choice.table(found)
    assert [row[0].text for row in table.rows] == ["NS GAN", "VAE"]
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["0", "0.900"],
        ["0.300"] * 2,
    ]
    by_fd = table.records[0]
    assert (by_fd["chosen_by"], by_fd["setting"], by_fd["manifold_recall_test"]) == ("fd", 1, 0.2)
    assert "20" in table.rows[0][1].small


def test_agreement_by_hand():
    # Five pairs of random settings (one failed). F1: 0 .9 .2 .3 0 has ranks 1.5 5 3 4 1.5; -FD: -20
    # -50 -80 -70 -99 has 5 4 2 3 1. Deviations from 3: (-1.5 2 0 1 -1.5) and (2 1 -1 0 -2):
    # products -3 + 2 + 0 + 0 + 3 = 2; squares 9.5 and 10.
    found = summary()
    agreement = found.manifold.agreement(found.models)
    assert agreement.value == pytest.approx(2 / 95**0.5)
    assert agreement.pairs == 5
    # Two models are too few for an interval over the draw of models.
    assert (agreement.low, agreement.high) == (None, None)
    assert found.manifold.agreement_of_models(found.models).value == pytest.approx(1)
    note = manifold_choice.table(found).notes[0]
    assert "0.21 (" in note
    assert "5 pairs" in note
    assert "2 pairs: no interval, too few" in note


def test_every_setting_is_a_record_and_a_failure_has_no_numbers():
    rows = manifold_plane.manifold_settings(summary())
    assert len(rows) == 8
    failed = next(row for row in rows if row["model"] == "ns_gan" and row["setting"] == 3)
    assert math.isnan(failed["manifold_f1_test"])
    assert csv_record(failed)["manifold_f1_test"] == ""
    assert rows[0]["manifold_f1_validation"] == 2 / 3


def test_figures_hold_every_setting_that_has_numbers():
    found = summary()
    with house_style():
        plane, beside = manifold_plane.figure(found), manifold_distance.figure(found)
    dots = sum(
        len(line.get_xdata())
        for axes in plane.axes
        for line in axes.lines
        if line.get_ls() == "None"
    )
    assert dots == 8 + 2  # and a ring for each chosen setting; the failure is NaN, and not drawn
    assert len(plane.axes) == 2
    left, right = beside.axes
    assert left.get_xlabel() == "test FD (0 is best)"
    assert [label.get_text() for label in right.get_yticklabels()] == ["NS GAN", "VAE"]


def test_where_less_was_measured_less_is_said():
    no_distance = summary(drop=("fd",))
    assert manifold_choice.table(no_distance) is None
    with house_style():
        assert manifold_distance.figure(no_distance) is None
        assert manifold_plane.figure(no_distance) is not None
    nothing = summary("fd", drop=("manifold_precision", "manifold_recall", "manifold_f1"))
    assert nothing.manifold is None
    assert manifold_plane.manifold_settings(nothing) == []
    assert manifold_plane.figure(nothing) is None


def test_a_study_that_chooses_by_distance_still_draws_the_best_f1_of_n():
    curves = summary("fd").f1_curves
    assert set(curves) == {"ns_gan", "vae"}
    assert curves["vae"].observed == pytest.approx(0.3)
    assert not summary().f1_curves  # its own metric is drawn already
