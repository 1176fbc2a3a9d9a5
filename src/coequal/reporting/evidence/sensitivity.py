"""What each hyperparameter did."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import p_value, percent
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import EMPTY, Cell, Column, Table, model_column, tabulate, within
from coequal.statistics.sensitivity import MIN_SETTINGS, Influence


def table(summary: DataSummary) -> Table | None:
    """What each searched hyperparameter did in each model's search."""
    rows = [(model, found) for model in summary.ranked for found in model.influences or ()]
    columns = [
        model_column(summary, value=lambda row: row[0].name),
        *within(
            lambda row: row[1],
            Column("hyperparameter", "name", "Hyperparameter", show=_spaced, words=True),
            Column("share", "sobol_index", "fraction explained", cell=_fraction_cell),
            Column("p_value"),
            Column("adjusted_p", "adjusted", "adjusted p-value", show=p_value),
            Column("direction"),
            Column("best_value", "", "better values", cell=_better_cell, words=True),
            Column("edge", "edge.nearest", "edge of the range", cell=_edge_cell, words=True),
            Column("edge_distance", "edge.distance"),
            Column("edge_chance", "edge.probability"),
            Column("edge_adjusted_p", "edge.adjusted"),
        ),
    ]
    return tabulate(columns, rows, summary=summary) if rows else None


def nothing(summary: DataSummary) -> str:
    """Why no hyperparameter is listed."""
    if any(m.influences for m in summary.models):
        return ""
    return (
        f"Estimating the effect of a hyperparameter needs at least {MIN_SETTINGS} drawn settings "
        "of a model."
    )


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _fraction_cell(influence: Influence) -> Cell:
    text = percent(max(0.0, influence.sobol_index))
    return Cell(text, sort=influence.sobol_index, strong=influence.adjusted <= 0.05)


def _better_cell(influence: Influence) -> Cell:
    best = influence.best_value if influence.sobol_index > 0 else ""
    best = best.lower() if best in ("True", "False") else best  # as a study file has them
    return Cell(best or influence.direction or "no direction")


def _edge_cell(influence: Influence) -> Cell:
    edge = influence.edge
    if edge is None:
        return EMPTY
    text = f"best within {percent(edge.distance)} of the {edge.nearest} end"
    return Cell(text, flag="range may be too narrow" if edge.warns else "")


EVIDENCE = Evidence[DataSummary](
    name="sensitivity",
    group=Group.SEARCH,
    place=240,
    title="Effect of each hyperparameter",
    how_to_read=(
        "How much each hyperparameter matters in each model's search. The table gives the fraction "
        "of the variance of the settings' ranks that the hyperparameter explains by itself, which "
        "of its values were better, and whether the best settings crowd at one end of its range, "
        "beyond which a better value may lie."
    ),
    table=table,
    nothing=nothing,
)
