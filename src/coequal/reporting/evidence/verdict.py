"""Model by model: by whom it was beaten, saved settings, whole searches, the authors' setting."""

import math

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.pairs import AuthorsSetting
from coequal.analysis.tiers import tiers
from coequal.formatting import NONE, p_in_full, with_error
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import (
    Cell,
    Column,
    Record,
    Table,
    model_column,
    records,
    tabulate,
    value_cell,
    within,
)
from coequal.statistics.verdict import Verdict
from coequal.statistics.whole_searches import WholeSearches


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    verdict = summary.verdict
    assert verdict is not None  # or there were no table
    metric = summary.metric
    text = (
        "A beaten model is significantly worse than the model named, its clearest rival; it is not "
        "trained further, and its unused settings are not reassigned. "
    )
    if summary.contest and summary.contest.whole_searches and verdict.budget > 1:
        text += (
            "Whole searches: the settings, in the order drawn, are divided into searches of "
            f"{verdict.budget}; the column gives the mean ± standard deviation of the test "
            f"{metric.label} that they report, over those that report one. "
        )
    return (
        f"{text}The authors' setting is not a random draw and takes no part in comparisons. It is "
        "ranked among the model's own random settings, with the exact two-sided p-value of being "
        "one of them."
    )


def table(summary: DataSummary) -> Table | None:
    """A row for each model; None without a verdict."""
    verdict = summary.verdict
    if verdict is None or not verdict.pairs:
        return None
    return tabulate(_columns(summary, verdict), verdict.order, summary=summary)


def _columns(summary: DataSummary, verdict: Verdict) -> list[Column]:
    contest = summary.contest
    assert contest is not None
    looks, metric = verdict.rules.looks, summary.metric

    def verdict_cell(name: str) -> Cell:
        defeat = verdict.beaten.get(name)
        if defeat is None:
            return Cell("not beaten")
        look = f"look {defeat.look + 1} of {len(looks)}"
        return Cell(f"beaten by {summary.title(defeat.by)}", look)

    def settings_cell(name: str) -> Cell:
        saved = contest.saved.get(name, 0)
        settings = verdict.settings[name]
        return Cell(f"{settings:,}", f"{saved} saved" if saved else "", sort=settings)

    def authors_cell(found: AuthorsSetting) -> Cell:
        rank = f"rank {found.rank:g} of {found.settings + 1}, {p_in_full(found.p_value)}"
        if math.isnan(found.score):
            return Cell("failed", rank, sort="")
        return value_cell(metric.cost(found.score), rank)

    def searches_cell(found: WholeSearches) -> Cell:
        searches = f"{len(found.scores)} searches"
        failed = f", {found.failed} failed" if found.failed else ""
        mean = metric.cost(found.mean)
        return Cell(with_error(mean, found.sd) or NONE, searches + failed, sort=mean)

    return [
        model_column(summary, value=str),
        Column("unbeaten", lambda name: int(name not in verdict.beaten)),
        Column("", str, "Verdict", cell=verdict_cell, words=True),
        *within(
            verdict.beaten.get,
            Column("beaten_by", "by"),
            Column("beaten_at_look", lambda defeat: defeat.look + 1),
        ),
        Column("budget", lambda _: verdict.budget),
        Column("settings", verdict.settings.get, "Settings", cell=settings_cell),
        Column("settings_saved", lambda name: contest.saved.get(name, 0)),
        *within(
            contest.whole_searches.get,
            Column("whole_searches", lambda found: len(found.scores)),
            Column("whole_searches_failed", "failed"),
            Column(
                *("whole_searches_mean", lambda found: metric.cost(found.mean)),
                *("Whole searches" if verdict.budget > 1 else "", "mean ± sd"),
                cell=searches_cell,
            ),
            Column("whole_searches_sd", "sd"),
        ),
        *within(
            contest.authors.get,
            Column(
                *("authors_test", lambda found: metric.cost(found.score)),
                "Authors' setting",
                cell=authors_cell,
            ),
            Column("authors_rank", "rank"),
            Column("authors_p_value", "p_value"),
        ),
        Column("method", lambda _: verdict.method),
    ]


def standings(summary: DataSummary) -> list[Record]:
    """A row for each model of the page's first picture, from its top down."""
    placed = tiers(summary)
    columns = [
        Column("model"),
        Column("basis", lambda _: placed.basis),
        Column("score", ends="interval"),
        Column("runs", lambda standing: len(standing.runs)),
        Column("failed"),
        Column("beaten_by", lambda standing: " ".join(standing.beaten_by)),
        Column("equivalent_to", lambda standing: " ".join(standing.equivalent)),
    ]
    return records(columns, placed.standings, summary)


EVIDENCE = Evidence[DataSummary](
    name="verdict",
    group=Group.VERDICT,
    place=6,
    title="Model by model",
    how_to_read=how_to_read,
    table=table,
    csv={"tiers": standings},
)
