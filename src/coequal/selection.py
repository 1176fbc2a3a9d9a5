"""Which setting a search chooses: the rule that the plan follows and the report shows.

A setting is judged by its validation score alone, at the last checkpoint or at the one with the
best validation score, as the study says. A trial without a finite score there is worst.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coequal.records import Checkpoint, Result

HIGHER = frozenset(
    {
        *("precision", "recall", "f1", "density", "coverage", "prd_f8", "prd_f1_8"),
        *("is", "is_whole", "mode_score", "vendi", "vendi_ratio"),
        *("manifold_precision", "manifold_recall", "manifold_f1"),
        *("modes_covered", "modes_quality", "curve_quality", "curve_coverage"),
    }
)
"""Metrics of which more is better; of every other that a study may choose by, less is.

The metrics themselves say so too, but importing them takes torch; a test holds both equal.
"""


def cost(metric: str, value: float) -> float:
    """A number of which less is better, whatever the metric; its own inverse."""
    return -value if metric in HIGHER else value


@dataclass(frozen=True)
class Rule:
    """How a study chooses a setting (Lucic et al. 2018 take the best of all checkpoints)."""

    metric: str = "fd"
    checkpoint: Literal["last", "best"] = "last"

    @classmethod
    def of(cls, select: Mapping[str, Any]) -> "Rule":
        """What a study's `select` says."""
        return cls(str(select["metric"]), select["checkpoint"])

    def moment(self, result: Result) -> Checkpoint | None:
        """The checkpoint that stands for a trial; None if it failed or has no finite score.

        Of equals the earliest. The rule looks at validation only.
        """
        if not result.finished or not result.checkpoints:
            return None
        last = result.checkpoints[-1]
        if self.checkpoint == "last":
            return last if math.isfinite(self._cost(last)) else None
        best = min(result.checkpoints, key=lambda c: (self._cost(c), c.step))
        return best if math.isfinite(self._cost(best)) else None

    def score(self, result: Result) -> float:
        """The validation score to choose by, less is better; infinite for a failure."""
        moment = self.moment(result)
        return math.inf if moment is None else self._cost(moment)

    def best_settings(self, results: Iterable[Result], count: int) -> list[int]:
        """The best settings among the search's own trials of one model, best first.

        Settings that failed are never among them, so there may be fewer than `count`.
        """
        scored = sorted(
            (self.score(result), result.trial.setting)
            for result in results
            if result.trial.repeat == 0
        )
        return [setting for score, setting in scored if math.isfinite(score)][:count]

    def _cost(self, checkpoint: Checkpoint) -> float:
        try:
            found = cost(self.metric, checkpoint.value(self.metric, "validation"))
        except KeyError:
            return math.inf
        return found if math.isfinite(found) else math.inf
