"""What choosing by a distance of features costs in F1 against the known manifold."""

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.manifold import F1, PRECISION, RECALL, ManifoldResults
from coequal.analysis.model import ModelSummary
from coequal.formatting import half_width, interval, number
from coequal.reporting.evidence._evidence import Evidence, Group
from coequal.reporting.setting_text import setting_text
from coequal.reporting.table import (
    Cell,
    Heading,
    Record,
    Table,
    name_cell,
    value_cell,
)
from coequal.statistics.correlation import MIN_MODELS, Correlation


def how_to_read(summary: DataSummary) -> str:
    """How a reader reads the table."""
    label = _distance_label(summary)
    return (
        f"How much F1 is lost by choosing settings by {label}. The table gives test values of the "
        f"setting that a search by {label} would have chosen and of the setting that a search by "
        "F1 would have chosen. Both choose on validation, at the last checkpoint."
    )


def table(summary: DataSummary) -> Table | None:
    """Each model's setting chosen by the distance, and the one chosen by F1; None without both."""
    known = summary.manifold
    if known is None or known.distance is None or not summary.ended:
        return None
    label = summary.metrics[known.distance].label
    models = [model for model in summary.ranked if model.tried]
    return Table(
        headings=[
            Heading("Model"),
            Heading(f"F1, chosen by {label}", f"precision, recall; {label}"),
            Heading("F1, chosen by F1", f"precision, recall; {label}"),
        ],
        rows=[
            [name_cell(model), *(_cell(known, model, by) for by in (known.distance, F1))]
            for model in models
        ],
        records=[
            _record(summary, known, model, by) for model in models for by in (known.distance, F1)
        ],
        notes=_notes(known, models, label),
    )


def _distance_label(summary: DataSummary) -> str:
    assert summary.manifold is not None  # or there were no table
    assert summary.manifold.distance is not None
    return summary.metrics[summary.manifold.distance].label


def _cell(known: ManifoldResults, model: ModelSummary, by: str) -> Cell:
    chosen = known.chosen_by(by, model.tried)
    if chosen is None:
        return Cell("all failed", sort=-1.0)
    assert known.distance is not None
    precision_and_recall = [number(known.of(name, chosen).test) for name in (PRECISION, RECALL)]
    distance = number(known.of(known.distance, chosen).test)
    small = f"{', '.join(precision_and_recall)}; {distance}; {setting_text(chosen.number)}"
    return value_cell(known.of(F1, chosen).test, small)


def _record(summary: DataSummary, known: ManifoldResults, model: ModelSummary, by: str) -> Record:
    chosen = known.chosen_by(by, model.tried)
    return {
        "data": summary.data,
        "model": model.name,
        "chosen_by": by,
        "setting": chosen and chosen.number,
        **{f"{name}_test": chosen and known.of(name, chosen).test for name in known.values},
    }


def _notes(known: ManifoldResults, models: list[ModelSummary], label: str) -> list[str]:
    few = f"fewer than {MIN_MODELS} models" if len(models) < MIN_MODELS else "too equal"
    over = (
        ("random settings of all models", "models and settings", known.agreement(models), few),
        (
            "models, each at what its search reaches",
            "models",
            known.agreement_of_models(models),
            "too few, or too similar",
        ),
    )
    messages = [
        f"{_correlation(found, draw, why)} over {what}"
        for what, draw, found, why in over
        if found is not None
    ]
    if not messages:
        return []
    return [
        f"Agreement between the rankings by F1 and by {label} (Spearman's rank correlation; 1 is "
        f"full agreement): {'; '.join(messages)}."
    ]


def _correlation(correlation: Correlation, draw: str, why: str) -> str:
    pairs = f"{correlation.pairs} pairs"
    if correlation.low is None or correlation.high is None:
        return f"{number(correlation.value, 0.1)} ({pairs}: no interval, {why})"
    found = correlation.low, correlation.high
    value, ends = number(correlation.value, half_width(found)), interval(found, between=" to ")
    return f"{value} ({ends}, 95 % interval over the draw of {draw}, {pairs})"


EVIDENCE = Evidence[DataSummary](
    name="manifold_choice",
    group=Group.METRICS,
    place=190,
    title=lambda summary: f"Chosen by {_distance_label(summary)}, chosen by F1",
    how_to_read=how_to_read,
    table=table,
)
