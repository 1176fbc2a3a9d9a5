"""What one change did, by re-runs: models that the study compares with one other."""

import math

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import count, number, p_value, percent
from coequal.reporting.changes import Change, changes
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.forest import forest
from coequal.reporting.table import Cell, Column, Table, tabulate, within
from coequal.statistics.reruns import MIN_RUNS_FOR_CLAIM, Reruns


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads figure and table."""
    change = "ratio" if summary.rerun_comparison.scale == "log" else "difference"
    together = summary.rerun_comparison.comparisons
    jointly = f" jointly over all {together} comparisons" if together > 1 else ""
    return (
        f"What each change does to test {summary.metric.label}, over re-runs with fresh seeds. The "
        f"effect is the median {change} over all pairs of one run with the change and one without "
        f"it, with its 95 % interval{jointly}. In the forest plot, a square is the effect and a "
        "line its interval; an arrow means that the interval continues. A change counts as better "
        "or worse if the p-value of the exact Mann-Whitney test, Holm-adjusted over these "
        "comparisons, is at most 0.05. The pale bar is the smallest gain that these runs, given "
        "their spread, would have shown with a probability of about 80 % (63 to 80 % in "
        "simulations). The table also gives the "
        f"{'medians' if _collapsed(summary) else 'interquartile means'} with and without the "
        "change. This compares settings, not models."
    )


def table(summary: DataSummary) -> Table | None:
    """Each such model beside its rival; None where the study names none, or nothing is known."""
    rows = changes(summary)
    if not rows:
        return None
    in_study = sorted(rows, key=lambda row: row.model.index)
    return tabulate(
        _columns(summary),
        in_study,
        summary=summary,
        shown=rows,
        notes=_notes(summary),
        folds=False,
    )


def power_of_effects(summary: DataSummary) -> str:
    """The gain that these comparisons could have shown, in one sentence; empty without any."""
    compared = summary.rerun_comparison
    if not compared.effects:
        return ""
    gain = compared.smallest_gain
    if gain is None:
        return (
            "Most of these comparisons had less than an 80 % chance of showing a gain, however "
            "large; they need more seeds, or fewer failed runs."
        )
    size = percent(1 - gain) if compared.scale == "log" else number(abs(gain))
    return (
        "Given the spread of these runs, half of the comparisons would have shown a gain of "
        f"{size} with a probability of about 80 %; most smaller gains would have been missed."
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
            "Holm's adjustment is more powerful than joint intervals: the intervals of "
            f"{count(len(beyond), 'change')} shown to matter include zero."
        )
    runs = [_runs(summary.model(n)) for e in compared.effects for n in (e.name, e.against)]
    if min(runs) < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"A screening only: a claim needs {MIN_RUNS_FOR_CLAIM} re-runs, and some settings have "
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

    def centre_of(name: str, heading: str) -> list[Column]:
        def cell(model: ModelSummary) -> Cell:
            numbers = _numbers(model)
            value = None if numbers is None else getattr(numbers, centre)
            error = None if numbers is None else numbers.sd
            return Cell(number(value, error), count(_runs(model), "run"), sort=value)

        def model(change: Change) -> ModelSummary:
            return summary.model(getattr(change.effect, name))

        return within(model, Column("", "", heading, cell=cell))

    return [
        Column("model", "effect.name", "Change", cell=lambda c: _name_cell(summary, c)),
        Column("against", "effect.against"),
        *centre_of("name", f"{label} with it"),
        *centre_of("against", f"{label} without it"),
        Column("wins", "effect.wins"),
        Column("ratio" if relative else "difference", "value", "change", cell=_change_cell),
        Column("interval_low", lambda c: c.ends and c.ends[0]),
        Column("interval_high", lambda c: c.ends and c.ends[1]),
        Column(
            *("smallest_gain", "gain", "smallest gain"),
            under="shown by 80 % of studies",
            cell=lambda c: Cell(c.gain_text, sort=c.gain),
        ),
        Column("p_value", "effect.p_value", "p-value", show=p_value),
        Column("adjusted_p", "effect.adjusted", "adjusted p-value", show=p_value),
        Column(
            *("shown", "outcome", "shown at 95 %"),
            cell=lambda c: Cell(c.outcome, strong=c.effect.shown),
            words=True,
        ),
    ]


def _name_cell(summary: DataSummary, change: Change) -> Cell:
    model = summary.model(change.effect.name)
    against = f"against {summary.title(change.effect.against)}"
    small = f"{model.name}, {against}" if model.change else against
    return Cell(change.name, small, model=model.index, hue=model.hue)


def _change_cell(change: Change) -> Cell:
    known = math.isfinite(change.value)
    return Cell(change.text, change.between, sort=change.value if known else None)


EVIDENCE = Evidence[DataSummary](
    name="effects",
    group=Group.VERDICT,
    place=10,
    open=True,
    title="What each change does",
    how_to_read=how_to_read,
    figure=forest,
    wide=True,
    table=table,
)
