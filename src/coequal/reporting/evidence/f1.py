"""The expected best F1 of n settings."""

from matplotlib.figure import Figure

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.source import SECOND_METRIC
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.evidence._in_numbers import ends_of_curves
from coequal.reporting.evidence._nothing import no_curve
from coequal.reporting.evidence.best_of_n import curve_records, overview
from coequal.reporting.table import Record


def how_to_read(summary: DataSummary) -> str:
    """F1 against budget."""
    return (
        "The F1 to expect from a search of n random settings. Each line is the expected test F1 "
        "(the harmonic mean of precision and recall; 1 is best) of the best of n random settings. "
        "As in the paper, settings are chosen by test F1 itself, which is an oracle: a search must "
        "not use the test split. Failures count as worst. Lines and markers are as above."
    )


def figure(summary: DataSummary) -> Figure | None:
    """The best of n random settings by F1; None where F1 was not measured."""
    if SECOND_METRIC not in summary.metrics:
        return None
    return overview(summary, summary.f1_curves, summary.metrics[SECOND_METRIC])


def f1_curves(summary: DataSummary) -> list[Record]:
    """The points of the F1 curves."""
    return curve_records(summary, summary.f1_curves, "f1")


EVIDENCE = Evidence[DataSummary](
    name="f1",
    group=Group.SEARCH,
    place=160,
    title="Best F1 of n",
    how_to_read=how_to_read,
    figure=figure,
    in_numbers=lambda summary: ends_of_curves(summary, summary.f1_curves),
    csv={"f1_curves": f1_curves},
    nothing=no_curve,
)
