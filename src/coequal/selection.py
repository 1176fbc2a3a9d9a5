"""Which setting a search chooses: the rule that the plan follows and the report shows.

A setting is judged by its validation score alone, at the last checkpoint or at the one with the
best validation score, as the study says. A trial without a finite score there is worst.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from coequal import lookup
from coequal.checkpoints import Checkpoint, Checkpoints
from coequal.records import MetricInfo, Result


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

    def best_settings(self, results: Iterable[Result], count: int) -> list[int]:
        """Choose the best settings of one model by the search's own trials.

        Args:
            results: of one model on one data set; re-runs among them are ignored.
            count: how many settings to choose.

        Returns:
            Settings, best first. Those that failed are never among them, so there may be fewer than
            `count`.
        """
        own = (result for result in results if result.trial.repeat == 0)
        return best((self.cost(result), result.trial.setting) for result in own)[:count]

    def summary(self, result: Result) -> Result:
        """The result with no number but the one to choose by. The rule chooses the same by it, and
        a hundred thousand of them fit in memory."""
        index = self.chosen_index(result)
        if index is None:
            return replace(result, checkpoints=Checkpoints())
        point = result.checkpoints[index]
        wanted = (self.metric, "validation")
        kept = tuple(m for m in point.measurements if (m.metric, m.split) == wanted)
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
