"""What figures show in numbers, for readers who cannot see them."""

from collections.abc import Callable, Iterable, Mapping

from coequal.analysis.budget_curves import BudgetCurve, CostCurve
from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.formatting import interval, number


def by_model(summary: DataSummary, says: Callable[[ModelSummary], str]) -> str:
    """One part of a sentence for each model, the best first; models without any are left out.

    Args:
        summary: of the dataset.
        says: the numbers of a model; "" if there are none.
    """
    return _joined((model.label, says(model)) for model in summary.ranked)


def ends_of_curves(
    summary: DataSummary, curves: Mapping[str, BudgetCurve] | Mapping[str, CostCurve]
) -> str:
    """Where the curve of each model ends, with its interval if it has one there."""

    def end(model: ModelSummary) -> str:
        curve = curves.get(model.name)
        if curve is None or not curve.points:
            return ""
        last = curve.points[-1]
        known = last.low is not None and last.high is not None
        ends = f" ({interval((last.low, last.high))})" if known else ""
        return f"{number(last.expected)}{ends} at {last.budget:,.4g}"

    return by_model(summary, end)


def _joined(parts: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name} {numbers}" for name, numbers in parts if numbers)
