"""One model on one dataset: its search, its re-runs, and how far they are."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from coequal.analysis.metric import NamedMetric, study_metric
from coequal.analysis.reruns import RerunSummary, rerun_summary
from coequal.analysis.scores import test_costs
from coequal.analysis.titles import changed, titles
from coequal.analysis.trials import TrialSummary
from coequal.analysis.variance import sensitivity
from coequal.design import rerun_seeds
from coequal.selection import SelectionRule, best
from coequal.statistics.rates import Interval, wilson
from coequal.statistics.sensitivity import Influence

MAX_LABEL_LETTERS = 26  # letters of a model's title in a table or a figure


@dataclass(frozen=True)
class PhaseProgress:
    """How far a phase of the study is.

    Attributes:
        planned: the number of its trials.
        ended: trials that have a result.
        failed: trials that ended without a score.
    """

    planned: int
    ended: int
    failed: int

    @property
    def missing(self) -> int:
        """Trials without a result."""
        return self.planned - self.ended


@dataclass(frozen=True)
class ModelSummary:
    """One model on one dataset.

    Attributes:
        name: in the study file.
        title: what a reader calls it.
        change: the settings in which it differs from the model that it is compared with, in words;
            empty where the study gives it a title, or compares it with no single model.
        objective: the name of its objective.
        source: where its objective and settings come from.
        against: the model that the study compares it with, and with no other; None: with all.
        index: its place in the study's order.
        hue: its colour in every figure and table, from 0; None: grey, in studies of many models.
        authors: the run of the authors' setting, which is no random draw; None if there is none.
        settings: the search's own runs of its random settings, one for each.
        fresh_seeds: by setting, its runs with fresh seeds, of re-runs and of transfer.
        candidates: the best settings, the authors' among them, best first: those to re-run.
        failure_interval: Wilson's 95 % interval of the search's failure rate; None without
            results.
        chosen: the best setting by validation, the authors' among them; None if none succeeded.
        rerun: its re-runs; None if none has been planned.
        oracle: the best test value over all settings and checkpoints, which no search can achieve;
            NaN without scores.
        median: the median of test values over settings, failures worst: infinite if half or more
            failed.
        gflops: mean cost of a trial of the search in 1e9 FLOPs, failed ones with what they spent.
        seconds: mean duration of a trial's training, failed ones included.
        influences: of the hyperparameters; None with too few settings.
        test_values: test values of every metric, where `chosen` is judged.
        details: what some of these values summarise, by metric.
        rerun_test_values: for each finished re-run that is reported, its test values of every
            metric.
        test_errors: standard errors of `test_values`, where they are known.
        rerun_test_errors: those of `rerun_test_values`.
    """

    name: str
    title: str
    change: str
    objective: str
    source: str
    against: str | None
    index: int
    hue: int | None
    authors: TrialSummary | None
    settings: tuple[TrialSummary, ...]
    fresh_seeds: Mapping[int, tuple[TrialSummary, ...]]
    candidates: tuple[int, ...]
    failure_interval: Interval | None
    chosen: TrialSummary | None
    rerun: RerunSummary | None
    oracle: float
    median: float
    gflops: float
    seconds: float
    influences: tuple[Influence, ...] | None
    test_values: Mapping[str, float]
    details: Mapping[str, Any]
    rerun_test_values: Sequence[Mapping[str, float]]
    test_errors: Mapping[str, float]
    rerun_test_errors: Sequence[Mapping[str, float]]

    @property
    def label(self) -> str:
        """The title, shortened where it is too long for a table or a figure; the name of a model
        whose title is made of its settings."""
        if self.change:
            return self.name
        return (
            self.title
            if len(self.title) <= MAX_LABEL_LETTERS
            else self.title[: MAX_LABEL_LETTERS - 1] + "…"
        )

    @cached_property
    def ended(self) -> tuple[TrialSummary, ...]:
        """The runs of random settings that have a result."""
        return tuple(setting for setting in self.settings if setting.has_result)

    @cached_property
    def tried(self) -> tuple[TrialSummary, ...]:
        """The runs of the authors' setting and of the random ones that have a result."""
        authors = (self.authors,) if self.authors and self.authors.has_result else ()
        return (*authors, *self.ended)

    @property
    def planned(self) -> int:
        """Number of trials of its search, the authors' setting among them."""
        return len(self.settings) + (self.authors is not None)

    @cached_property
    def failures(self) -> tuple[TrialSummary, ...]:
        """The runs of random settings that ended without a score."""
        return tuple(setting for setting in self.settings if setting.failed)

    @property
    def generator_steps(self) -> tuple[int, int] | None:
        """Fewest and most generator steps of the trials that reached their budget."""
        steps = [s.spent.generator_steps for s in self.tried if s.spent and not s.failed]
        return (min(steps), max(steps)) if steps else None

    def score_error(self, trial: TrialSummary | None = None) -> float | None:
        """The error by which the score of a single run is rounded.

        It is the larger of the standard deviation of the model's re-runs and the standard error of
        the measurement. None without re-runs, where nobody knows how far another seed's score would
        be, unless the measurement alone is uncertain by a tenth of the score or more.

        Args:
            trial: the run; None: the one of the chosen setting.
        """
        run = trial or self.chosen
        measured = math.nan if run is None or run.checkpoint is None else run.checkpoint.error
        numbers = self.rerun.numbers if self.rerun else None
        if numbers is not None and numbers.sd is not None:
            return max(numbers.sd, measured if math.isfinite(measured) else 0.0)
        return measured if run is not None and measured >= 0.1 * abs(run.test) else None

    def with_rerun(self, rerun: RerunSummary) -> "ModelSummary":
        """This summary with other re-runs."""
        return replace(self, rerun=rerun)


