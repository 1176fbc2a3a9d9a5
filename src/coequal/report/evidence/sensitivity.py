"""What each hyper-parameter did."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, p_value, percent
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
    start,
)
from coequal.statistics.sensitivity import MIN_SETTINGS, Influence


def table(summary: DataSummary) -> Table | None:
    """What each searched hyper-parameter did in each model's search."""
    influences = [(m, i) for m in summary.ranked for i in m.influences or ()]
    if not influences:
        return None
    return Table(
        headings=[
            Heading("Model"),
            Heading("Hyper-parameter", words=True),
            Heading("fraction explained"),
            Heading("adjusted p-value"),
            Heading("better values", words=True),
            Heading("edge of the range", words=True),
        ],
        rows=[_influence_row(model, influence) for model, influence in influences],
        records=[_influence_record(summary, model, i) for model, i in influences],
    )


def refusal(summary: DataSummary) -> str:
    """Why no hyper-parameter is listed."""
    if any(m.influences for m in summary.models):
        return ""
    return (
        f"The effect of each hyper-parameter is not estimated: that takes {MIN_SETTINGS} drawn "
        "settings or more of a model."
    )


def _influence_row(model: ModelSummary, influence: Influence) -> list[Cell]:
    percentage = percent(max(0.0, influence.sobol_index))
    warns = influence.edge is not None and influence.edge.warns
    edge = ""
    if influence.edge is not None:
        edge = f"best within {percent(influence.edge.distance)} of the {influence.edge.nearest} end"
    return [
        name_cell(model),
        Cell(influence.name.replace("_", " ")),
        Cell(percentage, sort=influence.sobol_index, strong=influence.adjusted <= 0.05),
        Cell(p_value(influence.adjusted), sort=influence.adjusted),
        Cell(
            (influence.sobol_index > 0 and influence.best_value)
            or influence.direction
            or "no direction"
        ),
        Cell(edge or "–", flag="range may be too narrow" if warns else ""),
    ]


def _influence_record(summary: DataSummary, model: ModelSummary, influence: Influence) -> Record:
    edge = influence.edge
    row = start(summary, model) | {
        "hyperparameter": influence.name,
        "share": full(influence.sobol_index),
    }
    row |= {"p_value": full(influence.p_value), "adjusted_p": full(influence.adjusted)}
    row |= {"direction": influence.direction or "", "best_value": influence.best_value or ""}
    return row | {
        "edge": edge.nearest if edge else "",
        "edge_distance": full(edge.distance) if edge else "",
        "edge_chance": full(edge.probability) if edge else "",
        "edge_adjusted_p": full(edge.adjusted) if edge else "",
    }


EVIDENCE = Evidence[DataSummary](
    name="sensitivity",
    place=240,
    title="What each hyper-parameter did",
    how_to_read=(
        "The fraction of the variance of the settings' ranks that one hyper-parameter explains "
        "by itself, which of its values were better, and whether the best settings crowd at an "
        "end of its range, where a better value may lie outside."
    ),
    table=table,
    refusal=refusal,
)
