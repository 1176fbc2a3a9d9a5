"""What precision and recall against a known manifold say beside the study's other metrics."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import TrialSummary
from coequal.records import Result
from coequal.statistics.correlation import Correlation, clustered_spearman, spearman

PRECISION, RECALL, F1 = "manifold_precision", "manifold_recall", "manifold_f1"
DISTANCES = ("fid", "fd")
"""Distances of features that a search without a known manifold would choose by."""


@dataclass(frozen=True)
class SplitValues:
    """A number on both splits at a trial's last checkpoint; NaN where there is none.

    Attributes:
        validation: on the validation split.
        test: on the test split.
    """

    validation: float = math.nan
    test: float = math.nan


NOT_MEASURED = SplitValues()

LastValues = dict[str, dict[str, SplitValues]]
"""By metric and trial id, the numbers at the trial's last checkpoint."""


@dataclass(frozen=True)
class ManifoldResults:
    """The numbers of every trial of the search that has them.

    Attributes:
        values: by metric and trial.
        metrics: all of the run, by name.
        distance: the name of the distance of features that was measured too; None: none was.
    """

    values: Mapping[str, Mapping[str, SplitValues]]
    distance: str | None
    metrics: Mapping[str, NamedMetric]

    def of(self, metric: str, trial: TrialSummary) -> SplitValues:
        """A trial's numbers; NaN for a failure."""
        return (
            NOT_MEASURED
            if trial.failed
            else self.values.get(metric, {}).get(trial.trial, NOT_MEASURED)
        )

    def test(self, metric: str, trials: Sequence[TrialSummary]) -> list[float]:
        """The test values of some trials."""
        return [self.of(metric, trial).test for trial in trials]

    def chosen_by(self, metric: str, trials: Sequence[TrialSummary]) -> TrialSummary | None:
        """The trial with the best validation value, the first of equals; None if all failed."""
        cost = self.metrics[metric].cost
        there = [t for t in trials if math.isfinite(self.of(metric, t).validation)]
        return min(there, key=lambda t: cost(self.of(metric, t).validation), default=None)

    def agreement(self, models: Sequence[ModelSummary]) -> Correlation | None:
        """Rank correlation of F1 with the distance over all random settings of all models, both
        turned so that 1 is full agreement; its interval is over the draw of models and settings."""
        if self.distance is None:
            return None
        drawn = [(m.name, trial) for m in models for trial in m.ended]
        trials = [trial for _, trial in drawn]
        distances = [-value for value in self.test(self.distance, trials)]
        return clustered_spearman(
            self.test(F1, trials),
            distances,
            models=[name for name, _ in drawn],
            settings=[trial.number for trial in trials],
        )

    def agreement_of_models(self, models: Sequence[ModelSummary]) -> Correlation | None:
        """Rank correlation of F1 with the distance over models, each at what its search reaches:
        its best F1 and its best distance, both by validation."""
        if self.distance is None:
            return None
        best = [
            [self._reached(metric, model) for model in models] for metric in (F1, self.distance)
        ]
        return spearman(best[0], [-value for value in best[1]])

    def _reached(self, metric: str, model: ModelSummary) -> float:
        chosen = self.chosen_by(metric, model.tried)
        return math.nan if chosen is None else self.of(metric, chosen).test


def add_last_values(values: LastValues, result: Result) -> None:
    """Add what a trial's last checkpoint says of the manifold, and of distances beside it."""
    points = result.checkpoints
    measured = {series.metric for series in points.measured}
    if F1 not in measured:
        return
    for name in (PRECISION, RECALL, F1, *DISTANCES):
        if name in measured:
            validation, test = (points.values(name, split)[-1] for split in ("validation", "test"))
            values.setdefault(name, {})[result.trial.id] = SplitValues(validation, test)


def manifold_results(
    values: LastValues, measured: Collection[str], metrics: Mapping[str, NamedMetric]
) -> ManifoldResults | None:
    """What a run knows of a manifold; None where it wasn't measured.

    Args:
        values: of all trials.
        measured: the metrics of a dataset.
        metrics: all of the run, by name.
    """
    if F1 not in measured:
        return None
    distance = next((name for name in DISTANCES if name in measured), None)
    wanted = (PRECISION, RECALL, F1, distance)
    known = {name: values[name] for name in wanted if name in values}
    return ManifoldResults(known, distance, metrics)
