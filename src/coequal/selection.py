"""Which setting a search chooses: the rule that the plan follows and the report shows.

A setting is judged by its validation score alone, at the last checkpoint or at the one with the
best validation score, as the study says. A trial without a finite score there is worst.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from coequal import lookup
from coequal.checkpoints import Checkpoint, Checkpoints
from coequal.records import MetricInfo, Result

if TYPE_CHECKING:
    from coequal.statistics.rules import SearchRuns


class RunScore(NamedTuple):
    """What one run of a model on one dataset scored, as costs, of which less is better.

    Attributes:
        setting: 0 is the authors'; the others are drawn.
        repeat: 0 is the search's own run of the setting; 1, 2, ... are fresh seeds.
        validation: what the setting is chosen by; NaN for a failure.
        test: what is reported of it; NaN for a failure.
    """

    setting: int
    repeat: int
    validation: float
    test: float


@dataclass(frozen=True)
class SelectionRule:
    """How a study chooses a setting (Lucic et al. 2018 take the best of all checkpoints).

    Attributes:
        metric: the name of the number by which it chooses.
        info: what the metric says of that number; it knows which values are better.
        checkpoint: which checkpoint stands for a trial: its last, or its best on validation.
    """

    metric: str
    info: MetricInfo
    checkpoint: Literal["last", "best"] = "last"

    @classmethod
    def of(cls, select: Mapping[str, Any], metrics: Mapping[str, MetricInfo]) -> "SelectionRule":
        """Make the rule of a study.

        Args:
            select: the study's own `select`, with `metric` and `checkpoint`.
            metrics: what the study's metrics say of their numbers, by the name of the number.

        Raises:
            ValueError: none of them gives the number to choose by.
        """
        metric = str(select["metric"])
        if metric not in metrics:
            raise ValueError(
                lookup.unknown(metric, sorted(metrics), "not measured in this study: ")
            )
        return cls(metric, metrics[metric], select["checkpoint"])

    def checkpoint_index(
        self, finished: bool, steps: Sequence[int], validation: Sequence[float]
    ) -> int | None:
        """Choose the checkpoint that stands for a trial; of equally good ones the earliest.

        Args:
            finished: whether the trial reached its budget.
            steps: of the checkpoints.
            validation: the metric on the validation split at each of them; NaN where it was not
                measured.

        Returns:
            Its position among the checkpoints; None if the trial failed or has no finite score.
        """
        if not finished or not steps:
            return None
        last = len(steps) - 1
        if self.checkpoint == "last":
            return last if math.isfinite(validation[last]) else None
        known = [k for k, value in enumerate(validation) if math.isfinite(value)]
        return min(known, key=lambda k: (self.info.cost(validation[k]), steps[k]), default=None)

    def chosen_index(self, result: Result) -> int | None:
        """Position of the checkpoint that stands for a result; None if it failed or has no finite
        score."""
        points = result.checkpoints
        validation = points.values(self.metric, "validation")
        return self.checkpoint_index(result.finished, points.steps, validation)

    def chosen_checkpoint(self, result: Result) -> Checkpoint | None:
        """The checkpoint that stands for a result; None if it failed or has no finite score."""
        index = self.chosen_index(result)
        return None if index is None else result.checkpoints[index]

    def cost(self, result: Result) -> float:
        """The validation score to choose by as a number of which less is better; infinite for a
        failure."""
        index = self.chosen_index(result)
        if index is None:
            return math.inf
        return self.info.cost(result.checkpoints.values(self.metric, "validation")[index])

    def score(self, result: Result) -> RunScore:
        """What a run scored at the checkpoint that stands for it; a run without a finite score on
        either split failed."""
        trial, index = result.trial, self.chosen_index(result)
        validation = test = math.nan
        if index is not None:
            points = result.checkpoints
            validation = self.info.cost(points.values(self.metric, "validation")[index])
            test = self.info.cost(points.values(self.metric, "test")[index])
        if not math.isfinite(test):
            validation = test = math.nan
        return RunScore(trial.setting, trial.repeat, validation, test)

    def best_settings(self, results: Iterable[Result], count: int) -> list[int]:
        """Choose the best settings of one model by the search's own trials.

        Args:
            results: of one model on one dataset; re-runs among them are ignored.
            count: how many settings to choose.

        Returns:
            Settings, best first. Those that failed are never among them, so there may be fewer than
            `count`.
        """
        own = (result for result in results if result.trial.repeat == 0)
        return best((self.cost(result), result.trial.setting) for result in own)[:count]

    def summary(self, result: Result) -> Result:
        """The result with no numbers but those of the study's metric where it is judged. The rule
        chooses and scores the same by it, and a hundred thousand of them fit in memory."""
        index = self.chosen_index(result)
        if index is None:
            return replace(result, checkpoints=Checkpoints())
        point = result.checkpoints[index]
        kept = tuple(m for m in point.measurements if m.metric == self.metric)
        return replace(result, checkpoints=Checkpoints.of([replace(point, measurements=kept)]))


def best(scored: Iterable[tuple[float, int]]) -> list[int]:
    """Sort settings by cost, best first.

    Args:
        scored: pairs of cost and setting.

    Returns:
        The settings with a finite cost; of equally good ones, the one that was drawn first comes
        first.
    """
    return [setting for cost, setting in sorted(scored) if math.isfinite(cost)]


def search_runs(scores: Iterable[RunScore]) -> "SearchRuns":
    """The random settings of one model on one dataset as the verdict takes them.

    Args:
        scores: of its runs that have a result. Those of the authors' setting, and fresh seeds but
            the first, are ignored, as are settings after the first one without a result.
    """
    import numpy as np

    from coequal.statistics.rules import SearchRuns

    runs = {(score.setting, score.repeat): score for score in scores}
    settings = 0
    while (settings + 1, 0) in runs:
        settings += 1
    own = [runs[number, 0] for number in range(1, settings + 1)]
    again = [runs.get((number, 1)) for number in range(1, settings + 1)]
    return SearchRuns(
        validation=np.array([score.validation for score in own], dtype=np.float64),
        test=np.array([score.test for score in own], dtype=np.float64),
        fresh=np.array([math.nan if s is None else s.test for s in again], dtype=np.float64),
        retrained=np.array([score is not None for score in again], dtype=bool),
    )
