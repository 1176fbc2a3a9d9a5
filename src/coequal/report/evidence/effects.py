"""What one change did, by re-runs: models that the study compares with one other."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import interval, number, p_value
from coequal.report.evidence._evidence import Evidence
from coequal.report.table import Cell, Column, Table, model_column, rival_column, tabulate, within
from coequal.statistics.comparison import Effect
from coequal.statistics.reruns import MIN_RUNS_FOR_CLAIM


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    relative = summary.rerun_comparison.scale == "log"
    return (
        f"Interquartile means of test {summary.metric.label} over re-runs with fresh seeds: the "
        f"{'change in per cent of' if relative else 'difference from'} the model named, above its "
        "95 % interval (Yuen's t). A model is shown as better or worse if the p-value, adjusted "
        "after Holm over these comparisons, is at most 0.05."
    )


def table(summary: DataSummary) -> Table | None:
    """Each such model beside its rival; None where the study names none, or nothing is known."""
    effects = summary.rerun_comparison.effects
    if not effects:
        return None
    models = {model.name: model for model in summary.models}
    fewest = min(_runs(models[name]) for e in effects for name in (e.name, e.against))
    notes = []
    if fewest < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"A screening only: a claim takes {MIN_RUNS_FOR_CLAIM} re-runs, and some have {fewest}."
        )
    return tabulate(
        _columns(summary),
        effects,
        summary=summary,
        shown=sorted(effects, key=lambda e: (models[e.against].index, e.ratio)),
        notes=notes,
    )


def _runs(model: ModelSummary) -> int:
    return len(model.rerun.runs) if model.rerun else 0


def _columns(summary: DataSummary) -> list[Column]:
    label, comparison = summary.metric.label, summary.rerun_comparison

    def difference(effect: Effect) -> float:
        """In the metric's own units: a cost is its negative where more is better."""
        return summary.metric.cost(effect.ratio)

    def difference_ends(effect: Effect) -> tuple[float, ...]:
        return tuple(sorted(map(summary.metric.cost, effect.interval)))

    def difference_cell(effect: Effect) -> Cell:
        low, high = difference_ends(effect)
        return Cell(number(difference(effect)), interval((low, high)), sort=difference(effect))

    linear = comparison.scale == "linear"
    change = (
        [Column("difference", difference, "change", cell=difference_cell)]
        if linear
        else [Column("ratio", "", "change", cell=_percent_cell)]
    )
    get_ends = difference_ends if linear else (lambda e: e.interval)
    return [
        model_column(summary, value="name"),
        rival_column(summary, "against", "against"),
        *within(lambda e: summary.model(e.name), Column("", "rerun.numbers.iqm", f"{label} of it")),
        *within(
            lambda e: summary.model(e.against),
            Column("", "rerun.numbers.iqm", f"{label} of the other"),
        ),
        *change,
        Column("interval_low", lambda e: get_ends(e)[0]),
        Column("interval_high", lambda e: get_ends(e)[1]),
        Column("p_value", "", "p-value", show=p_value),
        Column("adjusted_p", "adjusted", "adjusted p-value", show=p_value),
        Column(
            *("shown", comparison.outcome, "shown at 95 %"),
            cell=lambda e: Cell(comparison.outcome(e), strong=e.shown),
            words=True,
        ),
    ]


def _percent_cell(effect: Effect) -> Cell:
    change, low, high = (100 * (x - 1) for x in (effect.ratio, *effect.interval))
    return Cell(f"{change:+.0f} %", f"{low:+.0f} to {high:+.0f} %", sort=change)


EVIDENCE = Evidence[DataSummary](
    name="effects",
    place=10,
    title="Against the model that it is compared with",
    how_to_read=how_to_read,
    table=table,
)
