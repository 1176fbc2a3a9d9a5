"""One trial, a single training run, as the report sees it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coequal.analysis.metric import NamedMetric, study_metric
from coequal.analysis.range_position import RangePosition, range_position
from coequal.analysis.source import SECOND_METRIC
from coequal.checkpoints import Checkpoints, Spent
from coequal.health import FAILURES
from coequal.ranges import Range
from coequal.records import Result, Trial, TrialHealth
from coequal.selection import SelectionRule

PENDING = "pending"  # of a trial that has no result yet
STOPPED = "stopped early"  # of one that the study gave up on


class CheckpointScore(NamedTuple):
    """The study's metric at one checkpoint; NaN where it was not measured.

    Attributes:
        step: discriminator steps done.
        validation: value on the validation split.
        test: value on the test split.
        error: standard error of `test` over new generated images; NaN where unknown.
    """

    step: int
    validation: float
    test: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class TrialSummary:
    """One run of one setting of one model.

    Attributes:
        number: of the setting; 0 is the authors'.
        repeat: 0 is the search's own run; 1, 2, ... are fresh seeds.
        trial: the trial's id.
        seed: of its training.
        status: as in the records, or PENDING.
        reason: why it ended without a score; empty if it did not.
        values: its hyperparameters with their positions in the declared ranges, by name.
        steps: of the checkpoints.
        numbers: (4, checkpoints): validation, test, standard error of test, and F1.
        spent: its cost; None without a result.
        score: what the search chooses by, less is better; infinite for a failure.
        checkpoint: the one that is judged; None for a failure.
        last: the last one; None for a failure.
        best: the one with the best validation value; None for a failure.
        f1: test F1 where the trial is judged; NaN for a failure, or where it was not measured.
        budget: what the trial may spend; NaN if unknown.
        unit: of `budget`: a field of `Spent`.
        health: the verdict on its training; None if the trial was not watched.
    """

    number: int
    repeat: int
    trial: str
    seed: int
    status: str
    reason: str
    values: tuple[RangePosition, ...]
    steps: tuple[int, ...]
    numbers: NDArray[np.float64]
    spent: Spent | None
    score: float
    checkpoint: CheckpointScore | None
    last: CheckpointScore | None
    best: CheckpointScore | None
    f1: float
    budget: float
    unit: str
    health: TrialHealth | None

    @property
    def checkpoints(self) -> tuple[CheckpointScore, ...]:
        """All checkpoints. Not kept as objects: a large study has millions."""
        validation, test, error, _ = self.numbers.tolist()
        return tuple(map(CheckpointScore, self.steps, validation, test, error))

    def hyperparameter(self, name: str) -> RangePosition | None:
        """A hyperparameter of this setting; None if the model has none of that name."""
        return next((value for value in self.values if value.name == name), None)

    @property
    def validation(self) -> float:
        """What the trial is chosen by; NaN for a failure."""
        return math.nan if self.checkpoint is None else self.checkpoint.validation

    @property
    def test(self) -> float:
        """What is reported of it; NaN for a failure."""
        return math.nan if self.checkpoint is None else self.checkpoint.test

    @property
    def has_result(self) -> bool:
        """Whether the trial has ended, well or badly."""
        return self.status != PENDING

    @property
    def failed(self) -> bool:
        """Whether the trial ended without a score."""
        return self.has_result and self.status != "done"

    @property
    def verdict(self) -> str:
        """Of its health, one of `coequal.health.VERDICTS`; empty of one that was not watched."""
        return "" if self.health is None else self.health.verdict

    @property
    def looks_bad(self) -> bool:
        """Whether the trial has a score, and its health is a failure nevertheless."""
        return self.status == "done" and self.verdict in FAILURES

    @property
    def unspent(self) -> float:
        """What a trial that was stopped early left of its budget, in the budget's unit; 0 of any
        other."""
        if self.status != STOPPED or self.spent is None or not self.unit:
            return 0.0
        return max(0.0, self.budget - float(getattr(self.spent, self.unit)))


def trial_summary(
    trial: Trial, result: Result | None, rule: SelectionRule, spaces: Mapping[str, Range]
) -> TrialSummary:
    """What became of a trial; `spaces` holds the range of each hyperparameter searched."""
    metric = study_metric(rule)
    status, reason = (result.status, result.reason or "") if result else (PENDING, "")
    unit, budget = next(iter((trial.training.get("budget") or {}).items()), ("", math.nan))
    points = result.checkpoints if result else Checkpoints()
    steps = points.steps
    validation = points.values(metric.name, "validation")
    test = points.values(metric.name, "test")
    error = points.standard_errors(metric.name, "test")
    f1 = points.values(SECOND_METRIC, "test")
    numbers = np.array((validation, test, error, f1))

    def checkpoint(k: int | None) -> CheckpointScore | None:
        return None if k is None else CheckpointScore(steps[k], validation[k], test[k], error[k])

    place = rule.checkpoint_index(status == "done", steps, validation)
    score = math.inf if place is None else metric.cost(validation[place])
    if status == "done" and (place is None or not math.isfinite(test[place])):
        where = "the last" if rule.checkpoint == "last" else "every"
        status, reason = "failed", f"{metric.name} is missing or not finite at {where} checkpoint"
    done = place is not None and status == "done"
    return TrialSummary(
        number=trial.setting,
        repeat=trial.repeat,
        trial=trial.id,
        seed=trial.seed,
        status=status,
        reason=reason,
        values=tuple(
            range_position(n, v, spaces.get(n)) for n, v in sorted(trial.settings.items())
        ),
        steps=steps,
        numbers=numbers,
        spent=result.spent if result else None,
        score=score,
        checkpoint=checkpoint(place if done else None),
        last=checkpoint(len(steps) - 1 if done else None),
        best=checkpoint(_best(numbers, metric) if done else None),
        f1=f1[place] if done and place is not None else math.nan,
        budget=float(budget),
        unit=unit,
        health=result.health if result else None,
    )


def _best(numbers: NDArray[np.float64], metric: NamedMetric) -> int | None:
    """The checkpoint with the best validation value, the earliest of equals."""
    validation, test, *_ = numbers
    measured = np.isfinite(validation) & np.isfinite(test)
    if not measured.any():
        return None
    return int(np.argmin(np.where(measured, metric.sign * validation, math.inf)))
