"""The chosen settings compared by their re-runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coequal.analysis.metric import NamedMetric
from coequal.analysis.model import ModelSummary
from coequal.analysis.reruns import with_numbers
from coequal.analysis.scores import cap_for, scale_of, test_costs
from coequal.statistics.comparison import Comparison, Effect, compare, effects
from coequal.statistics.reruns import Scale


@dataclass(frozen=True)
class RerunComparison:
    """The chosen settings compared by their re-runs.

    Attributes:
        verdict: which of them differ; None with fewer than two models that can be compared, and
            where the study names the pairs that it compares.
        effects: of models that the study compares with one other alone.
        comparisons: number of pairs that the study names.
        scale: of `effects`: "log" or "linear".
    """

    verdict: Comparison | None = None
    effects: tuple[Effect, ...] = ()
    comparisons: int = 0
    scale: Scale = "log"

    def outcome(self, effect: Effect) -> str:
        """Whether a model is shown to be `better` or `worse` than the one that it is compared with;
        `not shown` if neither is."""
        if not effect.shown:
            return "not shown"
        return "better" if effect.wins > 0.5 else "worse"

    @property
    def smallest_gain(self) -> float | None:
        """The change that half of the comparisons would have shown with a probability of about 80 %
        (the median of `Effect.smallest_gain`); None where most would have shown none."""
        none = 0.0 if self.scale == "log" else -math.inf
        gains = sorted(none if e.smallest_gain is None else e.smallest_gain for e in self.effects)
        if not gains:
            return None
        middle = gains[(len(gains) - 1) // 2]
        return None if middle == none else middle


def rerun_numbers(
    models: Sequence[ModelSummary], metric: NamedMetric, cap: float | None, *, complete: bool
) -> tuple[tuple[ModelSummary, ...], RerunComparison]:
    """The models with what their re-runs say, and which chosen settings differ.

    Args:
        models: still without numbers of their re-runs.
        metric: that is reported.
        cap: what a failure counts as, in the metric's units; None: none was declared.
        complete: whether all re-runs have results. Nothing is compared before: whoever looks at
            each new run and stops when a difference shows errs more often than 5 %.
    """
    scores = {m.name: test_costs(m.rerun.runs, metric) for m in models if m.rerun and m.rerun.runs}
    if not scores:
        return tuple(models), RerunComparison()
    listed = list(scores.values())
    worst = cap_for(listed, cap, metric)
    scale = scale_of(metric, listed, math.inf if worst is None else worst)
    done = tuple(
        m.with_rerun(with_numbers(m.rerun, metric, cap=worst, scale=scale)) if m.rerun else m
        for m in models
    )
    if not complete:
        return done, RerunComparison()
    pairs = {m.name: m.against for m in models if m.against is not None}
    if pairs:
        changes = effects(scores, pairs, scale=scale)
        return done, RerunComparison(None, changes, len(pairs), scale)
    return done, RerunComparison(compare(scores) if len(scores) > 1 else None)
