"""Whether the best setting of one dataset is any good on another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.scores import cap_for, scale_of, test_costs
from coequal.analysis.trials import TrialSummary
from coequal.design import rerun_seeds
from coequal.statistics.reruns import Reruns, describe


@dataclass(frozen=True)
class Transferred:
    """One model's best setting of one dataset, run on another or on the same.

    Attributes:
        model: name of the model.
        source: the dataset on which the setting was chosen, by validation.
        target: the dataset on which it was run.
        setting: its number; None if nothing was chosen on `source`.
        runs: fresh seeds on `target` that have a result.
        planned: how many fresh seeds the study plans.
        iqm: interquartile mean of their test values, failures at the cap; NaN without runs.
        one_run: whether the value is that of the search's single run, for want of fresh seeds.
        ratio: to the model's own best on `target` (same kind of number); NaN if unknown.
    """

    model: str
    source: str
    target: str
    setting: int | None
    runs: tuple[TrialSummary, ...]
    planned: int
    iqm: float
    one_run: bool
    ratio: float


def transfers(
    summaries: Sequence[DataSummary], study: Mapping[str, Any]
) -> dict[str, list[Transferred]]:
    """By model every pair of datasets, source first; empty if the study plans no transfer."""
    seeds = int((study.get("transfer") or {}).get("seeds", 0))
    if not seeds or len(summaries) < 2:
        return {}
    names = [model.name for model in summaries[0].models]
    own = {name: rerun_seeds(study, name) for name in names}
    return {
        name: [
            _transferred(source, target, name, own[name] if source is target else seeds, own[name])
            for source in summaries
            for target in summaries
        ]
        for name in names
    }


def _transferred(
    source: DataSummary, target: DataSummary, name: str, seeds: int, own: int
) -> Transferred:
    there = target.model(name)
    chosen = source.model(name).chosen
    setting = None if chosen is None else chosen.number
    runs = _fresh(there, setting, seeds)
    best = there.chosen
    home = _fresh(there, None if best is None else best.number, own)
    if source is not target and best is not None and setting == best.number and home:
        runs = home  # the same setting is best on both: all its seeds count, once
    value, one_run = _middle(runs, target), False
    if not runs and source is target and best is not None:
        value, one_run = best.test, True
    reference = _middle(home, target)  # a search's own run is too lucky to be compared with
    usable = math.isfinite(value) and math.isfinite(reference) and reference > 0
    return Transferred(
        model=name,
        source=source.data,
        target=target.data,
        setting=setting,
        runs=tuple(runs),
        planned=seeds,
        iqm=value,
        one_run=one_run,
        ratio=value / reference if usable else math.nan,
    )


def _fresh(model: ModelSummary, setting: int | None, seeds: int) -> list[TrialSummary]:
    if setting is None:
        return []
    return [
        t for t in model.fresh_seeds.get(setting, ()) if t.has_result and 1 <= t.repeat <= seeds
    ]


def _middle(runs: Sequence[TrialSummary], data: DataSummary) -> float:
    """Interquartile mean, failures at the cap; NaN without runs or a cap that is needed."""
    scores = test_costs(runs, data.metric)
    cap = cap_for([scores], data.cap, data.metric)
    if not len(scores) or cap is None:
        return math.nan
    reruns: Reruns = describe(scores, cap=cap, scale=scale_of(data.metric, [scores], cap))
    return data.metric.cost(reruns.iqm)
