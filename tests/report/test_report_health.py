"""What the report says of the runs' health, and that no score depends on it."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.failure_rate import failure_rate
from coequal.analysis.health import count_health, health_kind, saved_budget
from coequal.analysis.summary import summaries
from coequal.records import TrialHealth
from coequal.reporting.evidence import health, health_settings, stopped_early, unhealthy
from coequal.reporting.page import write_report

from fabricated_run import METRICS, Run, build, made, study_dict


def seen(verdict: str, step: int | None = None) -> TrialHealth:
    return TrialHealth(verdict, step, f"looks {verdict}")


COLLAPSED = seen("collapsed", 300)
STOPPED = "stopped early"

NS_GAN = (
    Run([(40, 41)], health=seen("healthy")),
    Run([(30, 31)], health=seen("stalled", 1200)),  # the best, and it looks bad
    Run([(50, 51)], STOPPED, "collapsed since step 300", health=COLLAPSED, steps=400),
    Run((), STOPPED, "collapsed since step 300", health=COLLAPSED, steps=350),
    Run((), "diverged", "step 12: nan", health=seen("diverged", 12), steps=12),
    Run((), "timeout", "no time left"),
    Run([(60, 61)], health=seen("too early to tell")),
    Run([(70, 71)]),  # of an older version
)
VAE = tuple(Run([(80 + k, 80 + k)], health=seen("healthy")) for k in range(8))
RUNS = {"ns_gan": NS_GAN, "vae": VAE}
AGAIN = {("ns_gan", "fashion_mnist", 1): [Run([(33, 34)], health=COLLAPSED), Run([(32, 33)])]}


def summary_of(runs, **more) -> DataSummary:  # type: ignore[no-untyped-def]
    run = made(runs, **more)
    (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    return summary


@pytest.fixture(scope="module")
def summary() -> DataSummary:
    return summary_of(RUNS, again=AGAIN, reruns={"best": 1, "seeds": 2})


def test_each_run_is_taken_for_one_thing(summary):
    gan = summary.model("ns_gan")
    assert [health_kind(trial) for trial in gan.tried] == [
        *("healthy", "stalled", "collapsed", "collapsed", "diverged"),
        *("other failure", "too early to tell", "not watched"),
    ]
    found = count_health(gan.tried)
    # Without a score: two stopped, one diverged, one timeout. With one: the stalled.
    assert (found.runs, found.without_score, found.looks_bad, found.failures) == (8, 4, 1, 5)
    assert count_health(summary.model("vae").ended).failures == 0


def test_a_trial_that_was_stopped_early_is_a_failure_like_a_diverged_one(summary):
    gan = summary.model("ns_gan")
    stopped = gan.settings[2]
    assert stopped.failed
    assert math.isinf(stopped.score)
    assert stopped.checkpoint is None
    assert [trial.number for trial in gan.failures] == [2, 3, 4, 5]
    assert failure_rate(summary.models).failed == 4


def test_the_table(summary):
    table = health.table(summary)
    assert [heading.text for heading in table.headings] == [
        *("Model", "trials", "healthy", "too early to tell", "diverged", "collapsed", "stalled"),
        *("other failure", "not watched", "ended without a score"),
        *("has a score, but looks bad", "failures", "failures of fresh seeds"),
    ]
    gan, vae = table.rows
    assert [cell.text for cell in gan] == ["NS GAN", "8", *"11121114", "1", "5/8", "1/2"]
    assert [cell.text for cell in vae] == ["VAE", "8", "8", *"––––––", "0", "0", "0/8", "–"]
    # Wilson 1927 at 5 of 8: centre (0.625 + 3.8415 / 16) / (1 + 3.8415 / 8) = 0.5844, half
    # 1.96 / 1.4802 * sqrt(0.625 * 0.375 / 8 + 3.8415 / 256) = 0.2788.
    assert table.records[0]["failure_rate"] == 0.625
    assert table.records[0]["failure_rate_low"] == pytest.approx(0.5844 - 0.2788, abs=2e-4)
    assert gan[-2].small == "31–86 %"
    assert "docs/explanation/health.md" in health.how_to_read(summary)
    assert "neither see nor change any score" in health.how_to_read(summary)
    assert table.notes == [
        "NS GAN: setting 1, chosen by its score, looks bad: stalled, since step 1,200.",
        "1 trial with a score was not watched while training and does not count as a failure.",
    ]


def test_runs_with_a_score_that_look_bad(summary):
    rows = [[cell.text for cell in row[:5]] for row in unhealthy.table(summary).rows]
    assert rows == [
        ["NS GAN", "1", "stalled", "31", "looks stalled"],
        ["NS GAN", "1, fresh seed 1", "collapsed", "34", "looks collapsed"],
    ]


def test_what_stopped_trials_left(summary):
    left = saved_budget(summary.model("ns_gan"))
    # Budgets of 1500: 1100 and 1150 left, of the search's 8 runs and 2 fresh seeds.
    assert (left.stopped, left.runs, left.unspent, left.budget) == (2, 10, 2250.0, 15000.0)
    table = stopped_early.table(summary)
    gan, vae = table.rows
    assert [cell.text for cell in gan] == ["NS GAN", "2/10", "2,250", "15 %"]
    assert gan[2].small == "of 15,000 discriminator steps"
    assert [cell.text for cell in vae] == ["VAE", "0/8", "0", "0 %"]
    assert table.records[0]["share"] == 0.15
    assert "not reassigned" in str(stopped_early.EVIDENCE.how_to_read)


def test_no_score_depends_on_health(summary):
    run = made(RUNS, again=AGAIN, reruns={"best": 1, "seeds": 2})
    blind = {key: replace(result, health=None) for key, result in run.results.items()}
    (other,) = summaries(run.study, run.plan, blind, run.references, METRICS)
    for name in RUNS:
        one, two = summary.model(name), other.model(name)
        assert one.chosen.number == two.chosen.number
        assert [t.test for t in one.ended] == pytest.approx(
            [t.test for t in two.ended], nan_ok=True
        )
        assert one.failure_interval == two.failure_interval
    assert summary.verdict == other.verdict


def test_nothing_is_shown_of_runs_that_nobody_watched(tmp_path: Path):
    folder = build(tmp_path / "run", {"ns_gan": [Run([(40, 41)]), Run((), "diverged", "nan")]})
    write_report(folder)
    for path in (folder.path / "report").rglob("*"):
        assert "health" not in path.name
        if path.suffix in (".html", ".md"):
            assert not re.search("<h3>Health<|# Health\n", path.read_text())
            assert "Stopped early" not in path.read_text()


def test_the_page_the_markdown_and_the_tables_have_it(tmp_path: Path):
    training = study_dict(["ns_gan"], 1)["training"] | {"stop_on": ["diverged", "collapsed"]}
    folder = build(tmp_path / "run", RUNS, training=training)
    report = write_report(folder).parent
    page, text = (report / "index.html").read_text(), (report / "report.md").read_text()
    for title in ("Health", "Which settings fail", "Stopped early"):
        assert f"<h3>{title}</h3>" in page
        assert f"### {title}" in text
    assert "(docs/explanation/health.md) give the verdict diverged or collapsed" in page
    assert "not reassigned" in text
    for name in ("health", "unhealthy", "stopped_early"):
        assert len((report / "tables" / f"{name}.csv").read_text().splitlines()) > 1
    assert (report / "tables" / "fashion_mnist-health.tex").exists()
    assert (report / "figures" / "fashion_mnist-health_settings.svg").exists()


def panels_of(figure):  # type: ignore[no-untyped-def]
    return [axes for axes in figure.axes if axes.axison]


def test_a_panel_for_each_hyper_parameter_that_varies(summary):
    figure = health_settings.figure(summary)
    # VAE has no failures: nothing to see. Every draw has one discriminator step per generator's.
    panels = panels_of(figure)
    assert [axes.get_xlabel() for axes in panels] == ["batch norm", "beta1", "learning rate"]
    assert [axes.get_xscale() for axes in panels] == ["linear", "linear", "log"]
    ticks = [label.get_text() for label in panels[0].get_yticklabels()]
    assert ticks[:2] == ["healthy", "too early to tell"]
    assert set(ticks) == {health_kind(t) for t in summary.model("ns_gan").tried} - {"not watched"}
    # 7 marks: the unwatched run that has a score says nothing.
    assert [sum(len(line.get_xdata()) for line in axes.lines) for axes in panels] == [7, 7, 7]


def test_failures_are_told_apart_without_colour(summary):
    (first, *_) = panels_of(health_settings.figure(summary))
    ticks = dict(zip(first.get_yticks(), first.get_yticklabels(), strict=True))
    looks = {
        ticks[round(y)].get_text(): (line.get_marker(), line.get_markerfacecolor() == "none")
        for line in first.lines
        for y in line.get_ydata()
    }
    assert looks == {
        "healthy": ("o", False),
        "too early to tell": ("o", True),
        "stalled": ("D", False),
        "collapsed": ("x", False),
        "diverged": ("x", False),
        "other failure": ("x", False),
    }


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(NS_GAN[:4], id="too few"),
        pytest.param(NS_GAN[1:6] * 2, id="all fail"),
        pytest.param(VAE, id="none fails"),
        pytest.param([replace(run, health=None) for run in NS_GAN], id="unwatched"),
    ],
)
def test_no_picture_where_there_is_nothing_to_see(runs):
    assert health_settings.figure(summary_of({"ns_gan": runs})) is None


def test_an_unfinished_run_counts_what_has_ended(tmp_path: Path):
    summary = summary_of({"ns_gan": [*NS_GAN[:3], None, None], "vae": [None] * 5})
    (row,) = health.table(summary).rows
    assert [cell.text for cell in row] == ["NS GAN", "3", *"111", "1", "1", "2/3"]
    assert [r[1].text for r in stopped_early.table(summary).rows] == ["1/3"]


def test_a_run_without_any_result():
    summary = summary_of({"ns_gan": [None, None]})
    assert health.table(summary) is None
    assert stopped_early.table(summary) is None
    assert health_settings.figure(summary) is None
