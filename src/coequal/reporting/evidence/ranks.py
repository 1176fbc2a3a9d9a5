"""The models' ranks at every budget."""

from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.reporting.axes import (
    ends_with_names,
    settings_axis,
    with_margin,
)
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import by_model
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.marks import show_model
from coequal.reporting.style import colour
from coequal.reporting.table import Record


def how_to_read(summary: DataSummary) -> str:
    """Ranks at every budget."""
    return (
        "Each line is a model's rank by the expected best of n settings. Where two lines cross, "
        "the better model depends on how many settings you can afford. Significance is not "
        "assessed here."
    )


def figure(summary: DataSummary) -> Figure | None:
    """Rank by expected best at every budget; None where there is nothing to rank."""
    curves = summary.ranks
    if curves is None or len(curves.budgets) < 2:
        return None
    models = [summary.model(name) for name in curves.models]
    labels = [model.label for model in models]
    figure, axes = with_margin(models, labels)
    axes.set_ylim(len(models) + 0.5, 0.5)
    axes.set_yticks(range(1, len(models) + 1))
    settings_axis(axes, max(curves.budgets) * 2, max(curves.budgets))
    for model, places in zip(models, curves.ranks, strict=True):
        (line,) = axes.plot(curves.budgets, places, color=colour(model.hue), lw=1.8)
        show_model(line, model)
    ends = [(curves.budgets[-1], places[-1]) for places in curves.ranks]
    ends_with_names(figure, axes, ends, models, labels)
    axes.set_xlabel("n: number of settings tried")
    axes.set_ylabel("rank by expected best (1 is best)")
    return figure


def ranks(summary: DataSummary) -> list[Record]:
    """A row for each model and budget."""
    curves = summary.ranks
    if curves is None:
        return []
    return [
        {
            "data": summary.data,
            "model": name,
            "settings": budget,
            "expected_best": summary.metric.cost(expected),
            "rank": rank,
        }
        for name, values, places in zip(curves.models, curves.expected, curves.ranks, strict=True)
        for budget, expected, rank in zip(curves.budgets, values, places, strict=True)
    ]


def in_numbers(summary: DataSummary) -> str:
    """The rank of each model at the smallest and at the largest budget."""
    curves = summary.ranks
    if curves is None:
        return ""
    ranks = dict(zip(curves.models, curves.ranks, strict=True))
    ends = f"n = {curves.budgets[0]} and {curves.budgets[-1]}"
    return f"at {ends}: " + by_model(
        summary,
        lambda m: f"{ranks[m.name][0]:g} and {ranks[m.name][-1]:g}" if m.name in ranks else "",
    )


EVIDENCE = Evidence[DataSummary](
    name="ranks",
    group=Group.SEARCH,
    place=90,
    title="Rank against budget",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=in_numbers,
    csv={"ranks": ranks},
    nothing=no_curve,
)
