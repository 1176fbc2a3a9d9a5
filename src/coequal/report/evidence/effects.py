"""What one change did, by re-runs: models that the study compares with one other."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.report.evidence._evidence import Evidence
from coequal.report.formatting import full, interval, number, p_value
from coequal.report.table import (
    Cell,
    Heading,
    Record,
    Table,
    ends,
    name_cell,
    value_cell,
)
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
    rows = [_row(summary, effect, models) for effect in sorted(effects, key=_place(models))]
    label = summary.metric.label
    fewest = min(_runs(models[name]) for e in effects for name in (e.name, e.against))
    notes = []
    if fewest < MIN_RUNS_FOR_CLAIM:
        notes.append(
            f"A screening only: a claim takes {MIN_RUNS_FOR_CLAIM} re-runs, and some have {fewest}."
        )
    return Table(
        headings=[
            Heading("Model"),
            Heading("against", words=True),
            Heading(f"{label} of it"),
            Heading(f"{label} of the other"),
            Heading("change"),
            Heading("p-value"),
            Heading("adjusted p-value"),
            Heading("shown at 95 %", words=True),
        ],
        rows=rows,
        records=[_record(summary, effect) for effect in effects],
        notes=notes,
    )


def _place(models: dict[str, ModelSummary]):  # type: ignore[no-untyped-def]
    """By rival in the study's order, the largest gain first."""
    return lambda effect: (models[effect.against].index, effect.ratio)


def _runs(model: ModelSummary) -> int:
    return len(model.rerun.runs) if model.rerun else 0


def _row(summary: DataSummary, effect: Effect, models: dict[str, ModelSummary]) -> list[Cell]:
    linear = summary.rerun_comparison.scale == "linear"
    own, other = (_centre(models[name]) for name in (effect.name, effect.against))
    low, high = effect.interval
    if linear:  # in the metric's own units: a cost is its negative where more is better
        change, low, high = _signed(summary, effect)
        cell = Cell(number(change), interval((low, high)), sort=change)
    else:
        change = 100 * (effect.ratio - 1)
        small = f"{100 * (low - 1):+.0f} to {100 * (high - 1):+.0f} %"
        cell = Cell(f"{change:+.0f} %", small, sort=change)
    verdict = summary.rerun_comparison.outcome(effect)
    return [
        name_cell(models[effect.name]),
        Cell(models[effect.against].label),
        value_cell(own),
        value_cell(other),
        cell,
        Cell(p_value(effect.p_value), sort=effect.p_value),
        Cell(p_value(effect.adjusted), sort=effect.adjusted),
        Cell(verdict, strong=effect.shown),
    ]


def _signed(summary: DataSummary, effect: Effect) -> tuple[float, float, float]:
    cost = summary.metric.cost
    low, high = sorted(cost(end) for end in effect.interval)
    return cost(effect.ratio), low, high


def _centre(model: ModelSummary) -> float | None:
    return model.rerun.numbers.iqm if model.rerun and model.rerun.numbers else None


def _record(summary: DataSummary, effect: Effect) -> Record:
    linear = summary.rerun_comparison.scale == "linear"
    return {
        "data": summary.data,
        "metric": summary.metric.name,
        "model": effect.name,
        "against": effect.against,
        "difference" if linear else "ratio": full(
            _signed(summary, effect)[0] if linear else effect.ratio
        ),
        **ends("interval", _signed(summary, effect)[1:] if linear else effect.interval),
        "p_value": full(effect.p_value),
        "adjusted_p": full(effect.adjusted),
        "shown": summary.rerun_comparison.outcome(effect),
    }


EVIDENCE = Evidence[DataSummary](
    name="effects",
    place=10,
    title="Against the model that it is compared with",
    how_to_read=how_to_read,
    table=table,
)
