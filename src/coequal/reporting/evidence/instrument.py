"""What the instrument adds to the differences: its encoder's training and its test images."""

from collections.abc import Callable

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.instrument import InstrumentPart
from coequal.formatting import NONE, half_width, interval, number, percent
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.table import Cell, Column, Table, tabulate

MEANS = {
    "encoder": "the same recipe, another training seed",
    "test images": "others of the same distribution",
}

KINDS = {
    "shared": "Shift of all networks",
    "model": "Shift of one model's networks",
    "network": "Shift of single networks",
}


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    networks = summary.instrument[0].variance.networks
    return (
        "How much the scores depend on the encoder (feature extractor) and on the test images. The "
        f"same images of {networks} trained networks (chosen settings) were measured again with "
        "encoders of the same recipe, and against halves of the test images. A shift that is "
        "common to all networks cancels when they are compared. A shift that differs between "
        "networks does not: it is part of every difference, whichever source the difference is "
        "attributed to. A shift common to one model's networks does not shrink with more seeds or "
        "settings. The table gives standard deviations of one score, in per cent where scores are "
        "compared by their ratio."
    )


def table(summary: DataSummary) -> Table | None:
    """The parts of every number that was measured repeatedly; None where none was."""
    if not summary.instrument:
        return None
    columns = [
        Column("metric", "metric.name"),
        Column("", "metric.label", "Number", words=True),
        Column("source", "source", "Source", cell=_source_cell),
        Column("scale"),
        Column("networks", "variance.networks"),
        Column("states", "variance.states"),
        *(
            Column(f"{kind}_variance", f"variance.{kind}", heading, "sd", cell=_cell_of(kind))
            for kind, heading in KINDS.items()
        ),
        Column(
            "specific_variance",
            "variance.specific",
            "Shift between networks of two models",
            "sd (95 %)",
            cell=_specific_cell,
            ends="variance.specific_interval",
        ),
        Column("share", "fraction", "Fraction of the variance between single runs", show=_share),
        Column("swapped", "variance.swapped", "Pairs that swap order", show=_share),
        Column("", _known, "Basis", words=True),
    ]
    return tabulate(columns, summary.instrument, summary=summary)


def _source_cell(part: InstrumentPart) -> Cell:
    return Cell(part.source, MEANS[part.source])


def _cell_of(kind: str) -> Callable[[InstrumentPart], Cell]:
    def cell(part: InstrumentPart) -> Cell:
        variance = getattr(part.variance, kind)
        return Cell(NONE) if variance is None else Cell(_deviation(part, variance), sort=variance)

    return cell


def _specific_cell(part: InstrumentPart) -> Cell:
    low, high = map(_in_units(part), part.variance.specific_interval)
    unit = " %" if part.scale == "log" else ""
    text = number(_in_units(part)(part.variance.specific), half_width((low, high)))
    ends = interval((low, high), between=" to ")
    return Cell(f"{text}{unit}", f"{ends}{unit}", sort=part.variance.specific)


def _deviation(part: InstrumentPart, variance: float) -> str:
    """The standard deviation, in two figures."""
    deviation = _in_units(part)(variance)
    return f"{number(deviation, deviation)} %" if part.scale == "log" else number(deviation)


def _in_units(part: InstrumentPart) -> Callable[[float], float]:
    """From a variance to its standard deviation, in per cent where scores are compared by their
    ratio; a variance that is estimated to be below 0 counts as none."""
    factor = 100.0 if part.scale == "log" else 1.0
    return lambda variance: factor * max(0.0, variance) ** 0.5


def _share(fraction: float) -> str:
    return f"{100 * fraction:.1f} %" if 0 < fraction < 0.1 else percent(fraction)


def _known(part: InstrumentPart) -> str:
    states = part.variance.states
    if part.source == "encoder":
        return f"{part.images:,} images per network, {states} encoders including the study's"
    return (
        f"{part.images:,} images per network against {states} halves of the {part.test_images:,} "
        "test images; values are for all test images"
    )


EVIDENCE = Evidence[DataSummary](
    name="instrument",
    group=Group.METRICS,
    place=231,
    title="Variation due to encoder and test images",
    how_to_read=how_to_read,
    table=table,
)
