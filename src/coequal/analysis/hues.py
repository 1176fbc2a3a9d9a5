"""Which models have a colour of their own."""

import math
from collections.abc import Sequence
from dataclasses import replace

from coequal.analysis.data_summary import DataSummary

MOST_HUES = 12
"""More colours than these are not told apart."""


def with_hues(summaries: Sequence[DataSummary]) -> list[DataSummary]:
    """Give every model of a study its colour, the same on all datasets.

    Up to `MOST_HUES` models have one each, in the study's order. Of more, only those have one that
    a reader looks for first: the models that others are compared with (`against`), and the best of
    each dataset; all others are grey.
    """
    names = {model.name: model.index for one in summaries for model in one.models}
    if len(names) > MOST_HUES:
        bases = {model.against for one in summaries for model in one.models if model.against}
        first = [*sorted(bases & names.keys(), key=names.__getitem__), *map(_best, summaries)]
        chosen = dict.fromkeys(name for name in first if name)
        names = {name: place for place, name in enumerate(chosen) if place < MOST_HUES}
    return [
        replace(one, models=tuple(replace(m, hue=names.get(m.name)) for m in one.models))
        for one in summaries
    ]


def _best(summary: DataSummary) -> str | None:
    """The model with the best typical score over re-runs, or, without any, with the best test value
    of its chosen setting; None without results."""

    def cost(value: float) -> float:
        return summary.metric.cost(value) if math.isfinite(value) else math.inf

    rerun = [m for m in summary.models if m.rerun and m.rerun.numbers]
    if rerun:
        return min(rerun, key=lambda m: cost(m.rerun.numbers.centre)).name  # type: ignore[union-attr]
    chosen = [m for m in summary.ranked if m.chosen]
    return chosen[0].name if chosen else None
