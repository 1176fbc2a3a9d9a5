"""The chosen settings compared by their re-runs."""

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
        verdict: which of them differ; None with fewer than two models that can be compared.
        effects: of models that the study compares with one other alone.
        scale: of `effects`: "log" or "linear".
    """

    verdict: Comparison | None = None
    effects: tuple[Effect, ...] = ()
    scale: Scale = "log"

    def outcome(self, effect: Effect) -> str:
        """Whether a model is shown to be `better` or `worse` than the one that it is compared with;
        `not shown` if neither is."""
        if not effect.shown:
            return "not shown"
        return "better" if effect.ratio < (0 if self.scale == "linear" else 1) else "worse"


def rerun_numbers(
    models: Sequence[ModelSummary], metric: NamedMetric, cap: float | None
) -> tuple[tuple[ModelSummary, ...], RerunComparison]:
    """The models with what their re-runs say, and which chosen settings differ."""
    scores = {m.name: test_costs(m.rerun.runs, metric) for m in models if m.rerun and m.rerun.runs}
    listed = list(scores.values())
    worst = cap_for(listed, cap, metric)
    if worst is None or not scores:
        return tuple(models), RerunComparison()
    scale = scale_of(metric, listed, worst)
    pairs = {m.name: m.against for m in models if m.against is not None}
    changes = effects(scores, pairs, cap=worst, scale=scale)
    done = tuple(
        m.with_rerun(with_numbers(m.rerun, metric, cap=worst, scale=scale)) if m.rerun else m
        for m in models
    )
    verdict = compare(scores, cap=worst, scale=scale) if len(scores) > 1 else None
    return done, RerunComparison(verdict, changes, scale)
