"""Where the differences between single runs come from."""

from coequal.analysis.data_summary import DataSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, percent
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    ends,
)
from coequal.statistics.variance import VarianceComponent

MEANS = {
    "evaluation": "the same network, other generated images",
    "seed": "the same setting, another training seed",
    "hyper-parameters": "the same model, another setting",
    "model": "another model",
}


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    assert summary.variance is not None  # or there were no table
    scale = "logarithms of the scores" if summary.variance.scores.scale == "log" else "scores"
    return (
        f"The fraction of the variance between single runs (of the {scale} of runs that finished) "
        "that comes from each source, above its 95 % interval; failures have fractions of their "
        "own."
    )


def table(summary: DataSummary) -> Table | None:
    """Shares of the variance of a single score; None with too few scores."""
    components = summary.variance
    if components is None:
        return None
    groups = [("score", components.scores.components)]
    if components.failures is not None:
        groups.append(("failure", components.failures.components))
    rows, records = [], []
    for kind, parts in groups:
        for part in parts:
            what = "a score" if kind == "score" else "a failure"
            fraction = "not separable" if part.fraction is None else percent(part.fraction)
            ends_text = "" if part.interval is None else _percents(part)
            rows.append(
                [
                    Cell(f"{part.source}, of {what}", MEANS[part.source]),
                    Cell(
                        fraction,
                        ends_text,
                        sort="" if part.fraction is None else part.fraction,
                    ),
                    Cell(part.note),
                ]
            )
            records.append(_part_record(summary, kind, part))
    return Table(
        headings=[
            Heading("Source"),
            Heading("Fraction", "95 %"),
            Heading("How it is known", words=True),
        ],
        rows=rows,
        records=records,
        notes=[
            "The seed's variance is measured at the settings that were re-run, the best ones; "
            "bad settings usually vary more, so the hyper-parameters' fraction includes some of "
            "it."
        ],
    )


def _percents(part: VarianceComponent) -> str:
    assert part.interval is not None
    return f"{percent(part.interval.low)[:-2]}–{percent(part.interval.high)}"


def _part_record(summary: DataSummary, kind: str, part: VarianceComponent) -> Record:
    row: Record = {"data": summary.data, "of": kind, "source": part.source}
    row |= {"variance": full(part.variance), "share": full(part.fraction)}
    return row | ends("share", part.interval) | {"note": part.note}


EVIDENCE = Evidence[DataSummary](
    name="variance",
    place=230,
    title="Where the differences come from",
    how_to_read=how_to_read,
    table=table,
)