def model_summary(
    study: Mapping[str, Any],
    name: str,
    index: int,
    trials: Sequence[TrialSummary],
    rule: SelectionRule,
) -> ModelSummary:
    """What became of a model's trials on one dataset; still without `others`."""
    metric = study_metric(rule)
    about: Mapping[str, Any] = next((m for m in study["models"] if m["name"] == name), {})
    own = [trial for trial in trials if trial.repeat == 0]
    settings = [trial for trial in own if trial.number > 0]
    fresh_seeds: dict[int, list[TrialSummary]] = {}
    for trial in sorted(trials, key=lambda t: t.repeat):
        if trial.repeat > 0:
            fresh_seeds.setdefault(trial.number, []).append(trial)
    ended = [setting for setting in settings if setting.has_result]
    good = [setting for setting in own if setting.has_result and not setting.failed]
    phase = study.get("reruns") or {}
    candidates = best((s.score, s.number) for s in own)[: max(1, int(phase.get("best", 1)))]
    costs = test_costs(ended, metric)
    middle = float(np.median(np.where(np.isfinite(costs), costs, np.inf))) if ended else math.nan
    spent = [s.spent for s in own if s.spent]
    seed = int(study.get("seed", 0))
    return ModelSummary(
        name=name,
        title=titles(study).get(name, name),
        change=changed(study, name),
        objective=str(about.get("objective") or ""),
        source=str(about.get("source") or ""),
        against=about.get("against"),
        index=index,
        hue=index,
        authors=next((trial for trial in own if trial.number == 0), None),
        settings=tuple(settings),
        fresh_seeds={number: tuple(runs) for number, runs in fresh_seeds.items()},
        candidates=tuple(candidates),
        failure_interval=wilson(sum(s.failed for s in ended), len(ended)) if ended else None,
        chosen=next((s for n in candidates for s in good if s.number == n), None),
        rerun=rerun_summary(own, fresh_seeds, candidates, rerun_seeds(study, name), metric),
        oracle=_oracle(good, metric),
        median=metric.cost(middle),
        gflops=_mean(s.flops / 1e9 for s in spent),
        seconds=_mean(s.seconds for s in spent),
        influences=sensitivity(settings, metric=metric, seed=seed, name=name),
        test_values={},
        details={},
        rerun_test_values=(),
        test_errors={},
        rerun_test_errors=(),
    )


def rerun_phase(models: Sequence[ModelSummary], study: Mapping[str, Any]) -> PhaseProgress | None:
    """How far the re-runs are, with those that can't be named before the search has ended; None if
    the study plans none.

    A model none of whose settings succeeded has nothing to re-run.
    """
    phase = study.get("reruns") or {}
    best = int(phase.get("best", 1))
    if not int(phase.get("seeds", 0)):
        return None
    planned = ended = failed = 0
    for model in models:
        seeds = rerun_seeds(study, model.name)
        waiting = any(not run.has_result for run in (model.authors, *model.settings) if run)
        planned += seeds * (best if waiting else len(model.candidates))
        chosen = () if waiting else model.candidates
        runs = [t for s in chosen for t in model.fresh_seeds.get(s, ()) if 1 <= t.repeat <= seeds]
        ended += sum(run.has_result for run in runs)
        failed += sum(run.failed for run in runs)
    return PhaseProgress(planned, ended, failed)


def _oracle(trials: Sequence[TrialSummary], metric: NamedMetric) -> float:
    """Nobody could have chosen it without the test split; Lucic et al. 2018 choose so."""
    scores = np.concatenate([trial.numbers[1] for trial in trials] or [np.zeros(0)])
    scores = scores[np.isfinite(scores)]
    return float(scores.max() if metric.higher else scores.min()) if len(scores) else math.nan


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else math.nan
