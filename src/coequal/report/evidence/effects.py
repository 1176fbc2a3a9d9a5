"""What one change did, by re-runs: models that the study compares with one other."""

import math

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import count, interval, number, p_value, percent
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import Cell, Column, Table, model_column, rival_column, tabulate, within
from coequal.statistics.comparison import Effect
from coequal.statistics.reruns import MIN_RUNS_FOR_CLAIM, Reruns


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    change = "ratio" if summary.rerun_comparison.scale == "log" else "difference"
    together = summary.rerun_comparison.comparisons
    jointly = f" jointly over all {together} comparisons" if together > 1 else ""
    return (
        f"{'Medians' if _collapsed(summary) else 'Interquartile means'} of test "
        f"{summary.metric.label} over re-runs with fresh seeds. The change is the median {change} "
        "over all pairs of a run of the model and a run of the one named, above its interval, at "
        f"95 %{jointly}. A model is shown to be better or worse if the p-value of the exact "
        "Mann-Whitney test, adjusted after Holm over these comparisons, is at most 0.05. The "
        "smallest gain is what these runs, with their spread, would have shown with a probability "
        "of about 80 % (63 to 80 % in simulations). This compares settings, not models."
    )


def table(summary: DataSummary) -> Table | None:
    """Each such model beside its rival; None where the study names none, or nothing is known."""
    effects = summary.rerun_comparison.effects
    if not effects:
        return None
    models = {model.name: model for model in summary.models}
    return tabulate(
        _columns(summary),
        effects,
        summary=summary,
        shown=sorted(effects, key=lambda e: (models[e.against].index, -e.wins, e.name)),
        notes=_notes(summary),
    )


def power_of_effects(summary: DataSummary) -> str:
    """The gain that these comparisons could have shown, in one sentence; empty without any."""
    compared = summary.rerun_comparison
    if not compared.effects:
        return ""
    gain = compared.smallest_gain
    if gain is None:
        return (
            "Most of these comparisons could not have shown a gain of any size with a probability "
            "of 80 %: that takes more seeds, or fewer failed runs."
        )
    size = percent(1 - gain) if compared.scale == "log" else number(abs(gain))
    return (
        f"With the spread of these runs, half of the comparisons would have shown a gain of {size} "
        "with a probability of about 80 %; most smaller gains would have been missed."
    )


def _collapsed(summary: DataSummary) -> bool:
    """Whether a run of any setting compared is an outlier or worse than the cap."""
    return any(
        numbers.collapsed
        for e in summary.rerun_comparison.effects
        for name in (e.name, e.against)
        if (numbers := _numbers(summary.model(name))) is not None
    )


def _numbers(model: ModelSummary) -> Reruns | None:
    return model.rerun.numbers if model.rerun else None


def _notes(summary: DataSummary) -> list[str]:
    compared = summary.rerun_comparison
    notes = [power_of_effects(summary)]
    none = 0.0 if compared.scale == "linear" else 1.0
    beyond = [
        summary.title(e.name)
        for e in compared.effects
        if e.shown and (e.interval is None or e.interval.low <= none <= e.interval.high)
    ]
    if beyond:
        notes.append(
            "Holm's adjustment shows more than intervals that hold jointly can: the interval of "
            f"{count(len(beyond), 'change')} that is shown includes no change at all."
        )
    runs = [_runs(summary.model(n)) for e in compared.effects for n in (e.name, e.against)]
    if min(runs) < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"A screening only: a claim takes {MIN_RUNS_FOR_CLAIM} re-runs, and some have "
            f"{min(runs)}."
        )
    missing = compared.comparisons - len(compared.effects)
    if missing:
        notes.append(f"{count(missing, 'comparison')} had too few re-runs.")
    return notes


def _runs(model: ModelSummary) -> int:
    return len(model.rerun.runs) if model.rerun else 0


def _columns(summary: DataSummary) -> list[Column]:
    label, comparison = summary.metric.label, summary.rerun_comparison
    centre = "median" if _collapsed(summary) else "iqm"
    relative = comparison.scale == "log"

    def in_units(value: float | None) -> float | None:
        """A ratio, or a difference in the metric's own units: a cost is its negative where more is
        better."""
        return value if relative or value is None else summary.metric.cost(value)

    def change(effect: Effect) -> float | None:
        return in_units(effect.change)

    def ends(effect: Effect) -> tuple[float, ...] | None:
        if effect.interval is None:
            return None
        return tuple(sorted(e for end in effect.interval if (e := in_units(end)) is not None))

    def change_cell(effect: Effect) -> Cell:
        between = ends(effect)
        if relative:
            text = _per_cent(effect.change)
            small = between and " to ".join(map(_per_cent, between))
        else:
            text, small = number(change(effect)), between and interval((between[0], between[1]))
        known = not math.isnan(effect.change)
        return Cell(text, small or "too few runs", sort=change(effect) if known else None)

    def gain_cell(effect: Effect) -> Cell:
        gain = in_units(effect.smallest_gain)
        if gain is None:
            return Cell("none")
        return Cell(_per_cent(gain) if relative else number(gain), sort=gain)

    def centre_of(name: str, heading: str) -> list[Column]:
        def cell(model: ModelSummary) -> Cell:
            numbers = _numbers(model)
            value = None if numbers is None else getattr(numbers, centre)
            return Cell(number(value), count(_runs(model), "run"), sort=value)

        return within(lambda e: summary.model(getattr(e, name)), Column("", "", heading, cell=cell))

    return [
        model_column(summary, value="name"),
        rival_column(summary, "against", "against"),
        *centre_of("name", f"{label} of it"),
        *centre_of("against", f"{label} of the other"),
        Column("wins"),
        Column("ratio" if relative else "difference", change, "change", cell=change_cell),
        Column("interval_low", lambda e: (ends(e) or (None, None))[0]),
        Column("interval_high", lambda e: (ends(e) or (None, None))[1]),
        Column(
            *("smallest_gain", lambda e: in_units(e.smallest_gain), "smallest gain"),
            under="that 80 % of studies show",
            cell=gain_cell,
        ),
        Column("p_value", "", "p-value", show=p_value),
        Column("adjusted_p", "adjusted", "adjusted p-value", show=p_value),
        Column(
            *("shown", comparison.outcome, "shown at 95 %"),
            cell=lambda e: Cell(comparison.outcome(e), strong=e.shown),
            words=True,
        ),
    ]


def _per_cent(ratio: float) -> str:
    """A ratio as a change in per cent; infinite where the model's runs fail."""
    if math.isnan(ratio):
        return "all failed"
    return "failed" if math.isinf(ratio) else f"{100 * (ratio - 1):+.0f} %"


EVIDENCE = Evidence[DataSummary](
    name="effects",
    place=10,
    title="Against the model that it is compared with",
    how_to_read=how_to_read,
    table=table,
)
