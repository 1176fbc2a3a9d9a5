"""What became of a model's runs by their health, and what those that were stopped early left of
their budgets."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from coequal.analysis.data_summary import DataSummary
from coequal.analysis.model import ModelSummary
from coequal.analysis.trials import STOPPED, TrialSummary
from coequal.health import EARLY, FAILURES, HEALTHY
from coequal.statistics.rates import Interval, wilson

OTHER_FAILURE = "other failure"  # without a score or a rule that fired: an error, no time left
NOT_WATCHED = "not watched"
KINDS = (HEALTHY, EARLY, *FAILURES, OTHER_FAILURE, NOT_WATCHED)
"""What a run can be taken for, each in one of them; in the order in which they are shown."""


def health_kind(trial: TrialSummary) -> str:
    """Which of `KINDS` a run with a result is."""
    if trial.verdict in FAILURES:
        return trial.verdict
    return OTHER_FAILURE if trial.failed else trial.verdict or NOT_WATCHED


def is_failure(trial: TrialSummary) -> bool:
    """Whether a run with a result ended without a score, or looks bad with one."""
    return trial.failed or trial.looks_bad


@dataclass(frozen=True)
class HealthCount:
    """How many runs were taken for what.

    Attributes:
        kinds: runs by `KINDS`.
        without_score: runs that ended without a score.
        looks_bad: runs that have a score and look bad nevertheless.
        unseen: runs with a score that were not watched: they count as no failures.
    """

    kinds: Counter[str]
    without_score: int
    looks_bad: int
    unseen: int

    @property
    def runs(self) -> int:
        """All of them."""
        return self.kinds.total()

    @property
    def failures(self) -> int:
        """Both kinds of failure."""
        return self.without_score + self.looks_bad

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the failure rate, Wilson's; None without runs."""
        return wilson(self.failures, self.runs) if self.runs else None


def count_health(trials: Iterable[TrialSummary]) -> HealthCount:
    """The health of runs that have a result."""
    ended = [trial for trial in trials if trial.has_result]
    return HealthCount(
        Counter(health_kind(trial) for trial in ended),
        sum(trial.failed for trial in ended),
        sum(trial.looks_bad for trial in ended),
        sum(health_kind(trial) == NOT_WATCHED for trial in ended),
    )


def fresh_runs(model: ModelSummary) -> list[TrialSummary]:
    """The model's runs with fresh seeds that have a result, re-runs and transfers."""
    return [trial for runs in model.fresh_seeds.values() for trial in runs if trial.has_result]


def watched(summary: DataSummary) -> bool:
    """Whether any run on this dataset was watched while it trained."""
    return any(t.health for m in summary.models for t in (*m.tried, *fresh_runs(m)))


@dataclass(frozen=True)
class SavedBudget:
    """What the trials of a model that were stopped early left of their budgets.

    Attributes:
        runs: of the model that have a result and a known budget, search and fresh seeds.
        stopped: how many of them were stopped early.
        unspent: what those left, in the budget's `unit`.
        budget: what all the runs could have spent together.
    """

    runs: int
    stopped: int
    unspent: float
    budget: float
    unit: str

    @property
    def fraction(self) -> float:
        """`unspent` of `budget`; 0 without runs."""
        return self.unspent / self.budget if self.runs else 0.0


def saved_budget(model: ModelSummary) -> SavedBudget:
    """What was left of a model's budgets."""
    runs = [trial for trial in (*model.tried, *fresh_runs(model)) if trial.unit]
    return SavedBudget(
        len(runs),
        sum(trial.status == STOPPED for trial in runs),
        sum(trial.unspent for trial in runs),
        sum(trial.budget for trial in runs),
        runs[0].unit if runs else "",
    )
