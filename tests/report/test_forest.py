"""The forest plot of a study of changes, and how its numbers are written."""

import math
from dataclasses import replace

import pytest

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.rerun_comparison import RerunComparison
from coequal.analysis.summary import summaries
from coequal.reporting.changes import changes
from coequal.reporting.evidence import effects
from coequal.reporting.forest import NARROW_INCHES, forest
from coequal.reporting.style import BAD, GOOD, MUTED, PAGE_INCHES, house_style
from coequal.statistics.comparison import Effect
from coequal.statistics.rates import Interval

from fabricated_run import METRICS, made, same


def effect(name, change, low=None, high=None, *, p=1.0, gain=0.5, against="base", wins=0.5):
    """A change with its interval; shown with p at most 0.05."""
    between = None if low is None else Interval(low, high)
    return Effect(name, against, wins, change, between, gain, p, p)


def study_of(*found: Effect, scale="log", metric="fd") -> DataSummary:
    """A study of these changes, as if its re-runs had been compared."""
    names = list(dict.fromkeys([*(e.against for e in found), *(e.name for e in found)]))
    run = made({name: same(1.0, 1) for name in names}, select=_rule(metric))
    (summary,) = summaries(run.study, run.plan, run.results, run.references, METRICS)
    return replace(summary, rerun_comparison=RerunComparison(None, found, len(found), scale))


def _rule(metric):
    return {"metric": metric, "split": "validation", "checkpoint": "last"}


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def lines(figure, tint):
    return [line for axes in figure.axes for line in axes.lines if line.get_color() == tint]


@pytest.mark.parametrize("inches", [PAGE_INCHES, NARROW_INCHES])
def test_every_change_stands_beside_its_numbers_and_those_shown_have_a_colour(inches):
    summary = study_of(
        effect("slower", 1.5, 1.1, 2.25, p=0.01, wins=0.1),
        effect("unclear", 0.9, 0.6, 1.3),
        effect("faster", 0.5, 0.4, 0.8, p=0.02, wins=0.9),
    )
    with house_style(inches):
        figure = forest(summary)
    found = texts(figure)
    # Sorted by the change; a ratio of 0.5 is -50 %, and 2.25 is +125 %.
    assert [t for t in found if t in ("faster", "unclear", "slower")] == [
        "faster",
        "unclear",
        "slower",
    ]
    assert "−50 %  (−60 to −20 %)" in found
    assert "−10 %  (−40 to +30 %)" in found
    assert "+50 %  (+10 to +125 %)" in found
    assert {"against base", "← better", "worse →"} <= set(found)
    # An interval and a square each.
    ((*_, left), (*_, right)) = (lines(figure, tint) for tint in (GOOD, BAD))
    assert (list(left.get_xdata()), list(right.get_xdata())) == ([0.5], [1.5])
    assert lines(figure, GOOD)[0].get_linewidth() > lines(figure, MUTED)[0].get_linewidth()
    # All that is drawn of a change can be highlighted with its model, from the base on number 1.
    gids = [a.get_gid() for axes in figure.axes for a in axes.get_children()]
    assert {gid.split(":")[1] for gid in gids if gid} == {"1", "2", "3"}
    assert all(
        text.get_gid() for axes in figure.axes for text in axes.texts if "(" in text.get_text()
    )
    assert figure.get_figwidth() == pytest.approx(inches)


def test_the_table_is_sorted_as_the_figure_and_does_not_fold():
    found = [effect(f"m{k}", 1 + (7 * k % 40) / 40, 0.5, 3.0) for k in range(40)]
    summary = study_of(*found)
    table = effects.table(summary)
    assert [row[0].text for row in table.rows] == [c.name for c in changes(summary)]
    assert [row[3].sort for row in table.rows] == [1 + k / 40 for k in range(40)]
    assert table.folds is False
    # Of one base they stand in one column; half of them under another base make two.
    assert len(forest(summary).axes) == 1
    halves = [replace(e, against="other" if k % 2 else "base") for k, e in enumerate(found)]
    tall, two = forest(summary), forest(study_of(*halves))
    assert len(two.axes) == 2
    assert two.get_figheight() < 0.6 * tall.get_figheight()
    with house_style(NARROW_INCHES):
        assert len(forest(study_of(*halves)).axes) == 1


def test_what_failed_is_said_in_words_and_what_goes_on_is_an_arrow():
    summary = study_of(
        effect("nothing", math.nan),
        effect("broken", math.inf, 0.8, math.inf, gain=None),
        effect("saved", 0.0, 0.0, 0.9, p=0.01, wins=1.0),
        effect("few", 1.2),
        effect("wide", 1.1, 0.01, 30.0),
    )
    figure = forest(summary)
    found = texts(figure)
    # Best first, what has no change last.
    assert [row.name for row in changes(summary)] == ["saved", "wide", "few", "broken", "nothing"]
    assert "all runs failed" in found
    assert "its runs fail  (−20 % to ∞)" in found
    assert "the other's fail  (−100 to −10 %)" in found
    assert "+20 %  (too few runs)" in found
    # 1.1 / 100 and 1.2 * 25 are further than eight times from every change: arrows at both edges,
    # one more to the left of "saved", and one to the right of "broken".
    low, high = figure.axes[0].get_xlim()
    arrows = [line for axes in figure.axes for line in axes.lines if line.get_marker() in "<>"]
    assert sorted(line.get_xdata()[0] for line in arrows) == [low, low, high, high]
    assert low > 0.01
    assert high < 30
    # "few" has a square and no interval: nothing of it but that is drawn.
    assert [row.gain_text for row in changes(summary)] == ["−50 %"] * 3 + ["none", "−50 %"]


def test_where_more_is_better_a_gain_is_a_difference_above_none():
    # Costs are negative scores: a change of -0.125 is a gain of 0.125 in the metric's units, and
    # the interval from -0.25 to 0.5 is that from -0.5 to 0.25.
    summary = study_of(effect("a", -0.125, -0.25, 0.5, gain=-0.75), scale="linear", metric="f1")
    (change,) = changes(summary)
    assert (change.value, change.ends, change.gain) == (0.125, (-0.5, 0.25), 0.75)
    assert change.unchanged == 0
    assert {"← worse", "better →"} <= set(texts(forest(summary)))


def test_per_cent_are_written_to_the_second_figure_of_half_the_interval():
    # Halves of 1.3, 13 and 0.13 %.
    summary = study_of(
        effect("a", 1.0123, 1.0, 1.026),
        effect("b", 1.0004, 0.87, 1.13),
        effect("c", 1.00123, 1.0, 1.0026),
    )
    assert [c.text for c in changes(summary)] == ["0 %", "+0.12 %", "+1.2 %"]


def test_studies_of_no_changes_have_no_forest_plot():
    assert forest(replace(study_of(effect("a", 1.0)), rerun_comparison=RerunComparison())) is None
