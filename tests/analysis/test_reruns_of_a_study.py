import math
from pathlib import Path

import pytest

from coequal.analysis.summary import summarise
from coequal.reporting.evidence import best_and_reruns, effects
from coequal.reporting.verdict_text import verdict_sentence
from coequal.results.folder import RunFolder
from coequal.results.study_file import StudyFile

from fabricated_run import Run, build, same

DATA = "fashion_mnist"


def study(path: Path, fresh, *, best: int = 1, seeds: int, **changes) -> RunFolder:
    """One model with four settings, of which 1 is the best by validation, then 2."""
    runs = {"ns_gan": [Run([(v, t)]) for v, t in ((40, 41), (30, 35), (32, 30), (50, 50))]}
    again = {("ns_gan", DATA, setting): listed for setting, listed in fresh.items()}
    return build(path, runs, again=again, reruns={"best": best, "seeds": seeds}, **changes)


def model_of(folder: RunFolder):
    return summarise(folder)[0].models[0]


def test_the_search_is_what_has_no_repeat(tmp_path: Path):
    model = model_of(study(tmp_path / "run", {1: same(1, 5)}, seeds=5))
    # The re-runs' 1 is far below the search's 30 and must not be chosen, counted or drawn from.
    assert [s.number for s in model.settings] == [1, 2, 3]
    assert model.authors is not None
    assert model.chosen is not None
    assert (model.chosen.number, model.chosen.test) == (1, 35)
    assert model.oracle == 30
    assert [run.repeat for run in model.fresh_seeds[1]] == [1, 2, 3, 4, 5]


def test_the_numbers_of_the_reruns(tmp_path: Path):
    values = (10, 10.2, 9.8, 10.1, 9.9, 10.3, 9.7, 16, 40)
    fresh = [*(Run([(v, v)]) for v in values), Run(status="diverged", reason="nan")]
    model = model_of(study(tmp_path / "run", {1: fresh}, seeds=10))
    rerun = model.rerun
    assert rerun is not None
    assert rerun.numbers is not None
    # The known example: 16, 40 and the failure are flagged, 3 of 10, and the rest has mean 10.
    assert rerun.numbers.outliers.mark == "**"
    assert (rerun.numbers.kept, rerun.numbers.failed) == (7, 1)
    assert rerun.numbers.mean == pytest.approx(10)
    # Variance of 10 +- 0, .1, .2, .3: 2 (.01 + .04 + .09) / 6.
    assert rerun.numbers.sd == pytest.approx(math.sqrt(0.28 / 6))
    # Sorted with the failure at the cap of 800: 9.7 9.8 [9.9 10 10.1 10.2 10.3 16] 40 800.
    middle = math.exp(sum(map(math.log, (9.9, 10, 10.1, 10.2, 10.3, 16))) / 6)
    assert rerun.numbers.iqm == pytest.approx(middle)
    assert rerun.numbers.median == pytest.approx(10.15)
    assert rerun.gap is not None
    assert rerun.numbers.headline == "median"
    assert rerun.gap.difference == pytest.approx(35 - 10.15)  # the search had reported 35


def test_the_seeds_that_choose_are_not_reported(tmp_path: Path):
    # Settings 1 and 2, five seeds each: two choose by validation, three are reported by test.
    one = [Run([(30, 1)]), Run([(34, 1)]), *same(20, 3)]
    two = [Run([(31, 1)]), Run([(31, 1)]), Run([(9, 26)]), Run([(9, 27)]), Run([(9, 28)])]
    rerun = model_of(study(tmp_path / "run", {1: one, 2: two}, best=2, seeds=5)).rerun
    assert rerun is not None
    assert rerun.candidates == (1, 2)
    # Medians of (30, 34) and (31, 31): 32 and 31, so setting 2.
    assert rerun.choosing == {1: 32, 2: 31}
    assert (rerun.chosen_by, rerun.setting, rerun.planned) == (2, 2, 3)
    assert [run.test for run in rerun.runs] == [26, 27, 28]
    assert rerun.search == 30  # what the search had reported of setting 2


