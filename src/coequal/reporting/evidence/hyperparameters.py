"""The chosen settings, and where they lie in their ranges."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.range_position import RangePosition
from coequal.formatting import plain
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.setting_text import range_text, setting_text
from coequal.reporting.table import EMPTY, Cell, Heading, Table, name_cell


def table(summary: DataSummary) -> Table | None:
    """Each model's chosen setting and where it lies in the declared ranges."""
    chosen = [m for m in summary.ranked if m.chosen]
    names = list(dict.fromkeys(p.name for m in chosen if m.chosen for p in m.chosen.values))
    if not names:
        return None
    rows = []
    for model in chosen:
        assert model.chosen is not None
        first = name_cell(model, setting_text(model.chosen.number))
        rows.append([first, *(_position_cell(model.chosen.hyperparameter(name)) for name in names)])
    return Table(
        headings=[Heading("Model"), *(Heading(n.replace("_", " "), words=True) for n in names)],
        rows=rows,
        records=[
            {
                "data": summary.data,
                "metric": summary.metric.name,
                "model": model.name,
                "setting": model.chosen.number,
                "hyperparameter": place.name,
                "value": str(place.value),
                "range": range_text(place),
                "position": place.position,
                "flag": place.flag,
            }
            for model in summary.models
            if model.chosen
            for place in model.chosen.values
        ],
    )


def _position_cell(place: RangePosition | None) -> Cell:
    if place is None:
        return EMPTY
    inside = None if place.position is None else min(1.0, max(0.0, place.position))
    value = place.value
    sort = float(value) if isinstance(value, int | float) else str(value)
    return Cell(plain(value), range_text(place), sort=sort, flag=place.flag, place=inside)


def nothing(summary: DataSummary) -> str:
    """That no value of a chosen setting was drawn from a range."""
    chosen = [m.chosen for m in summary.models if m.chosen]
    if not chosen or any(place.position is not None for one in chosen for place in one.values):
        return ""
    return "No value of a chosen setting was drawn from a range."


EVIDENCE = Evidence[DataSummary](
    name="hyperparameters",
    group=Group.SEARCH,
    place=250,
    title="Chosen settings and their ranges",
    how_to_read=(
        "The hyperparameters of each model's chosen setting. The mark on a bar shows where the "
        "value lies between the ends of the declared range (on a log scale for a log range). "
        "Values within 5 % of an end are flagged, because a better value may lie outside."
    ),
    table=table,
    nothing=nothing,
)
