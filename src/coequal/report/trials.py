"""One trial, a single training run, as the report sees it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from coequal.records import Checkpoint, Result, Spent, Trial
from coequal.report.direction import Metric
from coequal.report.ranges import Placed, placed
from coequal.search import Range
from coequal.selection import Rule

PENDING = "pending"  # of a trial that has no result yet


@dataclass(frozen=True)
class Moment:
    """What was measured at one checkpoint; NaN where the study's metric was not."""

    step: int
    validation: float
    test: float
    values: Mapping[str, float]  # every metric on the test split
    error: float  # standard error of `test` over new generated images; NaN where unknown


@dataclass(frozen=True)
class TrialSummary:
    """One run of one setting of one model."""

    number: int  # of the setting; 0 is the authors'
    repeat: int  # 0 is the search's own run; 1, 2, ... are fresh seeds
    trial: str
    seed: int
    status: str  # as in the records, or PENDING
    reason: str
    values: tuple[Placed, ...]
    moments: tuple[Moment, ...]
    spent: Spent | None
    moment: Moment | None  # the checkpoint that stands for the trial; None for a failure
    last: Moment | None  # the last checkpoint and
    best: Moment | None  # the one with the best validation value; None for a failure

    def place(self, name: str) -> Placed | None:
        """A hyper-parameter of this setting; None if the model has none of that name."""
        return next((place for place in self.values if place.name == name), None)

    @property
    def validation(self) -> float:
        """What the trial is chosen by; NaN for a failure."""
        return math.nan if self.moment is None else self.moment.validation

    @property
    def test(self) -> float:
        """What is reported of it; NaN for a failure."""
        return math.nan if self.moment is None else self.moment.test

    @property
    def has_result(self) -> bool:
        """Whether the trial has ended, well or badly."""
        return self.status != PENDING

    @property
    def failed(self) -> bool:
        """Whether the trial ended without a score."""
        return self.has_result and self.status != "done"

    def value(self, metric: str) -> float:
        """The test value of any metric, where the trial is judged; NaN if it was not measured."""
        return math.nan if self.moment is None else self.moment.values.get(metric, math.nan)


def trial_summary(
    trial: Trial, result: Result | None, rule: Rule, spaces: Mapping[str, Range]
) -> TrialSummary:
    """What became of a trial; `spaces` holds the range of each hyper-parameter searched."""
    metric = Metric(rule.metric)
    moments = tuple(_moment(c, metric.name) for c in (result.checkpoints if result else ()))
    status, reason = (result.status, result.reason or "") if result else (PENDING, "")
    chosen = rule.moment(result) if result else None
    moment = next((m for m in moments if chosen and m.step == chosen.step), None)
    if status == "done" and (moment is None or not math.isfinite(moment.test)):
        where = "the last" if rule.checkpoint == "last" else "every"
        status, reason = "failed", f"{metric.name} is missing or not finite at {where} checkpoint"
    done = status == "done"
    best = best_moment(moments, metric) if done else None
    return TrialSummary(
        number=trial.setting,
        repeat=trial.repeat,
        trial=trial.id,
        seed=trial.seed,
        status=status,
        reason=reason,
        values=tuple(placed(n, v, spaces.get(n)) for n, v in trial.settings.items()),
        moments=moments,
        spent=result.spent if result else None,
        moment=moment if done else None,
        last=moments[-1] if done else None,
        best=best,
    )


def best_moment(moments: tuple[Moment, ...], metric: Metric) -> Moment | None:
    """The checkpoint with the best validation value, the earliest of equals."""
    measured = [m for m in moments if math.isfinite(m.validation) and math.isfinite(m.test)]
    return min(measured, key=lambda m: (metric.cost(m.validation), m.step), default=None)


def _moment(checkpoint: Checkpoint, metric: str) -> Moment:
    found = {m.split: m for m in checkpoint.measurements if m.metric == metric}
    validation, test = found.get("validation"), found.get("test")
    error = test.standard_error if test else None
    return Moment(
        step=checkpoint.step,
        validation=validation.value if validation else math.nan,
        test=test.value if test else math.nan,
        values={m.metric: m.value for m in checkpoint.measurements if m.split == "test"},
        error=math.nan if error is None else error,
    )