def test_a_failure_among_the_choosing_seeds_is_worst(tmp_path: Path):
    failed = Run(status="diverged")
    one = [failed, failed, *same(20, 2)]
    two = [*same(90, 2), *same(91, 2)]
    rerun = model_of(study(tmp_path / "run", {1: one, 2: two}, best=2, seeds=4)).rerun
    assert rerun is not None
    assert rerun.setting == 2


def test_nothing_is_reported_before_the_choice_is_made(tmp_path: Path):
    one = [*same(30, 1), None, *same(20, 2)]
    folder = study(tmp_path / "run", {1: one, 2: same(31, 4)}, best=2, seeds=4)
    rerun = model_of(folder).rerun
    assert rerun is not None
    assert (rerun.setting, rerun.runs, rerun.complete) == (None, (), False)


def test_the_best_checkpoint_is_a_rule_too(tmp_path: Path):
    values = [Run([(20, 21), (30, 33)]), Run([(25, 26), (22, 23)])]
    last = build(tmp_path / "last", {"ns_gan": values})
    rule = {"metric": "fd", "split": "validation", "checkpoint": "best"}
    best = build(tmp_path / "best", {"ns_gan": values}, select=rule)
    # At the last checkpoint 30 and 22; at the best 20 and 22.
    assert [(s.validation, s.test) for s in model_of(last).tried] == [(30, 33), (22, 23)]
    assert [(s.validation, s.test) for s in model_of(best).tried] == [(20, 21), (22, 23)]
    assert [model_of(folder).chosen.number for folder in (last, best)] == [1, 0]


def test_few_reruns_have_points_and_no_interval(tmp_path: Path):
    model = model_of(study(tmp_path / "run", {1: same(20, 4)}, seeds=4))
    assert model.rerun is not None
    assert model.rerun.numbers is not None
    assert model.rerun.numbers.iqm_interval is None
    table = best_and_reruns.table(
        summarise(study(tmp_path / "again", {1: same(20, 4)}, seeds=4))[0]
    )
    assert table is not None
    small = [cell.small for cell in table.rows[0]]
    assert "no interval below 5 runs" in small
    assert "no interval below 6 runs" in small


def test_reruns_beyond_the_study_belong_to_the_transfer(tmp_path: Path):
    model = model_of(study(tmp_path / "run", {1: same(20, 5), 3: same(9, 5)}, seeds=4))
    assert model.rerun is not None
    assert len(model.rerun.runs) == 4  # of setting 1; setting 3 came from another dataset


def test_a_model_against_the_one_that_the_study_names(tmp_path: Path):
    # Ten re-runs each, ns_gan at 20, wgan at 10 with some spread: half of it, shown, and the only
    # comparison of its family. The other way round nothing is compared.
    def listed(level: float) -> list[Run]:
        return [Run([(level + k / 10, level + k / 10)]) for k in range(10)]

    runs = {name: [Run([(30, 30)])] for name in ("ns_gan", "wgan")}
    again = {("ns_gan", DATA, 0): listed(20), ("wgan", DATA, 0): listed(10)}
    made = build(tmp_path / "run", runs, again=again, reruns={"best": 1, "seeds": 10})
    assert effects.table(summarise(made)[0]) is None  # nobody is named
    study = made.study()
    study["models"][1]["against"] = "ns_gan"
    (made.path / "study.json").write_text(StudyFile.of(study).text())
    summary = summarise(made)[0]
    table = effects.table(summary)
    assert table is not None
    (record,) = table.records
    assert (record["model"], record["against"], record["shown"]) == ("wgan", "ns_gan", "better")
    # The median over all pairs of 10.0 .. 10.9 and 20.0 .. 20.9, of the ratios' logarithms.
    ratios = sorted((10 + a / 10) / (20 + b / 10) for a in range(10) for b in range(10))
    assert float(record["ratio"]) == pytest.approx(math.sqrt(ratios[49] * ratios[50]))
    # 10 against 10 at 5 %: 23 is the critical value of published tables, so the 24th of each end.
    assert float(record["interval_low"]) == pytest.approx(ratios[23])
    assert float(record["interval_high"]) == pytest.approx(ratios[-24])
    assert verdict_sentence(summary) == ("WGAN is shown to be better than NS GAN.")
    # The interval is .524 - .498 = 2.7 % wide: half of it has its second figure after the point.
    assert [cell.text for cell in table.rows[0]][3] == "−48.9 %"
    # All 100 pairs are won; a smaller gain would do, and is more than nothing.
    assert (record["wins"], record["shown"]) == (1, "better")
    assert record["ratio"] < float(record["smallest_gain"]) < 1
    # The middle six of ten, as no run stands apart, and their number.
    assert table.rows[0][1].small == "10 runs"
    assert table.rows[0][1].sort == pytest.approx(summary.model("wgan").rerun.numbers.iqm)


