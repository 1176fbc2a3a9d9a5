"""Which setting a search chooses: the rule that the plan follows and the report shows.

A setting is judged by its validation score alone, at the last checkpoint or at the one with the
best validation score, as the study says. A trial without a finite score there is worst.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from coequal import lookup
from coequal.records import Checkpoint, MetricInfo, Result


@dataclass(frozen=True)
class SelectionRule:
    """How a study chooses a setting (Lucic et al. 2018 take the best of all checkpoints)."""

    metric: str
    info: MetricInfo  # what the metric says of itself
    checkpoint: Literal["last", "best"] = "last"

    @classmethod
    def of(cls, select: Mapping[str, Any], metrics: Mapping[str, MetricInfo]) -> "SelectionRule":
        """The rule of a study.

        Args:
            select: as the study says it.
            metrics: what the study's metrics say of their numbers.

        Raises:
            ValueError: none of them gives the number to choose by.
        """
        metric = str(select["metric"])
        if metric not in metrics:
            raise ValueError(
                lookup.unknown(metric, sorted(metrics), "not measured in this study: ")
            )
        return cls(metric, metrics[metric], select["checkpoint"])

    def place(
        self, finished: bool, steps: Sequence[int], validation: Sequence[float]
    ) -> int | None:
        """Which checkpoint stands for a trial; None if it failed or has no finite score.

        Of equals the earliest. The rule looks at validation only.

        Args:
            finished: whether the trial reached its budget.
            steps: of the checkpoints.
            validation: the metric there; NaN where it was not measured.
        """
        if not finished or not steps:
            return None
        last = len(steps) - 1
        if self.checkpoint == "last":
            return last if math.isfinite(validation[last]) else None
        known = [k for k, value in enumerate(validation) if math.isfinite(value)]
        return min(known, key=lambda k: (self.info.cost(validation[k]), steps[k]), default=None)

    def moment(self, result: Result) -> Checkpoint | None:
        """The same of a result."""
        points = result.checkpoints
        values = [self._validation(point) for point in points]
        found = self.place(result.finished, [point.step for point in points], values)
        return None if found is None else points[found]

    def score(self, result: Result) -> float:
        """The validation score to choose by, less is better; infinite for a failure."""
        moment = self.moment(result)
        return math.inf if moment is None else self.info.cost(self._validation(moment))

    def best_settings(self, results: Iterable[Result], count: int) -> list[int]:
        """The best settings among the search's own trials of one model, best first.

        Settings that failed are never among them, so there may be fewer than `count`.
        """
        own = (result for result in results if result.trial.repeat == 0)
        return best((self.score(result), result.trial.setting) for result in own)[:count]

    def judged(self, result: Result) -> Result:
        """The result with nothing but the checkpoint that stands for it, on which the rule says the
        same: of a hundred thousand results no more need be held."""
        moment = self.moment(result)
        return replace(result, checkpoints=() if moment is None else (moment,))

    def _validation(self, checkpoint: Checkpoint) -> float:
        try:
            return checkpoint.value(self.metric, "validation")
        except KeyError:
            return math.nan


def best(scored: Iterable[tuple[float, int]]) -> list[int]:
    """Settings by their scores, best first; of equals the one that was drawn first, and no
    failure."""
    return [setting for score, setting in sorted(scored) if math.isfinite(score)]
