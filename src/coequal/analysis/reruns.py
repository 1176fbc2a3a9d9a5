"""Fresh seeds of the settings that a search chose: which is reported, and what its runs say.

With several settings re-run, the first half of the seeds (rounded down) chooses among them by the
median of their validation values, failures worst; the rest is reported, on test. The seeds that
choose are never those that are reported, so the reported numbers are not too good.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coequal.analysis.metric import NamedMetric
from coequal.analysis.scores import Array, in_units, test_costs, validation_costs
from coequal.analysis.trials import TrialSummary
from coequal.statistics.reruns import Reruns, Scale, SelectionGap, describe, selection_gap


@dataclass(frozen=True)
class RerunSummary:
    """The re-runs of one model on one dataset.

    Attributes:
        candidates: the settings that were re-run, the search's best first.
        choosing: by candidate, its median validation value; empty with one candidate.
        chosen_by: the number of seeds of each candidate that choose among the candidates.
        setting: the one that is reported; None while seeds that choose are missing.
        search: the test value of that setting in the search; NaN if there is none.
        runs: the runs that are reported and have a result.
        planned: how many will be reported.
        numbers: mean, median, interquartile mean and intervals in the metric's units; None without
            runs, or without a cap that is needed.
        gap: the search's value minus that of the re-runs, in the metric's units; None where either
            is missing.
        oracle_gap: mean over finished runs of the test value minus the best over checkpoints, as a
            cost; NaN without runs.
    """

    candidates: tuple[int, ...]
    choosing: Mapping[int, float]
    chosen_by: int
    setting: int | None
    search: float
    runs: tuple[TrialSummary, ...]
    planned: int
    numbers: Reruns | None
    gap: SelectionGap | None
    oracle_gap: float

    @property
    def complete(self) -> bool:
        """Whether every run that is to be reported has a result."""
        return self.setting is not None and len(self.runs) == self.planned


def rerun_summary(
    settings: Sequence[TrialSummary],
    again: Mapping[int, Sequence[TrialSummary]],
    candidates: Sequence[int],
    seeds: int,
    metric: NamedMetric,
) -> RerunSummary | None:
    """Which setting is reported and its runs, still without numbers (`with_numbers`).

    Args:
        settings: the search's own runs.
        again: by setting, its runs with fresh seeds, by `repeat`.
        candidates: the best settings of the search, best first.
        seeds: fresh seeds that the study gives each of them; 0: no re-runs.
        metric: that is reported.
    """
    if not seeds or not candidates:
        return None
    runs = {s: [t for t in again.get(s, ()) if 1 <= t.repeat <= seeds] for s in candidates}
    if not any(runs.values()):
        return None
    half = seeds // 2 if len(candidates) > 1 else 0
    first = {s: [t for t in runs[s] if t.repeat <= half] for s in candidates}
    ended = all(len(ts) == half and all(t.has_result for t in ts) for ts in first.values())
    medians = {s: _median(validation_costs(first[s], metric)) for s in candidates} if half else {}
    if half:
        setting = min(candidates, key=lambda s: (medians[s], candidates.index(s)))
    else:
        setting = candidates[0]
    reported = [t for t in runs[setting] if t.repeat > half and t.has_result] if ended else []
    search = next((t.test for t in settings if t.number == setting), math.nan)
    return RerunSummary(
        candidates=tuple(candidates),
        choosing={s: metric.cost(value) for s, value in medians.items()} if ended else {},
        chosen_by=half,
        setting=setting if ended else None,
        search=search if ended else math.nan,
        runs=tuple(reported),
        planned=seeds - half,
        numbers=None,
        gap=None,
        oracle_gap=_oracle_gap(reported, metric),
    )


def with_numbers(
    rerun: RerunSummary, metric: NamedMetric, *, cap: float | None, scale: Scale
) -> RerunSummary:
    """Add the statistics of the reported runs, and the selection gap.

    Args:
        rerun: as `rerun_summary` gives it.
        metric: that is reported.
        cap: what a failure counts as, as a cost; None: there are failures and no cap was declared.
        scale: on which scores are compared; the same for all models.
    """
    if not rerun.runs or cap is None:
        return rerun
    costs = describe(test_costs(rerun.runs, metric), cap=cap, scale=scale)
    gap = None
    if math.isfinite(rerun.search):
        gap = selection_gap(metric.cost(rerun.search), costs)
        gap = replace(
            gap,
            search=metric.cost(gap.search),
            rerun=metric.cost(gap.rerun),
            difference=metric.cost(gap.difference),
        )
    numbers = replace(
        costs,
        mean=None if costs.mean is None else metric.cost(costs.mean),
        iqm=metric.cost(costs.iqm),
        iqm_interval=in_units(costs.iqm_interval, metric),
        median=metric.cost(costs.median),
        median_interval=in_units(costs.median_interval, metric),
    )
    return replace(rerun, numbers=numbers, gap=gap)


def _median(costs: Array) -> float:
    return float(np.median(np.where(np.isfinite(costs), costs, np.inf)))


def _oracle_gap(runs: Sequence[TrialSummary], metric: NamedMetric) -> float:
    gaps = [
        metric.cost(run.test)
        - min(metric.cost(m.test) for m in run.checkpoints if math.isfinite(m.test))
        for run in runs
        if not run.failed
    ]
    return sum(gaps) / len(gaps) if gaps else math.nan