def test_a_change_that_collapses(tmp_path: Path):
    # wgan: seven runs near 10 and three failures, against ten near 20: medians lead, 70 of 100
    # pairs are won, and one change in a family of one is compared, with three failures, not shown.
    good = [Run([(10 + k / 10, 10 + k / 10)]) for k in range(7)]
    other = [Run([(20 + k / 10, 20 + k / 10)]) for k in range(10)]
    again = {
        ("wgan", DATA, 0): [*good, *[Run(status="diverged")] * 3],
        ("ns_gan", DATA, 0): other,
    }
    runs = {name: [Run([(30, 30)])] for name in ("ns_gan", "wgan")}
    made = build(tmp_path / "run", runs, again=again, reruns={"best": 1, "seeds": 10})
    study = made.study()
    study["models"][1]["against"] = "ns_gan"
    (made.path / "study.json").write_text(StudyFile.of(study).text())
    summary = summarise(made)[0]
    table = effects.table(summary)
    assert table is not None
    (record,) = table.records
    assert (record["wins"], record["shown"]) == (pytest.approx(0.7), "not shown")
    assert record["interval_high"] == math.inf
    # Runs 1 to 7 of ten are finite: the median lies between the fifth and the sixth.
    assert table.rows[0][1].sort == pytest.approx(10.45)
    assert "The table also gives the medians with and without the change." in effects.how_to_read(
        summary
    )
    # With three of ten runs failing, 30 % of all pairs are lost whatever the gain.
    assert table.rows[0][4].text == "none"
    assert "had less than an 80 % chance of showing a gain" in table.notes[0]


def test_nothing_is_compared_before_all_re_runs_have_ended(tmp_path: Path):
    runs = {name: [Run([(30, 30)])] for name in ("ns_gan", "wgan")}
    again = {("ns_gan", DATA, 0): same(20, 9), ("wgan", DATA, 0): same(10, 10)}
    made = build(tmp_path / "run", runs, again=again, reruns={"best": 1, "seeds": 10})
    summary = summarise(made)[0]
    assert summary.rerun_phase.missing == 1
    assert summary.rerun_verdict is None
    assert summary.model("wgan").rerun.numbers.median == 10


def test_a_cell_at_the_cap_says_so(tmp_path: Path):
    # The cap is 800: ten runs alike, all a little worse, are no outliers.
    model_runs = {1: [Run([(900 + k, 900 + k)]) for k in range(10)]}
    table = best_and_reruns.table(summarise(study(tmp_path / "run", model_runs, seeds=10))[0])
    assert table is not None
    texts = [cell.text for cell in table.rows[0]]
    assert "at the cap or worse" in texts
    median = table.rows[0][texts.index("at the cap or worse") + 1]
    assert (median.text, median.small, median.strong) == ("904.5", "901.0–908.0", True)


def test_a_model_that_others_are_compared_with_has_more_seeds(tmp_path: Path):
    # Two changes of ns_gan with four seeds: ns_gan has 4 x sqrt(2), rounded up: 6.
    names = ("ns_gan", "lsgan", "wgan")
    runs = {name: same(30, 1) for name in names}
    again = {(name, DATA, 0): same(20, 6 if name == "ns_gan" else 4) for name in names}
    made = build(tmp_path / "run", runs, again=again, reruns={"best": 1, "seeds": 4})
    study = made.study()
    for model in study["models"][1:]:
        model["against"] = "ns_gan"
    (made.path / "study.json").write_text(StudyFile.of(study).text())
    summary = summarise(made)[0]
    assert [len(m.rerun.runs) for m in summary.models] == [6, 4, 4]
    assert all(m.rerun.complete for m in summary.models)
    assert (summary.rerun_phase.planned, summary.rerun_phase.missing) == (14, 0)
