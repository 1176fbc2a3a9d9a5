"""Where the differences between single runs come from."""

from coequal.analysis.data_summary import DataSummary
from coequal.formatting import percent
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, tabulate, within
from coequal.statistics.variance import VarianceComponent

MEANS = {
    "evaluation": "the same network, other generated images",
    "seed": "the same setting, another training seed",
    "hyperparameters": "the same model, another setting",
    "model": "another model",
}


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    assert summary.variance is not None  # or there were no table
    scale = "logarithms of the scores" if summary.variance.scores.scale == "log" else "scores"
    return (
        "Why single runs differ. The table gives the fraction of the variance between single runs "
        f"(of the {scale} of finished runs) that comes from each source, with its 95 % interval. "
        "Failures are analysed separately."
    )


def table(summary: DataSummary) -> Table | None:
    """Shares of the variance of a single score; None with too few scores."""
    components = summary.variance
    if components is None:
        return None
    groups = [("score", components.scores.components)]
    if components.failures is not None:
        groups.append(("failure", components.failures.components))
    columns = [
        Column("of", lambda row: row[0]),
        Column("source", lambda row: row[1].source, "Source", cell=_source_cell),
        *within(
            lambda row: row[1],
            Column("variance"),
            Column("share", "fraction", "Fraction", "95 %", cell=_fraction_cell, ends="interval"),
            Column("note", "", "Basis", words=True),
        ),
    ]
    return tabulate(
        columns,
        [(kind, part) for kind, parts in groups for part in parts],
        summary=summary,
        notes=[
            "The variance between seeds is measured at the re-run settings, which are the best "
            "ones. Worse settings usually vary more, so the hyperparameters' fraction includes "
            "some of that variance."
        ],
    )


def _source_cell(row: tuple[str, VarianceComponent]) -> Cell:
    kind, part = row
    return Cell(f"{part.source} ({kind})", MEANS[part.source])


def _fraction_cell(part: VarianceComponent) -> Cell:
    interval = part.interval
    ends = f"{percent(interval.low)[:-2]}–{percent(interval.high)}" if interval else ""
    if part.fraction is None:
        return Cell("not separable", ends, sort="")
    return Cell(percent(part.fraction), ends, sort=part.fraction)


def nothing(summary: DataSummary) -> str:
    """That there are too few scores to compare sources of variance."""
    return "" if summary.variance else "Too few runs have a score."


EVIDENCE = Evidence[DataSummary](
    name="variance",
    group=Group.METRICS,
    place=230,
    title="Sources of variance",
    how_to_read=how_to_read,
    table=table,
    nothing=nothing,
)
